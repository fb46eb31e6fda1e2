// SPDX-License-Identifier: MIT
#define TUTTI_KERNEL_ISA avx2
#include <models/nn/lanes.h>

#include <models/nn/block_kernels.inl>

namespace tutti::models {
const BlockKernels& block_kernels_avx2() noexcept {
    return isa_avx2::k_block_table;
}
} // namespace tutti::models
