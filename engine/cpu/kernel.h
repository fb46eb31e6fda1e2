// SPDX-License-Identifier: MIT
// What an instruction set's translation unit gives to the CPU backend: one function a voice type.
#pragma once

#include "engine/backend.h"

namespace tutti::dsp {
enum class Isa; // dsp/isa.h
}

namespace tutti::engine {

// The sound of one chunk of a bank, reduced to one number a frame and channel.
struct ChunkWork {
    Bank* bank = nullptr;
    Step step;
    int chunk = 0;
    float* out[2] = {nullptr, nullptr}; // [64]: frames 0..step.frames-1; out[1] only where bank->channels > 1
    std::uint32_t muted = 0;            // voices found not finite
    const Row* next[2] = {};            // what will probably be rendered after it: rows of the same voice type, or null
    const Row* packed_row = nullptr;    // the chunk's last busy row, where its sound has been made in bundles
    const float* packed[4][2] = {};     // [quad][channel] -> [frame][16], null where the quad is silent
};

// Up to four quads as one row. All are of banks with the same bundle key, and `step` fits all of them.
struct BundleWork {
    const Bank* bank = nullptr; // one of them
    Step step;
    float* quad[4] = {}; // the rows' fields, each at the quad's first lane
    int count = 0;
    float* out[2] = {nullptr, nullptr}; // [frame][16]
};

// One voice type in one instruction set.
struct Kernel {
    void (*chunk)(ChunkWork& work) noexcept;
    // Banks with the same key, not 0, may share a bundle, while their rows rest: nothing of the bank but what stands in a
    // row's fields has a part in the sound. [any]
    int (*bundle_key)(const Bank& bank) noexcept;
    void (*bundle)(BundleWork& work) noexcept;
    // Memories of a lane whose being finite says that the lane is.
    const int* memories;
    int memory_count;
};
inline constexpr int k_kernel_count = 5;  // rows of the registry
inline constexpr int k_added_kernels = 8; // voice types that a program may bring (engine/core/voice_types.h)

struct KernelTable {
    Kernel type[k_kernel_count + k_added_kernels];
};

// Null where the build lacks the instruction set. [any]
const KernelTable* kernels_scalar() noexcept;
const KernelTable* kernels_sse2() noexcept;
const KernelTable* kernels_avx2() noexcept;
const KernelTable* kernels_avx512() noexcept;
const KernelTable* kernels_neon() noexcept;
const KernelTable* kernels_of(dsp::Isa isa) noexcept;

} // namespace tutti::engine
