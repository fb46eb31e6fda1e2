// SPDX-License-Identifier: MIT
// A parametric equaliser: low cut, low shelf, two peaks, high shelf, high cut.
#pragma once

#include "engine/effects/effect.h"

namespace tutti::engine {

// Each band is a trapezoidal state-variable filter (A. Simper, "Linear trapezoidal integrated SVF", Cytomic 2013), which has
// the magnitude of R. Bristow-Johnson's "Cookbook formulae for audio EQ biquad filter coefficients" at the same frequency, Q
// and gain, and bears moving coefficients. Shelves and cuts have Q 0.7071; cuts fall 12 dB an octave. A band at 0 dB, a low
// cut at 10 Hz and a high cut at 20 kHz (or above 0.45 of the rate) are left out: no change of a bit, no cost.
const EffectType& equalizer_type() noexcept;

namespace equalizer {
enum : int {
    low_cut,
    low_frequency,
    low_gain,
    peak1_frequency,
    peak1_gain,
    peak1_q,
    peak2_frequency,
    peak2_gain,
    peak2_q,
    high_frequency,
    high_gain,
    high_cut,
    parameter_count
};
}

} // namespace tutti::engine
