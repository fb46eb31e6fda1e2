// SPDX-License-Identifier: MIT
// Products with BF16 and INT8 weights, on the set that TUTTI_ISA names: right within what the numbers can hold, the same bits
// whatever stands beside a row and however many threads share the work, and stopped by a token.
#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include <models/nn/linear.h>

using namespace tutti::models;

namespace {

std::vector<float> random_values(int count, unsigned seed) {
    std::mt19937 random(seed);
    std::vector<float> values(static_cast<std::size_t>(count));
    for (float& x : values)
        x = static_cast<float>(random() % 20001) / 10000.0f - 1.0f;
    return values;
}

const std::vector<Kernels> all_tables() {
    std::vector<Kernels> tables{kernels_base()};
    if (&kernels() != &kernels_base()) tables.push_back(kernels());
    return tables;
}

// The worst error of a product, as a multiple of the root of the sum of squares that each element's terms make.
double worst_error(const std::vector<float>& a, const std::vector<float>& w, const std::vector<float>& c, int m, int n,
                   int k) {
    double worst = 0.0;
    for (int i = 0; i < m; ++i)
        for (int j = 0; j < n; ++j) {
            double sum = 0.0, square = 1e-12;
            for (int d = 0; d < k; ++d) {
                const double x = static_cast<double>(a[static_cast<std::size_t>(i * k + d)]) *
                                 w[static_cast<std::size_t>(j * k + d)];
                sum += x;
                square += x * x;
            }
            square = std::max(square, k / 9.0); // a few small terms by chance: their errors are not small with them
            worst = std::max(worst, std::abs(sum - c[static_cast<std::size_t>(i * n + j)]) / std::sqrt(square));
        }
    return worst;
}

} // namespace

TEST_CASE("narrow products are right, and rows do not depend on their company or on the threads") {
    Runner one(1), three(3);
    MESSAGE(std::string(isa_name(best_isa())), has_dot_products() ? " with dot products" : "");
    for (const Compute compute : {Compute::bf16, Compute::int8})
        for (int m : {1, 3, 13, 200})
            for (int n : {1, 31, 64, 200})
                for (int k : {2, 7, 64, 513, 1100}) {
                    const auto a = random_values(m * k, 1), w = random_values(n * k, 2);
                    const Linear linear = make_linear(one.kernels(), compute, w.data(), {}, n, k);
                    std::vector<float> c(static_cast<std::size_t>(m * n)), other = c;
                    one.multiply(a.data(), k, m, linear, c.data(), n);
                    CAPTURE(static_cast<int>(compute));
                    CAPTURE(m);
                    CAPTURE(n);
                    CAPTURE(k);
                    // BF16 rounds both factors by 2^-9, INT8 by 1/254 of the largest (here 1, the mean square being 1/3): of
                    // one term at most 2^-8 or 1.2 %, times five standard deviations of a few hundred thousand sums.
                    CHECK(worst_error(a, w, c, m, n, k) < (compute == Compute::bf16 ? 0.02 : 0.06));
                    three.multiply(a.data(), k, m, linear, other.data(), n);
                    CHECK(std::memcmp(c.data(), other.data(), c.size() * 4) == 0);
                    for (int i = 0; i < m; ++i) {
                        std::vector<float> row(static_cast<std::size_t>(n));
                        one.multiply(a.data() + i * k, k, 1, linear, row.data(), n);
                        REQUIRE(std::memcmp(row.data(), c.data() + i * n, row.size() * 4) == 0);
                    }
                    // The rows of weights come back as they were kept.
                    std::vector<float> back(static_cast<std::size_t>(k));
                    linear.row(one.kernels(), n - 1, back.data());
                    for (int d = 0; d < k; ++d)
                        REQUIRE(std::abs(back[static_cast<std::size_t>(d)] -
                                         w[static_cast<std::size_t>((n - 1) * k + d)]) < 0.005);
                }
}

TEST_CASE("INT8 products have the same bits on every instruction set") {
    const int m = 7, n = 45, k = 700;
    const auto a = random_values(m * k, 3), w = random_values(n * k, 4);
    std::vector<std::vector<float>> results;
    for (const Kernels& table : all_tables()) {
        const Linear linear = make_linear(table, Compute::int8, w.data(), {}, n, k);
        std::vector<std::uint8_t> rows(static_cast<std::size_t>(m * linear.units * 4));
        std::vector<float> scales(static_cast<std::size_t>(m * 8)), c(static_cast<std::size_t>(m * n));
        table.to_int8(a.data(), k, m, k, linear.units, linear.group, rows.data(), scales.data());
        NarrowGemm g;
        g.a = rows.data();
        g.a_step = linear.units;
        g.a_scales = scales.data();
        g.b = linear.packed.as<std::uint32_t>();
        g.units = linear.units;
        g.group = linear.group;
        g.b_scales = linear.scales.as<float>();
        g.b_sums = linear.sums.as<std::int32_t>();
        g.columns = linear.columns;
        g.n = n;
        g.c = c.data();
        g.c_step = n;
        table.gemm_int8(g, 0, m, 0, linear.columns / table.panel);
        results.push_back(c);
    }
    for (const auto& result : results)
        CHECK(std::memcmp(result.data(), results[0].data(), result.size() * 4) == 0);
    // The control: a group of another length gives other bits, so the comparison can fail.
    Linear other = linear_shape(kernels(), Compute::int8, n, k);
    CHECK(other.group != other.units);
}

