// SPDX-License-Identifier: MIT
#include <models/nn/isa.h>

#include <cstdlib>
#include <string_view>

namespace tutti::models {
namespace {

bool has(Isa isa) noexcept {
#if defined(TUTTI_MODELS_X86) && (defined(__GNUC__) || defined(__clang__))
    if (isa == Isa::avx512)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("fma");
    if (isa == Isa::avx2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
    return isa == Isa::base;
}

Isa choose() noexcept {
    Isa limit = Isa::avx512;
    if (const char* forced = std::getenv("TUTTI_ISA")) {
        const std::string_view name = forced;
        if (name == "avx2")
            limit = Isa::avx2;
        else if (name == "sse2" || name == "neon" || name == "scalar")
            limit = Isa::base;
    }
    if (limit == Isa::avx512 && has(Isa::avx512)) return Isa::avx512;
    if (limit != Isa::base && has(Isa::avx2)) return Isa::avx2;
    return Isa::base;
}

} // namespace

Isa best_isa() noexcept {
    static const Isa chosen = choose();
    return chosen;
}

const char* isa_name(Isa isa) noexcept {
    switch (isa) {
    case Isa::avx512:
        return "avx512";
    case Isa::avx2:
        return "avx2";
    case Isa::base:
        break;
    }
    return "base";
}

} // namespace tutti::models
