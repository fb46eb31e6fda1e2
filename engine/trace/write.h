// SPDX-License-Identifier: MIT
// What was recorded as Trace Event JSON ("Trace Event Format", Google, 2016): complete events, instants, counters.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include <tutti/status.h>

#include "engine/trace/ring.h"

namespace tutti::trace {

struct ThreadEvents {
    const char* name = nullptr;    // may be none
    std::deque<TraceEvent> events; // grows without moving what is there
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
