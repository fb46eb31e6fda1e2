// SPDX-License-Identifier: MIT
#include <models/nn/kernels.h>

namespace tutti::models {

const Kernels& kernels() noexcept {
#if defined(TUTTI_MODELS_X86)
    if (has_dot_products()) return kernels_avx512dot();
    if (best_isa() == Isa::avx512) return kernels_avx512();
    if (best_isa() == Isa::avx2) return kernels_avx2();
#endif
    return kernels_base();
}

} // namespace tutti::models
