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

#include "engine/cpu/loop_word.h"

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
    void take(bool from_back) noexcept;

    // The caller takes from the front, helpers from the back: in loop after loop over the same memory most of it stays in the
    // same core's cache, worth a sixth of the speed of two threads.
    LoopWord<> m_loop;
    Work m_work = nullptr; // these three are stable while a number of the loop is unfinished
    void* m_context = nullptr;
    std::atomic<int> m_helpers{0}; // that may take part
    std::atomic<bool> m_stop{false};
    std::mutex m_mutex;
    std::condition_variable m_wake;
    std::vector<std::thread> m_threads;
};

} // namespace tutti::engine
