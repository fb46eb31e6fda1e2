// SPDX-License-Identifier: MIT
#define TUTTI_ISA_SPACE avx512
#define TUTTI_EFFECT_KERNELS k_effect_kernels_avx512
#include "engine/effects/kernels.inl"
