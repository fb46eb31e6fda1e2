// SPDX-License-Identifier: MIT
// Follows a MIDI clock: tempo and song position from 24 ticks a quarter note that arrive with jitter.
#pragma once

#include <cstdint>
#include <span>

#include <tutti/platform.h>

namespace tutti::io {

// A second-order delay-locked loop smooths the ticks' times (F. Adriaensen, "Using a DLL to filter time", 2005): jitter of a
// millisecond moves the tempo by a few hundredths of a beat a minute, a new tempo is taken over within about two quarters.
// Ticks further apart than half a second (5 beats a minute) begin anew.
class MidiClock {
public:
    // One whole message and its time; others than the clock's are ignored. true where something changed: started, stopped,
    // continued, moved, or the first tempo is known. [any], by one thread
    bool receive(std::span<const std::uint8_t> message, double seconds) noexcept TUTTI_NONBLOCKING;

    // Whether the sender plays; its tempo, 0 before two ticks have come; ticks that have come. [any]
    bool running() const noexcept TUTTI_NONBLOCKING { return m_running; }
    double beats_per_minute() const noexcept TUTTI_NONBLOCKING;
    // The song's position in quarter notes at a time near the last tick. [any]
    double quarters_at(double seconds) const noexcept TUTTI_NONBLOCKING;

private:
    bool tick(double seconds) noexcept TUTTI_NONBLOCKING;

    bool m_running = false;
    bool m_first = true;            // the next tick begins the loop anew
    std::int64_t m_song_ticks = -1; // of the last tick since the song's beginning; -1: none yet
    int m_known = 0;                // ticks since the loop began
    double m_time = 0.0;            // smoothed time of the last tick
    double m_period = 0.0;          // smoothed seconds a tick
};

} // namespace tutti::io
