// SPDX-License-Identifier: MIT
#include "engine/cpu/isa.h"

#include <cstdlib>
#include <cstring>
#include <string>

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

namespace tutti::engine {
namespace {

constexpr Isa k_all[] = {Isa::scalar, Isa::sse2, Isa::avx2, Isa::avx512, Isa::neon};

#if TUTTI_ISA_X86 && defined(_MSC_VER)
struct Features {
    bool avx2 = false, avx512 = false;
    Features() noexcept {
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

} // namespace

const char* isa_name(Isa isa) noexcept {
    switch (isa) {
    case Isa::scalar:
        return "scalar";
    case Isa::sse2:
        return "sse2";
    case Isa::avx2:
        return "avx2";
    case Isa::avx512:
        return "avx512";
    case Isa::neon:
        return "neon";
    }
    return "unknown";
}

bool isa_supported(Isa isa) noexcept {
#if TUTTI_ISA_X86 && defined(_MSC_VER)
    static const Features features;
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

Isa best_isa() noexcept {
    for (const Isa isa : {Isa::avx512, Isa::avx2, Isa::sse2, Isa::neon})
        if (isa_supported(isa)) return isa;
    return Isa::scalar;
}

Result<Isa> select_isa() {
    const char* const wanted = std::getenv("TUTTI_ISA");
    if (wanted == nullptr || *wanted == '\0') return best_isa();
    std::string have;
    for (const Isa isa : k_all) {
        if (!isa_supported(isa)) continue;
        if (std::strcmp(wanted, isa_name(isa)) == 0) return isa;
        have += have.empty() ? "" : ", ";
        have += isa_name(isa);
    }
    return Status(Code::unsupported, std::string("TUTTI_ISA=") + wanted + " cannot be used on this machine",
                  "the engine was not made", "unset TUTTI_ISA or set it to one of " + have);
}

} // namespace tutti::engine
