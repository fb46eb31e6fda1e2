// SPDX-License-Identifier: MIT
#define TUTTI_ISA_SPACE neon
#define TUTTI_KERNELS kernels_neon
#include "engine/cpu/kernels.inl"
