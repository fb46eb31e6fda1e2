// SPDX-License-Identifier: MIT
#define TUTTI_KERNEL_ISA avx2
#include <models/nn/lanes.h>

#include <models/nn/rows.inl>

namespace tutti::models {
const RowKernels& row_kernels_avx2() noexcept {
    return isa_avx2::k_row_table;
}
} // namespace tutti::models
