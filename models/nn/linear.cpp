// SPDX-License-Identifier: MIT
#include <models/nn/linear.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace tutti::models {
namespace {

// INT8 values that share a scale: more lose accuracy, fewer cost time.
constexpr int k_int8_group = 128;
// BF16 values that are added before the sum goes to memory: a panel of them stays in the first-level cache.
constexpr int k_bf16_group = 512;
// Rows multiplied between two looks at the token, and products: 4 ms of a fast core.
constexpr int k_rows_at_once = 96;
constexpr double k_products_at_once = 2e8;

int divide_up(int a, int b) {
    return (a + b - 1) / b;
}

// One row of weights as signed bytes, and its scales and sums for each group.
void quantise_row(const float* x, int k, const Linear& w, std::int8_t* out, float* scales, std::int32_t* sums,
                  std::ptrdiff_t step) {
    for (int begin = 0; begin < 4 * w.units; begin += 4 * w.group, scales += step, sums += step) {
        const int stop = std::min(begin + 4 * w.group, 4 * w.units), end = std::min(stop, k);
        // As whole numbers, which are in the same order: a loop over vectors.
        std::uint32_t bits = 0;
        for (int i = begin; i < end; ++i)
            bits = std::max(bits, std::bit_cast<std::uint32_t>(x[i]) & 0x7fffffffu);
        const auto largest = std::bit_cast<float>(bits);
        *scales = largest / 127.0f;
        const float inverse = largest > 1e-30f ? 127.0f / largest : 0.0f;
        std::int32_t sum = 0;
        for (int i = begin; i < end; ++i) {
            // Added to 1.5 x 2^23 the number is rounded to a whole one, which stands in the low bits.
            const auto q = std::bit_cast<std::int32_t>(x[i] * inverse + 12582912.0f) - 0x4b400000;
            out[i] = static_cast<std::int8_t>(q);
            sum += q;
        }
        for (int i = std::max(begin, end); i < stop; ++i)
            out[i] = 0;
        *sums = 128 * sum;
    }
}

} // namespace

Linear linear_shape(const Kernels& kernels, Compute compute, int n, int k) {
    Linear w;
    w.compute = compute;
    w.n = n;
    w.k = k;
    w.columns = divide_up(n, kernels.panel) * kernels.panel;
    const auto columns = static_cast<std::size_t>(w.columns);
    const int per_unit = compute == Compute::fp32 ? 1 : compute == Compute::bf16 ? 2 : 4;
    w.units = divide_up(k, per_unit);
    const int whole = (compute == Compute::int8 ? k_int8_group : k_bf16_group) / per_unit;
    w.group = divide_up(w.units, divide_up(w.units, whole)); // groups of about one length
    w.packed = Buffer(columns * static_cast<std::size_t>(w.units) * 4);
    if (compute == Compute::int8) {
        const auto groups = static_cast<std::size_t>(divide_up(w.units, w.group));
        w.scales = Buffer(groups * columns * sizeof(float));
        w.sums = Buffer(groups * columns * sizeof(std::int32_t));
        std::memset(w.scales.as<float>(), 0, w.scales.bytes());
        std::memset(w.sums.as<float>(), 0, w.sums.bytes());
    }
    return w;
}

void pack_rows(const Kernels& kernels, const float* rows, std::ptrdiff_t step, int first, int count, Linear& to) {
    auto* packed = to.packed.as<std::uint32_t>() + static_cast<std::ptrdiff_t>(first) * to.units;
    if (to.compute == Compute::fp32)
        return kernels.pack_units(reinterpret_cast<const std::uint32_t*>(rows), step, count, to.units, packed);
    // A few panels at a time, so that the narrow rows stay in the cache.
    const int at_once = 2 * kernels.panel;
    Buffer narrow(static_cast<std::size_t>(at_once) * static_cast<std::size_t>(to.units) * 4);
    for (int r = 0; r < count; r += at_once) {
        const int some = std::min(at_once, count - r);
        const float* from = rows + r * step;
        if (to.compute == Compute::bf16) {
            kernels.to_bf16(from, step, some, to.k, to.units, narrow.as<std::uint16_t>());
        } else {
            for (int i = 0; i < some; ++i)
                quantise_row(
                    from + i * step, to.k, to, narrow.as<std::int8_t>() + static_cast<std::ptrdiff_t>(i) * 4 * to.units,
                    to.scales.as<float>() + first + r + i, to.sums.as<std::int32_t>() + first + r + i, to.columns);
        }
        kernels.pack_units(narrow.as<std::uint32_t>(), to.units, some, to.units,
                           packed + static_cast<std::ptrdiff_t>(r) * to.units);
    }
}

Linear make_linear(const Kernels& kernels, Compute compute, const float* rows, std::vector<float> bias, int n, int k) {
    Linear w = linear_shape(kernels, compute, n, k);
    w.bias = std::move(bias);
    pack_rows(kernels, rows, k, 0, n, w);
    return w;
}

