// SPDX-License-Identifier: MIT
#define TUTTI_ISA_SPACE base
#define TUTTI_EFFECT_KERNELS k_effect_kernels_base
#include "engine/effects/kernels.inl"
