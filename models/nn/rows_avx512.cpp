// SPDX-License-Identifier: MIT
#define TUTTI_KERNEL_ISA avx512
#include <models/nn/lanes.h>

#include <models/nn/rows.inl>

namespace tutti::models {
const RowKernels& row_kernels_avx512() noexcept {
    return isa_avx512::k_row_table;
}
} // namespace tutti::models
