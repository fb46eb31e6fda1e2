// SPDX-License-Identifier: MIT
// A ring of preallocated render blocks between one writer (the render thread) and one reader (the puller of `ahead`).
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include <tutti/platform.h>

namespace tutti::engine {

// Blocks have numbers that wrap at 2^32; at most 2^31 - 1 lie between writer and reader. A reader that goes on without a
// block (a late one) leaves it behind: it is written all the same, and nobody reads it. The types are parameters for the
// model checker.
template <template <class> class Atomic = std::atomic, class Sample = float>
class BlockRing {
public:
    // Holds at least `blocks`, numbered from `first`. [control]
    void prepare(int blocks, int channels, int frames, std::uint32_t first = 0) {
        std::uint32_t size = 1; // a power of two, so that numbers may wrap
        while (size < static_cast<std::uint32_t>(blocks))
            size *= 2;
        m_mask = size - 1;
        m_channels = channels;
        m_frames = frames;
        m_samples.assign(static_cast<std::size_t>(size) * static_cast<std::size_t>(channels * frames), Sample{});
        m_written.store(first, std::memory_order_relaxed);
        m_read.store(first, std::memory_order_relaxed);
    }

    // The channel of the block being written; full() must be false. [render]
    Sample* channel_to_write(int channel) noexcept TUTTI_NONBLOCKING {
        return at(m_written.load(std::memory_order_relaxed), channel);
    }
    // Acquire: the reader has done with the block that this slot held.
    bool full() const noexcept TUTTI_NONBLOCKING {
        const auto ahead = static_cast<std::int32_t>(m_written.load(std::memory_order_relaxed) -
                                                     m_read.load(std::memory_order_acquire));
        return ahead > static_cast<std::int32_t>(m_mask);
    }
    // Release: the samples are seen before the number. [render]
    void publish() noexcept TUTTI_NONBLOCKING {
        m_written.store(m_written.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    }

    // The samples of block `block`, or nullptr where it is not ready. [audio]
    const Sample* channel_to_read(std::uint32_t block, int channel) const noexcept TUTTI_NONBLOCKING {
        // Acquire: pairs with publish().
        const auto ready = static_cast<std::int32_t>(m_written.load(std::memory_order_acquire) - block);
        return ready > 0 ? at(block, channel) : nullptr;
    }
    // Blocks before `block` are done with. Release: the reads come first. [audio]
    void release_before(std::uint32_t block) noexcept TUTTI_NONBLOCKING {
        m_read.store(block, std::memory_order_release);
    }
    // [any]
    int ready() const noexcept TUTTI_NONBLOCKING {
        const auto count = static_cast<std::int32_t>(m_written.load(std::memory_order_acquire) -
                                                     m_read.load(std::memory_order_acquire));
        return count > 0 ? static_cast<int>(count) : 0;
    }

private:
    Sample* at(std::uint32_t block, int channel) noexcept {
        return &m_samples[(static_cast<std::size_t>(block & m_mask) * static_cast<std::size_t>(m_channels) +
                           static_cast<std::size_t>(channel)) *
                          static_cast<std::size_t>(m_frames)];
    }
    const Sample* at(std::uint32_t block, int channel) const noexcept {
        return const_cast<BlockRing*>(this)->at(block, channel);
    }

    std::vector<Sample> m_samples; // [block & mask][channel][frame]
    std::uint32_t m_mask = 0;
    int m_channels = 0;
    int m_frames = 0;
    alignas(64) Atomic<std::uint32_t> m_written{0}; // number of the next block [render]
    alignas(64) Atomic<std::uint32_t> m_read{0};    // number of the oldest block still wanted [audio]
};

} // namespace tutti::engine
