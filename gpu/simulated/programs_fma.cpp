// SPDX-License-Identifier: MIT
// The same bits where the processor has the fused multiply-add, which else is a library's: several times as fast.
#define TUTTI_ISA_SPACE device_fma
#define TUTTI_RUN_BLOCK run_block_fma
#include "gpu/simulated/programs.inl"
