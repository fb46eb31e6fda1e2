// SPDX-License-Identifier: MIT
// Four one-poles in a loop with a saturator at the input, without a delay in the loop: the transistor ladder.
//
// V. Zavalishin, "The Art of VA Filter Design" (2018), chapter 5. The linear loop is solved for the input of the first
// pole, which is then bent: stable for every feedback, and under a cutoff that moves with every sample, because each pole is
// a convex average of its input and its state and the input is bounded.
#pragma once

#include "dsp/approx.h"

namespace tutti {
namespace dsp {
inline namespace TUTTI_ISA_SPACE {

// G = g/(1+g) from log2(pi cutoff / rate).
template <class F>
TUTTI_INLINE F ladder_pole(F log2_angle) {
    const F angle = exp2(min(log2_angle, F(0.62234f)));
    F s, c;
    sin_cos_quarter(angle, s, c);
    return s / (s + c);
}
// 1/(1 + k G^4): ramped beside G, so that no sample divides for it.
template <class F>
TUTTI_INLINE F ladder_solve(F pole, F feedback) {
    const F square = pole * pole;
    return F(1.0f) / fma(feedback, square * square, F(1.0f));
}

template <class F>
struct Ladder {
    F s1, s2, s3, s4;

    // x near +-1. The output is of the fourth pole.
    TUTTI_INLINE F step(F x, F pole, F feedback, F solve) {
        const F keep = F(1.0f) - pole;
        // What the fourth pole would give with no input: ((s1 G + s2) G + s3) G + s4, each times 1 - G.
        const F rest = keep * fma(fma(fma(s1, pole, s2), pole, s3), pole, s4);
        const F u = soft_clip(fnma(feedback, rest, x) * solve);
        const F v1 = pole * (u - s1);
        const F y1 = v1 + s1;
        s1 = y1 + v1;
        const F v2 = pole * (y1 - s2);
        const F y2 = v2 + s2;
        s2 = y2 + v2;
        const F v3 = pole * (y2 - s3);
        const F y3 = v3 + s3;
        s3 = y3 + v3;
        const F v4 = pole * (y3 - s4);
        const F y4 = v4 + s4;
        s4 = y4 + v4;
        return y4;
    }
};

} // namespace TUTTI_ISA_SPACE
} // namespace dsp
} // namespace tutti
