// SPDX-License-Identifier: MIT
#define TUTTI_ISA_SPACE record_base
#define TUTTI_RECORD_TABLE record_table_base
#include "gpu/torch/record.inl"
