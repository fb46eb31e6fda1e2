// SPDX-License-Identifier: MIT
#define TUTTI_ISA_SPACE avx2
#define TUTTI_EFFECT_KERNELS k_effect_kernels_avx2
#include "engine/effects/kernels.inl"
