// SPDX-License-Identifier: MIT
// Soft saturation with little aliasing: warmth, then drive, then fuzz.
#pragma once

#include "engine/effects/effect.h"

namespace tutti::engine {

// f(x) = x / sqrt(1 + x^2) at twice the rate, by first-order antiderivative antialiasing (Parker, Zavalishin, Le Bivic,
// "Reducing the aliasing of nonlinear waveshaping using continuous-time convolution", DAFx-16). With F(x) = sqrt(1 + x^2)
// its quotient (F(a) - F(b)) / (a - b) is (a + b) / (F(a) + F(b)): no division by small differences, no logarithm.
// Half-band filter up (31 taps), and down a 30-tap one that also makes good the averaging's loss of treble. `bias` shifts
// the curve for even harmonics. A sine at -12 dBFS keeps its peak at any drive.
const EffectType& saturation_type() noexcept;

namespace saturation {
enum : int { drive, bias, output, mix, parameter_count };
inline constexpr int k_latency = 15; // frames: 15 up, 0.5 averaging and 14.5 down at twice the rate
} // namespace saturation

} // namespace tutti::engine
