// SPDX-License-Identifier: MIT
// The arithmetic of the networks, as one table of functions an instruction set. FP32; no result depends on how many rows are
// computed together or on how the rows are split over threads.
#pragma once

#include <cstddef>
#include <cstdint>

#include <models/nn/isa.h>

namespace tutti::models {

enum class Epilogue : std::uint8_t {
    store, // C = A B + bias
    gelu,  // C = gelu(A B + bias), the exact (erf) form
    add,   // C = C + (A B + bias)
};

// C[m][n] of one product. B is packed: panels of `panel` columns, each [k][panel].
struct Gemm {
    const float* a = nullptr; // row i at a + i * a_step
    std::ptrdiff_t a_step = 0;
    const float* b = nullptr;
    int k = 0;
    int n = 0;
    const float* bias = nullptr; // [n], or none
    float* c = nullptr;          // row i at c + i * c_step
    std::ptrdiff_t c_step = 0;
    Epilogue epilogue = Epilogue::store;
};

struct Kernels {
    int panel = 0; // columns of a panel
    int rows = 0;  // rows computed together: work is best split at multiples of it
    // Rows [m0, m1), panels [p0, p1).
    void (*gemm)(const Gemm& gemm, int m0, int m1, int p0, int p1);
    // Packs n columns of k values: column j's value i is at from + j * column_step + i * value_step.
    void (*pack)(const float* from, std::ptrdiff_t column_step, std::ptrdiff_t value_step, int n, int k, float* to);
    // out = (x - mean) / sqrt(variance + 1e-5) * weight + bias, row by row.
    void (*layer_norm)(const float* x, int rows, int width, const float* weight, const float* bias, float* out);
    // Softmax of each row's first `width` values, in place; values from `width` to `padded` become 0.
    void (*softmax)(float* x, int rows, int width, int padded, std::ptrdiff_t step);
    // One query against a cache: keys [depth][capacity] (so that positions stand side by side), values [capacity][depth].
    void (*attend)(const float* query, const float* keys, const float* values, int depth, int capacity, int length,
                   float scale, float* scores, float* out);
};

// Of the instruction set that best_isa() names. [any]
const Kernels& kernels() noexcept;
const Kernels& kernels_base() noexcept;
const Kernels& kernels_avx2() noexcept;
const Kernels& kernels_avx512() noexcept;

// Floats that `pack` writes.
inline std::size_t packed_floats(const Kernels& kernels, int n, int k) noexcept {
    const auto panels = (static_cast<std::size_t>(n) + static_cast<std::size_t>(kernels.panel) - 1) /
                        static_cast<std::size_t>(kernels.panel);
    return panels * static_cast<std::size_t>(kernels.panel) * static_cast<std::size_t>(k);
}

} // namespace tutti::models
