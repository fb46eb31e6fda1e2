// SPDX-License-Identifier: MIT
// The thread that renders all streams of `ahead`, every closed block of every stream in one batch.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/stream/forecast.h"
#include "engine/stream/state.h"

namespace tutti::engine {

// Sleeps to the next close expected, within the look-ahead's slack; nobody wakes it while streams play, since the audio thread calls nothing.
//
// A watchdog looks at it every 50 ms. Where it stalls outside of a pass (not scheduled, asleep too long), the watchdog renders in
// its place until it is back. A pass that hangs holds the streams: it is seen and counted, the pullers conceal. Devices that may
// hang answer in time or are lost: the CPU then takes over for good.
class RenderThread {
public:
    RenderThread(std::unique_ptr<Backend> backend, int threads, const Hooks& hooks);
    ~RenderThread();

    void add(StreamState& stream);    // [control]
    void remove(StreamState& stream); // returns once the thread does not touch it any more [control]
    bool render_once();               // [device]
    // What it is like now: stalls, priority, fallback. [any]
    void add_to(EngineStats& stats) const noexcept;

private:
    struct Entry {
        StreamState* stream = nullptr;
        PullForecast forecast;
    };
    struct EffectJob {
        Core* core = nullptr;
        int index = 0;
    };
    void run();
    void watch();
    bool render_locked() noexcept;
    void render_banks(int count) noexcept;
    void render_effects() noexcept;
    std::int64_t next_wake_ns() noexcept;

    const Hooks& m_hooks;
    std::unique_ptr<Backend> m_backend;
    std::unique_ptr<Backend> m_spare; // takes over where m_backend is lost
    const int m_threads;
    std::mutex m_mutex; // of all below; held for a pass, which is shorter than a block
    std::condition_variable m_changed;
    std::vector<Entry> m_entries;
    std::vector<StreamState*> m_busy, m_done;
    std::vector<BankStep> m_banks;
    std::vector<EffectJob> m_jobs;
    double m_pass_ns = 0.0;      // how long a pass takes, at its longest
    std::int64_t m_woken_ns = 0; // when this pass was meant to begin
    bool m_stop = false;
    std::atomic<std::uint64_t> m_passes{0}; // of the thread itself, not of its watchdog
    std::atomic<std::int64_t> m_stalls{0}, m_rescued{0};
    std::atomic<bool> m_stalled{false};
    std::atomic<bool> m_asked{false}, m_real_time{false};
    std::atomic<const char*> m_lost{nullptr};
    std::thread m_thread, m_watchdog;
};

} // namespace tutti::engine
