// SPDX-License-Identifier: MIT
// Lanes<Arch>: the lane type on xsimd's registers. Included by dsp/lane.h; the only file that names xsimd.
//
// xsimd before 9 multiplies and adds where AVX-512 is asked for an fma, which costs a third of the voices and the equality
// of bits; that, the sign copies, and what SSE2 lacks are written out here.
#pragma once

#include "dsp/lane.h"

#include <cstdint>
#include <xsimd/xsimd.hpp>

#if defined(__SSE2__) || defined(_M_X64)
#define TUTTI_LANE_X86
#include <immintrin.h>
#endif

namespace tutti {
namespace dsp {
inline namespace TUTTI_ISA_SPACE {

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__)
using NativeArch = xsimd::avx512bw;
#elif defined(__AVX2__) && defined(__FMA__)
using NativeArch = xsimd::fma3<xsimd::avx2>;
#elif defined(TUTTI_LANE_X86)
using NativeArch = xsimd::sse2;
#else
using NativeArch = xsimd::default_arch;
#endif

template <class A>
struct Lanes {
    using Batch = xsimd::batch<float, A>;
    Batch v;
    Lanes() = default;
    TUTTI_INLINE Lanes(Batch b) : v(b) {}
    TUTTI_INLINE Lanes(typename Batch::register_type r) : v(r) {}
    TUTTI_INLINE Lanes(float x) : v(x) {}
    TUTTI_INLINE operator typename Batch::register_type() const { return v; }
    friend TUTTI_INLINE Lanes operator+(Lanes a, Lanes b) { return a.v + b.v; }
    friend TUTTI_INLINE Lanes operator-(Lanes a, Lanes b) { return a.v - b.v; }
    friend TUTTI_INLINE Lanes operator*(Lanes a, Lanes b) { return a.v * b.v; }
    friend TUTTI_INLINE Lanes operator/(Lanes a, Lanes b) { return a.v / b.v; }
    friend TUTTI_INLINE Lanes operator-(Lanes a) { return a.v ^ Batch(-0.0f); }
};
template <class A>
struct UintLanes {
    using Batch = xsimd::batch<std::int32_t, A>; // signed: what every instruction set has; it wraps either way
    Batch v;
    UintLanes() = default;
    TUTTI_INLINE UintLanes(Batch b) : v(b) {}
    TUTTI_INLINE UintLanes(typename Batch::register_type r) : v(r) {}
    TUTTI_INLINE UintLanes(Word x) : v(static_cast<std::int32_t>(x)) {}
    TUTTI_INLINE operator typename Batch::register_type() const { return v; }
    friend TUTTI_INLINE UintLanes operator+(UintLanes a, UintLanes b) { return a.v + b.v; }
    friend TUTTI_INLINE UintLanes operator-(UintLanes a, UintLanes b) { return a.v - b.v; }
    friend TUTTI_INLINE UintLanes operator&(UintLanes a, UintLanes b) { return a.v & b.v; }
    friend TUTTI_INLINE UintLanes operator|(UintLanes a, UintLanes b) { return a.v | b.v; }
    friend TUTTI_INLINE UintLanes operator^(UintLanes a, UintLanes b) { return a.v ^ b.v; }
};
template <class A>
struct MaskLanes {
    using Batch = xsimd::batch_bool<float, A>;
    Batch v;
    MaskLanes() = default;
    TUTTI_INLINE MaskLanes(Batch b) : v(b) {}
    TUTTI_INLINE MaskLanes(bool b) : v(b) {}
    friend TUTTI_INLINE MaskLanes operator&(MaskLanes a, MaskLanes b) { return a.v & b.v; }
    friend TUTTI_INLINE MaskLanes operator|(MaskLanes a, MaskLanes b) { return a.v | b.v; }
    friend TUTTI_INLINE MaskLanes operator!(MaskLanes a) { return ~a.v; }
};
template <class A>
struct LaneTraits<Lanes<A>> {
    using Uint = UintLanes<A>;
    using Mask = MaskLanes<A>;
    enum { width = static_cast<int>(xsimd::batch<float, A>::size) };
};
using NativeLanes = Lanes<NativeArch>;

template <class A>
TUTTI_INLINE MaskLanes<A> operator<(Lanes<A> a, Lanes<A> b) {
    return a.v < b.v;
}
template <class A>
TUTTI_INLINE MaskLanes<A> operator>(Lanes<A> a, Lanes<A> b) {
    return a.v > b.v;
}
template <class A>
TUTTI_INLINE MaskLanes<A> operator<=(Lanes<A> a, Lanes<A> b) {
    return a.v <= b.v;
}
template <class A>
TUTTI_INLINE MaskLanes<A> operator>=(Lanes<A> a, Lanes<A> b) {
    return a.v >= b.v;
}
template <class A>
TUTTI_INLINE MaskLanes<A> operator==(Lanes<A> a, Lanes<A> b) {
    return a.v == b.v;
}
template <class A>
TUTTI_INLINE MaskLanes<A> operator!=(Lanes<A> a, Lanes<A> b) {
    return a.v != b.v;
}

template <class A>
TUTTI_INLINE UintLanes<A> bits_of(Lanes<A> x) {
    return xsimd::bitwise_cast<xsimd::batch<std::int32_t, A>>(x.v);
}
template <class A>
TUTTI_INLINE Lanes<A> float_of_bits(UintLanes<A> u) {
    return xsimd::bitwise_cast<xsimd::batch<float, A>>(u.v);
}
template <class A>
TUTTI_INLINE Lanes<A> fma(Lanes<A> a, Lanes<A> b, Lanes<A> c) {
    return xsimd::fma(a.v, b.v, c.v);
}
template <class A>
TUTTI_INLINE Lanes<A> fnma(Lanes<A> a, Lanes<A> b, Lanes<A> c) {
    return xsimd::fnma(a.v, b.v, c.v);
}
template <class A>
TUTTI_INLINE Lanes<A> max(Lanes<A> a, Lanes<A> b) {
    return select(a > b, a, b);
}
template <class A>
TUTTI_INLINE Lanes<A> min(Lanes<A> a, Lanes<A> b) {
    return select(a < b, a, b);
}
template <class A>
TUTTI_INLINE Lanes<A> abs(Lanes<A> x) {
    return float_of_bits(bits_of(x) & UintLanes<A>(0x7fffffffu));
}
template <class A>
TUTTI_INLINE Lanes<A> with_sign(Lanes<A> x, Lanes<A> s) {
    return float_of_bits(bits_of(x) | (bits_of(s) & UintLanes<A>(0x80000000u)));
}
template <class A>
TUTTI_INLINE Lanes<A> copysign(Lanes<A> x, Lanes<A> s) {
    return with_sign(abs(x), s);
}
template <class A>
TUTTI_INLINE Lanes<A> sqrt(Lanes<A> x) {
    return xsimd::sqrt(x.v);
}
template <class A>
TUTTI_INLINE Lanes<A> select(MaskLanes<A> mask, Lanes<A> yes, Lanes<A> no) {
    return xsimd::select(mask.v, yes.v, no.v);
}
template <class A>
TUTTI_INLINE UintLanes<A> select(MaskLanes<A> mask, UintLanes<A> yes, UintLanes<A> no) {
    return bits_of(select(mask, float_of_bits(yes), float_of_bits(no)));
}
template <class A>
TUTTI_INLINE Lanes<A> signed_to_float(UintLanes<A> u) {
    return xsimd::to_float(u.v);
}
template <class A>
TUTTI_INLINE UintLanes<A> truncate_to_int(Lanes<A> x) {
    return xsimd::to_int(x.v);
}
template <class A>
TUTTI_INLINE UintLanes<A> shift_left(UintLanes<A> u, int by) {
    return u.v << by;
}
template <class A>
TUTTI_INLINE UintLanes<A> shift_right(UintLanes<A> u, int by) {
    return (u.v >> by) & xsimd::batch<std::int32_t, A>(static_cast<std::int32_t>(0xffffffffu >> by));
}
template <class A>
TUTTI_INLINE UintLanes<A> operator*(UintLanes<A> a, UintLanes<A> b) {
    return a.v * b.v;
}
template <class A>
TUTTI_INLINE MaskLanes<A> less_unsigned(UintLanes<A> a, UintLanes<A> b) {
    // The borrow of a - b.
    const UintLanes<A> flipped = a ^ UintLanes<A>(0xffffffffu);
    const UintLanes<A> borrow = (flipped & b) | ((flipped | b) & (a - b));
    return signed_to_float(borrow & UintLanes<A>(0x80000000u)) != Lanes<A>(0.0f);
}
template <class A>
TUTTI_INLINE MaskLanes<A> is_negative(UintLanes<A> u) {
    return signed_to_float(u) < Lanes<A>(0.0f);
}
template <class A>
TUTTI_INLINE MaskLanes<A> both(MaskLanes<A> a, MaskLanes<A> b) {
    return a & b;
}
template <class A>
TUTTI_INLINE MaskLanes<A> either(MaskLanes<A> a, MaskLanes<A> b) {
    return a | b;
}
template <class A>
TUTTI_INLINE bool any(MaskLanes<A> mask) {
    return xsimd::any(mask.v);
}
template <class A>
TUTTI_INLINE Word mask_bits(MaskLanes<A> mask) {
    alignas(64) bool lanes[LaneTraits<Lanes<A>>::width];
    mask.v.store_aligned(lanes);
    Word bits = 0;
    for (int i = 0; i < LaneTraits<Lanes<A>>::width; ++i)
        bits |= lanes[i] ? 1u << i : 0u;
    return bits;
}

template <class A>
TUTTI_INLINE Lanes<A> lookup32(const float* table, UintLanes<A> index) {
    alignas(64) std::int32_t at[LaneTraits<Lanes<A>>::width];
    alignas(64) float out[LaneTraits<Lanes<A>>::width];
    index.v.store_aligned(at);
    for (int i = 0; i < LaneTraits<Lanes<A>>::width; ++i)
        out[i] = table[at[i]];
    return xsimd::batch<float, A>::load_aligned(out);
}

template <class A>
struct LaneMemory<Lanes<A>> {
    static TUTTI_INLINE Lanes<A> load(const float* from) { return xsimd::batch<float, A>::load_aligned(from); }
    static TUTTI_INLINE UintLanes<A> load_bits(const float* from) { return bits_of(load(from)); }
    static TUTTI_INLINE void store(float* to, Lanes<A> x) { x.v.store_aligned(to); }
    static TUTTI_INLINE void store_bits(float* to, UintLanes<A> u) { store(to, float_of_bits(u)); }
    static TUTTI_INLINE UintLanes<A> lane_index() {
        alignas(64) std::int32_t at[LaneTraits<Lanes<A>>::width];
        for (int i = 0; i < LaneTraits<Lanes<A>>::width; ++i)
            at[i] = i;
        return xsimd::batch<std::int32_t, A>::load_aligned(at);
    }
    static TUTTI_INLINE MaskLanes<A> mask(Word lanes) {
        alignas(64) std::int32_t bit[LaneTraits<Lanes<A>>::width];
        for (int i = 0; i < LaneTraits<Lanes<A>>::width; ++i)
            bit[i] = static_cast<std::int32_t>(1u << i);
        const UintLanes<A> set = UintLanes<A>(lanes) & UintLanes<A>(xsimd::batch<std::int32_t, A>::load_aligned(bit));
        return signed_to_float(set) != Lanes<A>(0.0f);
    }
};

#ifdef TUTTI_LANE_X86
#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__)
using WideLanes = Lanes<xsimd::avx512bw>;
using WideUints = UintLanes<xsimd::avx512bw>;
using WideMask = MaskLanes<xsimd::avx512bw>;
TUTTI_INLINE WideLanes fma(WideLanes a, WideLanes b, WideLanes c) {
    return _mm512_fmadd_ps(a, b, c);
}
TUTTI_INLINE WideLanes fnma(WideLanes a, WideLanes b, WideLanes c) {
    return _mm512_fnmadd_ps(a, b, c);
}
TUTTI_INLINE WideLanes max(WideLanes a, WideLanes b) {
    return _mm512_max_ps(a, b);
}
TUTTI_INLINE WideLanes min(WideLanes a, WideLanes b) {
    return _mm512_min_ps(a, b);
}
TUTTI_INLINE WideLanes with_sign(WideLanes x, WideLanes s) {
    return _mm512_castsi512_ps(_mm512_ternarylogic_epi32(_mm512_castps_si512(x), _mm512_castps_si512(s),
                                                         _mm512_set1_epi32(INT32_MIN), 0xf8)); // x | (s & sign)
}
TUTTI_INLINE WideLanes signed_to_float(WideUints u) {
    return _mm512_cvtepi32_ps(u);
}
TUTTI_INLINE WideUints truncate_to_int(WideLanes x) {
    return _mm512_cvttps_epi32(x);
}
TUTTI_INLINE WideUints shift_right(WideUints u, int by) {
    return _mm512_srl_epi32(u, _mm_cvtsi32_si128(by));
}
TUTTI_INLINE WideUints operator*(WideUints a, WideUints b) {
    return _mm512_mullo_epi32(a, b);
}
TUTTI_INLINE WideMask less_unsigned(WideUints a, WideUints b) {
    return WideMask::Batch(_mm512_cmplt_epu32_mask(a, b));
}
TUTTI_INLINE WideMask is_negative(WideUints u) {
    return WideMask::Batch(_mm512_movepi32_mask(u));
}
TUTTI_INLINE Word mask_bits(WideMask mask) {
    return static_cast<Word>(static_cast<__mmask16>(mask.v));
}
TUTTI_INLINE bool any(WideMask mask) {
    return static_cast<__mmask16>(mask.v) != 0;
}
TUTTI_INLINE WideLanes lookup32(const float* table, WideUints index) {
    return _mm512_permutex2var_ps(_mm512_loadu_ps(table), index, _mm512_loadu_ps(table + 16));
}
template <>
TUTTI_INLINE WideMask LaneMemory<WideLanes>::mask(Word lanes) {
    return WideMask::Batch(static_cast<__mmask16>(lanes));
}
#elif defined(__AVX2__) && defined(__FMA__)
using WideLanes = Lanes<xsimd::fma3<xsimd::avx2>>;
using WideUints = UintLanes<xsimd::fma3<xsimd::avx2>>;
using WideMask = MaskLanes<xsimd::fma3<xsimd::avx2>>;
TUTTI_INLINE WideLanes fma(WideLanes a, WideLanes b, WideLanes c) {
    return _mm256_fmadd_ps(a, b, c);
}
TUTTI_INLINE WideLanes fnma(WideLanes a, WideLanes b, WideLanes c) {
    return _mm256_fnmadd_ps(a, b, c);
}
TUTTI_INLINE WideLanes max(WideLanes a, WideLanes b) {
    return _mm256_max_ps(a, b);
}
TUTTI_INLINE WideLanes min(WideLanes a, WideLanes b) {
    return _mm256_min_ps(a, b);
}
TUTTI_INLINE WideLanes signed_to_float(WideUints u) {
    return _mm256_cvtepi32_ps(u);
}
TUTTI_INLINE WideUints truncate_to_int(WideLanes x) {
    return _mm256_cvttps_epi32(x);
}
TUTTI_INLINE WideUints shift_right(WideUints u, int by) {
    return _mm256_srl_epi32(u, _mm_cvtsi32_si128(by));
}
TUTTI_INLINE WideUints operator*(WideUints a, WideUints b) {
    return _mm256_mullo_epi32(a, b);
}
TUTTI_INLINE WideMask is_negative(WideUints u) { // bit 31 alone is asked for
    return WideMask::Batch(_mm256_castsi256_ps(_mm256_srai_epi32(u, 31)));
}
TUTTI_INLINE Word mask_bits(WideMask mask) {
    return static_cast<Word>(_mm256_movemask_ps(mask.v));
}
TUTTI_INLINE bool any(WideMask mask) {
    return _mm256_movemask_ps(mask.v) != 0;
}
TUTTI_INLINE WideLanes lookup32(const float* table, WideUints index) {
    return _mm256_i32gather_ps(table, index, 4);
}
#else
using WideLanes = Lanes<xsimd::sse2>;
using WideUints = UintLanes<xsimd::sse2>;
using WideMask = MaskLanes<xsimd::sse2>;
TUTTI_INLINE WideLanes fma(WideLanes a, WideLanes b, WideLanes c) {
    return _mm_add_ps(_mm_mul_ps(a, b), c);
}
TUTTI_INLINE WideLanes fnma(WideLanes a, WideLanes b, WideLanes c) {
    return _mm_sub_ps(c, _mm_mul_ps(a, b));
}
TUTTI_INLINE WideLanes max(WideLanes a, WideLanes b) {
    return _mm_max_ps(a, b);
}
TUTTI_INLINE WideLanes min(WideLanes a, WideLanes b) {
    return _mm_min_ps(a, b);
}
TUTTI_INLINE WideLanes signed_to_float(WideUints u) {
    return _mm_cvtepi32_ps(u);
}
TUTTI_INLINE WideUints truncate_to_int(WideLanes x) {
    return _mm_cvttps_epi32(x);
}
TUTTI_INLINE WideUints shift_right(WideUints u, int by) {
    return _mm_srl_epi32(u, _mm_cvtsi32_si128(by));
}
TUTTI_INLINE WideUints operator*(WideUints a, WideUints b) {
    const __m128i even = _mm_mul_epu32(a, b);
    const __m128i odd = _mm_mul_epu32(_mm_srli_epi64(a, 32), _mm_srli_epi64(b, 32));
    return _mm_unpacklo_epi32(_mm_shuffle_epi32(even, 0x08), _mm_shuffle_epi32(odd, 0x08));
}
TUTTI_INLINE Word mask_bits(WideMask mask) {
    return static_cast<Word>(_mm_movemask_ps(mask.v));
}
TUTTI_INLINE bool any(WideMask mask) {
    return _mm_movemask_ps(mask.v) != 0;
}
#endif
#if defined(__AVX2__) && defined(__FMA__)
// Few lanes ask for it at a time: for each of them the eight polynomials side by side.
TUTTI_INLINE void add_polynomials(WideLanes* at, const float (&table)[7][8], WideMask which, WideLanes t,
                                  WideLanes height) {
    constexpr int k_width = LaneTraits<WideLanes>::width;
    alignas(64) float times[k_width];
    t.v.store_aligned(times);
    for (Word bits = mask_bits(which); bits != 0; bits &= bits - 1u) {
        const int lane = lowest_bit(bits);
        const __m256 time = _mm256_set1_ps(times[lane]);
        const __m256 square = _mm256_mul_ps(time, time);
        const __m256 low = _mm256_fmadd_ps(_mm256_loadu_ps(table[1]), time, _mm256_loadu_ps(table[0]));
        const __m256 middle = _mm256_fmadd_ps(_mm256_loadu_ps(table[3]), time, _mm256_loadu_ps(table[2]));
        __m256 p = _mm256_fmadd_ps(_mm256_loadu_ps(table[5]), time, _mm256_loadu_ps(table[4]));
        p = _mm256_fmadd_ps(_mm256_loadu_ps(table[6]), square, p);
        p = _mm256_fmadd_ps(_mm256_fmadd_ps(p, square, middle), square, low);
        alignas(32) float values[8];
        _mm256_store_ps(values, p);
        const WideLanes own = select(lane_mask<WideLanes>(1u << lane), height, WideLanes(0.0f));
        TUTTI_UNROLL for (int f = 0; f < 8; ++f) at[f] = fma(own, WideLanes(values[f]), at[f]);
    }
}
#endif
#endif

} // namespace TUTTI_ISA_SPACE
} // namespace dsp
} // namespace tutti
