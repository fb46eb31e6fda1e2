// SPDX-License-Identifier: MIT
// The lane type F: `float`, one voice, or Lanes, as many voices as the processor's registers hold; one source for both.
//
// Code over F uses the operators + - * / and the functions below, `select` instead of `if`, and gives the same bits for
// every F whose machine has a fused multiply-add (SSE2 has none: there fma rounds twice). Integers are 32 bits wide and wrap.
// With TUTTI_LANE_FLOAT_ONLY nothing but float is declared and no standard header is read: what Metal and CUDA compile.
//
// A file built for one instruction set defines TUTTI_ISA_SPACE before its first include: everything in dsp/ and voices/
// then stands in a namespace of its own, so that the linker cannot give an AVX-512 copy to an SSE2 machine.
#pragma once

#ifndef TUTTI_ISA_SPACE
#define TUTTI_ISA_SPACE base
#endif
#if defined(TUTTI_COMPILER_INLINES) && defined(__GNUC__) && !defined(__clang__)
#define TUTTI_INLINE inline // gcc chooses as well by itself in the engine's kernels, and makes much smaller ones
#endif

#include "dsp/address_space.h"

#if defined(__METAL_VERSION__)
#define TUTTI_INLINE inline __attribute__((always_inline))
#define TUTTI_FMAF(a, b, c) metal::fma(a, b, c)
#define TUTTI_SQRTF(x) metal::precise::sqrt(x)
#define TUTTI_COPY_BITS(to, from) tutti_copy_bits(to, from)
#define TUTTI_UNROLL _Pragma("clang loop unroll(full)")
#define TUTTI_PREFETCH(address) (void)(address)
inline void tutti_copy_bits(unsigned int& to, float from) {
    to = as_type<unsigned int>(from);
}
inline void tutti_copy_bits(float& to, unsigned int from) {
    to = as_type<float>(from);
}
#elif defined(__CUDACC_RTC__) // CUDA's compiler as a library
#define TUTTI_INLINE inline __attribute__((always_inline))
#define TUTTI_FMAF(a, b, c) __fmaf_rn(a, b, c)
#define TUTTI_SQRTF(x) __fsqrt_rn(x)
#define TUTTI_COPY_BITS(to, from) tutti_copy_bits(to, from)
#define TUTTI_UNROLL _Pragma("unroll")
#define TUTTI_PREFETCH(address) (void)(address)
inline void tutti_copy_bits(unsigned int& to, float from) {
    to = __float_as_uint(from);
}
inline void tutti_copy_bits(float& to, unsigned int from) {
    to = __uint_as_float(from);
}
#elif defined(_MSC_VER) && !defined(__clang__)
#include <math.h>
#include <string.h>
#define TUTTI_INLINE __forceinline
#define TUTTI_FMAF(a, b, c) fmaf(a, b, c)
#define TUTTI_SQRTF(x) sqrtf(x)
#define TUTTI_COPY_BITS(to, from) memcpy(&(to), &(from), sizeof(to))
#define TUTTI_UNROLL
#define TUTTI_PREFETCH(address) (void)(address)
#else
#ifndef TUTTI_INLINE
#define TUTTI_INLINE inline __attribute__((always_inline))
#endif
#define TUTTI_FMAF(a, b, c) __builtin_fmaf(a, b, c)
#define TUTTI_SQRTF(x) __builtin_sqrtf(x)
#define TUTTI_COPY_BITS(to, from) __builtin_memcpy(&(to), &(from), sizeof(to))
#if defined(__clang__)
#define TUTTI_UNROLL _Pragma("clang loop unroll(full)")
#else
#define TUTTI_UNROLL _Pragma("GCC unroll 16")
#endif
#define TUTTI_PREFETCH(address) __builtin_prefetch(address)
#endif

