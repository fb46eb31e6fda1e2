// SPDX-License-Identifier: MIT
// The vector of one instruction set, for the source files that are compiled once each. Included only by those.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

// base, avx2 or avx512, defined by the source file; a reader that defines none gets the base.
#if !defined(TUTTI_KERNEL_ISA)
#define TUTTI_KERNEL_ISA base
#endif
#define TUTTI_ISA_NAMESPACE_OF(isa) isa_##isa
#define TUTTI_ISA_NAMESPACE_EXPAND(isa) TUTTI_ISA_NAMESPACE_OF(isa)
#define TUTTI_KERNEL_NAMESPACE TUTTI_ISA_NAMESPACE_EXPAND(TUTTI_KERNEL_ISA)

// xsimd comes through dsp/lane.h, whose own functions stand in this instruction set's namespace, too.
#if !defined(TUTTI_ISA_SPACE)
#define TUTTI_ISA_SPACE TUTTI_KERNEL_NAMESPACE
#endif
#include "dsp/lane.h"

namespace tutti::models::isa_base {
#if defined(__x86_64__) || defined(_M_X64)
using Arch = xsimd::sse2;
#else
using Arch = xsimd::default_arch;
#endif
} // namespace tutti::models::isa_base
#if defined(__AVX2__)
namespace tutti::models::isa_avx2 {
using Arch = xsimd::fma3<xsimd::avx2>;
}
#endif
#if defined(__AVX512F__)
namespace tutti::models::isa_avx512 {
using Arch = xsimd::avx512dq;
}
namespace tutti::models::isa_avx512dot { // with VNNI and BF16
using Arch = xsimd::avx512dq;
}
#endif

namespace tutti::models::TUTTI_KERNEL_NAMESPACE {

using F = xsimd::batch<float, Arch>;
using I = xsimd::batch<std::int32_t, Arch>;
inline constexpr int W = static_cast<int>(F::size); // NOLINT(readability-identifier-naming): as in the formulas

static inline F load(const float* p) {
    return F::load_unaligned(p);
}
static inline void store(float* p, const F& x) {
    x.store_unaligned(p);
}
static inline F splat(float x) {
    return F(x);
}
// Fused where the instruction set fuses; SSE2 rounds twice.
static inline F fma(const F& a, const F& b, const F& c) {
#if defined(__AVX512F__)
    return F(_mm512_fmadd_ps(a, b, c)); // xsimd 8 multiplies and adds here
#else
    return xsimd::fma(a, b, c);
#endif
}
// to[j * to_step + i] = from[i * from_step + j] for 4 x 4 values.
static inline void transpose4(const float* from, std::ptrdiff_t from_step, float* to, std::ptrdiff_t to_step) {
#if defined(__SSE2__) || defined(_M_X64)
    __m128 a = _mm_loadu_ps(from), b = _mm_loadu_ps(from + from_step);
    __m128 c = _mm_loadu_ps(from + 2 * from_step), d = _mm_loadu_ps(from + 3 * from_step);
    _MM_TRANSPOSE4_PS(a, b, c, d);
    _mm_storeu_ps(to, a);
    _mm_storeu_ps(to + to_step, b);
    _mm_storeu_ps(to + 2 * to_step, c);
    _mm_storeu_ps(to + 3 * to_step, d);
#else
    for (int i = 0; i < 4; ++i)
        for (int j = 0; j < 4; ++j)
            to[j * to_step + i] = from[i * from_step + j];
#endif
}
static inline F max(const F& a, const F& b) {
    return xsimd::max(a, b);
}
static inline F min(const F& a, const F& b) {
    return xsimd::min(a, b);
}
static inline F abs_of(const F& x) {
    return xsimd::abs(x);
}
static inline float root_of(float x) {
    return std::sqrt(x);
}
// value where x > limit, 0 elsewhere
static inline F keep_where_above(const F& x, float limit, const F& value) {
    return xsimd::select(x > F(limit), value, F(0.0f));
}
static inline I bits_of(const F& x) {
    return xsimd::bitwise_cast<I>(x);
}
static inline F float_of_bits(const I& x) {
    return xsimd::bitwise_cast<F>(x);
}
// Lane after lane, in order.
static inline float sum_of(const F& x) {
    alignas(64) float lanes[W];
    store(lanes, x);
    float sum = 0.0f;
    for (int i = 0; i < W; ++i)
        sum += lanes[i];
    return sum;
}

} // namespace tutti::models::TUTTI_KERNEL_NAMESPACE
