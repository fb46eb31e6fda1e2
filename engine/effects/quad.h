// SPDX-License-Identifier: MIT
// Four frames (or four lines) at once, on the baseline instruction set; the same functions for one float.
//
// SSE2 or NEON, elsewhere plain floats; wide.h adds whole ticks at once. Each function rounds alike for Quad and for float,
// and none is a fused multiply-add, so a frame's bits do not depend on which of them computed it.
//
// A file built for one instruction set defines TUTTI_ISA_SPACE before its first include, as for dsp/lane.h.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__) || defined(_M_X64) || (defined(_M_IX86_FP) && _M_IX86_FP >= 2)
#define TUTTI_QUAD_SSE2 1
#include <emmintrin.h>
#elif defined(__aarch64__) || defined(_M_ARM64)
#define TUTTI_QUAD_NEON 1
#include <arm_neon.h>
#endif

#ifndef TUTTI_ISA_SPACE
#define TUTTI_ISA_SPACE base
#endif

namespace tutti::engine {
inline namespace TUTTI_ISA_SPACE {

#if defined(TUTTI_QUAD_SSE2)

struct Quad {
    __m128 v;
};
inline Quad operator+(Quad a, Quad b) noexcept {
    return {_mm_add_ps(a.v, b.v)};
}
inline Quad operator-(Quad a, Quad b) noexcept {
    return {_mm_sub_ps(a.v, b.v)};
}
inline Quad operator*(Quad a, Quad b) noexcept {
    return {_mm_mul_ps(a.v, b.v)};
}
inline Quad operator/(Quad a, Quad b) noexcept {
    return {_mm_div_ps(a.v, b.v)};
}
inline Quad square_root(Quad a) noexcept {
    return {_mm_sqrt_ps(a.v)};
}
inline Quad greater_of(Quad a, Quad b) noexcept {
    return {_mm_max_ps(a.v, b.v)};
} // a > b ? a : b
inline Quad lesser_of(Quad a, Quad b) noexcept {
    return {_mm_min_ps(a.v, b.v)};
} // a < b ? a : b
inline Quad magnitude(Quad a) noexcept {
    return {_mm_andnot_ps(_mm_set1_ps(-0.0f), a.v)};
}
// a < b ? x : y; y where a or b is NaN.
inline Quad select_less(Quad a, Quad b, Quad x, Quad y) noexcept {
    const __m128 mask = _mm_cmplt_ps(a.v, b.v);
    return {_mm_or_ps(_mm_and_ps(mask, x.v), _mm_andnot_ps(mask, y.v))};
}
inline Quad towards_zero(Quad a) noexcept {
    return {_mm_cvtepi32_ps(_mm_cvttps_epi32(a.v))};
}
// 2^n for whole n in -126..127.
inline Quad power_of_two(Quad n) noexcept {
    return {_mm_castsi128_ps(_mm_slli_epi32(_mm_add_epi32(_mm_cvttps_epi32(n.v), _mm_set1_epi32(127)), 23))};
}
// a = mantissa * 2^exponent, mantissa 1..2; for positive normal a.
inline Quad split_exponent(Quad a, Quad& mantissa) noexcept {
    const __m128i bits = _mm_castps_si128(a.v);
    mantissa.v =
        _mm_castsi128_ps(_mm_or_si128(_mm_and_si128(bits, _mm_set1_epi32(0x7fffff)), _mm_set1_epi32(0x3f800000)));
    return {_mm_cvtepi32_ps(_mm_sub_epi32(_mm_srli_epi32(bits, 23), _mm_set1_epi32(127)))};
}
inline Quad quad(float a, float b, float c, float d) noexcept {
    return {_mm_set_ps(d, c, b, a)};
}
inline void transpose(Quad& a, Quad& b, Quad& c, Quad& d) noexcept {
    _MM_TRANSPOSE4_PS(a.v, b.v, c.v, d.v);
}
// Towards zero, of 0..2^31.
inline void store_whole(std::uint32_t* p, Quad a) noexcept {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm_cvttps_epi32(a.v));
}
inline Quad load_quad(const float* p) noexcept {
    return {_mm_loadu_ps(p)};
}
inline Quad splat_quad(float x) noexcept {
    return {_mm_set1_ps(x)};
}
inline void store(float* p, Quad a) noexcept {
    _mm_storeu_ps(p, a.v);
}

#elif defined(TUTTI_QUAD_NEON)

struct Quad {
    float32x4_t v;
};
inline Quad operator+(Quad a, Quad b) noexcept {
    return {vaddq_f32(a.v, b.v)};
}
inline Quad operator-(Quad a, Quad b) noexcept {
    return {vsubq_f32(a.v, b.v)};
}
inline Quad operator*(Quad a, Quad b) noexcept {
    return {vmulq_f32(a.v, b.v)};
}
inline Quad operator/(Quad a, Quad b) noexcept {
    return {vdivq_f32(a.v, b.v)};
}
inline Quad square_root(Quad a) noexcept {
    return {vsqrtq_f32(a.v)};
}
inline Quad greater_of(Quad a, Quad b) noexcept {
    return {vbslq_f32(vcgtq_f32(a.v, b.v), a.v, b.v)};
}
inline Quad lesser_of(Quad a, Quad b) noexcept {
    return {vbslq_f32(vcltq_f32(a.v, b.v), a.v, b.v)};
}
inline Quad magnitude(Quad a) noexcept {
    return {vabsq_f32(a.v)};
}
inline Quad select_less(Quad a, Quad b, Quad x, Quad y) noexcept {
    return {vbslq_f32(vcltq_f32(a.v, b.v), x.v, y.v)};
}
inline Quad towards_zero(Quad a) noexcept {
    return {vcvtq_f32_s32(vcvtq_s32_f32(a.v))};
}
inline Quad power_of_two(Quad n) noexcept {
    return {vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(vcvtq_s32_f32(n.v), vdupq_n_s32(127)), 23))};
}
inline Quad split_exponent(Quad a, Quad& mantissa) noexcept {
    const int32x4_t bits = vreinterpretq_s32_f32(a.v);
    mantissa.v = vreinterpretq_f32_s32(vorrq_s32(vandq_s32(bits, vdupq_n_s32(0x7fffff)), vdupq_n_s32(0x3f800000)));
    return {vcvtq_f32_s32(vsubq_s32(vshrq_n_s32(bits, 23), vdupq_n_s32(127)))};
}
inline Quad quad(float a, float b, float c, float d) noexcept {
    const float values[4] = {a, b, c, d};
    return {vld1q_f32(values)};
}
inline void transpose(Quad& a, Quad& b, Quad& c, Quad& d) noexcept {
    const float32x4x2_t ab = vtrnq_f32(a.v, b.v);
    const float32x4x2_t cd = vtrnq_f32(c.v, d.v);
    a.v = vcombine_f32(vget_low_f32(ab.val[0]), vget_low_f32(cd.val[0]));
    b.v = vcombine_f32(vget_low_f32(ab.val[1]), vget_low_f32(cd.val[1]));
    c.v = vcombine_f32(vget_high_f32(ab.val[0]), vget_high_f32(cd.val[0]));
    d.v = vcombine_f32(vget_high_f32(ab.val[1]), vget_high_f32(cd.val[1]));
}
inline void store_whole(std::uint32_t* p, Quad a) noexcept {
    vst1q_u32(p, vcvtq_u32_f32(a.v));
}
inline Quad load_quad(const float* p) noexcept {
    return {vld1q_f32(p)};
}
inline Quad splat_quad(float x) noexcept {
    return {vdupq_n_f32(x)};
}
inline void store(float* p, Quad a) noexcept {
    vst1q_f32(p, a.v);
}

