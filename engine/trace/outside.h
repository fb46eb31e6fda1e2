// SPDX-License-Identifier: MIT
// Profilers that take our spans by compile-time option: NVTX ranges for NVIDIA Nsight, zones for Tracy.
#pragma once

#include <cstdint>

#if defined(TUTTI_TRACE_NVTX)
#include <nvtx3/nvToolsExt.h>
#elif defined(TUTTI_TRACE_TRACY)
#include <cstring>
#include <tracy/TracyC.h>
#endif

namespace tutti::trace::outside {

#if defined(TUTTI_TRACE_NVTX)

inline constexpr bool k_present = true;
inline void push(const char* name) noexcept {
    nvtxRangePushA(name);
}
inline void pop() noexcept {
    nvtxRangePop();
}
inline void mark(const char* name) noexcept {
    nvtxMarkA(name);
}
inline void plot(const char*, double) noexcept {} // NVTX has no counters

#elif defined(TUTTI_TRACE_TRACY)

inline constexpr bool k_present = true;
// Tracy's zones are ended by a handle: spans nest, so a stack a thread holds them. Deeper ones than it are not shown.
struct Zones {
    static constexpr int k_deepest = 64;
    TracyCZoneCtx zone[k_deepest];
    int depth = 0;
};
inline thread_local Zones t_zones;
inline void push(const char* name) noexcept {
    Zones& zones = t_zones;
    if (zones.depth < Zones::k_deepest) {
        const std::size_t length = std::strlen(name);
        const std::uint64_t place = ___tracy_alloc_srcloc_name(0, "tutti", 5, name, length, name, length, 0);
        zones.zone[zones.depth] = ___tracy_emit_zone_begin_alloc(place, 1);
    }
    ++zones.depth;
}
inline void pop() noexcept {
    Zones& zones = t_zones;
    if (zones.depth == 0) return;
    if (--zones.depth < Zones::k_deepest) ___tracy_emit_zone_end(zones.zone[zones.depth]);
}
inline void mark(const char* name) noexcept {
    TracyCMessage(name, std::strlen(name));
}
inline void plot(const char* name, double value) noexcept {
    TracyCPlot(name, value);
}

#else

inline constexpr bool k_present = false;
inline void push(const char*) noexcept {}
inline void pop() noexcept {}
inline void mark(const char*) noexcept {}
inline void plot(const char*, double) noexcept {}

#endif

} // namespace tutti::trace::outside
