// SPDX-License-Identifier: MIT
// What stands between the products of a transformer block with adaptive norms, and of a wave decoder, as one table of functions an
// instruction set. Every function works row by row: no result depends on the rows beside it.
#pragma once

#include <cstddef>

#include <models/nn/isa.h>

namespace tutti::models {

struct BlockKernels {
    // out = x / sqrt(mean(x^2) + 1e-6) * weight * (1 + scale) + shift
    void (*rms_modulate)(const float* x, std::ptrdiff_t x_step, int rows, int width, const float* weight,
                         const float* scale, const float* shift, float* out, std::ptrdiff_t out_step);
    // out = (x - mean) / sqrt(variance + 1e-6) * (1 + scale) + shift; `normed`, if given, gets it before the modulation.
    void (*norm_modulate)(const float* x, std::ptrdiff_t x_step, int rows, int width, const float* scale,
                          const float* shift, float* out, std::ptrdiff_t out_step, float* normed);
    // Turns pairs (2i, 2i + 1) of a row by angles whose cosines and sines stand side by side: turns[2i], turns[2i + 1].
    void (*turn_pairs)(const float* x, const float* turns, int width, float factor, float* out);
    // out = gate / (1 + e^-gate) * up
    void (*silu_multiply)(const float* gate, const float* up, int n, float* out);
    // out[r] = sum over i < n of x[r * step + i] * w[i], plus bias
    void (*dot_rows)(const float* x, std::ptrdiff_t step, int rows, const float* w, int n, float bias, float* out);
    void (*add)(const float* a, const float* b, int n, float* out);
    // Stored numbers, without alignment, as floats: BF16 or F16.
    void (*widen)(const void* stored, bool bf16, int n, float* out);
};

// Of the instruction set that best_isa() names. [any]
const BlockKernels& block_kernels() noexcept;
const BlockKernels& block_kernels_base() noexcept;
const BlockKernels& block_kernels_avx2() noexcept;
const BlockKernels& block_kernels_avx512() noexcept;

} // namespace tutti::models
