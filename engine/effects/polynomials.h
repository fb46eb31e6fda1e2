// SPDX-License-Identifier: MIT
// exp2, log2 and sine over float or Quad, by + - * / alone: the same bits on every machine, and no libm in a loop.
#pragma once

#include "engine/effects/quad.h"

namespace tutti::engine {
inline namespace TUTTI_ISA_SPACE {

// 2^x for x in -126..127; relative error below 3e-7 (Taylor's series of degree 6 on +-1/2).
template <class F>
inline F exp2_poly(F x) noexcept {
    x = lesser_of(greater_of(x, splat<F>(-126.0f)), splat<F>(126.0f));
    const F half = select_less(x, splat<F>(0.0f), splat<F>(-0.5f), splat<F>(0.5f));
    const F n = towards_zero(x + half);
    const F f = x - n;
    F p = splat<F>(1.5403530e-4f);
    p = p * f + splat<F>(1.3333558e-3f);
    p = p * f + splat<F>(9.6181291e-3f);
    p = p * f + splat<F>(5.5504109e-2f);
    p = p * f + splat<F>(2.4022651e-1f);
    p = p * f + splat<F>(6.9314718e-1f);
    return (p * f + splat<F>(1.0f)) * power_of_two(n);
}

// log2 x for positive normal x; absolute error below 3e-7 near 1 (atanh's series on sqrt(1/2)..sqrt(2)).
template <class F>
inline F log2_poly(F x) noexcept {
    F m = splat<F>(1.0f);
    F e = split_exponent(x, m);
    const F root = splat<F>(1.41421356f);
    e = select_less(root, m, e + splat<F>(1.0f), e);
    m = select_less(root, m, m * splat<F>(0.5f), m);
    const F t = (m - splat<F>(1.0f)) / (m + splat<F>(1.0f));
    const F u = t * t;
    F p = splat<F>(0.41219859f); // 2 / (7 ln 2)
    p = p * u + splat<F>(0.57707802f);
    p = p * u + splat<F>(0.96179669f);
    p = p * u + splat<F>(2.88539008f);
    return p * t + e;
}

// sin(2 pi x) for x in cycles, |x| below 2^20; error below 3e-7 of full scale for |x| <= 1.
template <class F>
inline F sine_cycles(F x) noexcept {
    const F half = select_less(x, splat<F>(0.0f), splat<F>(-0.5f), splat<F>(0.5f));
    x = x - towards_zero(x + half); // -1/2..1/2
    const F mirror = select_less(x, splat<F>(0.0f), splat<F>(-0.5f), splat<F>(0.5f)) - x;
    x = select_less(splat<F>(0.25f), magnitude(x), mirror, x);
    const F u = x * x;
    F p = splat<F>(3.8199526f);
    p = p * u + splat<F>(-15.0946426f);
    p = p * u + splat<F>(42.0586939f);
    p = p * u + splat<F>(-76.7058597f);
    p = p * u + splat<F>(81.6052493f);
    p = p * u + splat<F>(-41.3417022f);
    p = p * u + splat<F>(6.28318531f);
    return p * x;
}

} // namespace TUTTI_ISA_SPACE
} // namespace tutti::engine
