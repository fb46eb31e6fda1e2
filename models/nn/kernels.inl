// SPDX-License-Identifier: MIT
// The table of nn/kernels.h for the instruction set of the including file (lanes.h comes before).
// Product: register tiles of R rows by two vectors over blocks of 512 values of the inner sum, whose partial sums are added in
// order (Goto & van de Geijn, Anatomy of high-performance matrix multiplication, 2008, without the packing of A).

#include <models/nn/exponential.inl>
#include <models/nn/kernels.h>

namespace tutti::models::TUTTI_KERNEL_NAMESPACE {

inline constexpr int k_panel = 2 * W;
#if defined(__AVX512F__)
inline constexpr int k_rows = 12; // 24 sums, 2 of B: 26 of 32 registers
#else
inline constexpr int k_rows = 6; // 12 sums, 2 of B, 1 of A: 15 of 16 registers
#endif
inline constexpr int k_inner = 512;
inline constexpr int k_row_block = 96; // rows of A that stay in the second-level cache while the panels pass

// x/2 (1 + erf(x / sqrt 2)); erf by Abramowitz & Stegun 7.1.26, 1.5e-7 absolute.
static inline F gelu_of(const F& x) {
    const F z = abs_of(x) * F(0.70710678118654752f);
    const F t = F(1.0f) / (F(1.0f) + F(0.3275911f) * z);
    F p = F(-1.453152027f) + t * F(1.061405429f);
    p = F(1.421413741f) + t * p;
    p = F(-0.284496736f) + t * p;
    p = F(0.254829592f) + t * p;
    const F erf = F(1.0f) - t * p * exp_of(F(0.0f) - z * z);
    return F(0.5f) * (x + abs_of(x) * erf); // x erf(x) is even
}

template <int R>
static inline void tile(const Gemm& g, int row, int panel, int k0, int k1, bool first, bool last) {
    F sum[R][2];
    TUTTI_UNROLL
    for (int r = 0; r < R; ++r)
        sum[r][0] = sum[r][1] = F(0.0f);
    const float* b = g.b + (static_cast<std::ptrdiff_t>(panel) * g.k + k0) * k_panel;
    const int segment = g.segment > 0 ? g.segment : g.k;
    for (int k = k0; k < k1;) {
        const int at = k / segment, end = (at + 1) * segment < k1 ? (at + 1) * segment : k1;
        const float* a = g.a + row * g.a_step + at * g.segment_step + (k - at * segment);
        for (; k < end; ++k, ++a, b += k_panel) {
            const F b0 = load(b), b1 = load(b + W);
            TUTTI_UNROLL
            for (int r = 0; r < R; ++r) {
                const F x(a[r * g.a_step]);
                sum[r][0] = fma(x, b0, sum[r][0]);
                sum[r][1] = fma(x, b1, sum[r][1]);
            }
        }
    }
    const int column = panel * k_panel;
    const int width = g.n - column < k_panel ? g.n - column : k_panel;
    alignas(64) float bias[k_panel];
    alignas(64) float edge[k_panel];
    const float* each = g.epilogue == Epilogue::scaled_add ? g.scale : g.bias;
    for (int i = 0; i < k_panel; ++i)
        bias[i] = each && i < width ? each[column + i] : 0.0f;
    TUTTI_UNROLL
    for (int r = 0; r < R; ++r) {
        float* c = g.c + (row + r) * g.c_step + column;
        const bool whole = width == k_panel;
        if (!whole)
            for (int i = 0; i < k_panel; ++i)
                edge[i] = i < width ? c[i] : 0.0f;
        const float* old = whole ? c : edge;
        for (int v = 0; v < 2; ++v) {
            F x = sum[r][v];
            // The bias starts the sum; with `add` the old value does.
            if (g.epilogue == Epilogue::scaled_add)
                x = fma(load(bias + v * W), x, load(old + v * W));
            else if (!first || g.epilogue == Epilogue::add)
                x = load(old + v * W) + x;
            if (first && g.epilogue != Epilogue::scaled_add) x = x + load(bias + v * W);
            if (last && g.epilogue == Epilogue::gelu) x = gelu_of(x);
            if (last && g.epilogue == Epilogue::prelu) x = max(x, F(0.0f)) + F(g.slope) * min(x, F(0.0f));
            store(whole ? c + v * W : edge + v * W, x);
        }
        if (!whole)
            for (int i = 0; i < width; ++i)
                c[i] = edge[i];
    }
}

static void gemm(const Gemm& g, int m0, int m1, int p0, int p1) {
    for (int k0 = 0; k0 < g.k; k0 += k_inner) {
        const int k1 = g.k - k0 < k_inner ? g.k : k0 + k_inner;
        const bool first = k0 == 0, last = k1 == g.k;
        for (int mb = m0; mb < m1; mb += k_row_block) {
            const int me = m1 - mb < k_row_block ? m1 : mb + k_row_block;
            for (int p = p0; p < p1; ++p) {
                int m = mb;
                for (; m + k_rows <= me; m += k_rows)
                    tile<k_rows>(g, m, p, k0, k1, first, last);
                for (; m + 4 <= me; m += 4)
                    tile<4>(g, m, p, k0, k1, first, last);
                for (; m + 2 <= me; m += 2)
                    tile<2>(g, m, p, k0, k1, first, last);
                for (; m < me; ++m)
                    tile<1>(g, m, p, k0, k1, first, last);
            }
        }
    }
}

// A unit is four bytes. 4 x 4 units at a time, columns of the last panel beyond n are zero.
static void pack_units(const std::uint32_t* rows, std::ptrdiff_t step, int n, int units, std::uint32_t* to) {
    for (int p = 0; p * k_panel < n; ++p) {
        std::uint32_t* panel = to + static_cast<std::ptrdiff_t>(p) * k_panel * units;
        for (int j = 0; j < k_panel; j += 4) {
            const std::uint32_t* from = rows + static_cast<std::ptrdiff_t>(p * k_panel + j) * step;
            int i = 0;
            if (p * k_panel + j + 4 <= n)
                for (; i + 4 <= units; i += 4)
                    transpose4(reinterpret_cast<const float*>(from + i), step,
                               reinterpret_cast<float*>(panel + static_cast<std::ptrdiff_t>(i) * k_panel + j), k_panel);
            for (; i < units; ++i)
                for (int c = 0; c < 4; ++c)
                    panel[static_cast<std::ptrdiff_t>(i) * k_panel + j + c] =
                        p * k_panel + j + c < n ? from[c * step + i] : 0;
        }
    }
}

static void pack(const float* from, std::ptrdiff_t column_step, std::ptrdiff_t value_step, int n, int k, float* to) {
    if (value_step == 1)
        return pack_units(reinterpret_cast<const std::uint32_t*>(from), column_step, n, k,
                          reinterpret_cast<std::uint32_t*>(to));
    for (int p = 0; p * k_panel < n; ++p) {
        float* panel = to + static_cast<std::ptrdiff_t>(p) * k_panel * k;
        const int width = n - p * k_panel < k_panel ? n - p * k_panel : k_panel;
        const float* values = from + p * k_panel * column_step;
        for (int i = 0; i < k; ++i, panel += k_panel, values += value_step)
            for (int j = 0; j < k_panel; ++j)
                panel[j] = j < width ? values[j * column_step] : 0.0f;
    }
}

static void layer_norm(const float* x, int rows, int width, const float* weight, const float* bias, float* out) {
    const int whole = width - width % W;
    for (int row = 0; row < rows; ++row, x += width, out += width) {
        F sum(0.0f);
        for (int i = 0; i < whole; i += W)
            sum = sum + load(x + i);
        float total = sum_of(sum);
        for (int i = whole; i < width; ++i)
            total += x[i];
        const float mean = total / static_cast<float>(width);
        F square(0.0f);
        for (int i = 0; i < whole; i += W) {
            const F d = load(x + i) - F(mean);
            square = fma(d, d, square);
        }
        float squares = sum_of(square);
        for (int i = whole; i < width; ++i)
            squares += (x[i] - mean) * (x[i] - mean);
        const float scale = 1.0f / root_of(squares / static_cast<float>(width) + 1e-5f);
        for (int i = 0; i < whole; i += W)
            store(out + i, fma((load(x + i) - F(mean)) * F(scale), load(weight + i), load(bias + i)));
        for (int i = whole; i < width; ++i)
            out[i] = (x[i] - mean) * scale * weight[i] + bias[i];
    }
}

static void softmax(float* x, int rows, int width, int padded, std::ptrdiff_t step) {
    for (int row = 0; row < rows; ++row, x += step) {
        float highest = x[0];
        int i = 0;
        F most(highest);
        for (; i + W <= width; i += W)
            most = max(most, load(x + i));
        alignas(64) float lanes[W];
        store(lanes, most);
        for (int l = 0; l < W; ++l)
            highest = lanes[l] > highest ? lanes[l] : highest;
        for (; i < width; ++i)
            highest = x[i] > highest ? x[i] : highest;
        F sum(0.0f);
        for (i = 0; i + W <= width; i += W) {
            const F e = exp_of(load(x + i) - F(highest));
            sum = sum + e;
            store(x + i, e);
        }
        float total = sum_of(sum);
        if (i < width) { // the same arithmetic for the rest
            for (int l = 0; l < W; ++l)
                lanes[l] = i + l < width ? x[i + l] - highest : -1000.0f;
            store(lanes, exp_of(load(lanes)));
            for (int l = 0; i + l < width; ++l) {
                x[i + l] = lanes[l];
                total += lanes[l];
            }
        }
        const float scale = 1.0f / total;
        for (i = 0; i + W <= width; i += W)
            store(x + i, load(x + i) * F(scale));
        for (; i < width; ++i)
            x[i] *= scale;
        for (; i < padded; ++i)
            x[i] = 0.0f;
    }
}

static void attend(const float* query, const float* keys, const float* values, int depth, int capacity, int length,
                   float scale, float* scores, float* out) {
    for (int j = 0; j < length;
         j += W) { // the capacity is a multiple of 16: reading past `length` is reading the cache
        F sum(0.0f);
        for (int d = 0; d < depth; ++d)
            sum = fma(F(query[d] * scale), load(keys + static_cast<std::ptrdiff_t>(d) * capacity + j), sum);
        store(scores + j, sum);
    }
    softmax(scores, 1, length, length, 0);
    const int whole = depth - depth % W;
    for (int d = 0; d < whole; d += W) {
        F sum(0.0f);
        for (int j = 0; j < length; ++j)
            sum = fma(F(scores[j]), load(values + static_cast<std::ptrdiff_t>(j) * depth + d), sum);
        store(out + d, sum);
    }
    for (int d = whole; d < depth; ++d) {
        float sum = 0.0f;
        for (int j = 0; j < length; ++j)
            sum += scores[j] * values[static_cast<std::ptrdiff_t>(j) * depth + d];
        out[d] = sum;
    }
}

#include <models/nn/narrow.inl>

inline constexpr Kernels k_table{k_panel,    k_rows,    gemm,      pack,        layer_norm,   softmax,
                                 attend,     mix_int8,  log_sum,   maximum,     to_bf16,      to_int8,
                                 pack_units, gemm_bf16, gemm_int8, k_wide_rows, k_attend_bf16};

} // namespace tutti::models::TUTTI_KERNEL_NAMESPACE
