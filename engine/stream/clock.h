// SPDX-License-Identifier: MIT
// When a stream was last pulled, published by the puller without a lock.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include <tutti/platform.h>

namespace tutti::engine {

// Nanoseconds of a clock that never steps; read without a system call (vDSO) on Linux, likewise elsewhere.
inline std::int64_t monotonic_ns() noexcept {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

// The last pull: what it closed, when, how long it was.
struct PullMark {
    std::int64_t closed = 0;
    std::int64_t time_ns = 0;
    std::int64_t frames = 0;
};

// A sequence lock of atomics: one writer, any readers, no stand-alone fences. The atomic type is a parameter for the model
// checker.
template <template <class> class Atomic = std::atomic>
class SequenceClock {
public:
    void set(const PullMark& mark) noexcept TUTTI_NONBLOCKING {
        const std::uint32_t sequence = m_sequence.load(std::memory_order_relaxed);
        m_sequence.store(sequence + 1, std::memory_order_relaxed);
        // Release on each: whoever sees a new field sees that the sequence is odd.
        m_closed.store(mark.closed, std::memory_order_release);
        m_time.store(mark.time_ns, std::memory_order_release);
        m_frames.store(mark.frames, std::memory_order_release);
        m_sequence.store(sequence + 2, std::memory_order_release);
    }
    // One look; false where set() was seen at work and the parts may be of two pulls.
    bool look(PullMark& mark) const noexcept TUTTI_NONBLOCKING {
        const std::uint32_t before = m_sequence.load(std::memory_order_acquire);
        // Acquire on each: the second look at the sequence comes after.
        mark.closed = m_closed.load(std::memory_order_acquire);
        mark.time_ns = m_time.load(std::memory_order_acquire);
        mark.frames = m_frames.load(std::memory_order_acquire);
        return before % 2 == 0 && m_sequence.load(std::memory_order_relaxed) == before;
    }
    // Eight looks; then the parts may be of two neighbouring pulls, each of them true.
    PullMark get() const noexcept TUTTI_NONBLOCKING {
        PullMark mark;
        for (int i = 0; i < 8 && !look(mark); ++i) {
        }
        return mark;
    }

private:
    static_assert(std::atomic<std::int64_t>::is_always_lock_free);
    alignas(64) Atomic<std::uint32_t> m_sequence{0};
    Atomic<std::int64_t> m_closed{0};
    Atomic<std::int64_t> m_time{0};
    Atomic<std::int64_t> m_frames{0};
};
using PullClock = SequenceClock<>;

} // namespace tutti::engine
