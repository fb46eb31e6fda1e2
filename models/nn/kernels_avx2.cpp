// SPDX-License-Identifier: MIT
#define TUTTI_KERNEL_ISA avx2
#include <models/nn/lanes.h>

#include <models/nn/kernels.inl>

namespace tutti::models {
const Kernels& kernels_avx2() noexcept {
    return isa_avx2::k_table;
}
} // namespace tutti::models
