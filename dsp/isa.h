// SPDX-License-Identifier: MIT
// Which instruction sets this processor can run: the one place that asks it. Engine and models choose from this.
#pragma once

#include <cstdlib>
#include <cstring>
#include <initializer_list>

#if defined(__x86_64__) || defined(_M_X64)
#define TUTTI_ISA_X86 1
#if defined(_MSC_VER)
#include <intrin.h>
#define TUTTI_CPU_HAS(feature) false
#else
#define TUTTI_CPU_HAS(feature) (__builtin_cpu_supports(feature) != 0)
#endif
#else
#define TUTTI_ISA_X86 0
#define TUTTI_CPU_HAS(feature) false
#endif

namespace tutti::dsp {

// `scalar` is one value at a time, the reference of the arithmetic contract.
enum class Isa { scalar, sse2, avx2, avx512, neon };

inline constexpr Isa k_isas[] = {Isa::scalar, Isa::sse2, Isa::avx2, Isa::avx512, Isa::neon};

// "avx512". [any]
inline const char* isa_name(Isa isa) noexcept {
    constexpr const char* k_names[] = {"scalar", "sse2", "avx2", "avx512", "neon"};
    return k_names[static_cast<int>(isa)];
}

#if TUTTI_ISA_X86 && defined(_MSC_VER)
struct IsaFeatures {
    bool avx2 = false, avx512 = false;
    IsaFeatures() noexcept {
        int r[4];
        __cpuid(r, 1);
        const bool fma = (r[2] >> 12 & 1) != 0, saves = (r[2] >> 27 & 1) != 0;
        const unsigned long long kept = saves ? _xgetbv(0) : 0;
        __cpuidex(r, 7, 0);
        avx2 = fma && (r[1] >> 5 & 1) != 0 && (kept & 0x6) == 0x6;
        const int wanted = 1 << 16 | 1 << 17 | 1 << 30 | static_cast<int>(1u << 31); // F, DQ, BW, VL
        avx512 = avx2 && (r[1] & wanted) == wanted && (kept & 0xe6) == 0xe6;
    }
};
#endif

// True where this build has it and this processor can run it. [any]
inline bool isa_supported(Isa isa) noexcept {
#if TUTTI_ISA_X86 && defined(_MSC_VER)
    static const IsaFeatures features;
    if (isa == Isa::avx2) return features.avx2;
    if (isa == Isa::avx512) return features.avx512;
#else
    if (isa == Isa::avx2) return TUTTI_CPU_HAS("avx2") && TUTTI_CPU_HAS("fma");
    if (isa == Isa::avx512)
        return TUTTI_CPU_HAS("avx512f") && TUTTI_CPU_HAS("avx512bw") && TUTTI_CPU_HAS("avx512dq") &&
               TUTTI_CPU_HAS("avx512vl") && TUTTI_CPU_HAS("fma");
#endif
    if (isa == Isa::neon) return !TUTTI_ISA_X86;
    if (isa == Isa::sse2) return TUTTI_ISA_X86;
    return true;
}

// Products of bytes and of BF16 pairs summed in one instruction (AVX-512 VNNI and BF16), for networks. [any]
inline bool has_dot_products() noexcept {
    return isa_supported(Isa::avx512) && TUTTI_CPU_HAS("avx512vnni") && TUTTI_CPU_HAS("avx512bf16");
}

// [any]
inline Isa best_isa() noexcept {
    for (const Isa isa : {Isa::avx512, Isa::avx2, Isa::sse2, Isa::neon})
        if (isa_supported(isa)) return isa;
    return Isa::scalar;
}

// What TUTTI_ISA names, or nullptr where it is not set. [control]
inline const char* forced_isa() noexcept {
    const char* const wanted = std::getenv("TUTTI_ISA");
    return wanted == nullptr || *wanted == '\0' ? nullptr : wanted;
}

// The set of that name where this machine has it. [any]
inline bool find_isa(const char* name, Isa& found) noexcept {
    for (const Isa isa : k_isas)
        if (isa_supported(isa) && std::strcmp(name, isa_name(isa)) == 0) {
            found = isa;
            return true;
        }
    return false;
}

} // namespace tutti::dsp
