// SPDX-License-Identifier: MIT
#include <models/nn/rows.h>

#include <algorithm>
#include <atomic>

namespace tutti::models {
namespace {

// Weights that one thread takes at a time: they stay in its second-level cache while the rows pass.
constexpr std::size_t k_chunk_bytes = 192 * 1024;
constexpr std::size_t k_sets = 4096;

} // namespace

const RowKernels& row_kernels() noexcept {
#if defined(TUTTI_MODELS_X86)
    if (has_dot_products()) return row_kernels_avx512dot();
    if (best_isa() == Isa::avx512) return row_kernels_avx512();
    if (best_isa() == Isa::avx2) return row_kernels_avx2();
#endif
    return row_kernels_base();
}

std::size_t arranged_bytes(const RowKernels& kernels, RowKind kind, int k) noexcept {
    const auto whole = static_cast<std::size_t>((k + kernels.block - 1) / kernels.block * kernels.block);
    const std::size_t bytes = whole * (kind == RowKind::bf16_pairs && has_dot_products() ? 2 : 4);
    // A first-level cache's sets repeat every 4 KB: eight rows a multiple of that apart would share eight ways of the same sets.
    return bytes < k_sets ? bytes : (bytes + k_sets - 1) / k_sets * k_sets + k_sets / 8;
}

void RowRunner::each(int count, const std::function<void(int, int)>& work) {
    std::atomic<int> next{0}; // nothing is published with it: the team's own order does that
    m_runner.team().run([&](int part, int) {
        for (int i = next.fetch_add(1, std::memory_order_relaxed); i < count && !cancelled();
             i = next.fetch_add(1, std::memory_order_relaxed))
            work(i, part);
    });
}

void RowRunner::multiply(const float* a, std::ptrdiff_t a_step, int rows, std::span<const Item> items,
                         RowEpilogue epilogue) {
    if (items.empty() || rows <= 0) return;
    if (items.front().weights->packed) {
        const bool round = epilogue == RowEpilogue::round || epilogue == RowEpilogue::add_rounded;
        const bool add = epilogue == RowEpilogue::add || epilogue == RowEpilogue::add_rounded;
        for (const Item& item : items) {
            m_runner.multiply(a, a_step, rows, *item.weights->packed, item.c, item.c_step,
                              add ? Epilogue::add : Epilogue::store);
            for (int r = 0; round && r < rows; ++r)
                m_kernels.round_bf16(item.c + r * item.c_step, static_cast<std::size_t>(item.weights->n));
        }
        return;
    }
    const RowKind kind = items.front().weights->kind;
    const int k = items.front().weights->k;
    const std::size_t step = arranged_bytes(m_kernels, kind, k);
    m_arranged.need(step * static_cast<std::size_t>(rows));
    m_kernels.arrange(a, a_step, rows, k, kind, m_arranged.as<void>(), static_cast<std::ptrdiff_t>(step));
    const std::size_t row_bytes = items.front().weights->bytes() / static_cast<std::size_t>(items.front().weights->n);
    const int chunk = std::max(24, static_cast<int>(k_chunk_bytes / row_bytes) / 24 * 24); // whole tiles of any height
    int chunks = 0;
    for (const Item& item : items)
        chunks += (item.weights->n + chunk - 1) / chunk;
    each(chunks, [&](int index, int) {
        for (const Item& item : items) {
            const int own = (item.weights->n + chunk - 1) / chunk;
            if (index >= own) {
                index -= own;
                continue;
            }
            RowProduct product{
                item.weights->data, kind,    k, m_arranged.as<void>(), static_cast<std::ptrdiff_t>(step), rows, item.c,
                item.c_step,        epilogue};
            const int n0 = index * chunk, n1 = std::min(item.weights->n, n0 + chunk);
            // Eight rows at a time, so that a long prompt can be stopped.
            for (int r = 0; r < rows && !cancelled(); r += 8) {
                product.a = m_arranged.as<std::byte>(step * static_cast<std::size_t>(r));
                product.c = item.c + r * item.c_step;
                product.rows = std::min(8, rows - r);
                m_kernels.dot(product, n0, n1);
            }
            return;
        }
    });
}

void RowRunner::mix(const ColumnProduct& product, int n) {
    const int parts = 2 * m_runner.team().threads();
    const int each_columns = (n + parts * 64 - 1) / (parts * 64) * 64;
    each((n + each_columns - 1) / each_columns, [&](int index, int) {
        m_kernels.mix(product, index * each_columns, std::min(n, (index + 1) * each_columns));
    });
}

} // namespace tutti::models
