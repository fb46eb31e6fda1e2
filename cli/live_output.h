// SPDX-License-Identifier: MIT
// What stands between a live stream and the device: the callback, its meters, the recording, a driver without a device.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>

#include <tutti/engine.h>

#include "cli/record_ring.h"

namespace tutti::cli {

// Pulls the stream for a device or for a null driver, and meters what it gave.
class LiveOutput {
public:
    LiveOutput(std::shared_ptr<Stream> stream, bool record);
    ~LiveOutput();
    LiveOutput(const LiveOutput&) = delete;
    LiveOutput& operator=(const LiveOutput&) = delete;

    // For io::AudioOutput; `user` is the LiveOutput. [audio]
    static void callback(void* user, float* const* out, int frames) noexcept;
    // Pulls by a thread of its own, paced as a device would. [control]
    void start_null(int frames);
    void stop_null();
    // From the next block on down to silence within 20 ms, whatever still comes: no note hangs and nothing clicks. [control]
    void close() noexcept { m_closing.store(true, std::memory_order_relaxed); }
    // The next block begins in silence and is loud within 20 ms. While no device pulls. [control]
    void fade_in() noexcept { m_gain = 0.0f; }
    // Blocks of the null driver that came later than they had to. [any]
    std::int64_t underruns() const noexcept { return m_underruns.load(std::memory_order_relaxed); }

    struct Meter {
        double peak[2];
        double average[2]; // root of the mean square
        double load;       // of the time a block may take
    };
    // Since the last call. [control]
    Meter meter() noexcept;
    RecordRing<>* ring() noexcept { return m_ring.get(); }

private:
    void pull(float* const* out, int frames) noexcept TUTTI_NONBLOCKING;

    std::shared_ptr<Stream> m_stream;
    std::unique_ptr<RecordRing<>> m_ring;
    std::atomic<float> m_peak[2] = {};
    std::atomic<float> m_square[2] = {}; // smoothed over about 50 ms
    std::atomic<float> m_load{0.0f};     // smoothed alike
    std::atomic<bool> m_running{false};
    std::atomic<bool> m_closing{false};
    float m_gain = 1.0f; // of close() and fade_in() [audio]
    std::atomic<std::int64_t> m_underruns{0};
    std::thread m_null;
};

} // namespace tutti::cli
