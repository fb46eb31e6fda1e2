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
// What comes to a chunk's lanes from elsewhere before they are summed, four lanes at a time: nothing, quad 0 alone (a row of up to
// four voices, nearly always), or any.
enum class Packed { none, first, any };

// from[frame][16], to[frame]; more[quad]: [frame][16], null where it is silent. Four frames at a time by transposing: a loop over
// one frame's lanes costs 40 % of the voices. `more` is added on the way: stored by fours and loaded by eights it would be waited for.
template <Packed packed>
inline void sum_lanes_with(const float* from, const float* const* more, float* to, int frames) {
    int frame = 0;
#if defined(TUTTI_LANE_X86) && defined(__AVX2__)
    const float* const first = packed == Packed::first ? more[0] : nullptr;
    const auto eight = [&](int f, int quad) {
        __m256 x = _mm256_load_ps(from + f * 16 + 4 * quad);
        if (packed == Packed::first && quad == 0)
            x = _mm256_insertf128_ps(x, _mm_add_ps(_mm256_castps256_ps128(x), _mm_load_ps(first + f * 16)), 0);
        if (packed == Packed::any && more[quad] != nullptr)
            x = _mm256_insertf128_ps(x, _mm_add_ps(_mm256_castps256_ps128(x), _mm_load_ps(more[quad] + f * 16)), 0);
        if (packed == Packed::any && more[quad + 1] != nullptr)
            x = _mm256_insertf128_ps(x, _mm_add_ps(_mm256_extractf128_ps(x, 1), _mm_load_ps(more[quad + 1] + f * 16)),
                                     1);
        return x;
    };
    const auto half = [&](int f) { // distance 8
        return _mm256_add_ps(eight(f, 0), eight(f, 2));
    };
    const auto quads = [](__m256 a, __m256 b) { // distance 4: [a b]
        return _mm256_add_ps(_mm256_permute2f128_ps(a, b, 0x20), _mm256_permute2f128_ps(a, b, 0x31));
    };
    for (; frame + 4 <= frames; frame += 4) {
        const __m256 ac = quads(half(frame), half(frame + 2)), bd = quads(half(frame + 1), half(frame + 3));
        const __m256 two =
            _mm256_add_ps(_mm256_unpacklo_ps(ac, bd), _mm256_unpackhi_ps(ac, bd)); // distance 2: a0 b0 a1 b1, c d
        const __m256 one = _mm256_add_ps(two, _mm256_permute_ps(two, 0x4e));       // distance 1
        _mm_storeu_ps(to + frame, _mm_movelh_ps(_mm256_castps256_ps128(one), _mm256_extractf128_ps(one, 1)));
    }
#elif defined(TUTTI_LANE_X86)
    const auto four = [&](int f, int quad) {
        const __m128 x = _mm_load_ps(from + f * 16 + 4 * quad);
        return packed != Packed::none && more[quad] != nullptr ? _mm_add_ps(x, _mm_load_ps(more[quad] + f * 16)) : x;
    };
    const auto quad = [&](int f) { // distances 8 and 4
        return _mm_add_ps(_mm_add_ps(four(f, 0), four(f, 2)), _mm_add_ps(four(f, 1), four(f, 3)));
    };
    for (; frame + 4 <= frames; frame += 4) {
        const __m128 a = quad(frame), b = quad(frame + 1), c = quad(frame + 2), d = quad(frame + 3);
        // Distance 2: [a0+a2 b0+b2 a1+a3 b1+b3], distance 1 after one more exchange.
        const __m128 ab = _mm_add_ps(_mm_unpacklo_ps(a, b), _mm_unpackhi_ps(a, b));
        const __m128 cd = _mm_add_ps(_mm_unpacklo_ps(c, d), _mm_unpackhi_ps(c, d));
        _mm_storeu_ps(to + frame, _mm_add_ps(_mm_movelh_ps(ab, cd), _mm_movehl_ps(cd, ab)));
    }
#endif
    for (; frame < frames; ++frame) {
        float lanes[16];
        for (int i = 0; i < 16; ++i) {
            lanes[i] = from[frame * 16 + i];
            if (packed != Packed::none && more[i / 4] != nullptr) lanes[i] = lanes[i] + more[i / 4][frame * 16 + i % 4];
        }
        to[frame] = sum_lanes(lanes);
    }
}
inline void sum_lanes(const float* from, float* to, int frames) {
    sum_lanes_with<Packed::none>(from, nullptr, to, frames);
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
#endif

} // namespace TUTTI_ISA_SPACE
} // namespace dsp
} // namespace tutti