#endif

inline float square_root(float a) noexcept {
    return std::sqrt(a);
}
inline float greater_of(float a, float b) noexcept {
    return a > b ? a : b;
}
inline float lesser_of(float a, float b) noexcept {
    return a < b ? a : b;
}
inline float magnitude(float a) noexcept {
    return std::fabs(a);
}
inline float select_less(float a, float b, float x, float y) noexcept {
    return a < b ? x : y;
}
inline float towards_zero(float a) noexcept {
    return static_cast<float>(static_cast<std::int32_t>(a));
}
inline float power_of_two(float n) noexcept {
    const std::uint32_t bits = static_cast<std::uint32_t>(static_cast<std::int32_t>(n) + 127) << 23;
    float result;
    std::memcpy(&result, &bits, sizeof result);
    return result;
}
inline float split_exponent(float a, float& mantissa) noexcept {
    std::uint32_t bits;
    std::memcpy(&bits, &a, sizeof bits);
    const std::uint32_t one = (bits & 0x7fffffu) | 0x3f800000u;
    std::memcpy(&mantissa, &one, sizeof mantissa);
    return static_cast<float>(static_cast<std::int32_t>(bits >> 23) - 127);
}
inline void store(float* p, float a) noexcept {
    *p = a;
}

#if !defined(TUTTI_QUAD_SSE2) && !defined(TUTTI_QUAD_NEON)

