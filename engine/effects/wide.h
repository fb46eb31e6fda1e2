// SPDX-License-Identifier: MIT
// A whole tick (AVX-512) or half of one (AVX2) at once, where the file is built for it; and the loop over frames.
#pragma once

#include "engine/effects/quad.h"

#if defined(__AVX512F__) || defined(__AVX2__)
#define TUTTI_EFFECTS_WIDE 1
#include <immintrin.h>
#endif

namespace tutti::engine {
inline namespace TUTTI_ISA_SPACE {

#if defined(__AVX512F__)
inline constexpr int k_wide = 16;
struct Wide {
    __m512 v;
};
inline Wide operator+(Wide a, Wide b) noexcept {
    return {_mm512_add_ps(a.v, b.v)};
}
inline Wide operator-(Wide a, Wide b) noexcept {
    return {_mm512_sub_ps(a.v, b.v)};
}
inline Wide operator*(Wide a, Wide b) noexcept {
    return {_mm512_mul_ps(a.v, b.v)};
}
inline Wide operator/(Wide a, Wide b) noexcept {
    return {_mm512_div_ps(a.v, b.v)};
}
inline Wide square_root(Wide a) noexcept {
    return {_mm512_sqrt_ps(a.v)};
}
inline Wide greater_of(Wide a, Wide b) noexcept {
    return {_mm512_max_ps(a.v, b.v)};
}
inline Wide magnitude(Wide a) noexcept {
    return {_mm512_abs_ps(a.v)};
}
inline void store(float* p, Wide a) noexcept {
    _mm512_storeu_ps(p, a.v);
}
template <>
inline Wide load<Wide>(const float* p) noexcept {
    return {_mm512_loadu_ps(p)};
}
template <>
inline Wide splat<Wide>(float x) noexcept {
    return {_mm512_set1_ps(x)};
}
template <>
inline Wide count_from<Wide>(int k) noexcept {
    return splat<Wide>(static_cast<float>(k)) +
           Wide{_mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)};
}
// p[0] four times, p[1] four times, ...
inline Wide each_four_times(const float* p) noexcept {
    return {_mm512_permutexvar_ps(_mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3),
                                  _mm512_castps128_ps512(_mm_loadu_ps(p)))};
}
// 0 1 2 3 0 1 2 3 ...
inline Wide four_counts() noexcept {
    return {_mm512_broadcast_f32x4(_mm_setr_ps(0, 1, 2, 3))};
}
inline void split(Wide a, Quad* quads) noexcept {
    quads[0].v = _mm512_castps512_ps128(a.v);
    quads[1].v = _mm512_extractf32x4_ps(a.v, 1);
    quads[2].v = _mm512_extractf32x4_ps(a.v, 2);
    quads[3].v = _mm512_extractf32x4_ps(a.v, 3);
}
inline Wide join(const Quad* quads) noexcept {
    __m512 v = _mm512_castps128_ps512(quads[0].v);
    v = _mm512_insertf32x4(v, quads[1].v, 1);
    v = _mm512_insertf32x4(v, quads[2].v, 2);
    return {_mm512_insertf32x4(v, quads[3].v, 3)};
}
// Each quad of four rows by itself.
inline void transpose(Wide& a, Wide& b, Wide& c, Wide& d) noexcept {
    const __m512 ab = _mm512_unpacklo_ps(a.v, b.v), ab2 = _mm512_unpackhi_ps(a.v, b.v);
    const __m512 cd = _mm512_unpacklo_ps(c.v, d.v), cd2 = _mm512_unpackhi_ps(c.v, d.v);
    a.v = _mm512_shuffle_ps(ab, cd, 0x44);
    b.v = _mm512_shuffle_ps(ab, cd, 0xee);
    c.v = _mm512_shuffle_ps(ab2, cd2, 0x44);
    d.v = _mm512_shuffle_ps(ab2, cd2, 0xee);
}
#elif defined(__AVX2__)
inline constexpr int k_wide = 8;
struct Wide {
    __m256 v;
};
inline Wide operator+(Wide a, Wide b) noexcept {
    return {_mm256_add_ps(a.v, b.v)};
}
inline Wide operator-(Wide a, Wide b) noexcept {
    return {_mm256_sub_ps(a.v, b.v)};
}
inline Wide operator*(Wide a, Wide b) noexcept {
    return {_mm256_mul_ps(a.v, b.v)};
}
inline Wide operator/(Wide a, Wide b) noexcept {
    return {_mm256_div_ps(a.v, b.v)};
}
inline Wide square_root(Wide a) noexcept {
    return {_mm256_sqrt_ps(a.v)};
}
inline Wide greater_of(Wide a, Wide b) noexcept {
    return {_mm256_max_ps(a.v, b.v)};
}
inline Wide magnitude(Wide a) noexcept {
    return {_mm256_andnot_ps(_mm256_set1_ps(-0.0f), a.v)};
}
inline void store(float* p, Wide a) noexcept {
    _mm256_storeu_ps(p, a.v);
}
template <>
inline Wide load<Wide>(const float* p) noexcept {
    return {_mm256_loadu_ps(p)};
}
template <>
inline Wide splat<Wide>(float x) noexcept {
    return {_mm256_set1_ps(x)};
}
template <>
inline Wide count_from<Wide>(int k) noexcept {
    return splat<Wide>(static_cast<float>(k)) + Wide{_mm256_setr_ps(0, 1, 2, 3, 4, 5, 6, 7)};
}
// p[0] four times, p[1] four times.
inline Wide each_four_times(const float* p) noexcept {
    return {_mm256_insertf128_ps(_mm256_castps128_ps256(_mm_set1_ps(p[0])), _mm_set1_ps(p[1]), 1)};
}
// 0 1 2 3 0 1 2 3
inline Wide four_counts() noexcept {
    return {_mm256_setr_ps(0, 1, 2, 3, 0, 1, 2, 3)};
}
inline void split(Wide a, Quad* quads) noexcept {
    quads[0].v = _mm256_castps256_ps128(a.v);
    quads[1].v = _mm256_extractf128_ps(a.v, 1);
}
inline Wide join(const Quad* quads) noexcept {
    return {_mm256_insertf128_ps(_mm256_castps128_ps256(quads[0].v), quads[1].v, 1)};
}
// Each quad of four rows by itself.
inline void transpose(Wide& a, Wide& b, Wide& c, Wide& d) noexcept {
    const __m256 ab = _mm256_unpacklo_ps(a.v, b.v), ab2 = _mm256_unpackhi_ps(a.v, b.v);
    const __m256 cd = _mm256_unpacklo_ps(c.v, d.v), cd2 = _mm256_unpackhi_ps(c.v, d.v);
    a.v = _mm256_shuffle_ps(ab, cd, 0x44);
    b.v = _mm256_shuffle_ps(ab, cd, 0xee);
    c.v = _mm256_shuffle_ps(ab2, cd2, 0x44);
    d.v = _mm256_shuffle_ps(ab2, cd2, 0xee);
}
#endif

