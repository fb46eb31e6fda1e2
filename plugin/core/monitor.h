// SPDX-License-Identifier: MIT
// What an editor shows of the sound: the last frames of the output and its peaks, read while the audio thread writes.
#pragma once

#include <array>
#include <atomic>
#include <cmath>
#include <cstdint>

#include <tutti/platform.h>

namespace tutti::plugin {

// One writer, any readers. A reader may see a frame that is being overwritten: it is a picture, not a recording.
class Monitor {
public:
    static constexpr int k_frames = 8192;

    // Nothing is written while nobody looks: a block of 64 frames costs a few per cent of an instance. Counts. [control]
    void watch(bool on) noexcept { m_watchers.fetch_add(on ? 1 : -1, std::memory_order_relaxed); }
    bool watched() const noexcept { return m_watchers.load(std::memory_order_relaxed) > 0; } // [any]

    // [audio]
    void write(const float* left, const float* right, int frames) noexcept TUTTI_NONBLOCKING {
        std::uint64_t at = m_at.load(std::memory_order_relaxed);
        float peak[2] = {0.0f, 0.0f}, square[2] = {0.0f, 0.0f};
        for (int i = 0; i < frames; ++i) {
            const float in[2] = {left[i], right[i]};
            const std::size_t slot = static_cast<std::size_t>(at++ % k_frames);
            for (std::size_t c = 0; c < 2; ++c) {
                m_ring[c][slot].store(in[c], std::memory_order_relaxed);
                peak[c] = std::fmax(peak[c], std::fabs(in[c]));
                square[c] += in[c] * in[c];
            }
        }
        for (std::size_t c = 0; c < 2; ++c) {
            if (peak[c] > m_peak[c].load(std::memory_order_relaxed))
                m_peak[c].store(peak[c], std::memory_order_relaxed);
            // Mean square over about 300 ms of blocks, good enough for a bar.
            const float share = frames > 0 ? std::fmin(1.0f, static_cast<float>(frames) / 14400.0f) : 0.0f;
            const float old = m_square[c].load(std::memory_order_relaxed);
            const float mean = frames > 0 ? square[c] / static_cast<float>(frames) : 0.0f;
            m_square[c].store(old + share * (mean - old), std::memory_order_relaxed);
        }
        m_at.store(at, std::memory_order_release); // the frames before the count
    }

    // The greatest since the last call, linear. [control]
    float take_peak(int channel) noexcept { return m_peak[at(channel)].exchange(0.0f, std::memory_order_relaxed); }
    float rms(int channel) const noexcept { // linear [any]
        return std::sqrt(m_square[at(channel)].load(std::memory_order_relaxed));
    }
    std::uint64_t frames() const noexcept { return m_at.load(std::memory_order_acquire); } // written so far [any]
    // The last `frames` (1..k_frames) of a channel, oldest first. [any]
    void copy(int channel, float* out, int frames) const noexcept {
        const std::uint64_t end = m_at.load(std::memory_order_acquire);
        for (int i = 0; i < frames; ++i) {
            const std::uint64_t frame =
                end + k_frames - static_cast<std::uint64_t>(frames) + static_cast<std::uint64_t>(i);
            out[i] = m_ring[at(channel)][static_cast<std::size_t>(frame % k_frames)].load(std::memory_order_relaxed);
        }
    }

private:
    static std::size_t at(int channel) noexcept { return static_cast<std::size_t>(channel & 1); }
    static_assert(std::atomic<float>::is_always_lock_free && std::atomic<std::uint64_t>::is_always_lock_free);
    std::array<std::array<std::atomic<float>, k_frames>, 2> m_ring{};
    std::array<std::atomic<float>, 2> m_peak{};
    std::array<std::atomic<float>, 2> m_square{};
    std::atomic<std::uint64_t> m_at{0};
    std::atomic<int> m_watchers{0};
};

} // namespace tutti::plugin
