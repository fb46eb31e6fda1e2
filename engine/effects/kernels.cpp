// SPDX-License-Identifier: MIT
#include "engine/effects/kernels.h"

#include "engine/cpu/isa.h"

namespace tutti::engine {

const EffectKernels& effect_kernels() {
#if defined(TUTTI_EFFECT_KERNELS_X86)
    const auto isa = select_isa();
    // An instruction set that is not there is refused where the engine is made; here the best will do.
    switch (isa ? *isa : best_isa()) {
    case Isa::avx512:
        return k_effect_kernels_avx512;
    case Isa::avx2:
        return k_effect_kernels_avx2;
    default:
        break;
    }
#endif
    return k_effect_kernels_base;
}

} // namespace tutti::engine
