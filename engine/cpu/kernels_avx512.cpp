// SPDX-License-Identifier: MIT
#define TUTTI_ISA_SPACE avx512
#define TUTTI_KERNELS kernels_avx512
#include "engine/cpu/kernels.inl"
