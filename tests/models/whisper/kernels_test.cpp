// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include <models/nn/kernels.h>
#include <models/nn/team.h>

using namespace tutti::models;

namespace {
std::vector<float> random_values(std::size_t count, unsigned seed) {
    std::mt19937 random(seed);
    std::vector<float> values(count);
    for (float& x : values)
        x = static_cast<float>(random() % 2000) / 1000.0f - 1.0f;
    return values;
}
} // namespace

TEST_CASE("products agree with the definition for every size and epilogue, and rows do not depend on their company") {
    const Kernels& k = kernels();
    MESSAGE(std::string(isa_name(best_isa())));
    for (int m : {1, 2, 3, 5, 7, 13, 25, 100})
        for (int n : {1, 7, 16, 31, 64, 100})
            for (int depth : {1, 3, 64, 511, 513, 1100}) {
                const auto a = random_values(static_cast<std::size_t>(m * depth), 1),
                           w = random_values(static_cast<std::size_t>(n * depth), 2),
                           bias = random_values(static_cast<std::size_t>(n), 3);
                std::vector<float> b(packed_floats(k, n, depth));
                k.pack(w.data(), depth, 1, n, depth, b.data());
                const int panels = (n + k.panel - 1) / k.panel;
                for (Epilogue epilogue : {Epilogue::store, Epilogue::gelu, Epilogue::add}) {
                    auto c = random_values(static_cast<std::size_t>(m * n), 4);
                    const auto before = c;
                    const Gemm g{a.data(), depth, b.data(), depth, n, bias.data(), c.data(), n, epilogue};
                    k.gemm(g, 0, m, 0, panels);
                    double worst = 0;
                    for (int i = 0; i < m; ++i)
                        for (int j = 0; j < n; ++j) {
                            double sum = bias[static_cast<std::size_t>(j)];
                            for (int d = 0; d < depth; ++d)
                                sum += static_cast<double>(a[static_cast<std::size_t>(i * depth + d)]) *
                                       w[static_cast<std::size_t>(j * depth + d)];
                            if (epilogue == Epilogue::gelu) sum = 0.5 * sum * (1.0 + std::erf(sum / std::sqrt(2.0)));
                            if (epilogue == Epilogue::add) sum += before[static_cast<std::size_t>(i * n + j)];
                            worst = std::max(worst, std::abs(sum - c[static_cast<std::size_t>(i * n + j)]));
                        }
                    CHECK(worst < 1e-6 * std::sqrt(depth) + 3e-6); // a walk of roundings of sums up to about 20
                    auto alone = before;                           // row by row: the same bits
                    Gemm one = g;
                    one.c = alone.data();
                    for (int i = 0; i < m; ++i)
                        for (int p = 0; p < panels; ++p)
                            k.gemm(one, i, i + 1, p, p + 1);
                    CHECK(std::memcmp(alone.data(), c.data(), c.size() * sizeof(float)) == 0);
                }
            }
}

TEST_CASE("softmax, layer norm and attention agree with double precision") {
    const Kernels& k = kernels();
    for (int width : {1, 5, 16, 100, 1500}) {
        auto x = random_values(static_cast<std::size_t>(width), 5);
        for (float& y : x)
            y *= 30.0f;
        auto y = x;
        k.softmax(y.data(), 1, width, width, width);
        double highest = -1e30, sum = 0, worst = 0;
        for (float v : x)
            highest = std::max(highest, static_cast<double>(v));
        for (float v : x)
            sum += std::exp(v - highest);
        for (std::size_t i = 0; i < x.size(); ++i)
            worst = std::max(worst, std::abs(std::exp(x[i] - highest) / sum - y[i]));
        CHECK(worst < 3e-7);
        const auto weight = random_values(x.size(), 6), bias = random_values(x.size(), 7);
        k.layer_norm(x.data(), 1, width, weight.data(), bias.data(), y.data());
        double mean = 0, square = 0;
        for (float v : x)
            mean += v;
        mean /= width;
        for (float v : x)
            square += (v - mean) * (v - mean);
        worst = 0;
        for (std::size_t i = 0; i < x.size(); ++i)
            worst = std::max(worst,
                             std::abs((x[i] - mean) / std::sqrt(square / width + 1e-5) * weight[i] + bias[i] - y[i]));
        CHECK(worst < 5e-6);
    }
    constexpr int capacity = 448;
    for (int depth : {16, 20, 64})
        for (int length : {1, 17, 448}) {
            const auto query = random_values(static_cast<std::size_t>(depth), 8),
                       keys = random_values(static_cast<std::size_t>(depth * capacity), 9),
                       values = random_values(static_cast<std::size_t>(depth * capacity), 10);
            std::vector<float> scores(capacity), out(static_cast<std::size_t>(depth));
            k.attend(query.data(), keys.data(), values.data(), depth, capacity, length, 0.25f, scores.data(),
                     out.data());
            std::vector<double> p(static_cast<std::size_t>(length));
            double sum = 0;
            for (int j = 0; j < length; ++j) {
                double dot = 0;
                for (int d = 0; d < depth; ++d)
                    dot += 0.25 * query[static_cast<std::size_t>(d)] * keys[static_cast<std::size_t>(d * capacity + j)];
                sum += p[static_cast<std::size_t>(j)] = std::exp(dot);
            }
            for (int d = 0; d < depth; ++d) {
                double wanted = 0;
                for (int j = 0; j < length; ++j)
                    wanted += p[static_cast<std::size_t>(j)] / sum * values[static_cast<std::size_t>(j * depth + d)];
                CHECK(std::abs(wanted - out[static_cast<std::size_t>(d)]) < 2e-6);
            }
        }
}

TEST_CASE("a team runs every part once, many times over") {
    Team team(4);
    for (int round = 0; round < 2000; ++round) {
        int seen[4] = {};
        team.run([&](int part, int parts) { seen[part] += parts == 4; });
        CHECK(seen[0] + seen[1] + seen[2] + seen[3] == 4);
    }
}
