// SPDX-License-Identifier: MIT
// What was recorded as Trace Event JSON ("Trace Event Format", Google, 2016): complete events, instants, counters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <tutti/status.h>

#include "engine/trace/ring.h"

namespace tutti::trace {

// Memory for 4,096 events, 128 KB, whose pages are there when it is made.
class EventBlock {
public:
    static constexpr std::size_t k_events = 4096;
    EventBlock() : m_events(new TraceEvent[k_events]) {}
    TraceEvent& operator[](std::size_t at) noexcept { return m_events[at]; }
    const TraceEvent& operator[](std::size_t at) const noexcept { return m_events[at]; }

private:
    std::unique_ptr<TraceEvent[]> m_events;
};

// The events of one thread, in the order in which they came; none moves when more come.
class ThreadEvents {
public:
    const char* name = nullptr; // may be none

    ThreadEvents() { m_blocks.reserve(16); } // who collects begins with a heap of its own, which is not free either

    // Takes its memory from `spare` while that lasts. Throws bad_alloc; what was there stays.
    void push(const TraceEvent& event, std::vector<EventBlock>& spare) {
        const std::size_t at = m_size % EventBlock::k_events;
        if (at == 0) {
            if (spare.empty()) spare.emplace_back();
            EventBlock block = std::move(spare.back());
            spare.pop_back();
            m_blocks.push_back(std::move(block));
        }
        m_blocks.back()[at] = event;
        ++m_size;
    }
    std::size_t size() const noexcept { return m_size; }
    template <class Take>
    void each(Take&& take) const {
        for (std::size_t i = 0; i < m_size; ++i)
            take(m_blocks[i / EventBlock::k_events][i % EventBlock::k_events]);
    }

private:
    std::vector<EventBlock> m_blocks;
    std::size_t m_size = 0;
};

// Ticks to microseconds since the trace began.
struct Scale {
    std::uint64_t begin = 0;
    double ticks_per_microsecond = 1000.0;
};

// Errors: file_unwritable; nothing is left behind then. [control]
Status write_json(const std::string& path, const std::vector<ThreadEvents>& threads, const Scale& scale,
                  std::int64_t dropped);

} // namespace tutti::trace
