// SPDX-License-Identifier: MIT
// What an instruction set's translation unit gives to the CPU backend: one function a voice type.
#pragma once

#include "engine/backend.h"

namespace tutti::engine {

// The sound of `chunk_count` chunks of a bank from `first_chunk` on, each reduced to one number a frame and channel.
struct ChunkWork {
    Bank* bank = nullptr;
    Step step;
    int chunk = 0;
    float* out[2] = {nullptr, nullptr}; // [64]: frames 0..step.frames-1; out[1] only where bank->channels > 1
    std::uint32_t muted = 0;            // voices found not finite
};

using RenderChunk = void (*)(ChunkWork& work) noexcept;
inline constexpr int k_kernel_count = 4; // rows of the registry

struct KernelTable {
    RenderChunk render[k_kernel_count];
};

// Null where the build lacks the instruction set. [any]
const KernelTable* kernels_scalar() noexcept;
const KernelTable* kernels_sse2() noexcept;
const KernelTable* kernels_avx2() noexcept;
const KernelTable* kernels_avx512() noexcept;
const KernelTable* kernels_neon() noexcept;

} // namespace tutti::engine
