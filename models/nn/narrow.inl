// SPDX-License-Identifier: MIT
// Products with BF16 and INT8 weights, included by kernels.inl inside its namespace.
// INT8: each row and each column has a scale for every group of its values; a group's products are added as whole numbers,
// exactly, and only then scaled. So bits do not depend on the instruction set's way of adding them.

#if defined(TUTTI_KERNEL_DOT)
// sum += a . b. gcc 12 copies each sum to another register and back round the intrinsic, which halves the speed.
#if defined(__GNUC__)
#define TUTTI_DOT_IN_PLACE(instruction, sum, a, b, intrinsic, type)                                                    \
    __asm__(instruction " %2, %1, %0" : "+v"((sum).data) : "v"(a), "v"((b).data))
#else
#define TUTTI_DOT_IN_PLACE(instruction, sum, a, b, intrinsic, type)                                                    \
    (sum) = intrinsic(sum, reinterpret_cast<type>(a), reinterpret_cast<type>(static_cast<__m512i>(b)))
#endif
inline constexpr bool k_wide_rows = false;
#else
inline constexpr bool k_wide_rows = true;
#endif

static inline I load_units(const std::uint32_t* p) {
    return I::load_unaligned(reinterpret_cast<const std::int32_t*>(p));
}

static inline F to_float(const I& x) {
    return xsimd::to_float(x);
}

// Two BF16 products a lane.
struct Bf16Product {
    using Sum = F;
    static constexpr bool k_scaled = false;
#if defined(TUTTI_KERNEL_DOT)
    using A = std::uint32_t;
    struct B {
        I units;
        explicit B(const std::uint32_t* p) : units(load_units(p)) {}
    };
    static inline void add(Sum* sum, const A* a, const B* b) {
        const __m512i x = _mm512_set1_epi32(static_cast<int>(*a));
        for (int v = 0; v < 2; ++v)
            TUTTI_DOT_IN_PLACE("vdpbf16ps", sum[v], x, b[v].units, _mm512_dpbf16_ps, __m512bh);
    }
    static constexpr int k_values = 1; // A's a unit
#else
    using A = float;
    struct B { // widened in registers
        F low, high;
        explicit B(const std::uint32_t* p) {
            const I units = load_units(p);
            low = float_of_bits(units << 16);
            high = float_of_bits(units & I(static_cast<std::int32_t>(0xffff0000u)));
        }
    };
    static inline void add(Sum* sum, const A* a, const B* b) {
        const F x(a[0]), y(a[1]);
        for (int v = 0; v < 2; ++v)
            sum[v] = fma(y, b[v].high, fma(x, b[v].low, sum[v]));
    }
    static constexpr int k_values = 2;
#endif
};

// Four INT8 products a lane: A's values are offset by 128 and unsigned, B's signed.
struct Int8Product {
    using Sum = I;
    using A = std::uint32_t;
    static constexpr bool k_scaled = true;
    static constexpr int k_values = 1;
#if defined(TUTTI_KERNEL_DOT)
    struct B {
        I units;
        explicit B(const std::uint32_t* p) : units(load_units(p)) {}
    };
    static inline void add(Sum* sum, const A* a, const B* b) {
        const __m512i x = _mm512_set1_epi32(static_cast<int>(*a));
        for (int v = 0; v < 2; ++v)
            TUTTI_DOT_IN_PLACE("vpdpbusd", sum[v], x, b[v].units, _mm512_dpbusd_epi32, __m512i);
    }
#elif defined(__SSE2__) || defined(_M_X64)
    struct B { // bytes 0 and 2, 1 and 3 as 16-bit numbers
        I even, odd;
        explicit B(const std::uint32_t* p) {
            const I units = load_units(p);
#if defined(__AVX512BW__)
            even = I(_mm512_srai_epi16(_mm512_slli_epi16(units, 8), 8));
            odd = I(_mm512_srai_epi16(units, 8));
#elif defined(__AVX2__)
            even = I(_mm256_srai_epi16(_mm256_slli_epi16(units, 8), 8));
            odd = I(_mm256_srai_epi16(units, 8));
#else
            even = I(_mm_srai_epi16(_mm_slli_epi16(units, 8), 8));
            odd = I(_mm_srai_epi16(units, 8));
#endif
        }
    };
    static inline I multiply(const I& a, const I& b) {
#if defined(__AVX512BW__)
        return I(_mm512_madd_epi16(a, b));
#elif defined(__AVX2__)
        return I(_mm256_madd_epi16(a, b));
#else
        return I(_mm_madd_epi16(a, b));
#endif
    }
    static inline void add(Sum* sum, const A* a, const B* b) {
        const I x(static_cast<std::int32_t>(*a & 0x00ff00ffu)), y(static_cast<std::int32_t>(*a >> 8 & 0x00ff00ffu));
        for (int v = 0; v < 2; ++v)
            sum[v] = sum[v] + multiply(x, b[v].even) + multiply(y, b[v].odd);
    }
#else
    struct B {
        I bytes[4];
        explicit B(const std::uint32_t* p) {
            const I units = load_units(p);
            for (int i = 0; i < 4; ++i)
                bytes[i] = (units << (24 - 8 * i)) >> 24;
        }
    };
    static inline void add(Sum* sum, const A* a, const B* b) {
        for (int i = 0; i < 4; ++i)
            for (int v = 0; v < 2; ++v)
                sum[v] = sum[v] + I(static_cast<std::int32_t>(*a >> (8 * i) & 255u)) * b[v].bytes[i];
    }
#endif
};

