// SPDX-License-Identifier: MIT
// Band-limited saw, pulse, triangle and sine from a 32-bit phase, in three tiers of quality.
//
// A phase is an unsigned fraction of a cycle; as a signed number s it is the saw itself, -2^31..2^31, and the jump is where
// it overflows. Every signal here keeps that scale; the caller's gain holds 2^-31. Corrections depend on the distance to
// the nearest jump in samples, t = (2^31 - |s|) / increment:
//   eco       2 points, the parabola of V. Valimaki and A. Huovilainen, IEEE Signal Processing Magazine 24(2), 2007
//   standard  4 points, the integrated cubic B-spline of V. Valimaki, J. Pekonen and J. Nam, JASA 131(1), 2012
// The triangle's corners take the same residuals integrated once more (polyBLAMP; F. Esqueda, V. Valimaki and S. Bilbao,
// IEEE Transactions on Signal Processing 64(20), 2016).
//   ultra     what each jump or corner lets ring in an elliptic low-pass (dsp/ringing.h)
#pragma once

#include "dsp/approx.h"
#include "dsp/ringing.h"

namespace tutti {
namespace dsp {
inline namespace TUTTI_ISA_SPACE {

enum Tier : int { tier_eco = 0, tier_standard, tier_ultra };

constexpr float k_cycle_half = 2147483648.0f;
constexpr float k_eco_scale = 46340.9500f;      // sqrt(2^31): the parabola is squared
constexpr float k_standard_scale = 115.661056f; // (2^31/12)^(1/4): powers of four

// What a wave needs beside its phase, from 1/increment. Both numbers may be ramped linearly. In `ultra`: 1/increment, and the
// band limit's delay of the saw's slope.
template <class F>
struct Edge {
    F slope, offset;
};
template <class F>
TUTTI_INLINE Edge<F> ringing_edge(F inverse) {
    return {inverse, F(-k_ring_delay) / inverse};
}
template <class F>
TUTTI_INLINE Edge<F> saw_edge(int tier, F inverse) {
    if (tier == tier_ultra) return ringing_edge(inverse);
    const F scale(tier == tier_eco ? k_eco_scale : k_standard_scale);
    const F at_zero(tier == tier_eco ? k_eco_scale : 2.0f * k_standard_scale);
    const F slope = scale * inverse;
    return {slope, fma(slope, F(-k_cycle_half), at_zero)};
}
template <class F>
TUTTI_INLINE Edge<F> triangle_edge(int tier, F inverse) {
    if (tier == tier_ultra) return ringing_edge(inverse);
    const F slope = inverse * F(0.5f);
    const F at_zero(tier == tier_eco ? 1.0f : 2.0f);
    return {slope, fma(slope, F(-k_cycle_half), at_zero)};
}
// The triangle's third number: the change of slope at a corner.
template <class F>
TUTTI_INLINE F triangle_corner(int tier, F increment) {
    return increment * F(tier == tier_eco ? 2.0f / 3.0f : tier == tier_standard ? 1.0f / 30.0f : 4.0f);
}

// Ultra: rings as a saw's jump of `height` does where the phase went over its end from `before` to `phase`.
template <class F>
TUTTI_INLINE void ring_fall(Ringing<F>& ring, UintOf<F> before, UintOf<F> phase, F inverse, F height) {
    const MaskOf<F> fell = is_negative((before ^ UintOf<F>(0xffffffffu)) & phase);
    if (any(fell)) ring.jumped(fell, signed_to_float(phase ^ UintOf<F>(0x80000000u)) * inverse, height);
}
template <class F>
TUTTI_INLINE F ringing_saw(Ringing<F>& ring, UintOf<F> before, UintOf<F> phase, Edge<F> edge) {
    ring.next();
    ring_fall(ring, before, phase, edge.slope, F(-2.0f * k_cycle_half));
    return (signed_to_float(phase) + edge.offset) + ring.sum();
}
// Two saws, one against the other.
template <class F>
TUTTI_INLINE F ringing_pulse(Ringing<F>& ring, UintOf<F> before, UintOf<F> phase, UintOf<F> other_before,
                             UintOf<F> other, F inverse) {
    ring.next();
    ring_fall(ring, before, phase, inverse, F(-2.0f * k_cycle_half));
    ring_fall(ring, other_before, other, inverse, F(2.0f * k_cycle_half));
    return (signed_to_float(phase) - signed_to_float(other)) + ring.sum();
}
template <class F>
TUTTI_INLINE F ringing_triangle(Ringing<F>& ring, UintOf<F> before, UintOf<F> phase, Edge<F> edge, F corner) {
    const F s = signed_to_float(phase);
    ring.next();
    const MaskOf<F> trough = is_negative((before ^ UintOf<F>(0xffffffffu)) & phase);
    if (any(trough)) ring.turned(trough, signed_to_float(phase ^ UintOf<F>(0x80000000u)) * edge.slope, corner);
    const MaskOf<F> peak = is_negative((phase ^ UintOf<F>(0xffffffffu)) & before);
    if (any(peak)) ring.turned(peak, s * edge.slope, -corner);
    // Rising while s is below 0; the slope is two increments.
    return (fma(F(-2.0f), abs(s), F(k_cycle_half)) + copysign(edge.offset + edge.offset, s)) + ring.sum();
}

// Eco and standard; s = signed_to_float(phase).
template <int tier, class F>
TUTTI_INLINE F saw(F s, Edge<F> edge) {
    const F linear = fma(edge.slope, abs(s), edge.offset);
    if (tier == tier_eco) {
        const F u = max(linear, F(0.0f));
        return fnma(u, with_sign(u, s), s);
    }
    // outer^4 - 4 inner^4, inner = outer - 1 in units of the scale: multiplications are what the machine has least of.
    const F outer = max(linear, F(0.0f));
    const F inner = max(linear - F(k_standard_scale), F(0.0f));
    const F twice = inner + inner;
    const F a = outer * outer;
    const F difference = fnma(twice, inner, a), sum = fma(twice, inner, a);
    return fnma(difference, with_sign(sum, s), s);
}

template <int tier, class F>
TUTTI_INLINE F triangle(F s, Edge<F> edge, F corner) {
    const F q = fma(F(-2.0f), abs(s), F(k_cycle_half));
    const F linear = fma(edge.slope, abs(q), edge.offset);
    if (tier == tier_eco) {
        const F u = max(linear, F(0.0f));
        return q - with_sign(corner * u * (u * u), q);
    }
    const F outer = max(linear, F(0.0f));
    const F inner = max(linear - F(1.0f), F(0.0f));
    const F a = outer * outer;
    const F b = inner * inner;
    return q - with_sign(corner * fma(a * a, outer, F(-4.0f) * (b * b * inner)), q);
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
