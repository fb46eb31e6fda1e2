// SPDX-License-Identifier: MIT
// Over 400 lines: one table of functions over the same loads and register tiles.
// The table of nn/rows.h for the instruction set of the including file (lanes.h comes before).
// A tile is N columns by R rows of sums; a step of k takes a block of 2 W values: two vectors of each row of weights and of each
// row of A. Lanes are added in one fixed tree at the end.

#include <cstdint>

#include <models/nn/exponential.inl>
#include <models/nn/rows.h>

namespace tutti::models::TUTTI_KERNEL_NAMESPACE {

inline constexpr int k_block = 2 * W;

#if defined(__GNUC__) && defined(__AVX512F__)
#define TUTTI_IN_REGISTER(x) __asm__("" : "+v"((x).data))
#else
#define TUTTI_IN_REGISTER(x) ((void)0)
#endif

static inline float lanes_sum(const F& x) {
    alignas(64) float lanes[W];
    store(lanes, x);
    for (int half = W / 2; half > 0; half /= 2)
        for (int i = 0; i < half; ++i)
            lanes[i] += lanes[i + half];
    return lanes[0];
}

static inline float rounded(float x) { // to BF16, to nearest even
    std::uint32_t bits;
    TUTTI_COPY_BITS(bits, x);
    bits = (bits + 0x7fffu + (bits >> 16 & 1u)) & 0xffff0000u;
    float out;
    TUTTI_COPY_BITS(out, bits);
    return out;
}
static inline F rounded(const F& x) {
    const I bits = bits_of(x);
    return float_of_bits((bits + I(0x7fff) + ((bits >> 16) & I(1))) & I(static_cast<std::int32_t>(0xffff0000u)));
}

static inline float half_to_float(std::uint16_t h) { // exact; NaN stays NaN
    const std::uint32_t sign = static_cast<std::uint32_t>(h & 0x8000u) << 16, exponent = h >> 10 & 31u;
    std::uint32_t bits;
    if (exponent == 0) {
        const float magnitude = static_cast<float>(h & 0x3ffu) * 5.9604644775390625e-8f;
        TUTTI_COPY_BITS(bits, magnitude);
        bits |= sign;
    } else {
        bits = sign | (exponent == 31 ? 0x7f800000u : (exponent + 112u) << 23) |
               static_cast<std::uint32_t>(h & 0x3ffu) << 13;
    }
    float out;
    TUTTI_COPY_BITS(out, bits);
    return out;
}

static inline I load_pairs(const void* p) {
    return I::load_unaligned(static_cast<const std::int32_t*>(p));
}
// W values in their order.
static inline F widen_bf16(const std::uint16_t* p) {
#if defined(__AVX512F__)
    return F(_mm512_castsi512_ps(
        _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))), 16)));
#elif defined(__AVX2__)
    return F(_mm256_castsi256_ps(
        _mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))), 16)));
#else
    alignas(64) std::int32_t bits[W];
    for (int i = 0; i < W; ++i)
        bits[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(p[i]) << 16);
    return float_of_bits(I::load_aligned(bits));
#endif
}
static inline F widen_f16(const std::uint16_t* p) {
#if defined(__AVX512F__)
    return F(_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))));
#elif defined(__AVX2__)
    return F(_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
#else
    alignas(64) float values[W];
    for (int i = 0; i < W; ++i)
        values[i] = half_to_float(p[i]);
    return load(values);
#endif
}

// One kind of storage: a block of 2 W weights comes in parts, each the factor of one part of a block of a row.
struct WideF32 {
    using Weight = float;
    using Row = float;
    static constexpr int k_parts = 2;
    static inline F weight(const Weight* p, int part) { return load(p + part * W); }
    static inline F row(const Row* p, int part) { return load(p + part * W); }
    static inline F add(const F& sum, const F& a, const F& w) { return fma(a, w, sum); }
};
struct WideF16 {
    using Weight = std::uint16_t;
    using Row = float;
    static constexpr int k_parts = 2;
    static inline F weight(const Weight* p, int part) { return widen_f16(p + part * W); }
    static inline F row(const Row* p, int part) { return load(p + part * W); }
    static inline F add(const F& sum, const F& a, const F& w) { return fma(a, w, sum); }
};
struct WideBf16 { // even values, then odd ones: a shift and a mask widen them
    using Weight = std::uint16_t;
    using Row = float;
    static constexpr int k_parts = 2;
    static inline F weight(const Weight* p, int part) {
        const I pairs = load_pairs(p);
        return float_of_bits(part == 0 ? pairs << 16 : pairs & I(static_cast<std::int32_t>(0xffff0000u)));
    }
    static inline F row(const Row* p, int part) { return load(p + part * W); }
    static inline F add(const F& sum, const F& a, const F& w) { return fma(a, w, sum); }
};
#if defined(TUTTI_KERNEL_DOT)
struct PairsBf16 {
    using Weight = std::uint16_t;
    using Row = std::uint16_t;
    static constexpr int k_parts = 1;
    static inline I weight(const Weight* p, int) { return load_pairs(p); }
    static inline I row(const Row* p, int) { return load_pairs(p); }
    static inline F add(const F& sum, const I& a, const I& w) {
        F next = sum;
#if defined(__GNUC__)
        __asm__("vdpbf16ps %2, %1, %0" : "+v"(next.data) : "v"(a.data), "v"(w.data));
#else
        next = F(_mm512_dpbf16_ps(next, reinterpret_cast<__m512bh>(static_cast<__m512i>(a)),
                                  reinterpret_cast<__m512bh>(static_cast<__m512i>(w))));
#endif
        return next;
    }
};
#else
using PairsBf16 = WideBf16; // rounded rows, widened
#endif