namespace tutti {
namespace dsp {
inline namespace TUTTI_ISA_SPACE {

typedef unsigned int Word; // 32 bits

// What goes with a lane type: 32-bit integers (wrapping, bit patterns), truth values, the number of voices.
template <class F>
struct LaneTraits;
template <>
struct LaneTraits<float> {
    typedef Word Uint;
    typedef bool Mask;
    enum { width = 1 };
};
template <class F>
using UintOf = typename LaneTraits<F>::Uint;
template <class F>
using MaskOf = typename LaneTraits<F>::Mask;
template <class F>
constexpr int width_of() {
    return LaneTraits<F>::width;
}

// Bit patterns.
TUTTI_INLINE Word bits_of(float x) {
    Word u = 0;
    TUTTI_COPY_BITS(u, x);
    return u;
}
TUTTI_INLINE float float_of_bits(Word u) {
    float x = 0;
    TUTTI_COPY_BITS(x, u);
    return x;
}

// a * b + c and c - a * b, rounded once.
TUTTI_INLINE float fma(float a, float b, float c) {
    return TUTTI_FMAF(a, b, c);
}
TUTTI_INLINE float fnma(float a, float b, float c) {
    return TUTTI_FMAF(-a, b, c);
}
// The second argument where one is not a number, as SSE has it.
TUTTI_INLINE float max(float a, float b) {
    return a > b ? a : b;
}
TUTTI_INLINE float min(float a, float b) {
    return a < b ? a : b;
}
TUTTI_INLINE float abs(float x) {
    return float_of_bits(bits_of(x) & 0x7fffffffu);
}
// The magnitude of x with the sign of s; with_sign is for x >= 0 and saves an operation.
TUTTI_INLINE float copysign(float x, float s) {
    return float_of_bits((bits_of(x) & 0x7fffffffu) | (bits_of(s) & 0x80000000u));
}
TUTTI_INLINE float with_sign(float x, float s) {
    return float_of_bits(bits_of(x) | (bits_of(s) & 0x80000000u));
}
TUTTI_INLINE float sqrt(float x) {
    return TUTTI_SQRTF(x);
}
TUTTI_INLINE float select(bool mask, float yes, float no) {
    return mask ? yes : no;
}
TUTTI_INLINE Word select(bool mask, Word yes, Word no) {
    return mask ? yes : no;
}
// The integer as a signed number, rounded to nearest.
TUTTI_INLINE float signed_to_float(Word u) {
    return static_cast<float>(static_cast<int>(u));
}
// Towards zero; |x| < 2^31.
TUTTI_INLINE Word truncate_to_int(float x) {
    return static_cast<Word>(static_cast<int>(x));
}
TUTTI_INLINE Word shift_right(Word u, int by) {
    return u >> by;
}
TUTTI_INLINE Word shift_left(Word u, int by) {
    return u << by;
}
TUTTI_INLINE bool less_unsigned(Word a, Word b) {
    return a < b;
}
// True where bit 31 is set.
TUTTI_INLINE bool is_negative(Word u) {
    return (u & 0x80000000u) != 0;
}
TUTTI_INLINE bool both(bool a, bool b) {
    return a && b;
}
TUTTI_INLINE bool either(bool a, bool b) {
    return a || b;
}
TUTTI_INLINE bool any(bool mask) {
    return mask;
}
// The place of the lowest bit that is set; of 0 there is none.
TUTTI_INLINE int lowest_bit(Word bits) {
#if defined(__METAL_VERSION__)
    return metal::ctz(static_cast<int>(bits));
#elif defined(__GNUC__) || defined(__clang__)
    return __builtin_ctz(bits);
#else
    int place = 0;
    while ((bits >> place & 1u) == 0)
        ++place;
    return place;
#endif
}
// Bit i: lane i.
TUTTI_INLINE Word mask_bits(bool mask) {
    return mask ? 1u : 0u;
}
// Aligned rows of lanes in memory.
template <class F>
struct LaneMemory;
template <>
struct LaneMemory<float> {
    // Pointer: to floats, wherever they are.
    template <class Pointer>
    static TUTTI_INLINE float load(Pointer from) {
        return *from;
    }
    template <class Pointer>
    static TUTTI_INLINE Word load_bits(Pointer from) {
        return bits_of(*from);
    }
    template <class Pointer>
    static TUTTI_INLINE void store(Pointer to, float x) {
        *to = x;
    }
    template <class Pointer>
    static TUTTI_INLINE void store_bits(Pointer to, Word u) {
        *to = float_of_bits(u);
    }
    static TUTTI_INLINE bool mask(Word lanes) { return (lanes & 1u) != 0; }
    static TUTTI_INLINE Word lane_index() { return 0; }
};
template <class F, class Pointer>
TUTTI_INLINE F load(Pointer from) {
    return LaneMemory<F>::load(from);
}
template <class F, class Pointer>
TUTTI_INLINE UintOf<F> load_bits(Pointer from) {
    return LaneMemory<F>::load_bits(from);
}
template <class F, class Pointer>
TUTTI_INLINE void store(Pointer to, F x) {
    LaneMemory<F>::store(to, x);
}
template <class F, class Pointer>
TUTTI_INLINE void store_bits(Pointer to, UintOf<F> u) {
    LaneMemory<F>::store_bits(to, u);
}
// table[index]; index < 32.
TUTTI_INLINE float lookup32(const float TUTTI_TABLE* table, Word index) {
    return table[index];
}

// at[f] = at[f] + height * (table[0][f] + table[1][f] t + ... + table[6][f] t^6) in the lanes of `which`, whose t is within 0..1.
template <class F>
TUTTI_INLINE void add_polynomials(F* at, const float TUTTI_TABLE (&table)[7][8], MaskOf<F> which, F t, F height) {
    t = select(which, t, F(0.0f)); // elsewhere a power of it may be too large to multiply with 0
    height = select(which, height, F(0.0f));
    const F square = t * t;
    TUTTI_UNROLL for (int f = 0; f < 8; ++f) {
        // By Estrin's scheme: half as long a chain as Horner's.
        const F low = fma(F(table[1][f]), t, F(table[0][f])), middle = fma(F(table[3][f]), t, F(table[2][f]));
        const F high = fma(F(table[6][f]), square, fma(F(table[5][f]), t, F(table[4][f])));
        const F p = fma(fma(high, square, middle), square, low);
        at[f] = fma(height, p, at[f]);
    }
}

// The lanes whose bit is set.
template <class F>
TUTTI_INLINE MaskOf<F> lane_mask(Word lanes) {
    return LaneMemory<F>::mask(lanes);
}

} // namespace TUTTI_ISA_SPACE
} // namespace dsp
} // namespace tutti

#ifndef TUTTI_LANE_FLOAT_ONLY
#include "dsp/lane_simd.h"
#endif
