// SPDX-License-Identifier: MIT
// Echoes in time with the music, on two sides.
#pragma once

#include "engine/effects/effect.h"

namespace tutti::engine {

// Echo times are whole frames: round(seconds * rate). A note value longer than the 2 s of memory is halved until it fits. A
// new time is faded in over 20 ms: no pitch glide, no click. Low and high cut stand in the loop, so each echo is darker and
// thinner than the last. Ping-pong: left, right, left, ..., each `feedback` times the last.
const EffectType& delay_type() noexcept;

namespace delay {
enum : int { mode, left, right, time, feedback, low_cut, high_cut, width, mix, parameter_count };
enum Mode : int { stereo, ping_pong };

// Seconds of a note value of `left` at a tempo; 0 where the value is "free". [any]
double note_seconds(int choice, double beats_per_minute) noexcept;
} // namespace delay

} // namespace tutti::engine
