// SPDX-License-Identifier: MIT
// Where a part stands among more than two channels: gains from its left and right to every channel, ramped between ticks.
//
// Its two sides keep 30 degrees to the left and right of where it stands, so that a part at the front is on the two front
// channels as it is in stereo. Surround: between the two loudspeakers next to the direction, equal power (V. Pulkki, "Virtual
// sound source positioning using vector base amplitude panning", JAES 45(6), 1997). Ambisonic: ACN order, SN3D weights (C.
// Nachbar et al., "AmbiX: a suggested Ambisonics format", Ambisonics Symposium 2011).
#pragma once

#include <cmath>
#include <cstdint>
#include <iterator>

#include <tutti/engine.h>

#include "engine/backend.h"
#include "engine/stream/instance.h"
#include "engine/stream/level.h"

namespace tutti::engine {

class Spread {
public:
    // [control]
    void prepare(Layout layout, int channels, double sample_rate) noexcept {
        m_layout = layout;
        m_channels = channels;
        m_share = static_cast<float>(1.0 - std::exp(-voices::k_tick_frames / (0.005 * sample_rate)));
        aim(0.0, 0.0f);
        for (int c = 0; c < k_max_channels; ++c)
            for (int side = 0; side < 2; ++side)
                m_now[c][side] = m_aim[c][side];
        for (auto& tick : m_ticks)
            for (int c = 0; c < k_max_channels; ++c)
                for (int side = 0; side < 2; ++side)
                    tick[c][side][0] = tick[c][side][1] = m_now[c][side];
        m_moving = false;
    }

    // All below: [render]. Degrees to the right of the front and up.
    void aim(double azimuth, float elevation) noexcept {
        if (!std::isfinite(azimuth) || !std::isfinite(elevation)) return;
        for (int side = 0; side < 2; ++side) {
            float gains[k_max_channels] = {};
            const double angle = azimuth + (side == 0 ? -30.0 : 30.0);
            if (m_layout == Layout::ambisonic)
                encode(angle, static_cast<double>(elevation), gains);
            else if (m_layout != Layout::discrete)
                pan(angle, gains);
            for (int c = 0; c < k_max_channels; ++c)
                m_aim[c][side] = gains[c];
        }
        m_moving = true;
    }
    // tick() changes nothing.
    bool still() const noexcept { return m_layout == Layout::discrete; }
    // Gains of the tick that begins at `frame`.
    void tick(std::int64_t frame) noexcept {
        if (m_layout == Layout::discrete) return;
        auto& tick = m_ticks[(frame / voices::k_tick_frames) & 3];
        bool moving = false;
        for (int c = 0; c < m_channels; ++c)
            for (int side = 0; side < 2; ++side) {
                tick[c][side][0] = m_now[c][side];
                if (m_moving) {
                    const float gap = m_aim[c][side] - m_now[c][side];
                    m_now[c][side] = std::fabs(gap) < 1e-5f ? m_aim[c][side] : m_now[c][side] + gap * m_share;
                    moving = moving || m_now[c][side] != m_aim[c][side];
                }
                tick[c][side][1] = m_now[c][side];
            }
        m_moving = moving;
    }
    // Frames [begin, end) of a render block, within one tick, from the instance's bus to mix[channel][64].
    void add(float* mix, Instance& instance, const TickGains& level, int begin, int end) const noexcept {
        const auto& tick = m_ticks[(begin / voices::k_tick_frames) & 3];
        const float* const sides[2] = {instance.bus(0), instance.bus(m_channels > 1 ? 1 : 0)};
        const float scale = static_cast<float>(instance.gain());
        for (int c = 0; c < m_channels; ++c) {
            float* const to = mix + c * voices::k_block_frames;
            for (int side = 0; side < 2; ++side) {
                const float from = tick[c][side][0] * level.begin[side] * scale;
                const float slope =
                    (tick[c][side][1] * level.end[side] * scale - from) * (1.0f / voices::k_tick_frames);
                if (from == 0.0f && slope == 0.0f) continue;
                for (int i = begin; i < end; ++i)
                    to[i] += sides[side][i] * (from + slope * static_cast<float>(i & (voices::k_tick_frames - 1)));
            }
            // What clips have put on the other channels passes as it is.
            if (c < 2) continue;
            const float* const bus = instance.bus(c);
            const float from = level.begin[2] * scale;
            const float slope = (level.end[2] * scale - from) * (1.0f / voices::k_tick_frames);
            for (int i = begin; i < end; ++i)
                to[i] += bus[i] * (from + slope * static_cast<float>(i & (voices::k_tick_frames - 1)));
        }
    }

private:
    static constexpr double k_radian = 0.017453292519943295;

