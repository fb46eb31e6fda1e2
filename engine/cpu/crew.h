// SPDX-License-Identifier: MIT
// A few threads that help the caller with one loop at a time.
//
// `run` hands out the numbers 0..count-1 to the caller and its helpers and returns when all are done. It waits for numbers
// that a helper has begun, never for a helper that was not there in time: on a busy machine the caller does the work alone. Between calls helpers
// spin for a few microseconds, then sleep on a condition variable: waking them is a system call, so only render threads
// that may wait use a crew, never an audio callback.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace tutti::engine {

class Crew {
public:
    // [control]
    explicit Crew(int helpers);
    ~Crew();
    Crew(const Crew&) = delete;
    Crew& operator=(const Crew&) = delete;
    int helpers() const noexcept { return static_cast<int>(m_threads.size()); } // [any]

    static constexpr int k_most = 32767; // numbers of a loop
    // Calls work(context, i) once for each i, on this thread and at most `helpers` others. [device]
    using Work = void (*)(void* context, int i) noexcept;
    void run(Work work, void* context, int count, int helpers) noexcept;

private:
    void serve(int place) noexcept;
    void take(bool from_back) noexcept;

    // The loop that runs: its serial in bits 32.., the numbers not yet taken in between bits 0..15 (first) and 16..31 (behind
    // the last). One word, so that a helper that wakes late either takes a number of the loop that runs now or touches
    // nothing of it. The caller takes from the front, helpers from the back: in loop after loop over the same memory most of
    // it stays in the same core's cache, worth a sixth of the speed of two threads.
    std::atomic<std::uint64_t> m_loop{0};
    std::atomic<int> m_done{0}; // numbers of this loop that are finished: all that the caller waits for
    Work m_work = nullptr;      // these three are stable while a number of the loop is unfinished
    void* m_context = nullptr;
    std::atomic<int> m_helpers{0}; // that may take part
    std::atomic<int> m_sleeping{0};
    std::atomic<bool> m_stop{false};
    std::mutex m_mutex;
    std::condition_variable m_wake;
    std::vector<std::thread> m_threads;
    static_assert(std::atomic<int>::is_always_lock_free && std::atomic<std::uint64_t>::is_always_lock_free);
};

} // namespace tutti::engine
