// SPDX-License-Identifier: MIT
#include <models/nn/stored.h>

#include <algorithm>
#include <atomic>
#include <cstring>

#include <models/nn/block_kernels.h>

namespace tutti::models {
namespace {

constexpr int k_group_columns =
    128; // columns packed together: 512 of their values are 256 KB, half of a second-level cache
constexpr int k_pack_values = 1024; // values of a panel packed at a time: a page of each row, and 128 KB
constexpr int k_row_block = 96;     // rows between two looks at the token

int divide_up(int a, int b) {
    return (a + b - 1) / b;
}

// Columns [first, first + count) as whole panels of k values; `wide` is room for a panel's rows where they are narrow.
void pack(const Kernels& k, const BlockKernels& block, const StoredLinear& w, int first, int count, float* to,
          float* wide) {
    const auto bytes = static_cast<std::ptrdiff_t>(dtype_bytes(w.dtype));
    for (int p = 0; p < count; p += k.panel, to += static_cast<std::ptrdiff_t>(k.panel) * w.k) {
        const int columns = std::min(k.panel, count - p);
        const std::byte* from = w.rows + static_cast<std::ptrdiff_t>(first + p) * w.k * bytes;
        for (int v = 0; v < w.k; v += k_pack_values) {
            const int values = std::min(k_pack_values, w.k - v);
            const auto* source = reinterpret_cast<const std::uint32_t*>(from + v * bytes);
            std::ptrdiff_t step = w.k;
            if (w.dtype != Dtype::f32) {
                for (int c = 0; c < columns; ++c)
                    block.widen(from + (static_cast<std::ptrdiff_t>(c) * w.k + v) * bytes, w.dtype == Dtype::bf16,
                                values, wide + c * k_pack_values);
                source = reinterpret_cast<const std::uint32_t*>(wide);
                step = k_pack_values;
            }
            k.pack_units(source, step, columns, values,
                         reinterpret_cast<std::uint32_t*>(to) + static_cast<std::ptrdiff_t>(v) * k.panel);
        }
    }
}

// work(group, scratch) for every group of columns, whoever is free takes the next.
template <class Work>
void deal(Runner& runner, int groups, Work&& work) {
    std::atomic<int> next{0};
    runner.team().run([&](int part, int) {
        for (int g = 0; (g = next.fetch_add(1, std::memory_order_relaxed)) < groups && !runner.cancelled();)
            work(g, runner.scratch(part));
    });
}

std::size_t wide_floats(const Kernels& k) {
    return static_cast<std::size_t>(k.panel) * k_pack_values;
}

} // namespace

void multiply_stored(Runner& runner, const float* a, std::ptrdiff_t a_step, int rows, const StoredLinear& w, float* c,
                     std::ptrdiff_t c_step, Epilogue epilogue, const float* scale) {
    const Kernels& k = runner.kernels();
    const BlockKernels& block = block_kernels();
    const int columns = std::max(k.panel, std::min(k_group_columns, divide_up(w.n, k.panel) * k.panel));
    deal(runner, divide_up(w.n, columns), [&](int group, Buffer& scratch) {
        const auto packed = static_cast<std::size_t>(columns) * static_cast<std::size_t>(w.k);
        scratch.need((packed + wide_floats(k)) * sizeof(float));
        const int first = group * columns, count = std::min(columns, w.n - first);
        pack(k, block, w, first, count, scratch.as<float>(), scratch.as<float>() + packed);
        Gemm g{a,         a_step, scratch.as<float>(),
               w.k,       count,  w.bias.empty() ? nullptr : w.bias.data() + first,
               c + first, c_step, epilogue};
        g.scale = scale ? scale + first : nullptr;
        for (int m = 0; m < rows && !runner.cancelled(); m += k_row_block)
            k.gemm(g, m, std::min(rows, m + k_row_block), 0, divide_up(count, k.panel));
    });
}

void multiply_gated(Runner& runner, const float* a, std::ptrdiff_t a_step, int rows, const StoredLinear& gate,
                    const StoredLinear& up, float* c, std::ptrdiff_t c_step) {
    const Kernels& k = runner.kernels();
    const BlockKernels& block = block_kernels();
    const int columns = std::max(k.panel, std::min(k_group_columns / 2, divide_up(gate.n, k.panel) * k.panel));
    deal(runner, divide_up(gate.n, columns), [&](int group, Buffer& scratch) {
        const auto packed = static_cast<std::size_t>(columns) * static_cast<std::size_t>(gate.k);
        const auto tile = static_cast<std::size_t>(columns) * k_row_block;
        scratch.need((2 * packed + 2 * tile + wide_floats(k)) * sizeof(float));
        float* const gates = scratch.as<float>();
        float* const ups = gates + packed;
        float* const gated = ups + packed;
        float* const wanted = gated + tile;
        const int first = group * columns, count = std::min(columns, gate.n - first);
        pack(k, block, gate, first, count, gates, wanted + tile);
        pack(k, block, up, first, count, ups, wanted + tile);
        for (int m = 0; m < rows && !runner.cancelled(); m += k_row_block) {
            const int some = std::min(rows - m, k_row_block);
            Gemm g{a + m * a_step, a_step, gates, gate.k, count, nullptr, gated, columns, Epilogue::store};
            k.gemm(g, 0, some, 0, divide_up(count, k.panel));
            g.b = ups;
            g.c = wanted;
            k.gemm(g, 0, some, 0, divide_up(count, k.panel));
            for (int r = 0; r < some; ++r)
                block.silu_multiply(gated + static_cast<std::ptrdiff_t>(r) * columns,
                                    wanted + static_cast<std::ptrdiff_t>(r) * columns, count,
                                    c + (m + r) * c_step + first);
        }
    });
}

void stored_row(const StoredLinear& w, int index, float* out) {
    const std::byte* from =
        w.rows + static_cast<std::ptrdiff_t>(index) * w.k * static_cast<std::ptrdiff_t>(dtype_bytes(w.dtype));
    if (w.dtype == Dtype::f32)
        std::memcpy(out, from, static_cast<std::size_t>(w.k) * sizeof(float));
    else
        block_kernels().widen(from, w.dtype == Dtype::bf16, w.k, out);
}

} // namespace tutti::models