    void pan(double azimuth, float* gains) const noexcept {
        struct Speaker {
            double azimuth;
            int channel;
        };
        // Round the circle; the low-frequency channel (3) gets nothing.
        static constexpr Speaker k_5_1[] = {{-110, 4}, {-30, 0}, {0, 2}, {30, 1}, {110, 5}};
        static constexpr Speaker k_7_1[] = {{-150, 4}, {-90, 6}, {-30, 0}, {0, 2}, {30, 1}, {90, 7}, {150, 5}};
        const bool seven = m_layout == Layout::surround_7_1;
        const Speaker* const ring = seven ? k_7_1 : k_5_1;
        const int count = seven ? static_cast<int>(std::size(k_7_1)) : static_cast<int>(std::size(k_5_1));
        for (int i = 0; i < count; ++i) {
            const Speaker &a = ring[i], &b = ring[(i + 1) % count];
            const double width = std::fmod(b.azimuth - a.azimuth + 360.0, 360.0);
            const double place = std::fmod(std::fmod(azimuth - a.azimuth, 360.0) + 360.0, 360.0);
            if (place > width) continue;
            // The gains that make the two directions add up to the wanted one, then unit power.
            const double left = std::sin((width - place) * k_radian), right = std::sin(place * k_radian);
            const double length = std::sqrt(left * left + right * right);
            gains[a.channel] = static_cast<float>(left / length);
            gains[b.channel] = static_cast<float>(right / length);
            return;
        }
    }

    // Real spherical harmonics up to order 3; azimuth counts to the left there.
    void encode(double azimuth, double elevation, float* gains) const noexcept {
        const double a = -azimuth * k_radian, e = elevation * k_radian;
        const double x = std::cos(a) * std::cos(e), y = std::sin(a) * std::cos(e), z = std::sin(e);
        const double r3 = 1.7320508075688772, r15 = 3.872983346207417;
        const double values[16] = {1.0,
                                   y,
                                   z,
                                   x,
                                   r3 * x * y,
                                   r3 * y * z,
                                   0.5 * (3.0 * z * z - 1.0),
                                   r3 * x * z,
                                   0.5 * r3 * (x * x - y * y),
                                   0.7905694150420949 * y * (3.0 * x * x - y * y),
                                   r15 * x * y * z,
                                   0.6123724356957945 * y * (5.0 * z * z - 1.0),
                                   0.5 * z * (5.0 * z * z - 3.0),
                                   0.6123724356957945 * x * (5.0 * z * z - 1.0),
                                   0.5 * r15 * z * (x * x - y * y),
                                   0.7905694150420949 * x * (x * x - 3.0 * y * y)};
        for (int c = 0; c < m_channels; ++c)
            gains[c] = static_cast<float>(values[c]);
    }

    Layout m_layout = Layout::discrete;
    int m_channels = 2;
    bool m_moving = false;
    float m_share = 1.0f;
    float m_aim[k_max_channels][2] = {};
    float m_now[k_max_channels][2] = {};
    float m_ticks[4][k_max_channels][2][2] = {}; // [tick of the render block][channel][side][begin, end]
};

} // namespace tutti::engine
