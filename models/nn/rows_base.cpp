// SPDX-License-Identifier: MIT
#define TUTTI_KERNEL_ISA base
#include <models/nn/lanes.h>

#include <models/nn/rows.inl>

namespace tutti::models {
const RowKernels& row_kernels_base() noexcept {
    return isa_base::k_row_table;
}
} // namespace tutti::models