TEST_CASE("attention in BF16 agrees with double precision") {
    const Kernels& k = kernels();
    if (k.wide_rows) return; // FP32 attention there
    const int rows = 13, depth = 64, positions = 1500, half = depth / 2, pairs = positions / 2;
    auto query = random_values(rows * depth, 5), keys = random_values(positions * depth, 6),
         values = random_values(positions * depth, 7);
    for (float& x : query)
        x *= 0.6f; // scores up to some units, as trained heads have
    std::vector<std::uint16_t> q(static_cast<std::size_t>(rows * depth)),
        narrow(static_cast<std::size_t>(positions * depth));
    std::vector<std::uint32_t> packed_keys(static_cast<std::size_t>((positions + k.panel) * half)),
        packed_values(static_cast<std::size_t>(pairs * 64));
    k.to_bf16(query.data(), depth, rows, depth, half, q.data());
    k.to_bf16(keys.data(), depth, positions, depth, half, narrow.data());
    k.pack_units(reinterpret_cast<const std::uint32_t*>(narrow.data()), half, positions, half, packed_keys.data());
    k.to_bf16(values.data(), depth, positions, depth, half, narrow.data());
    for (int p = 0; p < depth / k.panel; ++p)
        for (int u = 0; u < pairs; ++u)
            for (int j = 0; j < k.panel; ++j)
                packed_values[static_cast<std::size_t>((p * pairs + u) * k.panel + j)] =
                    narrow[static_cast<std::size_t>(2 * u * depth + p * k.panel + j)] |
                    static_cast<std::uint32_t>(narrow[static_cast<std::size_t>((2 * u + 1) * depth + p * k.panel + j)])
                        << 16;
    std::vector<float> scores(static_cast<std::size_t>(rows * positions)), out(static_cast<std::size_t>(rows * depth));
    std::vector<std::uint16_t> weights(static_cast<std::size_t>(rows * positions));
    Bf16Attention t;
    t.query = q.data();
    t.query_step = depth;
    t.rows = rows;
    t.depth = depth;
    t.positions = positions;
    t.keys = packed_keys.data();
    t.values = packed_values.data();
    t.scores = scores.data();
    t.weights = weights.data();
    t.out = out.data();
    t.out_step = depth;
    k.attend_bf16(t);
    double worst = 0.0;
    for (int r = 0; r < rows; ++r) {
        std::vector<double> s(static_cast<std::size_t>(positions));
        double sum = 0.0;
        for (int j = 0; j < positions; ++j) {
            double dot = 0.0;
            for (int d = 0; d < depth; ++d)
                dot += static_cast<double>(query[static_cast<std::size_t>(r * depth + d)]) *
                       keys[static_cast<std::size_t>(j * depth + d)];
            sum += s[static_cast<std::size_t>(j)] = std::exp(dot);
        }
        for (int d = 0; d < depth; ++d) {
            double mix = 0.0;
            for (int j = 0; j < positions; ++j)
                mix += s[static_cast<std::size_t>(j)] / sum * values[static_cast<std::size_t>(j * depth + d)];
            worst = std::max(worst, std::abs(mix - out[static_cast<std::size_t>(r * depth + d)]));
        }
    }
    // Values of up to 1 averaged over the few dozen positions that weigh most; scores are off by about 0.01.
    CHECK(worst < 0.01);
}

TEST_CASE("a cancelled token stops a product between its tiles of rows") {
    Runner runner(2);
    const int n = 64, k = 64, m = 5000;
    const auto a = random_values(m * k, 8), w = random_values(n * k, 9);
    const Linear linear = make_linear(runner.kernels(), Compute::int8, w.data(), {}, n, k);
    std::vector<float> c(static_cast<std::size_t>(m * n), -7.0f);
    tutti::CancelToken token;
    runner.set_token(token);
    int pieces = 0;
    runner.team().set_threads(1);
    runner.each(100, 1, [&](int, int, int) {
        if (++pieces == 3) token.cancel();
    });
    CHECK(pieces == 3);
    runner.multiply(a.data(), k, m, linear, c.data(), n);
    CHECK(c.back() == -7.0f); // not reached
    runner.set_token({});
    runner.multiply(a.data(), k, m, linear, c.data(), n);
    CHECK(c.back() != -7.0f);
}

TEST_CASE("log_sum and maximum agree with double precision") {
    for (const Kernels& k : all_tables())
        for (int n : {1, 5, 100, 51865}) {
            auto x = random_values(n, 10);
            for (float& y : x)
                y *= 15.0f;
            double highest = -1e30, sum = 0.0;
            for (float y : x)
                highest = std::max(highest, static_cast<double>(y));
            for (float y : x)
                sum += std::exp(0.5 * (y - highest));
            CHECK(static_cast<double>(k.maximum(x.data(), n)) == highest);
            CHECK(k.log_sum(x.data(), n, static_cast<float>(highest), 0.5f) ==
                  doctest::Approx(std::log(sum)).epsilon(1e-6));
        }
}