static void arrange(const float* x, std::ptrdiff_t step, int rows, int k, RowKind kind, void* to,
                    std::ptrdiff_t to_step) {
    const int whole = (k + k_block - 1) / k_block * k_block;
#if defined(TUTTI_KERNEL_DOT)
    if (kind == RowKind::bf16_pairs) {
        for (int r = 0; r < rows; ++r, x += step) {
            auto* out = reinterpret_cast<std::uint16_t*>(static_cast<char*>(to) + r * to_step);
            for (int i = 0; i < k; ++i) {
                std::uint32_t bits;
                TUTTI_COPY_BITS(bits, x[i]);
                out[i] = static_cast<std::uint16_t>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
            }
            for (int i = k; i < whole; ++i)
                out[i] = 0;
        }
        return;
    }
#endif
    const bool pairs = kind == RowKind::bf16 || kind == RowKind::bf16_pairs, round = kind == RowKind::bf16_pairs;
    for (int r = 0; r < rows; ++r, x += step) {
        auto* out = reinterpret_cast<float*>(static_cast<char*>(to) + r * to_step);
        for (int i = 0; i < whole; i += k_block)
            for (int j = 0; j < k_block; ++j) {
                const int from = i + (!pairs ? j : j < W ? 2 * j : 2 * (j - W) + 1);
                const float value = from < k ? x[from] : 0.0f;
                out[i + j] = round ? rounded(value) : value;
            }
    }
}

static inline void finish(float* c, float sum, RowEpilogue epilogue) {
    switch (epilogue) {
    case RowEpilogue::store:
        *c = sum;
        break;
    case RowEpilogue::add:
        *c = *c + sum;
        break;
    case RowEpilogue::round:
        *c = rounded(sum);
        break;
    case RowEpilogue::add_rounded:
        *c = rounded(*c + rounded(sum));
        break;
    }
}

template <class P, int N, int R>
static inline void row_tile(const RowProduct& p, int n, int r) {
    using Weight = typename P::Weight;
    using Row = typename P::Row;
    F sum[N][R];
    TUTTI_UNROLL
    for (int i = 0; i < N; ++i)
        TUTTI_UNROLL
    for (int j = 0; j < R; ++j)
        sum[i][j] = F(0.0f);
    const int whole = p.k / k_block * k_block;
    const Weight* w = static_cast<const Weight*>(p.weights) + static_cast<std::ptrdiff_t>(n) * p.k;
    const char* a = static_cast<const char*>(p.a) + r * p.a_step;
    const auto row = [&](int j) { return reinterpret_cast<const Row*>(a + j * p.a_step); };
    for (int k = 0; k < whole; k += k_block) {
        TUTTI_UNROLL
        for (int i = 0; i < N; ++i)
            TUTTI_PREFETCH(w + static_cast<std::ptrdiff_t>(N + i) * p.k + k); // the next tile's
        TUTTI_UNROLL
        for (int part = 0; part < P::k_parts; ++part) {
            decltype(P::weight(w, 0)) weights[N]; // widened once for all rows
            TUTTI_UNROLL
            for (int i = 0; i < N; ++i)
                weights[i] = P::weight(w + static_cast<std::ptrdiff_t>(i) * p.k + k, part);
            TUTTI_UNROLL
            for (int j = 0; j < R; ++j) {
                auto x = P::row(row(j) + k, part);
                TUTTI_IN_REGISTER(x); // read once for all columns: gcc reads it again for each
                TUTTI_UNROLL
                for (int i = 0; i < N; ++i)
                    sum[i][j] = P::add(sum[i][j], x, weights[i]);
            }
        }
    }
    if (whole < p.k) // the rest of the row, filled up with zeros: nothing beyond the weights is read
        for (int i = 0; i < N; ++i) {
            alignas(64) Weight rest[k_block] = {};
            for (int k = whole; k < p.k; ++k)
                rest[k - whole] = w[static_cast<std::ptrdiff_t>(i) * p.k + k];
            for (int part = 0; part < P::k_parts; ++part)
                for (int j = 0; j < R; ++j)
                    sum[i][j] = P::add(sum[i][j], P::row(row(j) + whole, part), P::weight(rest, part));
        }
    for (int j = 0; j < R; ++j) {
        float* c = p.c + (r + j) * p.c_step + n;
        for (int i = 0; i < N; ++i)
            finish(c + i, lanes_sum(sum[i][j]), p.epilogue);
    }
}