template <class P, int R>
static inline void narrow_tile(const NarrowGemm& g, int row, int panel, int u0, int u1, bool last) {
    typename P::Sum sum[R][2];
    TUTTI_UNROLL
    for (int r = 0; r < R; ++r)
        sum[r][0] = sum[r][1] = typename P::Sum(0);
    const auto* a =
        static_cast<const typename P::A*>(g.a) + row * g.a_step + static_cast<std::ptrdiff_t>(u0) * P::k_values;
    const std::uint32_t* b = g.b + (static_cast<std::ptrdiff_t>(panel) * g.units + u0) * k_panel;
    for (int u = u0; u < u1; ++u, a += P::k_values, b += k_panel) {
        const typename P::B both[2] = {typename P::B(b), typename P::B(b + W)};
        TUTTI_UNROLL
        for (int r = 0; r < R; ++r)
            P::add(sum[r], a + r * g.a_step, both);
    }
    const int column = panel * k_panel;
    const int width = g.n - column < k_panel ? g.n - column : k_panel;
    const bool first = u0 == 0;
    const int at = u0 / g.group;
    const int groups = (g.units + g.group - 1) / g.group;
    alignas(64) float bias[k_panel];
    alignas(64) float edge[k_panel];
    for (int i = 0; i < k_panel; ++i)
        bias[i] = g.bias && i < width ? g.bias[column + i] : 0.0f;
    TUTTI_UNROLL
    for (int r = 0; r < R; ++r) {
        float* c = g.c + (row + r) * g.c_step + column;
        const bool whole = width == k_panel;
        if (!whole)
            for (int i = 0; i < k_panel; ++i)
                edge[i] = i < width ? c[i] : 0.0f;
        const float* old = whole ? c : edge;
        for (int v = 0; v < 2; ++v) {
            F x;
            if constexpr (P::k_scaled) {
                const std::ptrdiff_t scale = static_cast<std::ptrdiff_t>(at) * g.columns + column + v * W;
                const I whole_sum = sum[r][v] - I::load_unaligned(g.b_sums + scale);
                x = to_float(whole_sum) *
                    (load(g.b_scales + scale) * F(g.a_scales[static_cast<std::ptrdiff_t>(row + r) * groups + at]));
            } else {
                x = sum[r][v];
            }
            if (!first || g.epilogue == Epilogue::add) x = load(old + v * W) + x;
            if (first) x = x + load(bias + v * W);
            if (last && g.epilogue == Epilogue::gelu) x = gelu_of(x);
            store(whole ? c + v * W : edge + v * W, x);
        }
        if (!whole)
            for (int i = 0; i < width; ++i)
                c[i] = edge[i];
    }
}

template <class P>
static inline void narrow_gemm(const NarrowGemm& g, int m0, int m1, int p0, int p1) {
    for (int u0 = 0; u0 < g.units; u0 += g.group) {
        const int u1 = g.units - u0 < g.group ? g.units : u0 + g.group;
        const bool last = u1 == g.units;
        for (int mb = m0; mb < m1; mb += k_row_block) {
            const int me = m1 - mb < k_row_block ? m1 : mb + k_row_block;
            for (int p = p0; p < p1; ++p) {
                int m = mb;
                for (; m + k_rows <= me; m += k_rows)
                    narrow_tile<P, k_rows>(g, m, p, u0, u1, last);
                for (; m + 4 <= me; m += 4)
                    narrow_tile<P, 4>(g, m, p, u0, u1, last);
                for (; m < me; ++m)
                    narrow_tile<P, 1>(g, m, p, u0, u1, last);
            }
        }
    }
}
static void gemm_bf16(const NarrowGemm& g, int m0, int m1, int p0, int p1) {
    narrow_gemm<Bf16Product>(g, m0, m1, p0, p1);
}
static void gemm_int8(const NarrowGemm& g, int m0, int m1, int p0, int p1) {
    narrow_gemm<Int8Product>(g, m0, m1, p0, p1);
}

