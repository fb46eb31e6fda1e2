// SPDX-License-Identifier: MIT
// The lanes of the bare loop: one register of floats or 32-bit integers of the widest set this file is compiled for, by the
// compiler's intrinsics alone. x86 only. The library's own lane type is left out on purpose: what it costs shows in the ratio.
#pragma once

#include <cstdint>
#include <immintrin.h>

#if defined(__AVX512F__) && defined(__AVX512DQ__)
#define TUTTI_PROBE(name) _mm512_##name
using FloatRegister = __m512;
using IntegerRegister = __m512i;
#elif defined(__AVX2__) && defined(__FMA__)
#define TUTTI_PROBE(name) _mm256_##name
using FloatRegister = __m256;
using IntegerRegister = __m256i;
#else
#define TUTTI_PROBE(name) _mm_##name
using FloatRegister = __m128;
using IntegerRegister = __m128i;
#endif

constexpr int k_width = static_cast<int>(sizeof(FloatRegister) / sizeof(float));

struct F {
    FloatRegister v;
    F() = default;
    F(FloatRegister value) : v(value) {}
    explicit F(float value) : v(TUTTI_PROBE(set1_ps)(value)) {}
};

struct I {
    IntegerRegister v;
};

inline F operator+(F a, F b) {
    return TUTTI_PROBE(add_ps)(a.v, b.v);
}
inline F operator-(F a, F b) {
    return TUTTI_PROBE(sub_ps)(a.v, b.v);
}
inline F operator*(F a, F b) {
    return TUTTI_PROBE(mul_ps)(a.v, b.v);
}
inline F operator/(F a, F b) {
    return TUTTI_PROBE(div_ps)(a.v, b.v);
}
inline I operator+(I a, I b) {
    return {TUTTI_PROBE(add_epi32)(a.v, b.v)};
}
inline F load(const float* from) {
    return TUTTI_PROBE(load_ps)(from);
}
inline void store(float* to, F value) {
    TUTTI_PROBE(store_ps)(to, value.v);
}
inline F to_float(I a) {
    return TUTTI_PROBE(cvtepi32_ps)(a.v);
}
inline F maximum(F a, F b) {
    return TUTTI_PROBE(max_ps)(a.v, b.v);
}
inline F minimum(F a, F b) {
    return TUTTI_PROBE(min_ps)(a.v, b.v);
}

inline I load(const std::int32_t* from) {
#if defined(__AVX512F__)
    return {_mm512_load_si512(from)};
#elif defined(__AVX2__)
    return {_mm256_load_si256(reinterpret_cast<const __m256i*>(from))};
#else
    return {_mm_load_si128(reinterpret_cast<const __m128i*>(from))};
#endif
}

inline void store(std::int32_t* to, I value) {
#if defined(__AVX512F__)
    _mm512_store_si512(to, value.v);
#elif defined(__AVX2__)
    _mm256_store_si256(reinterpret_cast<__m256i*>(to), value.v);
#else
    _mm_store_si128(reinterpret_cast<__m128i*>(to), value.v);
#endif
}

/// |a|
inline F magnitude(F a) {
    return TUTTI_PROBE(andnot_ps)(F(-0.0F).v, a.v);
}

/// u with the sign of s, for u >= 0; one ternary operation with AVX-512.
inline F with_sign(F u, F s) {
#if defined(__AVX512F__)
    return _mm512_castsi512_ps(_mm512_ternarylogic_epi32(_mm512_castps_si512(u.v), _mm512_castps_si512(s.v),
                                                         _mm512_set1_epi32(INT32_MIN), 0xF8)); // u | (s & mask)
#else
    return TUTTI_PROBE(or_ps)(u.v, TUTTI_PROBE(and_ps)(s.v, F(-0.0F).v));
#endif
}

/// a * b + c and c - a * b, one rounding where the set has it; SSE2 has not, and gives other bits.
inline F fma(F a, F b, F c) {
#if defined(__FMA__) || defined(__AVX512F__)
    return TUTTI_PROBE(fmadd_ps)(a.v, b.v, c.v);
#else
    return a * b + c;
#endif
}

inline F fnma(F a, F b, F c) {
#if defined(__FMA__) || defined(__AVX512F__)
    return TUTTI_PROBE(fnmadd_ps)(a.v, b.v, c.v);
#else
    return c - a * b;
#endif
}
