// SPDX-License-Identifier: MIT
// e^x over the lanes of the including file (lanes.h comes before).
#pragma once

namespace tutti::models::TUTTI_KERNEL_NAMESPACE {

// e^x for x <= 0 and down to -87, 0 below: n ln 2 + r, series of e^r to r^7 (omitted: 5e-9).
static inline F exp_of(const F& x) {
    const F clamped = max(x, F(-87.0f));
    const F magic(12582912.0f); // 1.5 2^23: adding it rounds to a whole number in the low bits
    const F shifted = clamped * F(1.44269504089f) + magic;
    const F n = shifted - magic;
    F r = clamped - n * F(0.693359375f); // ln 2 in two parts, the first exact times n
    r = r - n * F(-2.12194440e-4f);
    F p = F(1.0f / 720.0f) + r * F(1.0f / 5040.0f);
    p = F(1.0f / 120.0f) + r * p;
    p = F(1.0f / 24.0f) + r * p;
    p = F(1.0f / 6.0f) + r * p;
    p = F(0.5f) + r * p;
    p = F(1.0f) + r * p;
    p = F(1.0f) + r * p;
    const F scale = float_of_bits((bits_of(shifted) - I(0x4b400000 - 127)) << 23);
    return keep_where_above(x, -87.0f, p * scale);
}

} // namespace tutti::models::TUTTI_KERNEL_NAMESPACE
