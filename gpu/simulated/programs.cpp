// SPDX-License-Identifier: MIT
#define TUTTI_ISA_SPACE device
#define TUTTI_RUN_BLOCK run_block
#include "gpu/simulated/programs.inl"
