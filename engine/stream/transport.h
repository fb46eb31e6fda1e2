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
    void anchor(std::int64_t frame) noexcept {
        m_beat = beat(frame);
        m_frame = frame;
    }
    double m_rate;
    double m_tempo = 120.0;
    double m_beat = 0.0; // at m_frame
    std::int64_t m_frame = 0;
    double m_loop_begin = 0.0;
    double m_loop_length = 0.0;
    bool m_playing = false;
};

} // namespace tutti::engine