template <class P, int N, int R>
static inline void row_columns(const RowProduct& p, int n0, int n1, int r) {
    int n = n0;
    for (; n + N <= n1; n += N)
        row_tile<P, N, R>(p, n, r);
    for (; n < n1; ++n)
        row_tile<P, 1, R>(p, n, r);
}

template <class P>
static void row_dot(const RowProduct& p, int n0, int n1) {
    int r = 0;
#if defined(__AVX512F__)
    for (; r + 8 <= p.rows; r += 8)
        row_columns<P, 3, 8>(p, n0, n1, r); // 24 sums, 3 of W, 1 of A: 28 of 32 registers
    for (; r + 4 <= p.rows; r += 4)
        row_columns<P, 4, 4>(p, n0, n1, r);
#else
    for (; r + 4 <= p.rows; r += 4)
        row_columns<P, 3, 4>(p, n0, n1, r); // 12 sums, 3 of W, 1 of A
#endif
    for (; r + 2 <= p.rows; r += 2)
        row_columns<P, 4, 2>(p, n0, n1, r);
    for (; r < p.rows; ++r)
        row_columns<P, 4, 1>(p, n0, n1, r);
}

static void dot(const RowProduct& p, int n0, int n1) {
    switch (p.kind) {
    case RowKind::f32:
        return row_dot<WideF32>(p, n0, n1);
    case RowKind::bf16:
        return row_dot<WideBf16>(p, n0, n1);
    case RowKind::f16:
        return row_dot<WideF16>(p, n0, n1);
    case RowKind::bf16_pairs:
        return row_dot<PairsBf16>(p, n0, n1);
    }
}

static inline F widened(const float* p) {
    return load(p);
}

// Eight rows of W at a time go into the sums in C, so that W is read as it lies and C seldom.
template <class Weight, F (*widen_vector)(const Weight*), int R, int V>
static inline void column_tile(const ColumnProduct& p, int k0, int k1, int column, int width, int r) {
    F sum[R][V];
    alignas(64) float edge[R][V * W];
    const bool whole = width == V * W;
    TUTTI_UNROLL
    for (int j = 0; j < R; ++j) {
        const float* c = p.c + (r + j) * p.c_step + column;
        if (!whole)
            for (int i = 0; i < V * W; ++i)
                edge[j][i] = k0 > 0 && i < width ? c[i] : 0.0f;
        TUTTI_UNROLL
        for (int v = 0; v < V; ++v)
            sum[j][v] = k0 == 0 ? F(0.0f) : whole ? load(c + v * W) : load(edge[j] + v * W);
    }
    alignas(64) Weight rest[V * W] = {};
    for (int k = k0; k < k1; ++k) {
        const Weight* w = static_cast<const Weight*>(p.weights) + k * p.w_step + column;
        if (!whole) {
            for (int i = 0; i < width; ++i)
                rest[i] = w[i];
            w = rest;
        }
        TUTTI_UNROLL
        for (int v = 0; v < V; ++v) {
            const F x = widen_vector(w + v * W);
            TUTTI_UNROLL
            for (int j = 0; j < R; ++j)
                sum[j][v] = fma(F(p.a[(r + j) * p.a_step + k]), x, sum[j][v]);
        }
    }
    const bool round = p.round && k1 == p.k;
    TUTTI_UNROLL
    for (int j = 0; j < R; ++j) {
        float* c = p.c + (r + j) * p.c_step + column;
        TUTTI_UNROLL
        for (int v = 0; v < V; ++v)
            store(whole ? c + v * W : edge[j] + v * W, round ? rounded(sum[j][v]) : sum[j][v]);
        if (!whole)
            for (int i = 0; i < width; ++i)
                c[i] = edge[j][i];
    }
}

