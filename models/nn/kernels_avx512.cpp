// SPDX-License-Identifier: MIT
#define TUTTI_KERNEL_ISA avx512
#include <models/nn/lanes.h>

#include <models/nn/kernels.inl>

namespace tutti::models {
const Kernels& kernels_avx512() noexcept {
    return isa_avx512::k_table;
}
} // namespace tutti::models
