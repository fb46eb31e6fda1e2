// SPDX-License-Identifier: MIT
// The sound of a clip that is written while it plays: between one writer (a worker) and one reader (the renderer).
#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "engine/memory/memory.h"

namespace tutti::engine {

// Frames are numbered from 0 and never wrap (64 bits). What does not fit is left to the writer. The types are parameters for
// the model checker.
template <template <class> class Atomic = std::atomic, class Samples = Vector<float>>
class ClipRing {
public:
    // Holds at least `frames`. [control]
    void prepare(int channels, int frames) {
        m_channels = channels;
        m_capacity = 1; // a power of two
        while (m_capacity < frames)
            m_capacity *= 2;
        m_samples.resize(static_cast<std::size_t>(m_capacity) * static_cast<std::size_t>(channels));
    }
    std::int64_t capacity() const noexcept { return m_capacity; } // [any]

    // [worker]
    int room() const noexcept {
        // Acquire: what the reader has left may be written over.
        return static_cast<int>(m_capacity -
                                (m_written.load(std::memory_order_relaxed) - m_read.load(std::memory_order_acquire)));
    }
    // Takes what there is room for, and what is not finite as silence; returns how many. [worker]
    int write(const float* const* in, int frames) noexcept {
        const int count = std::min(frames, room());
        const std::int64_t at = m_written.load(std::memory_order_relaxed);
        for (int c = 0; c < m_channels; ++c)
            for (int i = 0; i < count; ++i)
                m_samples[place(c, at + i)] = std::isfinite(in[c][i]) ? in[c][i] : 0.0f;
        // Release: the samples are seen before the count.
        m_written.store(at + count, std::memory_order_release);
        return count;
    }
    // Release: what was written before is seen with it. [worker]
    void finish() noexcept { m_finished.store(true, std::memory_order_release); }

    struct Look {
        bool finished;        // nothing will follow `written`
        std::int64_t written; // frames
    };
    // [render]
    Look look() const noexcept {
        // Finished first, then the count: acquire, so that the count of a finished sound is its last.
        const bool finished = m_finished.load(std::memory_order_acquire);
        return {finished, m_written.load(std::memory_order_acquire)}; // acquire: pairs with write()
    }
    // Frame `frame` lies before look().written, and at most `capacity` before the last. [render]
    float sample(int channel, std::int64_t frame) const noexcept { return m_samples[place(channel, frame)]; }
    // Frames before `frame` are done with. Release: the reads come first. [render]
    void release_before(std::int64_t frame) noexcept { m_read.store(frame, std::memory_order_release); }
    std::int64_t released() const noexcept { return m_read.load(std::memory_order_relaxed); } // [render]

private:
    std::size_t place(int channel, std::int64_t frame) const noexcept {
        return static_cast<std::size_t>(channel * m_capacity + (frame & (m_capacity - 1)));
    }

    Samples m_samples; // [channel][frame & mask]
    std::int64_t m_capacity = 0;
    int m_channels = 1;
    alignas(64) Atomic<std::int64_t> m_written{0}; // frames [worker]
    alignas(64) Atomic<std::int64_t> m_read{0};    // frames no longer needed [render]
    Atomic<bool> m_finished{false};
};

} // namespace tutti::engine