void Linear::row(const Kernels& kernels, int index, float* out) const {
    const int panel = index / kernels.panel, lane = index % kernels.panel;
    const auto* from = packed.as<std::uint32_t>() + (static_cast<std::ptrdiff_t>(panel) * units) * kernels.panel + lane;
    for (int i = 0; i < k; ++i) {
        if (compute == Compute::fp32) {
            std::memcpy(out + i, from + static_cast<std::ptrdiff_t>(i) * kernels.panel, 4);
        } else if (compute == Compute::bf16) {
            const std::uint32_t pair = from[static_cast<std::ptrdiff_t>(i / 2) * kernels.panel];
            const std::uint32_t bits = i % 2 == 0 ? pair << 16 : pair & 0xffff0000u;
            std::memcpy(out + i, &bits, 4);
        } else {
            const std::uint32_t four = from[static_cast<std::ptrdiff_t>(i / 4) * kernels.panel];
            const auto q = static_cast<std::int8_t>(four >> (8 * (i % 4)) & 255u);
            out[i] = static_cast<float>(q) *
                     scales.as<float>()[static_cast<std::ptrdiff_t>(i / 4 / group) * columns + index];
        }
    }
}

void Runner::each(int count, int piece, const std::function<void(int, int, int)>& work) {
    m_team.run([&](int part, int parts) {
        const int end = static_cast<int>(static_cast<std::int64_t>(count) * (part + 1) / parts);
        for (int at = static_cast<int>(static_cast<std::int64_t>(count) * part / parts); at < end && !cancelled();
             at += piece)
            work(at, std::min(end, at + piece), part);
    });
}

void Runner::multiply(const float* a, std::ptrdiff_t a_step, int rows, const Linear& w, float* c, std::ptrdiff_t c_step,
                      Epilogue epilogue) {
    const Kernels& k = m_kernels;
    const int panels = w.columns / k.panel;
    const float* bias = w.bias.empty() ? nullptr : w.bias.data();
    const Gemm wide{a, a_step, w.packed.as<float>(), w.k, w.n, bias, c, c_step, epilogue};
    NarrowGemm narrow;
    const bool rows_stay = w.compute == Compute::fp32 || (w.compute == Compute::bf16 && k.wide_rows);
    const int groups = w.compute == Compute::int8 ? divide_up(w.units, w.group) : 0;
    Buffer padded; // widened weights of an odd depth want one more value a row
    if (w.compute != Compute::fp32) {
        narrow.b = w.packed.as<std::uint32_t>();
        narrow.units = w.units;
        narrow.group = w.group;
        narrow.b_scales = w.scales.as<float>();
        narrow.b_sums = w.sums.as<std::int32_t>();
        narrow.columns = w.columns;
        narrow.n = w.n;
        narrow.bias = bias;
        narrow.c = c;
        narrow.c_step = c_step;
        narrow.epilogue = epilogue;
        if (rows_stay && w.k % 2 != 0) {
            padded = Buffer(static_cast<std::size_t>(rows) * static_cast<std::size_t>(w.k + 1) * 4);
            for (int r = 0; r < rows; ++r) {
                std::memcpy(padded.as<float>() + static_cast<std::ptrdiff_t>(r) * (w.k + 1), a + r * a_step,
                            static_cast<std::size_t>(w.k) * 4);
                padded.as<float>()[static_cast<std::ptrdiff_t>(r) * (w.k + 1) + w.k] = 0.0f;
            }
            narrow.a = padded.as<float>();
            narrow.a_step = w.k + 1;
        } else if (rows_stay) {
            narrow.a = a;
            narrow.a_step = a_step;
        } else {
            m_rows.need(static_cast<std::size_t>(rows) * static_cast<std::size_t>(w.units) * 4);
            m_scales.need(static_cast<std::size_t>(rows) * static_cast<std::size_t>(groups + 1) * 4);
            narrow.a = m_rows.as<void>();
            narrow.a_step = w.units;
            narrow.a_scales = m_scales.as<float>();
        }
    }
    const auto convert = [&](int first, int last) {
        if (rows_stay) return;
        const auto units = static_cast<std::ptrdiff_t>(first) * w.units;
        if (w.compute == Compute::bf16)
            k.to_bf16(a + first * a_step, a_step, last - first, w.k, w.units, m_rows.as<std::uint16_t>() + 2 * units);
        else
            k.to_int8(a + first * a_step, a_step, last - first, w.k, w.units, w.group,
                      m_rows.as<std::uint8_t>() + 4 * units,
                      m_scales.as<float>() + static_cast<std::ptrdiff_t>(first) * groups);
    };
    const auto tile = [&](int first, int last, int p0, int p1) {
        if (w.compute == Compute::fp32)
            k.gemm(wide, first, last, p0, p1);
        else if (w.compute == Compute::bf16)
            k.gemm_bf16(narrow, first, last, p0, p1);
        else
            k.gemm_int8(narrow, first, last, p0, p1);
    };
    const int parts = m_team.threads();
    const double work = static_cast<double>(rows) * w.n * w.k;
    if (rows >= 4 * k.rows * parts || (parts == 1 && rows > k_rows_at_once)) {
        each(divide_up(rows, k.rows), k_rows_at_once / k.rows, [&](int first, int last, int) {
            const int m0 = first * k.rows, m1 = std::min(rows, last * k.rows);
            convert(m0, m1);
            const double panel = static_cast<double>(m1 - m0) * w.k * k.panel;
            const int at_once = std::max(4, static_cast<int>(std::min(k_products_at_once / panel, 1e6)));
            for (int p = 0; p < panels && !cancelled(); p += at_once)
                tile(m0, m1, p, std::min(panels, p + at_once));
        });
        return;
    }
    convert(0, rows);
    if (parts == 1 || work < 2e5) return tile(0, rows, 0, panels);
    each(panels, std::max(1, divide_up(panels, 8 * parts)),
         [&](int first, int last, int) { tile(0, rows, first, last); });
}

} // namespace tutti::models
