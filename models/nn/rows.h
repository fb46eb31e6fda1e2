// SPDX-License-Identifier: MIT
// Products of a few rows with weights as they lie in a mapped file, [n][k], widened in registers: nothing is packed or copied.
// Up to eight rows share one reading of the weights. A row's sum runs in an order that depends on k and the instruction set alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <models/nn/buffer.h>
#include <models/nn/linear.h>

namespace tutti::models {

// How weights are stored, and what they are multiplied with. bf16_pairs: BF16 weights with rows that are rounded to BF16, two
// products a lane where the processor has them, FP32 sums.
enum class RowKind : std::uint8_t { f32, bf16, f16, bf16_pairs };

// W [n][k] in place, or a Linear in its stead (INT8).
struct RowWeights {
    const void* data = nullptr;
    RowKind kind = RowKind::f32;
    int n = 0;
    int k = 0;
    const Linear* packed = nullptr;
    std::size_t bytes() const noexcept {
        return packed ? packed->bytes()
                      : static_cast<std::size_t>(n) * static_cast<std::size_t>(k) * (kind == RowKind::f32 ? 4 : 2);
    }
};

enum class RowEpilogue : std::uint8_t {
    store,
    add,         // C = C + A W^T
    round,       // C = bf16(A W^T)
    add_rounded, // C = bf16(C + bf16(A W^T))
};

struct RowProduct {
    const void* weights = nullptr;
    RowKind kind = RowKind::f32;
    int k = 0;
    const void* a = nullptr;   // rows as `arrange` gives them
    std::ptrdiff_t a_step = 0; // bytes
    int rows = 0;
    float* c = nullptr;
    std::ptrdiff_t c_step = 0;
    RowEpilogue epilogue = RowEpilogue::store;
};

// C = A W with W [k][n] as it lies, row i at weights + i * w_step; sums run over k one value after another.
struct ColumnProduct {
    const void* weights = nullptr;
    RowKind kind = RowKind::f32;
    std::ptrdiff_t w_step = 0; // values
    int k = 0;
    const float* a = nullptr;
    std::ptrdiff_t a_step = 0;
    int rows = 0;
    float* c = nullptr;
    std::ptrdiff_t c_step = 0;
    bool round = false; // the sums, to BF16
};

// The queries of one group that share a key head, over one row's cache.
struct GroupAttention {
    const float* query = nullptr; // [group][depth]
    int group = 0;
    int depth = 0;
    const float* keys = nullptr;   // blocks of 16 positions, each [depth][16]
    const float* values = nullptr; // [position][depth]
    int length = 0;
    float scale = 1.0f;
    float* scores = nullptr; // [group][length rounded up to 16], used
    float* out = nullptr;    // [group][depth]
};

struct RowKernels {
    int block = 0; // values of k that are taken together
    // rows of k floats in the order in which `dot` reads them, filled up to whole blocks with zeros; rows of `to` lie to_step
    // bytes apart: arranged_bytes() of them.
    void (*arrange)(const float* x, std::ptrdiff_t step, int rows, int k, RowKind kind, void* to,
                    std::ptrdiff_t to_step);
    void (*dot)(const RowProduct& product, int n0, int n1);    // columns [n0, n1) of C
    void (*mix)(const ColumnProduct& product, int c0, int c1); // the same
    void (*attend)(const GroupAttention& attention);
    // out = x / sqrt(mean(x^2) + eps) * weight; `round`: to BF16 before and after the weight.
    void (*rms_norm)(const float* x, int width, const float* weight, float eps, bool round, float* out);
    // gate = silu(gate) * up
    void (*silu_multiply)(float* gate, const float* up, int n, bool round);
    // Pairs (2i, 2i + 1) of each head turned by the angles of one position: cosines and sines [depth / 2].
    void (*turn)(float* x, int heads, int depth, const float* cosines, const float* sines, bool round);
    void (*round_bf16)(float* x, std::size_t n);
    void (*widen)(const void* from, RowKind kind, std::size_t n, float* to);
};

// Of the instruction set that best_isa() names. [any]
const RowKernels& row_kernels() noexcept;
const RowKernels& row_kernels_base() noexcept;
const RowKernels& row_kernels_avx2() noexcept;
const RowKernels& row_kernels_avx512() noexcept;
const RowKernels& row_kernels_avx512dot() noexcept;

// From one row to the next: whole blocks, and what lets the same place of eight rows lie in different sets of a cache.
std::size_t arranged_bytes(const RowKernels& kernels, RowKind kind, int k) noexcept;

// Multiplies on a team. One thread at a time.
class RowRunner {
public:
    explicit RowRunner(int threads) : m_runner(threads) {}

    const RowKernels& kernels() const noexcept { return m_kernels; }
    Team& team() noexcept { return m_runner.team(); }
    void set_token(const CancelToken& token) { m_token = token, m_runner.set_token(token); }
    bool cancelled() const noexcept { return m_token.cancelled(); }

    // What is multiplied with the same rows: their outputs stand side by side in time, so one start of the team does for all.
    struct Item {
        const RowWeights* weights = nullptr;
        float* c = nullptr;
        std::ptrdiff_t c_step = 0;
    };
    // c[rows][n] = a[rows][k] x W^T for each item, all of one k and kind. Once cancelled it returns early, with results that
    // mean nothing. [worker]
    void multiply(const float* a, std::ptrdiff_t a_step, int rows, std::span<const Item> items,
                  RowEpilogue epilogue = RowEpilogue::store);
    void mix(const ColumnProduct& product, int n); // as above [worker]
    // work(index, part) for each index below count, dealt out as threads become free. [worker]
    void each(int count, const std::function<void(int index, int part)>& work);

private:
    const RowKernels& m_kernels = row_kernels();
    Runner m_runner;
    CancelToken m_token;
    Buffer m_arranged;
};

} // namespace tutti::models
