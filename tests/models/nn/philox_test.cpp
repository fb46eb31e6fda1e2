// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstdint>

#include <doctest/doctest.h>

#include <models/nn/philox.h>

namespace {

using namespace tutti::models;

TEST_CASE("the words are those of Random123's known answers") {
    CHECK(philox4x32({0, 0, 0, 0}, 0) == PhiloxWords{0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u});
    CHECK(philox4x32({~0u, ~0u, ~0u, ~0u}, ~std::uint64_t{0}) ==
          PhiloxWords{0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu});
    CHECK(philox4x32({0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u}, 0x299f31d0a4093822ull) ==
          PhiloxWords{0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u});
}

TEST_CASE("logarithm and cosine agree with libm to a few units in the last place") {
    for (double x : {1e-16, 3e-9, 0.1, 0.4999, 0.5, 0.7071, 0.7072, 0.9999999, 1.0, 1.5})
        CHECK(std::abs(philox_detail::log_of(x) - std::log(x)) <= 4e-16 * std::abs(std::log(x)) + 1e-16);
    for (int i = 0; i < 4096; ++i) {
        const double u = i / 4096.0;
        CHECK(std::abs(philox_detail::cos_turn(u) - std::cos(6.283185307179586476925 * u)) < 1e-15);
    }
}

TEST_CASE("moments of 2^17 numbers stand within five standard errors") {
    const Noise noise(7);
    constexpr int k_count = 1 << 17;
    double mean = 0.0, square = 0.0, fourth = 0.0, exponential = 0.0, exponential_square = 0.0;
    for (std::uint32_t i = 0; i < k_count; ++i) {
        const double x = noise.normal(NoisePurpose::latents, 3, i >> 8, i & 255u);
        const double e = noise.exponential(NoisePurpose::race, i >> 8, 0, i & 255u);
        CHECK_FALSE(e <= 0.0);
        mean += x;
        square += x * x;
        fourth += x * x * x * x;
        exponential += e;
        exponential_square += e * e;
    }
    const double n = k_count, error = 1.0 / std::sqrt(n);
    CHECK(std::abs(mean / n) < 5.0 * error);                           // variance 1
    CHECK(std::abs(square / n - 1.0) < 5.0 * std::sqrt(2.0) * error);  // variance 2
    CHECK(std::abs(fourth / n - 3.0) < 5.0 * std::sqrt(96.0) * error); // variance 96
    CHECK(std::abs(exponential / n - 1.0) < 5.0 * error);
    CHECK(std::abs(exponential_square / n - 2.0) < 5.0 * std::sqrt(20.0) * error);
}

TEST_CASE("a number depends on its place and on the seed alone") {
    static_assert(Noise(1).exponential(NoisePurpose::race, 2, 3, 4) ==
                  Noise(1).exponential(NoisePurpose::race, 2, 3, 4));
    const Noise a(1), b(2);
    const float x = a.exponential(NoisePurpose::race, 2, 3, 4);
    CHECK(x != b.exponential(NoisePurpose::race, 2, 3, 4));
    CHECK(x != a.exponential(NoisePurpose::latents, 2, 3, 4));
    CHECK(x != a.exponential(NoisePurpose::race, 3, 3, 4));
    CHECK(x != a.exponential(NoisePurpose::race, 2, 4, 4));
    CHECK(x != a.exponential(NoisePurpose::race, 2, 3, 5));
}

} // namespace
