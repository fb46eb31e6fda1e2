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
// move() of ring.h sets all but `now` anew.
struct MovingDelay {
    // Four frames' fraction may leave 0..1 by three slopes; the stencil spans -1..2.
    static constexpr float k_steepest = 0.2f; // frames a frame

    // At rest where it should be.
    bool arrived(float target) const noexcept { return still && target == now; }

    std::uint32_t whole[4] = {};
    float fraction[4] = {};
    float slope = 0.0f;
    bool still = true; // a whole delay that does not move: no interpolation
    float now = 0.0f;  // at the tick's end
};

// Frames in a power of two, and the first 32 again behind the end: a tick with its stencil is always contiguous.
struct Ring {
    static constexpr std::uint32_t k_guard = 32;
    float* data = nullptr;
    std::uint32_t mask = 0;
};

} // namespace tutti::engine
