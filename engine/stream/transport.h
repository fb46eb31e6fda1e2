// SPDX-License-Identifier: MIT
// Tempo, position, loop and play state of a stream, as a closed form of the frame.
#pragma once

#include <cmath>
#include <cstdint>

namespace tutti::engine {

class Transport {
public:
    explicit Transport(double sample_rate = 48000.0) noexcept : m_rate(sample_rate) {}

    // Position in quarter notes. It stands still while stopped.
    double beat(std::int64_t frame) const noexcept {
        if (!m_playing) return m_beat;
        double beat = m_beat + static_cast<double>(frame - m_frame) * beats_per_second() / m_rate;
        if (m_loop_length > 0.0 && m_beat < m_loop_begin + m_loop_length && beat >= m_loop_begin + m_loop_length)
            beat = m_loop_begin + std::fmod(beat - m_loop_begin, m_loop_length);
        return beat;
    }
    // The position jumps back to the loop's beginning after frame `from`, at `to` at the latest.
    bool wraps(std::int64_t from, std::int64_t to) const noexcept {
        return m_playing && m_loop_length > 0.0 && beat(to) < beat(from);
    }
    // What follows the beat goes with the position while it moves, and on from there while it stands still. Where it would have
    // been on frame 0 at the present tempo, in quarter notes, as all note lengths of LFOs see it: 0..48.
    double origin(std::int64_t frame) const noexcept {
        const double origin = running(frame) - static_cast<double>(frame) * beats_per_second() / m_rate;
        const double wrapped = std::fmod(origin, k_common_beats);
        return wrapped < 0.0 ? wrapped + k_common_beats : wrapped;
    }
    double tempo() const noexcept { return m_tempo; } // beats a minute
    double beats_per_second() const noexcept { return m_tempo / 60.0; }
    bool playing() const noexcept { return m_playing; }

    void set_tempo(double tempo, std::int64_t frame) noexcept {
        if (!(tempo >= 1.0 && tempo <= 10000.0)) return;
        anchor(frame);
        m_tempo = tempo;
    }
    void set_position(double beat, std::int64_t frame) noexcept {
        if (!std::isfinite(beat)) return;
        m_running = running(frame);
        m_frame = frame;
        m_beat = beat;
    }
    void play(bool on, std::int64_t frame) noexcept {
        anchor(frame);
        m_playing = on;
    }
    // length 0: no loop.
    void set_loop(double begin, double length, std::int64_t frame) noexcept {
        if (!std::isfinite(begin) || !(length >= 0.0)) return;
        anchor(frame);
        m_loop_begin = begin;
        m_loop_length = length;
    }

private:
    static constexpr double k_common_beats = 48.0; // 16 and 1.5 have no smaller multiple in common
    double running(std::int64_t frame) const noexcept {
        return m_playing ? beat(frame) : m_running + static_cast<double>(frame - m_frame) * beats_per_second() / m_rate;
    }
    void anchor(std::int64_t frame) noexcept {
        m_running = running(frame);
        m_beat = beat(frame);
        m_frame = frame;
    }
    double m_rate;
    double m_tempo = 120.0;
    double m_beat = 0.0;    // at m_frame
    double m_running = 0.0; // likewise, of what runs on while stopped
    std::int64_t m_frame = 0;
    double m_loop_begin = 0.0;
    double m_loop_length = 0.0;
    bool m_playing = false;
};

} // namespace tutti::engine
