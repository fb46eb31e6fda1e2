// SPDX-License-Identifier: MIT
// Elementary functions as polynomials over the lane type: the same bits on every machine, no library, no table.
//
// Coefficients: least maximum error by iteratively re-weighted least squares (Lawson 1961) in double precision; the error
// beside each function is the whole one in FP32, found by tests/dsp over the range.
#pragma once

#include "dsp/lane.h"

namespace tutti {
namespace dsp {
inline namespace TUTTI_ISA_SPACE {

// The nearest whole number (ties to even) for |x| < 2^22, as float and, in the low bits, as an integer.
template <class F>
struct Rounded {
    F value;
    UintOf<F> integer;
};
template <class F>
TUTTI_INLINE Rounded<F> round_small(F x) {
    const F shifted = x + F(12582912.0f); // 1.5 * 2^23: the unit of the sum's last bit is 1
    return {shifted - F(12582912.0f), bits_of(shifted) - UintOf<F>(0x4b400000u)};
}
// The largest whole number not above x, |x| < 2^22.
template <class F>
TUTTI_INLINE F floor_small(F x) {
    const F nearest = round_small(x).value;
    return nearest - select(nearest > x, F(1.0f), F(0.0f));
}

// 2^x, relative error below 1.2e-7; x is held in -126..126.
template <class F>
TUTTI_INLINE F exp2(F x) {
    x = min(max(x, F(-126.0f)), F(126.0f));
    const Rounded<F> whole = round_small(x);
    const F f = x - whole.value;
    F p = fma(F(1.53458075e-4f), f, F(1.33999312e-3f));
    p = fma(p, f, F(9.61848897e-3f));
    p = fma(p, f, F(5.55032878e-2f));
    p = fma(p, f, F(2.40226469e-1f));
    p = fma(p, f, F(6.93147206e-1f));
    p = fma(p, f, F(1.0f));
    return float_of_bits(bits_of(p) + shift_left(whole.integer, 23));
}

// log2(x) for normal x > 0, absolute error below 2e-7 near 1, else an FP32 step of the result.
template <class F>
TUTTI_INLINE F log2(F x) {
    // Mantissa in 0.7071..1.4142 by moving the exponent's border.
    const UintOf<F> moved = bits_of(x) - UintOf<F>(0x3f3504f3u);
    const UintOf<F> exponent = moved & UintOf<F>(0xff800000u);
    const F m = float_of_bits(bits_of(x) - exponent) - F(1.0f);
    const F whole = signed_to_float(exponent) * F(1.0f / 8388608.0f);
    F p = fma(F(1.25845143e-1f), m, F(-2.07273422e-1f));
    p = fma(p, m, F(2.15714604e-1f));
    p = fma(p, m, F(-2.38944324e-1f));
    p = fma(p, m, F(2.87916284e-1f));
    p = fma(p, m, F(-3.60703702e-1f));
    p = fma(p, m, F(4.80910643e-1f));
    p = fma(p, m, F(-7.21347347e-1f));
    p = fma(p, m, F(1.442695f));
    return fma(p, m, whole);
}

// sin(pi x) for -1 <= x <= 1, absolute error below 2e-7.
template <class F>
TUTTI_INLINE F sin_pi(F x) {
    // sin(pi x) = sin(pi (sign - x)): fold |x| > 0.5 back.
    const F a = abs(x);
    const F folded = with_sign(min(a, F(1.0f) - a), x);
    const F y = folded * folded;
    F p = fma(F(7.75607374e-2f), y, F(-5.98242328e-1f));
    p = fma(p, y, F(2.55006977f));
    p = fma(p, y, F(-5.16770969f));
    p = fma(p, y, F(3.14159264f));
    return p * folded;
}
// sin of a phase, one cycle in 2^32.
template <class F>
TUTTI_INLINE F sine_of_phase(UintOf<F> phase) {
    return sin_pi(signed_to_float(phase) * F(1.0f / 2147483648.0f));
}

// sin and cos of x for 0 <= x <= pi/2, absolute errors below 1.5e-7; sin's relative error below 1.5e-7.
template <class F>
TUTTI_INLINE void sin_cos_quarter(F x, F& s, F& c) {
    const F y = x * x;
    F p = fma(F(2.60191643e-6f), y, F(-1.98074263e-4f));
    p = fma(p, y, F(8.33302528e-3f));
    p = fma(p, y, F(-1.66666567e-1f));
    s = fma(p * y, x, x);
    F q = fma(F(-2.60515848e-7f), y, F(2.47601674e-5f));
    q = fma(q, y, F(-1.38883615e-3f));
    q = fma(q, y, F(4.16666363e-2f));
    q = fma(q, y, F(-0.5f));
    c = fma(q, y, F(1.0f));
}

// A saturator near tanh: x (27 + x^2) / (27 + 9 x^2), held at +-1 from |x| = 3 on. Odd, monotonic, slope 1 at 0.
template <class F>
TUTTI_INLINE F soft_clip(F x) {
    x = min(max(x, F(-3.0f)), F(3.0f));
    const F y = x * x;
    return x * (F(27.0f) + y) / fma(F(9.0f), y, F(27.0f));
}

// Counter-based hash: 32 well-mixed bits from a 32-bit word (finaliser of MurmurHash3, Appleby, public domain).
template <class U>
TUTTI_INLINE U hash_word(U x) {
    x = x ^ shift_right(x, 16);
    x = x * U(0x85ebca6bu);
    x = x ^ shift_right(x, 13);
    x = x * U(0xc2b2ae35u);
    return x ^ shift_right(x, 16);
}
// -1..1 from 32 bits.
template <class F>
TUTTI_INLINE F bipolar(UintOf<F> bits) {
    return signed_to_float(bits) * F(1.0f / 2147483648.0f);
}

} // namespace TUTTI_ISA_SPACE
} // namespace dsp
} // namespace tutti
