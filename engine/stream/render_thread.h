// SPDX-License-Identifier: MIT
// The thread that renders all streams of `ahead`, every closed block of every stream in one batch.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/stream/state.h"

namespace tutti::engine {

// Sleeps to the next close expected, within the look-ahead's slack; nobody wakes it while streams play, since the audio thread calls nothing.
class RenderThread {
public:
    RenderThread(std::unique_ptr<Backend> backend, int threads, bool manual);
    ~RenderThread();

    void add(StreamState& stream);    // [control]
    void remove(StreamState& stream); // returns once the thread does not touch it any more [control]
    bool render_once();               // [device]
    // What the operating system said to the wish for real-time priority. [any]
    bool real_time() const noexcept { return m_real_time.load(std::memory_order_relaxed); }

private:
    // A stream's pulls as this thread sees them: a clock that follows them smoothly.
    struct Entry {
        StreamState* stream = nullptr;
        std::int64_t closed = -1;
        double expected_ns = 0.0; // of the next pull
    };
    void run();
    bool render_locked() noexcept;
    std::int64_t next_wake_ns() noexcept;

    std::unique_ptr<Backend> m_backend;
    const int m_threads;
    const bool m_manual;
    std::mutex m_mutex; // of all below; held for a pass, which is shorter than a block
    std::condition_variable m_changed;
    std::vector<Entry> m_entries;
    std::vector<StreamState*> m_busy;
    std::vector<BankStep> m_banks;
    double m_pass_ns = 0.0; // how long a pass takes, at its longest
    bool m_stop = false;
    std::atomic<bool> m_real_time{false};
    std::thread m_thread;
};

} // namespace tutti::engine