template <class Weight, F (*widen_vector)(const Weight*), int R, int V>
static inline void columns_of(const ColumnProduct& p, int k0, int k1, int c0, int c1, int r) {
    for (int c = c0; c < c1; c += V * W)
        column_tile<Weight, widen_vector, R, V>(p, k0, k1, c, c1 - c < V * W ? c1 - c : V * W, r);
}

template <class Weight, F (*widen_vector)(const Weight*)>
static void column_mix(const ColumnProduct& p, int c0, int c1) {
    for (int k0 = 0; k0 < p.k; k0 += 8) {
        const int k1 = p.k - k0 < 8 ? p.k : k0 + 8;
        int r = 0;
        for (; r + 8 <= p.rows; r += 8)
            columns_of<Weight, widen_vector, 8, 1>(p, k0, k1, c0, c1, r);
        for (; r + 2 <= p.rows; r += 2)
            columns_of<Weight, widen_vector, 2, 4>(p, k0, k1, c0, c1, r);
        for (; r < p.rows; ++r)
            columns_of<Weight, widen_vector, 1, 4>(p, k0, k1, c0, c1, r);
    }
}

static void mix(const ColumnProduct& p, int c0, int c1) {
    switch (p.kind) {
    case RowKind::f32:
        return column_mix<float, widened>(p, c0, c1);
    case RowKind::f16:
        return column_mix<std::uint16_t, widen_f16>(p, c0, c1);
    case RowKind::bf16:
    case RowKind::bf16_pairs:
        return column_mix<std::uint16_t, widen_bf16>(p, c0, c1);
    }
}

// Scores of 16 positions, depth after depth.
template <int G>
static inline void scores_of(const GroupAttention& t, const float* keys, int g, int at, std::ptrdiff_t step) {
    constexpr int k_vectors = 16 / W;
    F sum[G][k_vectors];
    TUTTI_UNROLL
    for (int i = 0; i < G; ++i)
        for (int v = 0; v < k_vectors; ++v)
            sum[i][v] = F(0.0f);
    for (int d = 0; d < t.depth; ++d)
        for (int v = 0; v < k_vectors; ++v) {
            const F key = load(keys + d * 16 + v * W);
            TUTTI_UNROLL
            for (int i = 0; i < G; ++i)
                sum[i][v] = fma(F(t.query[(g + i) * t.depth + d]), key, sum[i][v]);
        }
    for (int i = 0; i < G; ++i)
        for (int v = 0; v < k_vectors; ++v)
            store(t.scores + (g + i) * step + at + v * W, sum[i][v] * F(t.scale));
}

template <int G, int V>
static inline void values_of(const GroupAttention& t, int g, int d, std::ptrdiff_t step) {
    F sum[G][V];
    TUTTI_UNROLL
    for (int i = 0; i < G; ++i)
        for (int v = 0; v < V; ++v)
            sum[i][v] = F(0.0f);
    for (int j = 0; j < t.length; ++j)
        for (int v = 0; v < V; ++v) {
            const F value = load(t.values + static_cast<std::ptrdiff_t>(j) * t.depth + d + v * W);
            TUTTI_UNROLL
            for (int i = 0; i < G; ++i)
                sum[i][v] = fma(F(t.scores[(g + i) * step + j]), value, sum[i][v]);
        }
    for (int i = 0; i < G; ++i)
        for (int v = 0; v < V; ++v)
            store(t.out + (g + i) * t.depth + d + v * W, sum[i][v]);
}

// e^(x - highest) over their sum; the last vector is filled up with what gives 0.
static inline void softmax_of(float* x, int length) {
    const int whole = (length + W - 1) / W * W;
    for (int i = length; i < whole; ++i)
        x[i] = -3e38f;
    F most = load(x);
    for (int i = W; i < whole; i += W)
        most = max(most, load(x + i));
    alignas(64) float lanes[W];
    store(lanes, most);
    float highest = lanes[0];
    for (int i = 1; i < W; ++i)
        highest = lanes[i] > highest ? lanes[i] : highest;
    F sum(0.0f);
    for (int i = 0; i < whole; i += W) {
        const F e = exp_of(load(x + i) - F(highest));
        sum = sum + e;
        store(x + i, e);
    }
    const F scale(1.0f / lanes_sum(sum));
    for (int i = 0; i < whole; i += W)
        store(x + i, load(x + i) * scale);
}

