// SPDX-License-Identifier: MIT
#define TUTTI_ISA_SPACE record_avx512
#define TUTTI_RECORD_TABLE record_table_avx512
#include "gpu/torch/record.inl"
