// SPDX-License-Identifier: MIT
#define TUTTI_KERNEL_ISA avx512
#include <models/nn/lanes.h>

#include <models/nn/block_kernels.inl>

namespace tutti::models {
const BlockKernels& block_kernels_avx512() noexcept {
    return isa_avx512::k_block_table;
}
} // namespace tutti::models
