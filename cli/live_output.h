// SPDX-License-Identifier: MIT
// What stands between a live stream and the device: the callback, its meters, the recording, a driver without a device.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include <tutti/engine.h>

namespace tutti::cli {

// Frames from the audio thread to a file's writer, left and right in turn. One thread on each side.
class RecordRing {
public:
    explicit RecordRing(std::size_t frames); // a power of two
    // What does not fit is dropped and counted. [audio]
    void write(float* const* in, int frames) noexcept TUTTI_NONBLOCKING;
    // Up to out.size() / 2 frames; returns how many. [control]
    std::size_t read(std::vector<float>& out) noexcept;
    std::int64_t dropped() const noexcept { return m_dropped.load(std::memory_order_relaxed); }

private:
    std::vector<float> m_samples;
    std::size_t m_mask;
    alignas(64) std::atomic<std::uint64_t> m_written{0};
    alignas(64) std::atomic<std::uint64_t> m_read{0};
    std::atomic<std::int64_t> m_dropped{0};
};

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
    // Blocks of the null driver that came later than they had to. [any]
    std::int64_t underruns() const noexcept { return m_underruns.load(std::memory_order_relaxed); }

    struct Meter {
        double peak[2];
        double average[2]; // root of the mean square
        double load;       // of the time a block may take
    };
    // Since the last call. [control]
    Meter meter() noexcept;
    RecordRing* ring() noexcept { return m_ring.get(); }

private:
    void pull(float* const* out, int frames) noexcept TUTTI_NONBLOCKING;

    std::shared_ptr<Stream> m_stream;
    std::unique_ptr<RecordRing> m_ring;
    std::atomic<float> m_peak[2] = {};
    std::atomic<float> m_square[2] = {}; // smoothed over about 50 ms
    std::atomic<float> m_load{0.0f};     // smoothed alike
    std::atomic<bool> m_running{false};
    std::atomic<bool> m_closing{false};
    float m_gain = 1.0f; // of close() [audio]
    std::atomic<std::int64_t> m_underruns{0};
    std::thread m_null;
};

} // namespace tutti::cli