// The greatest magnitude of what was noted; NaN is not noted.
class Peak {
public:
    void note(float a) noexcept { m_one = greater_of(magnitude(a), m_one); }
    void note(Quad a) noexcept { m_four = greater_of(magnitude(a), m_four); }
#if defined(TUTTI_EFFECTS_WIDE)
    void note(Wide a) noexcept {
        Quad quads[k_wide / 4];
        split(magnitude(a), quads);
        for (const Quad& q : quads)
            note(q);
    }
#endif
    float value() const noexcept {
        float v[4];
        store(v, m_four);
        return greater_of(greater_of(greater_of(v[0], v[1]), greater_of(v[2], v[3])), m_one);
    }

private:
    Quad m_four = splat_quad(0.0f);
    float m_one = 0.0f;
};

// Calls body(F{}, k) over [begin, end), F the widest that stands on a multiple of its width: single frames at ragged ends.
template <class Body>
inline void for_frames(int begin, int end, Body body) noexcept {
    int k = begin;
    for (; k < end && (k & 3) != 0; ++k)
        body(float{}, k);
#if defined(TUTTI_EFFECTS_WIDE)
    if (begin == 0)
        for (; k + k_wide <= end; k += k_wide)
            body(Wide{}, k);
#endif
    for (; k + 4 <= end; k += 4)
        body(Quad{}, k);
    for (; k < end; ++k)
        body(float{}, k);
}

} // namespace TUTTI_ISA_SPACE
} // namespace tutti::engine
