// SPDX-License-Identifier: MIT
// y = x W^T + b with W left where it is stored, in a memory-mapped file, and in the type it is stored in. Columns are widened and
// packed some 128 at a time while they are multiplied with: for more than some hundred rows that costs a few percent, and
// loading costs nothing.
#pragma once

#include <cstddef>
#include <vector>

#include <models/checkpoint/dtype.h>
#include <models/nn/linear.h>

namespace tutti::models {

struct StoredLinear {
    const std::byte* rows = nullptr; // [n][k], no alignment
    Dtype dtype = Dtype::f32;        // F32, F16 or BF16
    int n = 0;
    int k = 0;
    std::vector<float> bias; // [n], or empty
};

// c[rows][n] = a[rows][k] x w, in the order of sums that a packed Linear has. `scale` is that of Epilogue::scaled_add. Asks the
// runner's token between tiles. [worker]
void multiply_stored(Runner& runner, const float* a, std::ptrdiff_t a_step, int rows, const StoredLinear& w, float* c,
                     std::ptrdiff_t c_step, Epilogue epilogue = Epilogue::store, const float* scale = nullptr);

// c[rows][n] = silu(a gate^T) * (a up^T), both without bias. [worker]
void multiply_gated(Runner& runner, const float* a, std::ptrdiff_t a_step, int rows, const StoredLinear& gate,
                    const StoredLinear& up, float* c, std::ptrdiff_t c_step);

// One row as floats. [worker]
void stored_row(const StoredLinear& w, int index, float* out);

} // namespace tutti::models
