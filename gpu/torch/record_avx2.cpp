// SPDX-License-Identifier: MIT
#define TUTTI_ISA_SPACE record_avx2
#define TUTTI_RECORD_TABLE record_table_avx2
#include "gpu/torch/record.inl"
