// SPDX-License-Identifier: MIT
// What a device's thread hands its blocks to, and the border behind which each sound system stands.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>

#include "io/audio_device.h"
#include "io/mute_gate.h"

namespace tutti::io {

constexpr int k_most_output_channels = 64;

// Between a device's callback and ours: counts, cuts blocks to the most that ours takes, and gives silence once shut.
class BlockFeed {
public:
    BlockFeed(const OutputConfig& config, OutputCallback callback, void* user) noexcept
        : m_config(config), m_callback(callback), m_user(user) {}

    // out[channel][frame]. [audio]
    void give(float* const* out, std::int64_t count) noexcept {
        callbacks.fetch_add(1, std::memory_order_relaxed);
        frames.fetch_add(count, std::memory_order_relaxed);
        if (!gate.enter()) {
            for (int channel = 0; channel < m_config.channels; ++channel)
                std::fill_n(out[channel], count, 0.0f);
            return;
        }
        float* part[k_most_output_channels];
        for (std::int64_t done = 0; done < count;) {
            const auto now = std::min<std::int64_t>(count - done, m_config.most_frames);
            for (int channel = 0; channel < m_config.channels; ++channel)
                part[channel] = out[channel] + done;
            m_callback(m_user, part, static_cast<int>(now));
            done += now;
        }
        gate.leave();
    }

    int channels() const noexcept { return m_config.channels; } // [any]

    // Written by the device's threads, read by anyone: counts only, so relaxed.
    std::atomic<std::int64_t> callbacks{0};
    std::atomic<std::int64_t> frames{0};
    std::atomic<std::int64_t> underruns{0};
    // Set by the device's thread when it ends; nothing else is read through it.
    std::atomic<bool> finished{false};
    MuteGate<> gate; // a device that was given up gets silence
    static_assert(std::atomic<std::int64_t>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

private:
    OutputConfig m_config;
    OutputCallback m_callback;
    void* m_user;
};

// One open output of one sound system. All of it is [control], but what the device's thread does to the feed. Its destructor
// closes the device, which may take minutes where the device has gone.
class OutputDriver {
public:
    virtual ~OutputDriver() = default;
    virtual Status start() = 0;
    virtual Status stop() = 0;
    // Asked while it plays: the system knows that the device will not come back to life.
    virtual bool gone() noexcept = 0;
    // Whether the destructor of a device that has gone returns at once; else a thread of its own is told to run it.
    virtual bool closes_at_once() const noexcept { return false; }
    virtual void closes_elsewhere() noexcept {}
    virtual double sample_rate() const noexcept = 0;
    virtual double latency_seconds() const noexcept = 0;
    virtual double load() const noexcept = 0;
};

// "DEVICE: what; nothing is heard; ...". [control]
Status output_failed(const AudioDevice& device, const std::string& what);
Status unsupported_rate(const AudioDevice& device, double rate);

// While this is held PortAudio's list of devices stays as it is. [control]
std::shared_ptr<const void> hold_portaudio();
// PortAudio: every system but JACK. Devices are numbered from 0. [control]
std::vector<AudioDevice> list_portaudio_outputs(bool probe_rates);
Result<std::unique_ptr<OutputDriver>> open_portaudio_output(const AudioDevice& device, const OutputConfig& config,
                                                            std::shared_ptr<BlockFeed> feed);

} // namespace tutti::io