static inline std::uint32_t bf16_bits(float x) { // the high half is the rounded value
    std::uint32_t bits;
    TUTTI_COPY_BITS(bits, x);
    return bits + 0x7fffu + (bits >> 16 & 1u);
}
static void to_bf16(const float* x, std::ptrdiff_t step, int rows, int k, int units, std::uint16_t* out) {
    for (int r = 0; r < rows; ++r, x += step, out += 2 * units) {
        for (int i = 0; i < k; ++i)
            out[i] = static_cast<std::uint16_t>(bf16_bits(x[i]) >> 16);
        for (int i = k; i < 2 * units; ++i)
            out[i] = 0;
    }
}

static float maximum(const float* x, int n) {
    F most(x[0]);
    int i = 0;
    for (; i + W <= n; i += W)
        most = max(most, load(x + i));
    alignas(64) float lanes[W];
    store(lanes, most);
    float highest = lanes[0];
    for (int l = 1; l < W; ++l)
        highest = lanes[l] > highest ? lanes[l] : highest;
    for (; i < n; ++i)
        highest = x[i] > highest ? x[i] : highest;
    return highest;
}

static void to_int8(const float* x, std::ptrdiff_t step, int rows, int k, int units, int group, std::uint8_t* out,
                    float* scales) {
    for (int r = 0; r < rows; ++r, x += step, out += 4 * units)
        for (int begin = 0; begin < 4 * units; begin += 4 * group) {
            const int stop = begin + 4 * group < 4 * units ? begin + 4 * group : 4 * units;
            const int end = stop < k ? stop : k;
            F most(0.0f);
            int i = begin;
            for (; i + W <= end; i += W)
                most = max(most, abs_of(load(x + i)));
            alignas(64) float lanes[W];
            store(lanes, most);
            float largest = 0.0f;
            for (int l = 0; l < W; ++l)
                largest = lanes[l] > largest ? lanes[l] : largest;
            for (; i < end; ++i) {
                const float y = x[i] < 0.0f ? -x[i] : x[i];
                largest = y > largest ? y : largest;
            }
            *scales++ = largest / 127.0f;
            const float inverse = largest > 1e-30f ? 127.0f / largest : 0.0f;
            for (i = begin; i < end; ++i) {
                const float shifted = x[i] * inverse + 12582912.0f; // 1.5 2^23 rounds to a whole number
                std::uint32_t bits;
                TUTTI_COPY_BITS(bits, shifted);
                out[i] = static_cast<std::uint8_t>(bits - 0x4b400000u + 128u);
            }
            for (; i < stop; ++i)
                out[i] = 128;
        }
}

static void mix_int8(const float* weights, std::ptrdiff_t weights_step, int rows, const std::int8_t* values,
                     int positions, int depth, float* out, std::ptrdiff_t out_step) {
    for (int r = 0; r < rows; ++r) {
        const float* w = weights + r * weights_step;
        float* to = out + r * out_step;
        int d = 0;
#if defined(__AVX512F__)
        for (; d + 4 * W <= depth; d += 4 * W) { // two sums a vector hide the latency of the fused multiply-add
            F sum[2][4];
            for (auto& half : sum)
                for (F& s : half)
                    s = F(0.0f);
            for (int j = 0; j + 2 <= positions; j += 2)
                for (int h = 0; h < 2; ++h) {
                    const std::int8_t* from = values + static_cast<std::ptrdiff_t>(j + h) * depth + d;
                    const F x(w[j + h]);
                    for (int v = 0; v < 4; ++v) {
                        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + v * W));
                        sum[h][v] = fma(x, F(_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes))), sum[h][v]);
                    }
                }
            if (positions % 2 != 0)
                for (int v = 0; v < 4; ++v) {
                    const std::int8_t* from = values + static_cast<std::ptrdiff_t>(positions - 1) * depth + d + v * W;
                    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
                    sum[0][v] = fma(F(w[positions - 1]), F(_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes))), sum[0][v]);
                }
            for (int v = 0; v < 4; ++v)
                store(to + d + v * W, sum[0][v] + sum[1][v]);
        }
