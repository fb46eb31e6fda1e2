// SPDX-License-Identifier: MIT
#include <tutti/tempo_map.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

namespace tutti {

namespace {

constexpr std::int64_t k_default_tempo = 500'000; // microseconds a quarter note, 120 beats a minute
constexpr std::int64_t k_longest = std::numeric_limits<std::int64_t>::max();

// a + b * c, or -1 where it does not fit; all are 0 or above.
std::int64_t fused(std::int64_t a, std::int64_t b, std::int64_t c) noexcept {
    if (c != 0 && b > (k_longest - a) / c) return -1;
    return a + b * c;
}

} // namespace

TempoMap::TempoMap() : TempoMap(with_quarter(480)) {}

TempoMap::TempoMap(std::int64_t units_per_second, int ticks_per_quarter, std::int64_t units_per_tick)
    : m_units_per_second(units_per_second), m_ticks_per_quarter(ticks_per_quarter), m_changes{{0, 0, units_per_tick}} {}

TempoMap TempoMap::with_quarter(int ticks_per_quarter) {
    assert(ticks_per_quarter > 0 && ticks_per_quarter <= 32767);
    return {std::int64_t{ticks_per_quarter} * 1'000'000, ticks_per_quarter, k_default_tempo};
}

TempoMap TempoMap::with_smpte(int frames_per_second, int ticks_per_frame) {
    assert(frames_per_second > 0 && ticks_per_frame > 0);
    if (frames_per_second == 29) return {std::int64_t{30'000} * ticks_per_frame, 0, 1001};
    return {std::int64_t{frames_per_second} * ticks_per_frame, 0, 1};
}

bool TempoMap::add(std::int64_t tick, std::int64_t microseconds_per_quarter) {
    if (m_ticks_per_quarter == 0) return true;
    TempoChange& last = m_changes.back();
    assert(tick >= last.tick);
    if (microseconds_per_quarter <= 0 || !reaches(tick)) return false;
    if (microseconds_per_quarter == last.units_per_tick) return true;
    if (tick == last.tick)
        last.units_per_tick = microseconds_per_quarter; // of several at one tick the last one holds
    else
        m_changes.push_back({tick, units_of(tick), microseconds_per_quarter});
    return true;
}

bool TempoMap::reaches(std::int64_t tick) const noexcept {
    const TempoChange& change = change_at(tick);
    return tick >= 0 && fused(change.units, tick - change.tick, change.units_per_tick) >= 0;
}

std::int64_t TempoMap::units_of(std::int64_t tick) const noexcept {
    if (tick <= 0) return 0;
    const TempoChange& change = change_at(tick);
    const std::int64_t units = fused(change.units, tick - change.tick, change.units_per_tick);
    return units < 0 ? k_longest : units;
}

double TempoMap::seconds_of(std::int64_t tick) const noexcept {
    const std::int64_t units = units_of(tick);
    // Whole seconds apart: a 63-bit count does not fit a double, these two parts do.
    return static_cast<double>(units / m_units_per_second) +
           static_cast<double>(units % m_units_per_second) / static_cast<double>(m_units_per_second);
}

std::int64_t TempoMap::frame_of(std::int64_t tick, double sample_rate) const noexcept {
    const std::int64_t units = units_of(tick);
    const std::int64_t seconds = units / m_units_per_second;
    const std::int64_t rest = units % m_units_per_second; // below 2^35
    const double whole = std::floor(sample_rate);
    const auto rate = static_cast<std::int64_t>(whole);
    if (whole == sample_rate && rate > 0 && rate < (std::int64_t{1} << 26) && seconds < k_longest / rate - 1)
        return seconds * rate + (2 * rest * rate + m_units_per_second) / (2 * m_units_per_second);
    const double frames = static_cast<double>(seconds) * sample_rate +
                          static_cast<double>(rest) * sample_rate / static_cast<double>(m_units_per_second);
    return frames < 9.0e18 ? static_cast<std::int64_t>(std::floor(frames + 0.5)) : k_longest;
}

std::int64_t TempoMap::tick_of(double seconds) const noexcept {
    if (!(seconds > 0.0)) return 0;
    const double wanted = seconds * static_cast<double>(m_units_per_second);
    const std::int64_t units = wanted < 9.0e18 ? static_cast<std::int64_t>(wanted) : k_longest;
    auto next = std::upper_bound(m_changes.begin(), m_changes.end(), units,
                                 [](std::int64_t value, const TempoChange& change) { return value < change.units; });
    const TempoChange& change = *std::prev(next);
    std::int64_t tick = change.tick + (units - change.units) / change.units_per_tick;
    // `wanted` may be one rounding off: settle it on the doubles that the caller compares.
    while (tick > 0 && seconds_of(tick) > seconds)
        --tick;
    while (seconds_of(tick + 1) <= seconds && units != k_longest)
        ++tick;
    return tick;
}

double TempoMap::beats_per_minute(std::int64_t tick) const noexcept {
    return m_ticks_per_quarter == 0 ? 0.0 : 60e6 / static_cast<double>(change_at(tick).units_per_tick);
}

double TempoMap::quarters_of(std::int64_t tick) const noexcept {
    return m_ticks_per_quarter == 0 ? 0.0 : static_cast<double>(tick) / m_ticks_per_quarter;
}

const TempoChange& TempoMap::change_at(std::int64_t tick) const noexcept {
    auto next = std::upper_bound(m_changes.begin(), m_changes.end(), tick,
                                 [](std::int64_t value, const TempoChange& change) { return value < change.tick; });
    return next == m_changes.begin() ? m_changes.front() : *std::prev(next);
}

} // namespace tutti
