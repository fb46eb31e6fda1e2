// SPDX-License-Identifier: MIT
#define TUTTI_FEW_SHAPES
#define TUTTI_ISA_SPACE scalar
#define TUTTI_KERNELS kernels_scalar
#define TUTTI_KERNEL_LANES float // one voice at a time: the reference
#include "engine/cpu/kernels.inl"