template <int G>
static inline void attend_group(const GroupAttention& t, int g) {
    const std::ptrdiff_t step = (t.length + 15) / 16 * 16;
    for (int at = 0; at < t.length; at += 16)
        scores_of<G>(t, t.keys + static_cast<std::ptrdiff_t>(at) * t.depth, g, at, step);
    for (int i = 0; i < G; ++i)
        softmax_of(t.scores + (g + i) * step, t.length);
    int d = 0;
    for (; d + 4 * W <= t.depth; d += 4 * W)
        values_of<G, 4>(t, g, d, step);
    for (; d + W <= t.depth; d += W)
        values_of<G, 1>(t, g, d, step);
    for (; d < t.depth; ++d)
        for (int i = 0; i < G; ++i) {
            float sum = 0.0f;
            for (int j = 0; j < t.length; ++j)
                sum += t.scores[(g + i) * step + j] * t.values[static_cast<std::ptrdiff_t>(j) * t.depth + d];
            t.out[(g + i) * t.depth + d] = sum;
        }
}

static void attend_shared(const GroupAttention& t) {
    int g = 0;
    for (; g + 4 <= t.group; g += 4)
        attend_group<4>(t, g);
    if (t.group - g == 3) return attend_group<3>(t, g);
    if (t.group - g == 2) return attend_group<2>(t, g);
    if (t.group - g == 1) attend_group<1>(t, g);
}

static void rms_norm(const float* x, int width, const float* weight, float eps, bool round, float* out) {
    const int whole = width / W * W;
    F sum(0.0f);
    for (int i = 0; i < whole; i += W)
        sum = fma(load(x + i), load(x + i), sum);
    float squares = lanes_sum(sum);
    for (int i = whole; i < width; ++i)
        squares += x[i] * x[i];
    const float scale = 1.0f / root_of(squares / static_cast<float>(width) + eps);
    for (int i = 0; i < whole; i += W) {
        const F y = load(x + i) * F(scale);
        store(out + i, round ? rounded(rounded(y) * load(weight + i)) : y * load(weight + i));
    }
    for (int i = whole; i < width; ++i) {
        const float y = x[i] * scale;
        out[i] = round ? rounded(rounded(y) * weight[i]) : y * weight[i];
    }
}

static inline F silu_of(const F& x, bool round) { // x / (1 + e^-x), by e^-|x| so that nothing overflows
    const F e = exp_of(F(0.0f) - abs_of(x));
    const F y = x * xsimd::select(x < F(0.0f), e, F(1.0f)) / (F(1.0f) + e);
    return round ? rounded(y) : y;
}
static void silu_multiply(float* gate, const float* up, int n, bool round) {
    int i = 0;
    for (; i + W <= n; i += W) {
        const F y = silu_of(load(gate + i), round) * load(up + i);
        store(gate + i, round ? rounded(y) : y);
    }
    if (i == n) return;
    alignas(64) float rest[W] = {};
    for (int j = i; j < n; ++j)
        rest[j - i] = gate[j];
    store(rest, silu_of(load(rest), round));
    for (int j = i; j < n; ++j)
        gate[j] = round ? rounded(rest[j - i] * up[j]) : rest[j - i] * up[j];
}

static void turn(float* x, int heads, int depth, const float* cosines, const float* sines, bool round) {
    for (int h = 0; h < heads; ++h, x += depth)
        for (int i = 0; i < depth / 2; ++i) {
            const float a = x[2 * i], b = x[2 * i + 1];
            const float c = a * cosines[i] - b * sines[i], d = b * cosines[i] + a * sines[i];
            x[2 * i] = round ? rounded(c) : c;
            x[2 * i + 1] = round ? rounded(d) : d;
        }
}

static void round_bf16(float* x, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i)
        x[i] = rounded(x[i]);
}

static void widen(const void* from, RowKind kind, std::size_t n, float* to) {
    for (std::size_t i = 0; i < n; ++i) {
        if (kind == RowKind::f32) {
            to[i] = static_cast<const float*>(from)[i];
        } else if (kind == RowKind::f16) {
            to[i] = half_to_float(static_cast<const std::uint16_t*>(from)[i]);
        } else {
            const std::uint32_t bits = static_cast<std::uint32_t>(static_cast<const std::uint16_t*>(from)[i]) << 16;
            TUTTI_COPY_BITS(to[i], bits);
        }
    }
}

inline constexpr RowKernels k_row_table{k_block,  arrange,       dot,  mix,        attend_shared,
                                        rms_norm, silu_multiply, turn, round_bf16, widen};

} // namespace tutti::models::TUTTI_KERNEL_NAMESPACE
