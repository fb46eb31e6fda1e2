// SPDX-License-Identifier: MIT
// Products with stored weights, dilated rows, and what stands between the products of a block.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include <models/nn/block_kernels.h>
#include <models/nn/stored.h>

using namespace tutti::models;

namespace {

std::vector<float> random_values(std::size_t count, unsigned seed) {
    std::mt19937 random(seed);
    std::vector<float> values(count);
    for (float& x : values)
        x = static_cast<float>(random() % 2000) / 1000.0f - 1.0f;
    return values;
}

// As a file has them: of some type, at an odd address.
std::vector<std::byte> stored(const std::vector<float>& values, Dtype dtype, std::vector<float>& as_kept) {
    std::vector<std::byte> bytes(1 + values.size() * dtype_bytes(dtype));
    as_kept = values;
    for (std::size_t i = 0; i < values.size(); ++i) {
        std::byte* to = bytes.data() + 1 + i * dtype_bytes(dtype);
        if (dtype == Dtype::f32) {
            std::memcpy(to, &values[i], 4);
        } else {
            const std::uint16_t bits = dtype == Dtype::bf16 ? f32_to_bf16(values[i]) : f32_to_f16(values[i]);
            std::memcpy(to, &bits, 2);
            as_kept[i] = dtype == Dtype::bf16 ? bf16_to_f32(bits) : f16_to_f32(bits);
        }
    }
    return bytes;
}

} // namespace

TEST_CASE("a stored product has the bits of a packed one, whatever its type, rows and threads") {
    for (const Dtype dtype : {Dtype::f32, Dtype::bf16, Dtype::f16})
        for (const int n : {1, 16, 100, 300})
            for (const int k : {3, 64, 600})
                for (const int rows : {1, 7, 100, 205}) {
                    std::vector<float> kept;
                    const auto w = random_values(static_cast<std::size_t>(n * k), 1),
                               a = random_values(static_cast<std::size_t>(rows * k), 2),
                               bias = random_values(static_cast<std::size_t>(n), 3);
                    const auto bytes = stored(w, dtype, kept);
                    const StoredLinear linear{bytes.data() + 1, dtype, n, k, bias};
                    std::vector<float> wanted(static_cast<std::size_t>(rows * n)), got(wanted.size()),
                        row(static_cast<std::size_t>(k));
                    Runner one(1);
                    const Linear packed = make_linear(one.kernels(), Compute::fp32, kept.data(), bias, n, k);
                    one.multiply(a.data(), k, rows, packed, wanted.data(), n);
                    for (const int threads : {1, 2, 3}) {
                        Runner runner(threads);
                        std::fill(got.begin(), got.end(), -7.0f);
                        multiply_stored(runner, a.data(), k, rows, linear, got.data(), n);
                        CHECK(std::memcmp(got.data(), wanted.data(), got.size() * sizeof(float)) == 0);
                    }
                    stored_row(linear, n - 1, row.data());
                    CHECK(std::memcmp(row.data(), kept.data() + (n - 1) * k, row.size() * sizeof(float)) == 0);
                }
}

TEST_CASE("scaled sums and gated products agree with double precision") {
    const int n = 70, hidden = 150, k = 600, rows = 101;
    const auto a = random_values(static_cast<std::size_t>(rows * k), 1),
               w = random_values(static_cast<std::size_t>(hidden * k), 2),
               v = random_values(static_cast<std::size_t>(hidden * k), 3),
               scale = random_values(static_cast<std::size_t>(n), 4);
    const auto before = random_values(static_cast<std::size_t>(rows * n), 5);
    const auto dot = [&](int row, const std::vector<float>& of, int column) {
        double sum = 0.0;
        for (int i = 0; i < k; ++i)
            sum += static_cast<double>(a[static_cast<std::size_t>(row * k + i)]) *
                   of[static_cast<std::size_t>(column * k + i)];
        return sum;
    };
    Runner runner(2);
    const StoredLinear first{reinterpret_cast<const std::byte*>(w.data()), Dtype::f32, n, k, {}};
    auto c = before;
    multiply_stored(runner, a.data(), k, rows, first, c.data(), n, Epilogue::scaled_add, scale.data());
    double worst = 0.0;
    for (int r = 0; r < rows; ++r)
        for (int j = 0; j < n; ++j) {
            const auto at = static_cast<std::size_t>(r * n + j);
            worst = std::max(worst, std::abs(before[at] + scale[static_cast<std::size_t>(j)] * dot(r, w, j) - c[at]));
        }
    CHECK(worst < 3e-5);
    const StoredLinear gate{reinterpret_cast<const std::byte*>(w.data()), Dtype::f32, hidden, k, {}},
        up{reinterpret_cast<const std::byte*>(v.data()), Dtype::f32, hidden, k, {}};
    std::vector<float> gated(static_cast<std::size_t>(rows * hidden));
    multiply_gated(runner, a.data(), k, rows, gate, up, gated.data(), hidden);
    worst = 0.0;
    double largest = 0.0;
    for (int r = 0; r < rows; ++r)
        for (int j = 0; j < hidden; ++j) {
            const double x = dot(r, w, j), wanted = x / (1.0 + std::exp(-x)) * dot(r, v, j);
            largest = std::max(largest, std::abs(wanted));
            worst = std::max(worst, std::abs(wanted - gated[static_cast<std::size_t>(r * hidden + j)]));
        }
    CHECK(worst < 1e-6 * largest);
}

