// SPDX-License-Identifier: MIT
// One thread's events on their way to the collector.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include <tutti/platform.h>

namespace tutti::trace {

struct TraceEvent {
    enum Kind : std::uint8_t { span, instant, counter };
    std::uint64_t begin = 0; // ticks
    std::uint64_t end = 0;   // ticks; of a counter the value's bits
    const char* name = nullptr;
    std::int32_t number = 0;
    Kind kind = span;
};
static_assert(sizeof(TraceEvent) == 32);

// One writer, one reader. Full: the event is dropped and counted. The types are parameters for the model checker.
template <template <class> class Atomic = std::atomic, class Entry = TraceEvent>
class TraceRing {
public:
    // `size` is a power of two. The memory is touched here, so that no page is missing later. [control]
    explicit TraceRing(std::uint32_t size) : m_events(size), m_mask(size - 1) {}

    // [any thread that owns the ring]
    void write(const Entry& event) noexcept TUTTI_NONBLOCKING {
        const std::uint32_t at = m_written.load(std::memory_order_relaxed);
        // Acquire: the reader is done with the place.
        if (at - m_read.load(std::memory_order_acquire) > m_mask) {
            // Relaxed, one writer: a number of its own.
            m_dropped.store(m_dropped.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
            return;
        }
        m_events[at & m_mask] = event;
        m_written.store(at + 1, std::memory_order_release); // the event is seen before the number
    }
    // Hands what is there to take(event). [collector]
    template <class Take>
    void read(Take&& take) {
        std::uint32_t at = m_read.load(std::memory_order_relaxed);
        const std::uint32_t end = m_written.load(std::memory_order_acquire);
        for (; at != end; ++at)
            take(m_events[at & m_mask]);
        m_read.store(at, std::memory_order_release); // the reads come first
    }
    std::uint64_t dropped() const noexcept { return m_dropped.load(std::memory_order_relaxed); } // [any]

    std::atomic<const char*> name{nullptr}; // of the thread

private:
    std::vector<Entry> m_events;
    std::uint32_t m_mask;
    alignas(64) Atomic<std::uint32_t> m_written{0};
    Atomic<std::uint64_t> m_dropped{0};
    alignas(64) Atomic<std::uint32_t> m_read{0};
};

} // namespace tutti::trace
