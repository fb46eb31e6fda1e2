// SPDX-License-Identifier: MIT
#define TUTTI_KERNEL_ISA base
#include <models/nn/lanes.h>

#include <models/nn/block_kernels.inl>

namespace tutti::models {
const BlockKernels& block_kernels_base() noexcept {
    return isa_base::k_block_table;
}
} // namespace tutti::models
