// SPDX-License-Identifier: MIT
// The arithmetic of the networks, as one table of functions an instruction set: products in FP32, BF16 and INT8. No result
// depends on how many rows are computed together or on how the rows are split over threads.
#pragma once

#include <cstddef>
#include <cstdint>

#include <models/nn/isa.h>

namespace tutti::models {

enum class Epilogue : std::uint8_t {
    store,      // C = A B + bias
    gelu,       // C = gelu(A B + bias), the exact (erf) form
    add,        // C = C + (A B + bias)
    prelu,      // C = prelu(A B + bias), one slope for all
    scaled_add, // C = C + scale * (A B), a scale for each column, no bias
};

// C[m][n] of one product. B is packed: panels of `panel` columns, each [k][panel]. A's values may lie in segments, as those of a
// dilated convolution do: value i of a row at (i / segment) * segment_step + i % segment.
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
    int segment = 0; // 0: one of k values
    std::ptrdiff_t segment_step = 0;
    const float* scale = nullptr; // [n]
    float slope = 0.0f;
};

// Numbers that weights are kept in. BF16 products add in FP32; INT8 ones add whole numbers exactly, group by group.
enum class Compute : std::uint8_t { fp32, bf16, int8 };

// C[m][n] of a product with narrow weights. Its inner dimension is counted in units of four bytes: two BF16 or four INT8 values.
// B is packed: panels of `panel` columns, each [unit][panel].
struct NarrowGemm {
    const void* a = nullptr;         // rows of BF16 or offset INT8 units; of floats where Kernels::wide_rows
    std::ptrdiff_t a_step = 0;       // units; floats where they are floats
    const float* a_scales = nullptr; // [m][groups], INT8 only
    const std::uint32_t* b = nullptr;
    int units = 0;
    int group = 0;                        // units that share a scale; BF16: of a block of the sum
    const float* b_scales = nullptr;      // [groups][columns], INT8 only, as the next
    const std::int32_t* b_sums = nullptr; // 128 times the sum of each column's values in the group
    int columns = 0;                      // n, rounded up to whole panels
    int n = 0;
    const float* bias = nullptr;
    float* c = nullptr;
    std::ptrdiff_t c_step = 0;
    Epilogue epilogue = Epilogue::store;
};

// One head's attention of some queries over packed keys and values in BF16.
struct Bf16Attention {
    const std::uint16_t* query = nullptr; // [rows][depth] at query_step, scaled
    std::ptrdiff_t query_step = 0;
    int rows = 0;
    int depth = 0; // even
    int positions = 0;
    const std::uint32_t* keys = nullptr;   // a product's right side, [depth] x [positions]
    const std::uint32_t* values = nullptr; // [positions, rounded up to even] x [depth]
    float* scores = nullptr;               // [rows][positions], used
    std::uint16_t* weights = nullptr;      // [rows][positions rounded up to 2], used
    float* out = nullptr;
    std::ptrdiff_t out_step = 0;
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
    // out[r][d] = sum over j of weights[r][j] * values[j][d]; `weights` already hold the scale of each position.
    void (*mix_int8)(const float* weights, std::ptrdiff_t weights_step, int rows, const std::int8_t* values,
                     int positions, int depth, float* out, std::ptrdiff_t out_step);
    // log of the sum of e^(factor * (x[i] - highest)).
    float (*log_sum)(const float* x, int n, float highest, float factor);
    float (*maximum)(const float* x, int n);
    // rows of k floats as BF16, to nearest even; `out` rows are 2 * units long, filled up with zeros.
    void (*to_bf16)(const float* x, std::ptrdiff_t step, int rows, int k, int units, std::uint16_t* out);
    // rows as 128 + round(x * 127 / largest), a scale for each `group` units; filled up with 128.
    void (*to_int8)(const float* x, std::ptrdiff_t step, int rows, int k, int units, int group, std::uint8_t* out,
                    float* scales);
    // to[panel][unit][column] = rows[column][unit], for the right side of products.
    void (*pack_units)(const std::uint32_t* rows, std::ptrdiff_t step, int n, int units, std::uint32_t* to);
    void (*gemm_bf16)(const NarrowGemm& gemm, int m0, int m1, int p0, int p1);
    void (*gemm_int8)(const NarrowGemm& gemm, int m0, int m1, int p0, int p1);
    bool wide_rows = true; // BF16 products take rows of floats, and their weights are widened in registers
    void (*attend_bf16)(const Bf16Attention& attention) = nullptr; // none where wide_rows
};

// Of the instruction set that best_isa() names. [any]
const Kernels& kernels() noexcept;
const Kernels& kernels_base() noexcept;
const Kernels& kernels_avx2() noexcept;
const Kernels& kernels_avx512() noexcept;
const Kernels& kernels_avx512dot() noexcept; // with VNNI and BF16

// Floats that `pack` writes.
inline std::size_t packed_floats(const Kernels& kernels, int n, int k) noexcept {
    const auto panels = (static_cast<std::size_t>(n) + static_cast<std::size_t>(kernels.panel) - 1) /
                        static_cast<std::size_t>(kernels.panel);
    return panels * static_cast<std::size_t>(kernels.panel) * static_cast<std::size_t>(k);
}

} // namespace tutti::models
