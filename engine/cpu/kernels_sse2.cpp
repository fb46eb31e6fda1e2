// SPDX-License-Identifier: MIT
#define TUTTI_FEW_SHAPES
#define TUTTI_ISA_SPACE sse2
#define TUTTI_KERNELS kernels_sse2
#include "engine/cpu/kernels.inl"
