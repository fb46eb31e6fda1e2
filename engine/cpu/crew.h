// SPDX-License-Identifier: MIT
// A few threads that help the caller with one loop at a time.
//
// `run` hands out the numbers 0..count-1 to the caller and its helpers and returns when all are done. Between calls helpers
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

    // Calls work(context, i) once for each i, on this thread and at most `helpers` others. [device]
    using Work = void (*)(void* context, int i) noexcept;
    void run(Work work, void* context, int count, int helpers) noexcept;

private:
    void serve(int place) noexcept;
    void take() noexcept;

    Work m_work = nullptr;
    void* m_context = nullptr;
    int m_count = 0;
    int m_helpers = 0;
    std::atomic<int> m_next{0};
    std::atomic<int> m_busy{0};             // helpers that have not finished this loop
    std::atomic<std::uint64_t> m_serial{0}; // counts loops; helpers wait for the next
    std::atomic<int> m_sleeping{0};
    std::atomic<bool> m_stop{false};
    std::mutex m_mutex;
    std::condition_variable m_wake;
    std::vector<std::thread> m_threads;
    static_assert(std::atomic<int>::is_always_lock_free && std::atomic<std::uint64_t>::is_always_lock_free);
};

} // namespace tutti::engine
