// SPDX-License-Identifier: MIT
// Plain data of the effects that kernels of every instruction set read and write: no template, no vector type.
#pragma once

#include <cstdint>

#include "voices/voice_type.h"

namespace tutti::engine {

using voices::k_tick_frames;

// A straight line from the last tick's value to this tick's. At rest `slope` is 0 and ramp_at() is exact.
struct Ramp {
    float from = 0.0f;
    float to = 0.0f;
    float slope = 0.0f;

    void next(float target) noexcept {
        from = to;
        to = target;
        slope = (to - from) * (1.0f / k_tick_frames);
    }
    void jump(float target) noexcept {
        from = to = target;
        slope = 0.0f;
    }
    void move(float target, bool at_once) noexcept {
        if (at_once)
            jump(target);
        else
            next(target);
    }
    bool still() const noexcept { return slope == 0.0f; }
};

// A delay in frames that moves in a straight line over a tick, made ready for reading: four frames share a whole delay.
class MovingDelay {
public:
    // Four frames' fraction may leave 0..1 by three slopes; the stencil spans -1..2.
    static constexpr float k_steepest = 0.2f; // frames a frame

    void jump(float frames) noexcept { m_now = frames; }
    // At rest where it should be.
    bool arrived(float target) const noexcept { return still && target == m_now; }
    // Over this tick, towards `target` as far as k_steepest allows.
    void move(float target) noexcept {
        constexpr float k_limit = k_steepest * k_ticks;
        float step = target - m_now;
        step = step < -k_limit ? -k_limit : step > k_limit ? k_limit : step;
        slope = step * (1.0f / k_ticks);
        for (int q = 0; q < 4; ++q) {
            const float frames = m_now + slope * static_cast<float>(4 * q);
            const auto down = static_cast<std::int32_t>(frames);
            whole[q] = static_cast<std::uint32_t>(down);
            fraction[q] = frames - static_cast<float>(down);
        }
        still = slope == 0.0f && fraction[0] == 0.0f;
        m_now += step;
    }

    std::uint32_t whole[4] = {};
    float fraction[4] = {};
    float slope = 0.0f;
    bool still = true; // a whole delay that does not move: no interpolation

private:
    static constexpr float k_ticks = 16.0f; // frames of a tick
    float m_now = 0.0f;                     // at the tick's end
};

// Frames in a power of two, and the first 32 again behind the end: a tick with its stencil is always contiguous.
struct Ring {
    static constexpr std::uint32_t k_guard = 32;
    float* data = nullptr;
    std::uint32_t mask = 0;
};

} // namespace tutti::engine
