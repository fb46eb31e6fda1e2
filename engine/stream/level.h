// SPDX-License-Identifier: MIT
// A part's level: volume, expression and pan as three gains, smoothed at ticks and ramped between them.
#pragma once

#include <cmath>
#include <cstdint>

#include "voices/voice_type.h"

namespace tutti::engine {

// Gains of a tick: left, right, all other channels, and what sends are multiplied by; `end` is reached at the next tick.
struct TickGains {
    float begin[4] = {1.0f, 1.0f, 1.0f, 1.0f};
    float end[4] = {1.0f, 1.0f, 1.0f, 1.0f};
    bool still() const noexcept { return begin[0] == end[0] && begin[1] == end[1] && begin[2] == end[2]; }
};

class PartLevel {
public:
    void prepare(double sample_rate) noexcept {
        // 5 ms: a step of a seven-bit controller becomes a glide that the ear does not take for a click.
        m_share = static_cast<float>(1.0 - std::exp(-voices::k_tick_frames / (0.005 * sample_rate)));
        for (TickGains& tick : m_ticks)
            tick = {};
    }
    // volume and expression 0..127, 100 and 127 being unity: gain = (v / 100)^2 (e / 127)^2; pan 0..127, 64 the middle,
    // equal power with unity there.
    void aim(int volume, int expression, int pan) noexcept {
        const double v = volume / 100.0, e = expression / 127.0;
        const double gain = v * v * e * e;
        const double place = pan <= 64 ? (pan - 64) / 64.0 : (pan - 64) / 63.0;
        const double angle = (place + 1.0) * 0.7853981633974483;
        m_aim[0] = static_cast<float>(place == 0.0 ? gain : gain * 1.4142135623730951 * std::cos(angle));
        m_aim[1] = static_cast<float>(place == 0.0 ? gain : gain * 1.4142135623730951 * std::sin(angle));
        m_aim[2] = static_cast<float>(gain);
        m_moving = true;
    }
    void aim_sends(double factor) noexcept {
        m_aim[3] = static_cast<float>(factor);
        m_moving = true;
    }
    // Gains of the tick that begins at `frame`. [render]
    void tick(std::int64_t frame) noexcept {
        if (still()) return;
        const auto place = static_cast<unsigned>(frame / voices::k_tick_frames) & 3u;
        TickGains& gains = m_ticks[place];
        m_flat = m_moving ? 0u : m_flat | 1u << place;
        for (int c = 0; c < 4; ++c)
            gains.begin[c] = gains.end[c] = m_now[c];
        if (!m_moving) return;
        m_moving = false;
        for (int c = 0; c < 4; ++c) {
            const float gap = m_aim[c] - m_now[c];
            m_now[c] = std::fabs(gap) < 1e-5f ? m_aim[c] : m_now[c] + gap * m_share;
            gains.end[c] = m_now[c];
            m_moving = m_moving || m_now[c] != m_aim[c];
        }
    }
    // Every tick has the same gains, until aimed anew. [render]
    bool still() const noexcept { return !m_moving && m_flat == 15u; }
    const TickGains& gains(std::int64_t frame) const noexcept { return m_ticks[(frame / voices::k_tick_frames) & 3]; }

private:
    TickGains m_ticks[4]; // of the render block
    float m_aim[4] = {1.0f, 1.0f, 1.0f, 1.0f};
    float m_now[4] = {1.0f, 1.0f, 1.0f, 1.0f};
    float m_share = 1.0f;
    bool m_moving = false;
    unsigned m_flat = 15u; // bit tick: its gains are m_now, from end to end
};

} // namespace tutti::engine
