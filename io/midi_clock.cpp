// SPDX-License-Identifier: MIT
#include "io/midi_clock.h"

#include <algorithm>
#include <cmath>

namespace tutti::io {

namespace {

constexpr double k_longest_tick = 0.5; // seconds
// The loop's bandwidth as a part of the tick rate: wide at first to catch the tempo, narrow later to hold it.
constexpr double k_wide = 0.2;
constexpr double k_narrow = 0.02;
constexpr int k_settled = 24; // ticks

} // namespace

bool MidiClock::receive(std::span<const std::uint8_t> message, double seconds) noexcept TUTTI_NONBLOCKING {
    if (message.empty()) return false;
    switch (message[0]) {
    case 0xf8:
        return tick(seconds);
    case 0xfa: // start: the next tick is the song's first
        m_song_ticks = -1;
        m_running = true;
        return true;
    case 0xfb:
        m_running = true;
        return true;
    case 0xfc:
        m_running = false;
        return true;
    case 0xf2: // song position in sixteenths; the next tick falls on it
        if (message.size() < 3) return false;
        m_song_ticks = 6 * (std::int64_t{message[1]} | std::int64_t{message[2]} << 7) - 1;
        return true;
    default:
        return false;
    }
}

bool MidiClock::tick(double seconds) noexcept TUTTI_NONBLOCKING {
    if (m_running) ++m_song_ticks;
    const double apart = seconds - m_time;
    // Three ticks' silence, or a tempo beyond a doubling: this is another clock.
    const bool lost = m_known >= 2 && (apart > 3.5 * m_period || apart < 0.0);
    if (m_first || lost || apart > k_longest_tick) {
        m_first = false;
        m_known = 1;
        m_time = seconds;
        return lost;
    }
    if (m_known == 1) {
        m_known = 2;
        m_period = std::max(apart, 1e-4);
        m_time = seconds;
        return true;
    }
    const double turn = 2.0 * 3.14159265358979 * (m_known < k_settled ? k_wide : k_narrow);
    const double expected = m_time + m_period;
    const double error = seconds - expected;
    // A jump of half a tick is a new tempo, not jitter: catch it as at the beginning.
    m_known = std::fabs(error) > 0.5 * m_period ? 2 : std::min(m_known + 1, k_settled);
    m_time = expected + std::min(1.4142135623731 * turn, 1.0) * error;
    m_period = std::max(m_period + turn * turn * error, 1e-4);
    return false;
}

double MidiClock::beats_per_minute() const noexcept TUTTI_NONBLOCKING {
    return m_known < 2 ? 0.0 : 60.0 / (24.0 * m_period);
}

double MidiClock::quarters_at(double seconds) const noexcept TUTTI_NONBLOCKING {
    const auto last = static_cast<double>(std::max<std::int64_t>(m_song_ticks, 0));
    if (!m_running || m_known < 2 || m_song_ticks < 0) return last / 24.0;
    // At most one tick ahead: where the clock stops, so does the song.
    return (last + std::clamp((seconds - m_time) / m_period, 0.0, 1.0)) / 24.0;
}

} // namespace tutti::io
