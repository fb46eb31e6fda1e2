// SPDX-License-Identifier: MIT
// How much of an oscillator's sound is alias.
#pragma once

#include <span>

namespace tutti::io {

struct AliasLevel {
    double hz = 0.0;       // the fundamental, refined
    double worst_db = 0.0; // the strongest component off the harmonics, relative to the fundamental
    double below_db = 0.0; // the same below the fundamental
};

inline constexpr int k_alias_frames = 65536;

// Looks at the first k_alias_frames of `samples` (as many are needed) under a four-term Blackman-Harris window; every bin
// within 6 of a harmonic is put aside. The window's side lobes set a floor near -95 dB. `hz` is the expected fundamental.
// [control]
AliasLevel measure_alias(std::span<const float> samples, double sample_rate, double hz);

} // namespace tutti::io
