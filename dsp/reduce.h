// SPDX-License-Identifier: MIT
// The sum over the sixteen lanes of each frame: lanes at distances 8, 4, 2, 1. The order is part of the sound's definition.
#pragma once

#include "dsp/lane.h"

namespace tutti {
namespace dsp {
inline namespace TUTTI_ISA_SPACE {

TUTTI_INLINE float sum_lanes(const float TUTTI_SHARED* lanes) {
    float eight[8], four[4];
    for (int i = 0; i < 8; ++i)
        eight[i] = lanes[i] + lanes[i + 8];
    for (int i = 0; i < 4; ++i)
        four[i] = eight[i] + eight[i + 4];
    return (four[0] + four[2]) + (four[1] + four[3]);
}

#ifndef TUTTI_DEVICE_PROGRAM
// from[frame][16], to[frame]. Four frames at a time by transposing: a loop over one frame's lanes costs 40 % of the voices.
inline void sum_lanes(const float* from, float* to, int frames) {
    int frame = 0;
#if defined(TUTTI_LANE_X86) && defined(__AVX2__)
    const auto half = [](const float* in) {
        return _mm256_add_ps(_mm256_load_ps(in), _mm256_load_ps(in + 8));
    };                                          // distance 8
    const auto quads = [](__m256 a, __m256 b) { // distance 4: [a b]
        return _mm256_add_ps(_mm256_permute2f128_ps(a, b, 0x20), _mm256_permute2f128_ps(a, b, 0x31));
    };
    for (; frame + 4 <= frames; frame += 4) {
        const float* in = from + frame * 16;
        const __m256 ac = quads(half(in), half(in + 32)), bd = quads(half(in + 16), half(in + 48));
        const __m256 two =
            _mm256_add_ps(_mm256_unpacklo_ps(ac, bd), _mm256_unpackhi_ps(ac, bd)); // distance 2: a0 b0 a1 b1, c d
        const __m256 one = _mm256_add_ps(two, _mm256_permute_ps(two, 0x4e));       // distance 1
        _mm_storeu_ps(to + frame, _mm_movelh_ps(_mm256_castps256_ps128(one), _mm256_extractf128_ps(one, 1)));
    }
#elif defined(TUTTI_LANE_X86)
    const auto quad = [](const float* in) { // distances 8 and 4
        return _mm_add_ps(_mm_add_ps(_mm_load_ps(in), _mm_load_ps(in + 8)),
                          _mm_add_ps(_mm_load_ps(in + 4), _mm_load_ps(in + 12)));
    };
    for (; frame + 4 <= frames; frame += 4) {
        const float* in = from + frame * 16;
        const __m128 a = quad(in), b = quad(in + 16), c = quad(in + 32), d = quad(in + 48);
        // Distance 2: [a0+a2 b0+b2 a1+a3 b1+b3], distance 1 after one more exchange.
        const __m128 ab = _mm_add_ps(_mm_unpacklo_ps(a, b), _mm_unpackhi_ps(a, b));
        const __m128 cd = _mm_add_ps(_mm_unpacklo_ps(c, d), _mm_unpackhi_ps(c, d));
        _mm_storeu_ps(to + frame, _mm_add_ps(_mm_movelh_ps(ab, cd), _mm_movehl_ps(cd, ab)));
    }
#endif
    for (; frame < frames; ++frame)
        to[frame] = sum_lanes(from + frame * 16);
}

// Four lanes.
TUTTI_INLINE void copy_quad(float* to, const float* from) {
#ifdef TUTTI_LANE_X86
    _mm_store_ps(to, _mm_load_ps(from));
#else
    for (int lane = 0; lane < 4; ++lane)
        to[lane] = from[lane];
#endif
}
TUTTI_INLINE void add_quad(float* to, const float* from) {
#ifdef TUTTI_LANE_X86
    _mm_store_ps(to, _mm_add_ps(_mm_load_ps(to), _mm_load_ps(from)));
#else
    for (int lane = 0; lane < 4; ++lane)
        to[lane] = to[lane] + from[lane];
#endif
}
#endif

} // namespace TUTTI_ISA_SPACE
} // namespace dsp
} // namespace tutti
