// SPDX-License-Identifier: MIT
// A stand-in with the names and signatures of Tracy's C interface that counts its calls.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tests/engine/trace/outside/counts.h"

struct TracyCZoneCtx {
    std::uint32_t id;
    std::int32_t active;
};

extern "C" inline std::uint64_t ___tracy_alloc_srcloc_name(std::uint32_t, const char*, std::size_t, const char*,
                                                           std::size_t, const char* name, std::size_t, std::uint32_t) {
    g_outside.last = name;
    return 1;
}
extern "C" inline TracyCZoneCtx ___tracy_emit_zone_begin_alloc(std::uint64_t, std::int32_t active) {
    g_outside.push(g_outside.last);
    return {static_cast<std::uint32_t>(g_outside.depth), active};
}
extern "C" inline void ___tracy_emit_zone_end(TracyCZoneCtx zone) {
    if (static_cast<int>(zone.id) == g_outside.depth) g_outside.pop();
}
#define TracyCMessage(words, size) (g_outside.last = (words), ++g_outside.marks)
#define TracyCPlot(name, value) (g_outside.last = (value) > 0.0 ? (name) : "", ++g_outside.plots)
