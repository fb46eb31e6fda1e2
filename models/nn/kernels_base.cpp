// SPDX-License-Identifier: MIT
#define TUTTI_KERNEL_ISA base
#include <models/nn/lanes.h>

#include <models/nn/kernels.inl>

namespace tutti::models {
const Kernels& kernels_base() noexcept {
    return isa_base::k_table;
}
} // namespace tutti::models
