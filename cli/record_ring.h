// SPDX-License-Identifier: MIT
// Frames from the audio thread to the writer of a file, left and right in turn.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <tutti/platform.h>

namespace tutti::cli {

// One thread on each side. What does not fit is dropped and counted. The types are parameters for the model checker.
template <template <class> class Atomic = std::atomic, class Sample = float>
class RecordRing {
public:
    explicit RecordRing(std::size_t frames) : m_samples(2 * frames), m_mask(frames - 1) {} // a power of two [control]

    // [audio]
    void write(float* const* in, int frames) noexcept TUTTI_NONBLOCKING {
        const std::uint64_t at = m_written.load(std::memory_order_relaxed);
        // Acquire: the reader is done with the places that are about to be written.
        const std::uint64_t room = m_mask + 1 - (at - m_read.load(std::memory_order_acquire));
        const auto fits = static_cast<std::uint64_t>(frames) < room ? frames : static_cast<int>(room);
        for (int i = 0; i < fits; ++i) {
            const std::size_t place = 2 * ((at + static_cast<std::uint64_t>(i)) & m_mask);
            m_samples[place] = in[0][i];
            m_samples[place + 1] = in[1][i];
        }
        m_written.store(at + static_cast<std::uint64_t>(fits), std::memory_order_release); // the samples come first
        if (fits < frames) m_dropped.fetch_add(frames - fits, std::memory_order_relaxed);
    }
    // Up to out.size() / 2 frames; returns how many. [control]
    std::size_t read(std::vector<float>& out) noexcept {
        const std::uint64_t at = m_read.load(std::memory_order_relaxed);
        // Acquire: the samples up to the index are written.
        const std::uint64_t ready = m_written.load(std::memory_order_acquire) - at;
        const std::uint64_t frames = ready < out.size() / 2 ? ready : out.size() / 2;
        for (std::uint64_t i = 0; i < frames; ++i) {
            const std::size_t place = 2 * ((at + i) & m_mask);
            out[2 * i] = m_samples[place];
            out[2 * i + 1] = m_samples[place + 1];
        }
        m_read.store(at + frames, std::memory_order_release); // the reads come first
        return static_cast<std::size_t>(frames);
    }
    std::int64_t dropped() const noexcept { return m_dropped.load(std::memory_order_relaxed); } // [any]

private:
    static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
    std::vector<Sample> m_samples;
    std::size_t m_mask;
    alignas(64) Atomic<std::uint64_t> m_written{0};
    alignas(64) Atomic<std::uint64_t> m_read{0};
    Atomic<std::int64_t> m_dropped{0};
};

} // namespace tutti::cli
