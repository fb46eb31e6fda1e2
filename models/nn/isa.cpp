// SPDX-License-Identifier: MIT
#include <models/nn/isa.h>

#include "dsp/isa.h"

namespace tutti::models {
namespace {

Isa choose() noexcept {
#if defined(TUTTI_MODELS_X86)
    dsp::Isa isa = dsp::best_isa();
    if (const char* wanted = dsp::forced_isa()) dsp::find_isa(wanted, isa);
    if (isa == dsp::Isa::avx512) return Isa::avx512;
    if (isa == dsp::Isa::avx2) return Isa::avx2;
#endif
    return Isa::base;
}

} // namespace

Isa best_isa() noexcept {
    static const Isa chosen = choose();
    return chosen;
}

bool has_dot_products() noexcept {
#if defined(TUTTI_MODELS_X86)
    static const bool has = best_isa() == Isa::avx512 && dsp::has_dot_products();
    return has;
#else
    return false;
#endif
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
