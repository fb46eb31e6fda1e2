// SPDX-License-Identifier: MIT
#define TUTTI_KERNEL_ISA avx512dot
#define TUTTI_KERNEL_DOT
#include <models/nn/lanes.h>

#include <models/nn/rows.inl>

namespace tutti::models {
const RowKernels& row_kernels_avx512dot() noexcept {
    return isa_avx512dot::k_row_table;
}
} // namespace tutti::models