TEST_CASE("rows in segments are a dilated convolution, with prelu at its end") {
    const Kernels& k = kernels();
    for (const int in : {3, 16, 64, 200})
        for (const int dilation : {1, 3, 9}) {
            const int taps = 7, rows = 50, out = 40;
            const auto x = random_values(static_cast<std::size_t>((rows + 6 * dilation) * in), 1),
                       w = random_values(static_cast<std::size_t>(out * taps * in), 2),
                       bias = random_values(static_cast<std::size_t>(out), 3);
            const Linear packed = make_linear(k, Compute::fp32, w.data(), bias, out, taps * in);
            std::vector<float> y(static_cast<std::size_t>(rows * out));
            Gemm g{x.data(),       in, packed.packed.as<float>(), taps * in, out, packed.bias.data(), y.data(), out,
                   Epilogue::prelu};
            g.segment = in;
            g.segment_step = static_cast<std::ptrdiff_t>(dilation) * in;
            g.slope = 0.25f;
            k.gemm(g, 0, rows, 0, packed.columns / k.panel);
            double worst = 0.0;
            for (int r = 0; r < rows; ++r)
                for (int o = 0; o < out; ++o) {
                    double sum = bias[static_cast<std::size_t>(o)];
                    for (int t = 0; t < taps; ++t)
                        for (int i = 0; i < in; ++i)
                            sum += static_cast<double>(x[static_cast<std::size_t>((r + t * dilation) * in + i)]) *
                                   w[static_cast<std::size_t>((o * taps + t) * in + i)];
                    worst = std::max(
                        worst, std::abs((sum > 0.0 ? sum : 0.25 * sum) - y[static_cast<std::size_t>(r * out + o)]));
                }
            CHECK(worst < 1e-6 * std::sqrt(taps * in) + 2e-5);
        }
}

TEST_CASE("norms, turned pairs and row sums agree with double precision") {
    const BlockKernels& k = block_kernels();
    for (const int width : {2, 16, 37, 1536}) {
        const auto size = static_cast<std::size_t>(width);
        const auto x = random_values(size, 1), weight = random_values(size, 2), scale = random_values(size, 3),
                   shift = random_values(size, 4);
        std::vector<float> rms(size), normed(size), plain(size);
        k.rms_modulate(x.data(), width, 1, width, weight.data(), scale.data(), shift.data(), rms.data(), width);
        k.norm_modulate(x.data(), width, 1, width, scale.data(), shift.data(), normed.data(), width, plain.data());
        double mean = 0.0, square = 0.0, spread = 0.0, worst = 0.0, dot = 0.0;
        for (const float v : x) {
            mean += v / static_cast<double>(width);
            square += static_cast<double>(v) * v / width;
        }
        for (const float v : x)
            spread += (v - mean) * (v - mean) / width;
        for (std::size_t i = 0; i < size; ++i) {
            const double a = x[i] / std::sqrt(square + 1e-6) * weight[i] * (1.0 + scale[i]) + shift[i],
                         b = (x[i] - mean) / std::sqrt(spread + 1e-6);
            worst = std::max({worst, std::abs(a - rms[i]), std::abs(b - plain[i]),
                              std::abs(b * (1.0 + scale[i]) + shift[i] - normed[i])});
            dot += static_cast<double>(x[i]) * weight[i];
        }
        CHECK(worst < 3e-6);
        float sum = 0.0f;
        k.dot_rows(x.data(), width, 1, weight.data(), width, 0.5f, &sum);
        CHECK(std::abs(sum - dot - 0.5) < 1e-5);
    }
    const float pair[2] = {3.0f, 4.0f}, turn[2] = {0.6f, 0.8f};
    float out[2];
    k.turn_pairs(pair, turn, 2, 2.0f, out);
    CHECK(out[0] == doctest::Approx(2.0 * (3.0 * 0.6 - 4.0 * 0.8)));
    CHECK(out[1] == doctest::Approx(2.0 * (3.0 * 0.8 + 4.0 * 0.6)));
    const float gates[3] = {-200.0f, 0.0f, 200.0f}, ups[3] = {1.0f, 1.0f, 1.0f};
    float gated[3];
    k.silu_multiply(gates, ups, 3, gated);
    CHECK(gated[0] == 0.0f);
    CHECK(gated[1] == 0.0f);
    CHECK(gated[2] == 200.0f);
}
