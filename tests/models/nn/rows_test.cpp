// SPDX-License-Identifier: MIT
// Products with weights as they lie: against double precision, and the same bits whatever is computed beside.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include <models/checkpoint/dtype.h>
#include <models/nn/rows.h>

using namespace tutti::models;

namespace {

struct Weights {
    std::vector<float> wide;         // as they are after storing
    std::vector<std::uint16_t> half; // BF16 or F16
    RowWeights rows;
};

Weights make_weights(RowKind kind, int n, int k, unsigned seed) {
    Weights w;
    std::mt19937 random(seed);
    std::normal_distribution<float> normal(0.0f, 0.1f);
    for (int i = 0; i < n * k; ++i) {
        const float x = normal(random);
        if (kind == RowKind::f32) {
            w.wide.push_back(x);
        } else {
            w.half.push_back(kind == RowKind::f16 ? f32_to_f16(x) : f32_to_bf16(x));
            w.wide.push_back(kind == RowKind::f16 ? f16_to_f32(w.half.back()) : bf16_to_f32(w.half.back()));
        }
    }
    w.rows = {kind == RowKind::f32 ? static_cast<const void*>(w.wide.data()) : w.half.data(), kind, n, k, nullptr};
    return w;
}

std::vector<float> make_rows(int rows, int k, unsigned seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    std::vector<float> x(static_cast<std::size_t>(rows) * static_cast<std::size_t>(k));
    for (float& y : x)
        y = normal(random);
    return x;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

constexpr RowKind k_kinds[] = {RowKind::f32, RowKind::bf16, RowKind::f16, RowKind::bf16_pairs};

} // namespace

TEST_CASE("rows times weights in place are those of double precision") {
    for (const RowKind kind : k_kinds)
        for (const int k : {1, 31, 64, 96, 345})
            for (const int n : {1, 5, 24, 67}) {
                constexpr int rows = 19;
                const Weights w = make_weights(kind, n, k, 3);
                const auto x = make_rows(rows, k, 4);
                std::vector<float> c(static_cast<std::size_t>(rows * n), 0.5f);
                RowRunner runner(2);
                const RowRunner::Item item[] = {{&w.rows, c.data(), n}};
                runner.multiply(x.data(), k, rows, item, RowEpilogue::add);
                // Rows rounded to BF16 lose 2^-9 of each value; FP32 sums 2^-24 a step.
                for (int r = 0; r < rows; ++r)
                    for (int j = 0; j < n; ++j) {
                        double sum = 0.5, size = 0.0;
                        for (int i = 0; i < k; ++i) {
                            float a = x[static_cast<std::size_t>(r * k + i)];
                            if (kind == RowKind::bf16_pairs) a = bf16_to_f32(f32_to_bf16(a));
                            const double product = static_cast<double>(a) *
                                                   static_cast<double>(w.wide[static_cast<std::size_t>(j * k + i)]);
                            sum += product;
                            size += std::abs(product);
                        }
                        CHECK(std::abs(static_cast<double>(c[static_cast<std::size_t>(r * n + j)]) - sum) <=
                              1e-6 * (size + 1.0));
                    }
            }
}

TEST_CASE("a row's bits do not depend on the rows beside it, nor on the threads") {
    for (const RowKind kind : k_kinds) {
        constexpr int rows = 21, n = 131, k = 200;
        const Weights w = make_weights(kind, n, k, 5);
        const auto x = make_rows(rows, k, 6);
        std::vector<float> together(rows * n), alone(rows * n);
        RowRunner runner(3), single(1);
        const RowRunner::Item item[] = {{&w.rows, together.data(), n}};
        runner.multiply(x.data(), k, rows, item);
        for (int r = 0; r < rows; ++r) {
            const RowRunner::Item own[] = {{&w.rows, alone.data() + r * n, n}};
            single.multiply(x.data() + r * k, k, 1, own);
        }
        CHECK(same_bits(together, alone));
        for (const int some : {2, 3, 4, 5, 7, 8, 9, 12}) {
            std::vector<float> part(static_cast<std::size_t>(some * n));
            const RowRunner::Item own[] = {{&w.rows, part.data(), n}};
            runner.multiply(x.data() + k, k, some, own);
            CHECK(std::memcmp(part.data(), alone.data() + n, part.size() * sizeof(float)) == 0);
        }
    }
}

TEST_CASE("columns: W [k][n] as it lies, any rows beside") {
    for (const RowKind kind : {RowKind::f32, RowKind::bf16, RowKind::f16}) {
        constexpr int rows = 11, n = 149, k = 45;
        const Weights w = make_weights(kind, k, n, 7); // k rows of n
        const auto x = make_rows(rows, k, 8);
        const auto run = [&](int threads, int first, int count) {
            std::vector<float> c(static_cast<std::size_t>(count * n), 9.0f);
            ColumnProduct p;
            p.weights = w.rows.data;
            p.kind = kind;
            p.w_step = n;
            p.k = k;
            p.a = x.data() + first * k;
            p.a_step = k;
            p.rows = count;
            p.c = c.data();
            p.c_step = n;
            RowRunner(threads).mix(p, n);
            return c;
        };
        const auto all = run(2, 0, rows);
        for (int r = 0; r < rows; ++r) {
            const auto one = run(1, r, 1);
            CHECK(std::memcmp(one.data(), all.data() + r * n, one.size() * sizeof(float)) == 0);
            for (int j = 0; j < n; ++j) {
                double sum = 0.0;
                for (int i = 0; i < k; ++i)
                    sum += static_cast<double>(x[static_cast<std::size_t>(r * k + i)]) *
                           static_cast<double>(w.wide[static_cast<std::size_t>(i * n + j)]);
                CHECK(std::abs(static_cast<double>(one[static_cast<std::size_t>(j)]) - sum) < 2e-6);
            }
        }
    }
}

TEST_CASE("grouped attention over the filled part equals the expanded form with a full mask") {
    const RowKernels& kernels = row_kernels();
    for (const int depth : {16, 32, 128, 384, 20})
        for (const int group : {1, 2, 3, 4, 6})
            for (const int length : {1, 15, 16, 17, 77}) {
                constexpr int capacity = 96;
                const auto query = make_rows(group, depth, 9), keys = make_rows(capacity, depth, 10),
                           values = make_rows(capacity, depth, 11);
                std::vector<float> blocks(static_cast<std::size_t>(capacity * depth));
                for (int p = 0; p < capacity; ++p)
                    for (int d = 0; d < depth; ++d)
                        blocks[static_cast<std::size_t>(p / 16 * depth * 16 + d * 16 + p % 16)] =
                            keys[static_cast<std::size_t>(p * depth + d)];
                std::vector<float> scores(static_cast<std::size_t>(group * capacity)),
                    out(static_cast<std::size_t>(group * depth));
                GroupAttention t;
                t.query = query.data();
                t.group = group;
                t.depth = depth;
                t.keys = blocks.data();
                t.values = values.data();
                t.length = length;
                t.scale = 1.0f / std::sqrt(static_cast<float>(depth));
                t.scores = scores.data();
                t.out = out.data();
                kernels.attend(t);
                for (int g = 0; g < group;
                     ++g) { // each head has the keys to itself, positions beyond the mask weigh nothing
                    std::vector<double> weight(capacity, 0.0);
                    double sum = 0.0;
                    for (int p = 0; p < capacity; ++p) {
                        double score = 0.0;
                        for (int d = 0; d < depth; ++d)
                            score += static_cast<double>(query[static_cast<std::size_t>(g * depth + d)]) *
                                     static_cast<double>(keys[static_cast<std::size_t>(p * depth + d)]);
                        weight[static_cast<std::size_t>(p)] = p < length ? std::exp(score / std::sqrt(depth)) : 0.0;
                        sum += weight[static_cast<std::size_t>(p)];
                    }
                    for (int d = 0; d < depth; ++d) {
                        double wanted = 0.0;
                        for (int p = 0; p < capacity; ++p)
                            wanted += weight[static_cast<std::size_t>(p)] / sum *
                                      static_cast<double>(values[static_cast<std::size_t>(p * depth + d)]);
                        CHECK(std::abs(static_cast<double>(out[static_cast<std::size_t>(g * depth + d)]) - wanted) <
                              5e-6);
                    }
                }
            }
}

TEST_CASE("norm and gate") {
    const RowKernels& kernels = row_kernels();
    for (const int width : {7, 64, 200}) {
        const auto x = make_rows(1, width, 12), weight = make_rows(1, width, 13);
        std::vector<float> out(static_cast<std::size_t>(width));
        kernels.rms_norm(x.data(), width, weight.data(), 1e-5f, false, out.data());
        double square = 0.0;
        for (const float y : x)
            square += static_cast<double>(y) * static_cast<double>(y);
        std::vector<float> gate = x;
        kernels.silu_multiply(gate.data(), weight.data(), width, false);
        for (std::size_t i = 0; i < x.size(); ++i) {
            const double y = x[i], w = weight[i];
            CHECK(std::abs(static_cast<double>(out[i]) - y / std::sqrt(square / width + 1e-5) * w) < 2e-6);
            CHECK(std::abs(static_cast<double>(gate[i]) - y / (1.0 + std::exp(-y)) * w) < 2e-6);
        }
    }
    std::vector<float> far = {-200.0f, 200.0f, -0.0f};
    const std::vector<float> ones(3, 1.0f);
    kernels.silu_multiply(far.data(), ones.data(), 3, false);
    CHECK(std::abs(far[0]) < 1e-30f);
    CHECK(far[1] == 200.0f);
    CHECK(far[2] == 0.0f);
}

TEST_CASE("a cancelled product returns at once") {
    const Weights w = make_weights(RowKind::bf16, 4000, 256, 14);
    const auto x = make_rows(64, 256, 15);
    std::vector<float> c(64 * 4000, 7.0f);
    tutti::CancelToken token;
    token.cancel();
    RowRunner runner(2);
    runner.set_token(token);
    const RowRunner::Item item[] = {{&w.rows, c.data(), 4000}};
    runner.multiply(x.data(), 256, 64, item);
    CHECK(c[0] == 7.0f);
}
