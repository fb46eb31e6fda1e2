// SPDX-License-Identifier: MIT
// Ticks of a MIDI file to seconds and frames, and back, without drift.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <tutti/platform.h>
#include <tutti/status.h>

namespace tutti {

// One stretch of constant tempo. `units` is the exact time of `tick`, in 1/TempoMap::units_per_second().
struct TempoChange {
    std::int64_t tick = 0;
    std::int64_t units = 0;
    std::int64_t units_per_tick = 0; // microseconds a quarter note where the file counts in quarter notes
};

// Time is an integer count of units, so that no rounding adds up over a song: with D ticks a quarter note a unit is 1/D
// microsecond and a tick lasts as many units as the tempo has microseconds a quarter; with SMPTE time a tick lasts 1 unit of
// 1/(frames x ticks) second, or 1001 units of 1/(30000 x ticks) second at 29.97 frames. Only the last step rounds.
class TUTTI_API TempoMap {
public:
    // 120 beats a minute, 480 ticks a quarter note. [control]
    TempoMap();

    // The division of a file's header: ticks a quarter note, 1..32767, at 120 beats a minute until a change. [control]
    static TempoMap with_quarter(int ticks_per_quarter);
    // SMPTE time: 24, 25, 29 (for 29.97) or 30 frames a second, ticks_per_frame 1..255. Tempo does not count then. [control]
    static TempoMap with_smpte(int frames_per_second, int ticks_per_frame);

    // A new tempo from `tick` on, which must not lie before the last change. false where the time no longer fits into
    // 63 bits (years), or where the tempo is 0: nothing changes then. Ignored (true) with SMPTE time. [control]
    bool add(std::int64_t tick, std::int64_t microseconds_per_quarter);
    // true where the exact time of `tick` still fits. [any]
    bool reaches(std::int64_t tick) const noexcept;

    // The time of a tick in units, exact; ticks below 0 count as 0. [any]
    std::int64_t units_of(std::int64_t tick) const noexcept;
    // The time of a tick, rounded to a double once. [any]
    double seconds_of(std::int64_t tick) const noexcept;
    // The nearest frame of a tick, halves up: exact for whole rates. [any]
    std::int64_t frame_of(std::int64_t tick, double sample_rate) const noexcept;
    // The last tick whose time is at or before `seconds`. [any]
    std::int64_t tick_of(double seconds) const noexcept;
    // Beats a minute at a tick; 0 with SMPTE time. [any]
    double beats_per_minute(std::int64_t tick) const noexcept;
    // Position in quarter notes at a tick; 0 with SMPTE time. [any]
    double quarters_of(std::int64_t tick) const noexcept;

    int ticks_per_quarter() const noexcept { return m_ticks_per_quarter; }         // 0 with SMPTE time. [any]
    std::int64_t units_per_second() const noexcept { return m_units_per_second; }  // [any]
    const std::vector<TempoChange>& changes() const noexcept { return m_changes; } // at least one, at tick 0. [any]

private:
    TempoMap(std::int64_t units_per_second, int ticks_per_quarter, std::int64_t units_per_tick);
    const TempoChange& change_at(std::int64_t tick) const noexcept;

    std::int64_t m_units_per_second = 0;
    int m_ticks_per_quarter = 0;
    std::vector<TempoChange> m_changes;
};

} // namespace tutti
