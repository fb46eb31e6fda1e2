// SPDX-License-Identifier: MIT
#define TUTTI_ISA_SPACE avx2
#define TUTTI_KERNELS kernels_avx2
#include "engine/cpu/kernels.inl"