struct Quad {
    float v[4];
};
template <class Operation>
inline Quad each(Operation operation) noexcept {
    return {{operation(0), operation(1), operation(2), operation(3)}};
}
inline Quad operator+(Quad a, Quad b) noexcept {
    return each([&](int i) { return a.v[i] + b.v[i]; });
}
inline Quad operator-(Quad a, Quad b) noexcept {
    return each([&](int i) { return a.v[i] - b.v[i]; });
}
inline Quad operator*(Quad a, Quad b) noexcept {
    return each([&](int i) { return a.v[i] * b.v[i]; });
}
inline Quad operator/(Quad a, Quad b) noexcept {
    return each([&](int i) { return a.v[i] / b.v[i]; });
}
inline Quad square_root(Quad a) noexcept {
    return each([&](int i) { return square_root(a.v[i]); });
}
inline Quad greater_of(Quad a, Quad b) noexcept {
    return each([&](int i) { return greater_of(a.v[i], b.v[i]); });
}
inline Quad lesser_of(Quad a, Quad b) noexcept {
    return each([&](int i) { return lesser_of(a.v[i], b.v[i]); });
}
inline Quad magnitude(Quad a) noexcept {
    return each([&](int i) { return magnitude(a.v[i]); });
}
inline Quad select_less(Quad a, Quad b, Quad x, Quad y) noexcept {
    return each([&](int i) { return select_less(a.v[i], b.v[i], x.v[i], y.v[i]); });
}
inline Quad towards_zero(Quad a) noexcept {
    return each([&](int i) { return towards_zero(a.v[i]); });
}
inline Quad power_of_two(Quad n) noexcept {
    return each([&](int i) { return power_of_two(n.v[i]); });
}
inline Quad split_exponent(Quad a, Quad& mantissa) noexcept {
    return each([&](int i) { return split_exponent(a.v[i], mantissa.v[i]); });
}
inline Quad quad(float a, float b, float c, float d) noexcept {
    return {{a, b, c, d}};
}
inline void transpose(Quad& a, Quad& b, Quad& c, Quad& d) noexcept {
    const Quad rows[4] = {a, b, c, d};
    for (int i = 0; i < 4; ++i) {
        a.v[i] = rows[i].v[0];
        b.v[i] = rows[i].v[1];
        c.v[i] = rows[i].v[2];
        d.v[i] = rows[i].v[3];
    }
}
inline void store_whole(std::uint32_t* p, Quad a) noexcept {
    for (int i = 0; i < 4; ++i)
        p[i] = static_cast<std::uint32_t>(a.v[i]);
}
inline Quad load_quad(const float* p) noexcept {
    return {{p[0], p[1], p[2], p[3]}};
}
inline Quad splat_quad(float x) noexcept {
    return {{x, x, x, x}};
}
inline void store(float* p, Quad a) noexcept {
    std::memcpy(p, a.v, sizeof a.v);
}

#endif

template <class F>
F load(const float* p) noexcept;
template <>
inline float load<float>(const float* p) noexcept {
    return *p;
}
template <>
inline Quad load<Quad>(const float* p) noexcept {
    return load_quad(p);
}
template <class F>
F splat(float x) noexcept;
template <>
inline float splat<float>(float x) noexcept {
    return x;
}
template <>
inline Quad splat<Quad>(float x) noexcept {
    return splat_quad(x);
}
// k, or k..k+3.
template <class F>
F count_from(int k) noexcept;
template <>
inline float count_from<float>(int k) noexcept {
    return static_cast<float>(k);
}
template <>
inline Quad count_from<Quad>(int k) noexcept {
    return splat_quad(static_cast<float>(k)) + quad(0.0f, 1.0f, 2.0f, 3.0f);
}
} // namespace TUTTI_ISA_SPACE
} // namespace tutti::engine
