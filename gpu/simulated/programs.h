// SPDX-License-Identifier: MIT
// A block of the device program, all of its threads one after the other between two meetings.
#pragma once

#define TUTTI_GPU_HOST 1
#include "gpu/device/program.h"

namespace tutti::gpu {

void run_block(int program, const Header& header, unsigned block, Shared& shared) noexcept;
void run_block_fma(int program, const Header& header, unsigned block, Shared& shared) noexcept; // x86 with AVX2

} // namespace tutti::gpu
