// SPDX-License-Identifier: MIT
// Band-limited saw, pulse, triangle and sine from a 32-bit phase, in three tiers of quality.
//
// A phase is an unsigned fraction of a cycle; as a signed number s it is the saw itself, -2^31..2^31, and the jump is where
// it overflows. Every signal here keeps that scale; the caller's gain holds 2^-31. Corrections depend on the distance to
// the nearest jump in samples, t = (2^31 - |s|) / increment:
//   eco       2 points, the parabola of V. Valimaki and A. Huovilainen, IEEE Signal Processing Magazine 24(2), 2007
//   standard  4 points, the integrated cubic B-spline of V. Valimaki, J. Pekonen and J. Nam, JASA 131(1), 2012
//   ultra     32 points, an integrated windowed sinc (dsp/residuals.h); jumps whose corrections overlap are all added
// The triangle's corners take the same residuals integrated once more (polyBLAMP; F. Esqueda, V. Valimaki and S. Bilbao,
// IEEE Transactions on Signal Processing 64(20), 2016).
#pragma once

#include "dsp/approx.h"
#include "dsp/residuals.h"

namespace tutti {
namespace dsp {
inline namespace TUTTI_ISA_SPACE {

enum Tier : int { tier_eco = 0, tier_standard, tier_ultra };

constexpr float k_cycle_half = 2147483648.0f;
constexpr float k_eco_scale = 46340.9500f;      // sqrt(2^31): the parabola is squared
constexpr float k_standard_scale = 115.661056f; // (2^31/12)^(1/4): powers of four

// What a wave needs beside its phase, from 1/increment. Both numbers may be ramped linearly.
template <class F>
struct Edge {
    F slope, offset;
};
template <class F>
TUTTI_INLINE Edge<F> saw_edge(int tier, F inverse) {
    const F scale(tier == tier_eco ? k_eco_scale : tier == tier_standard ? k_standard_scale : -2.0f);
    const F at_zero(tier == tier_eco ? k_eco_scale : tier == tier_standard ? 2.0f * k_standard_scale : 0.0f);
    const F slope = scale * inverse;
    return {slope, fma(slope, F(-k_cycle_half), at_zero)};
}
// The same wave an octave lower.
template <class F>
TUTTI_INLINE Edge<F> octave_below(int tier, Edge<F> edge) {
    const float at_zero = tier == tier_eco ? k_eco_scale : tier == tier_standard ? 2.0f * k_standard_scale : 0.0f;
    return {edge.slope + edge.slope, edge.offset + edge.offset - F(at_zero)};
}
template <class F>
TUTTI_INLINE Edge<F> triangle_edge(int tier, F inverse) {
    const F slope = inverse * F(tier == tier_ultra ? -1.0f : 0.5f);
    const F at_zero(tier == tier_eco ? 1.0f : tier == tier_standard ? 2.0f : 0.0f);
    return {slope, fma(slope, F(-k_cycle_half), at_zero)};
}
// The triangle's third number: the change of slope at a corner.
template <class F>
TUTTI_INLINE F triangle_corner(int tier, F increment) {
    return increment * F(tier == tier_eco ? 2.0f / 3.0f : tier == tier_standard ? 1.0f / 30.0f : 4.0f);
}

// A residual of dsp/residuals.h at a distance in half samples, 0 from 32 on.
template <class F>
TUTTI_INLINE F residual(const float (&table)[5][32], F halves) {
    const UintOf<F> piece = truncate_to_int(min(halves, F(31.0f)));
    const F x = halves - signed_to_float(piece);
    F r = fma(lookup32(table[4], piece), x, lookup32(table[3], piece));
    r = fma(r, x, lookup32(table[2], piece));
    r = fma(r, x, lookup32(table[1], piece));
    r = fma(r, x, lookup32(table[0], piece));
    return select(halves < F(32.0f), r, F(0.0f));
}
// How many further jumps can reach a sample when half a period is `offset` half samples long (Edge::offset of ultra): the
// largest over the lanes; a term that a lane does not need is exactly 0 there.
template <class F>
TUTTI_INLINE int further_jumps(F offset) {
    int count = 0;
    while (count < 16 && any(offset * F(static_cast<float>(count + 1)) < F(32.0f)))
        ++count;
    return count;
}

// s = signed_to_float(phase).
template <int tier, class F>
TUTTI_INLINE F saw(F s, Edge<F> edge, int further) {
    const F linear = fma(edge.slope, abs(s), edge.offset);
    if (tier == tier_eco) {
        const F u = max(linear, F(0.0f));
        return fnma(u, with_sign(u, s), s);
    }
    if (tier == tier_standard) {
        // outer^4 - 4 inner^4, inner = outer - 1 in units of the scale: multiplications are what the machine has least of.
        const F outer = max(linear, F(0.0f));
        const F inner = max(linear - F(k_standard_scale), F(0.0f));
        const F twice = inner + inner;
        const F a = outer * outer;
        const F difference = fnma(twice, inner, a), sum = fma(twice, inner, a);
        return fnma(difference, with_sign(sum, s), s);
    }
    F sum = residual(k_step_residual, linear);
    const F period = edge.offset + edge.offset;
    F at = period;
    for (int k = 1; k <= further; k += 2) {
        sum = sum - residual(k_step_residual, at - linear);
        if (k < further) sum = sum + residual(k_step_residual, at + linear);
        at = at + period;
    }
    return fnma(with_sign(F(k_cycle_half), s), sum, s);
}

template <int tier, class F>
TUTTI_INLINE F triangle(F s, Edge<F> edge, F corner, int further) {
    const F q = fma(F(-2.0f), abs(s), F(k_cycle_half));
    const F linear = fma(edge.slope, abs(q), edge.offset);
    if (tier == tier_eco) {
        const F u = max(linear, F(0.0f));
        return q - with_sign(corner * u * (u * u), q);
    }
    if (tier == tier_standard) {
        const F outer = max(linear, F(0.0f));
        const F inner = max(linear - F(1.0f), F(0.0f));
        const F a = outer * outer;
        const F b = inner * inner;
        return q - with_sign(corner * fma(a * a, outer, F(-4.0f) * (b * b * inner)), q);
    }
    // Corners alternate: seen from the nearest, the signs of the next ones are - - + + - -.
    F sum = residual(k_corner_residual, linear);
    const F period = edge.offset + edge.offset;
    F at = period;
    for (int k = 1; k <= further; k += 2) {
        F pair = residual(k_corner_residual, at - linear);
        if (k < further) pair = pair + residual(k_corner_residual, at + linear);
        sum = (k & 2) != 0 ? sum + pair : sum - pair;
        at = at + period;
    }
    return fnma(with_sign(corner, q), sum, q);
}

// A parabola's half at either side of a jump, t samples away: the 2-point residual for a jump of 1.
template <class F>
TUTTI_INLINE F near_jump(F t) {
    const F u = max(F(1.0f) - t, F(0.0f));
    return F(0.5f) * u * u;
}

} // namespace TUTTI_ISA_SPACE
} // namespace dsp
} // namespace tutti
