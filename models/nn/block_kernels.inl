// SPDX-License-Identifier: MIT
// The table of nn/block_kernels.h for the instruction set of the including file (lanes.h comes before).

#include <models/nn/block_kernels.h>
#include <models/nn/exponential.inl>

namespace tutti::models::TUTTI_KERNEL_NAMESPACE {

inline constexpr float k_norm_floor = 1e-6f;

static void rms_modulate(const float* x, std::ptrdiff_t x_step, int rows, int width, const float* weight,
                         const float* scale, const float* shift, float* out, std::ptrdiff_t out_step) {
    const int whole = width - width % W;
    for (int row = 0; row < rows; ++row, x += x_step, out += out_step) {
        F sum(0.0f);
        for (int i = 0; i < whole; i += W) {
            const F v = load(x + i);
            sum = fma(v, v, sum);
        }
        float total = sum_of(sum);
        for (int i = whole; i < width; ++i)
            total += x[i] * x[i];
        const float factor = 1.0f / root_of(total / static_cast<float>(width) + k_norm_floor);
        for (int i = 0; i < whole; i += W)
            store(out + i, fma(load(x + i) * F(factor) * load(weight + i), F(1.0f) + load(scale + i), load(shift + i)));
        for (int i = whole; i < width; ++i)
            out[i] = x[i] * factor * weight[i] * (1.0f + scale[i]) + shift[i];
    }
}

static void norm_modulate(const float* x, std::ptrdiff_t x_step, int rows, int width, const float* scale,
                          const float* shift, float* out, std::ptrdiff_t out_step, float* normed) {
    const int whole = width - width % W;
    for (int row = 0; row < rows; ++row, x += x_step, out += out_step) {
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
        const float factor = 1.0f / root_of(squares / static_cast<float>(width) + k_norm_floor);
        for (int i = 0; i < whole; i += W) {
            const F y = (load(x + i) - F(mean)) * F(factor);
            if (normed) store(normed + i, y);
            store(out + i, fma(y, F(1.0f) + load(scale + i), load(shift + i)));
        }
        for (int i = whole; i < width; ++i) {
            const float y = (x[i] - mean) * factor;
            if (normed) normed[i] = y;
            out[i] = y * (1.0f + scale[i]) + shift[i];
        }
        if (normed) normed += width;
    }
}

static void turn_pairs(const float* x, const float* turns, int width, float factor, float* out) {
    for (int i = 0; i + 2 <= width; i += 2) {
        const float a = x[i] * factor, b = x[i + 1] * factor;
        out[i] = a * turns[i] - b * turns[i + 1];
        out[i + 1] = a * turns[i + 1] + b * turns[i];
    }
}

// x / (1 + e^-x): of e^-|x|, which cannot overflow.
static inline F silu_of(const F& x) {
    const F e = exp_of(F(0.0f) - abs_of(x));
    return (max(x, F(0.0f)) + min(x, F(0.0f)) * e) / (F(1.0f) + e);
}

static void silu_multiply(const float* gate, const float* up, int n, float* out) {
    int i = 0;
    for (; i + W <= n; i += W)
        store(out + i, silu_of(load(gate + i)) * load(up + i));
    if (i >= n) return;
    alignas(64) float lanes[W];
    for (int l = 0; l < W; ++l)
        lanes[l] = i + l < n ? gate[i + l] : 0.0f;
    store(lanes, silu_of(load(lanes)));
    for (int l = 0; i + l < n; ++l)
        out[i + l] = lanes[l] * up[i + l];
}

static void dot_rows(const float* x, std::ptrdiff_t step, int rows, const float* w, int n, float bias, float* out) {
    for (int r = 0; r < rows; ++r, x += step) {
        F sum(0.0f), other(0.0f);
        int i = 0;
        for (; i + 2 * W <= n; i += 2 * W) {
            sum = fma(load(x + i), load(w + i), sum);
            other = fma(load(x + i + W), load(w + i + W), other);
        }
        float total = sum_of(sum + other);
        for (; i < n; ++i)
            total += x[i] * w[i];
        out[r] = total + bias;
    }
}

static void add(const float* a, const float* b, int n, float* out) {
    int i = 0;
    for (; i + W <= n; i += W)
        store(out + i, load(a + i) + load(b + i));
    for (; i < n; ++i)
        out[i] = a[i] + b[i];
}

static inline float widen_f16(unsigned h) {
    const std::uint32_t sign = (h & 0x8000u) << 16, exponent = h >> 10 & 31u, fraction = h & 0x3ffu;
    std::uint32_t bits = sign | (exponent == 31 ? 0x7f800000u : (exponent + 112u) << 23) | fraction << 13;
    if (exponent == 0) { // fraction x 2^-24 is exact
        const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
        TUTTI_COPY_BITS(bits, magnitude);
        bits |= sign;
    }
    float x = 0.0f;
    TUTTI_COPY_BITS(x, bits);
    return x;
}

static void widen(const void* stored, bool bf16, int n, float* out) {
    const auto* bytes = static_cast<const unsigned char*>(stored);
    if (bf16) {
        for (int i = 0; i < n; ++i) {
            const std::uint32_t bits =
                static_cast<std::uint32_t>(bytes[2 * i]) << 16 | static_cast<std::uint32_t>(bytes[2 * i + 1]) << 24;
            TUTTI_COPY_BITS(out[i], bits);
        }
        return;
    }
    int i = 0;
#if defined(__F16C__) && defined(__AVX__)
    for (; i + 8 <= n; i += 8)
        _mm256_storeu_ps(out + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + 2 * i))));
#endif
    for (; i < n; ++i)
        out[i] = widen_f16(bytes[2 * i] | static_cast<unsigned>(bytes[2 * i + 1]) << 8);
}

inline constexpr BlockKernels k_block_table{rms_modulate, norm_modulate, turn_pairs, silu_multiply,
                                            dot_rows,     add,           widen};

} // namespace tutti::models::TUTTI_KERNEL_NAMESPACE