#endif
        for (int i = d; i < depth; ++i)
            to[i] = 0.0f;
        for (int j = 0; d < depth && j < positions; ++j)
            for (int i = d; i < depth; ++i)
                to[i] += w[j] * static_cast<float>(values[static_cast<std::ptrdiff_t>(j) * depth + i]);
    }
}

static float log_sum(const float* x, int n, float highest, float factor) {
    double total = 0.0;
    alignas(64) float lanes[W];
    int i = 0;
    while (i + W <= n) { // 64 vectors in FP32, then on in double: 51,865 small terms must not be lost
        F sum(0.0f);
        for (int v = 0; v < 64 && i + W <= n; ++v, i += W)
            sum = sum + exp_of((load(x + i) - F(highest)) * F(factor));
        store(lanes, sum);
        for (int l = 0; l < W; ++l)
            total += static_cast<double>(lanes[l]);
    }
    if (i < n) {
        for (int l = 0; l < W; ++l)
            lanes[l] = i + l < n ? (x[i + l] - highest) * factor : -1000.0f;
        store(lanes, exp_of(load(lanes)));
        for (int l = 0; l < W; ++l)
            total += static_cast<double>(lanes[l]);
    }
    return static_cast<float>(std::log(total));
}

#if defined(TUTTI_KERNEL_DOT)
// Scores, softmax and mix of up to some dozens of queries; two passes over the scores, which stay in the second-level cache.
static void attend_bf16(const Bf16Attention& t) {
    const int half = t.depth / 2, pairs = (t.positions + 1) / 2;
    NarrowGemm g;
    g.a = t.query;
    g.a_step = t.query_step / 2;
    g.b = t.keys;
    g.units = g.group = half;
    g.n = t.positions;
    g.c = t.scores;
    g.c_step = t.positions;
    narrow_gemm<Bf16Product>(g, 0, t.rows, 0, (t.positions + k_panel - 1) / k_panel);
    float scales[64];
    for (int r = 0; r < t.rows; ++r) {
        float* x = t.scores + static_cast<std::ptrdiff_t>(r) * t.positions;
        std::uint16_t* to = t.weights + static_cast<std::ptrdiff_t>(r) * 2 * pairs;
        const F highest(maximum(x, t.positions));
        F sum(0.0f), sum2(0.0f);
        const auto one = [&](const F& y, F& s) { // what is added is what is stored: the weights sum to one
            const I bits = bits_of(exp_of(y - highest));
            const I rounded = (bits + I(0x7fff) + ((bits >> 16) & I(1))) & I(static_cast<std::int32_t>(0xffff0000u));
            s = s + float_of_bits(rounded);
            return _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded, 16));
        };
        int i = 0;
        for (; i + 2 * W <= t.positions; i += 2 * W) {
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + i), one(load(x + i), sum));
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + i + W), one(load(x + i + W), sum2));
        }
        for (; i < t.positions; i += W) {
            alignas(64) float lanes[W];
            alignas(64) std::uint16_t parts[W];
            const int width = t.positions - i < W ? t.positions - i : W;
            for (int l = 0; l < W; ++l)
                lanes[l] = l < width ? x[i + l] : -1e30f;
            _mm256_store_si256(reinterpret_cast<__m256i*>(parts), one(load(lanes), sum));
            for (int l = 0; l < width; ++l)
                to[i + l] = parts[l];
        }
        if (t.positions % 2 != 0) to[t.positions] = 0;
        scales[r % 64] = 1.0f / sum_of(sum + sum2);
    }
    g.a = t.weights;
    g.a_step = pairs;
    g.b = t.values;
    g.units = pairs;
    g.group = pairs;
    g.n = t.depth;
    g.c = t.out;
    g.c_step = t.out_step;
    narrow_gemm<Bf16Product>(g, 0, t.rows, 0, (t.depth + k_panel - 1) / k_panel);
    for (int r = 0; r < t.rows; ++r)
        for (int d = 0; d < t.depth; ++d)
            t.out[r * t.out_step + d] *= scales[r];
}
inline constexpr auto k_attend_bf16 = attend_bf16;
#else
inline constexpr void (*k_attend_bf16)(const Bf16Attention&) = nullptr;
#endif
