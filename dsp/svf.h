// SPDX-License-Identifier: MIT
// Trapezoidal state-variable filter, two poles, in the form with the shortest chain from one sample to the next.
//
// V. Zavalishin, "The Art of VA Filter Design" (2018), chapter 4; coefficients as A. Simper, "Solving the continuous SVF
// equations" (2013): a1 = 1/(1 + g(g + k)), a2 = g a1, a3 = g a2, g = tan(pi cutoff / rate), k = 1/Q. Written in the state
// update n = A s + b x with A1 = 2 a1 - 1, A2 = 2 a2, A3 = 2 a3:
//     d = x - i2;  n1 = A1 i1 + A2 d;  n2 = i2 + A2 i1 + A3 d;  low = (i2 + n2)/2;  band = (i1 + n1)/2
//
// Why the three coefficients may be ramped linearly each on its own: for g > 0, k >= 0 the matrix of (i1, i2) is the Cayley
// transform of a dissipative system, [A1, -A2; A2, 1 - A3] = (I - G)^-1 (I + G) with G + G^T <= 0, so its spectral norm is
// at most 1. Norms are convex: every matrix on the line between two such is of norm at most 1 as well, and a product of
// such matrices, whatever their order, cannot grow. So no sweep, however fast, makes the filter unstable.
#pragma once

#include "dsp/approx.h"

namespace tutti {
namespace dsp {
inline namespace TUTTI_ISA_SPACE {

template <class F>
struct SvfCoefficients {
    F a1, a2, a3;
};

// From log2(pi cutoff / rate), which is held below 0.49 pi, and k = 1/Q. With g = sin/cos one division serves all three.
template <class F>
TUTTI_INLINE SvfCoefficients<F> svf_coefficients(F log2_angle, F damping) {
    const F angle = exp2(min(log2_angle, F(0.62234f))); // log2(0.49 pi)
    F s, c;
    sin_cos_quarter(angle, s, c);
    const F twice = F(2.0f) / fma(c, c, s * fma(damping, c, s));
    const F sine = s * twice;
    return {fma(c, c * twice, F(-1.0f)), c * sine, s * sine};
}

template <class F>
struct Svf {
    F i1, i2;

    // One sample; `low` and `band` are twice the outputs: the caller's gain holds the half.
    TUTTI_INLINE void step(F x, F a1, F a2, F a3, F& low, F& band) {
        const F d = x - i2;
        const F n1 = fma(a1, i1, a2 * d);
        const F n2 = fma(a3, d, fma(a2, i1, i2));
        low = i2 + n2;
        band = i1 + n1;
        i1 = n1;
        i2 = n2;
    }
};

} // namespace TUTTI_ISA_SPACE
} // namespace dsp
} // namespace tutti
