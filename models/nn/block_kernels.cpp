// SPDX-License-Identifier: MIT
#include <models/nn/block_kernels.h>

namespace tutti::models {

const BlockKernels& block_kernels() noexcept {
#if defined(TUTTI_MODELS_X86)
    if (best_isa() == Isa::avx512) return block_kernels_avx512();
    if (best_isa() == Isa::avx2) return block_kernels_avx2();
#endif
    return block_kernels_base();
}

} // namespace tutti::models
