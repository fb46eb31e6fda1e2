// SPDX-License-Identifier: MIT
// Random numbers that are functions of their place: Philox4x32-10 (Salmon et al., Parallel random numbers: as easy as 1, 2, 3,
// 2011). The key is the seed, the counter (purpose, frame or window, codebook or row, index): nothing is drawn in order, so the
// same number is had on every device, in every batch and after every interruption. Only + - * / and sqrt of doubles, no libm.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

namespace tutti::models {

enum class NoisePurpose : std::uint32_t {
    race = 1,    // of sampled tokens: (frame, codebook, id)
    latents = 2, // of a codec window: (window, latent frame, channel)
};

using PhiloxWords = std::array<std::uint32_t, 4>;

// Ten rounds on one counter. [any]
constexpr PhiloxWords philox4x32(PhiloxWords c, std::uint64_t key) noexcept {
    auto k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t p0 = std::uint64_t{0xd2511f53u} * c[0], p1 = std::uint64_t{0xcd9e8d57u} * c[2];
        c = {static_cast<std::uint32_t>(p1 >> 32) ^ c[1] ^ k0, static_cast<std::uint32_t>(p1),
             static_cast<std::uint32_t>(p0 >> 32) ^ c[3] ^ k1, static_cast<std::uint32_t>(p0)};
        k0 += 0x9e3779b9u;
        k1 += 0xbb67ae85u;
    }
    return c;
}

namespace philox_detail {

// In (0, 1), of 53 bits: the middle of one of 2^53 equal steps, as far as a double can tell.
constexpr double uniform(std::uint32_t high, std::uint32_t low) noexcept {
    const std::uint64_t bits = (std::uint64_t{high} << 32 | low) >> 11;
    return (static_cast<double>(bits) + 0.5) * 0x1p-53;
}

// ln x of a positive normal x: 2 atanh((m - 1) / (m + 1)) with m in [0.707, 1.414], series to the 21st power (omitted: 1e-18).
constexpr double log_of(double x) noexcept {
    auto bits = std::bit_cast<std::uint64_t>(x);
    int exponent = static_cast<int>(bits >> 52) - 1023;
    double m = std::bit_cast<double>((bits & 0xfffffffffffffull) | 0x3ff0000000000000ull);
    if (m > 1.4142135623730951) {
        m = 0.5 * m;
        ++exponent;
    }
    const double s = (m - 1.0) / (m + 1.0), q = s * s;
    double p = 1.0 / 21.0;
    for (int n = 19; n >= 1; n -= 2)
        p = 1.0 / n + q * p;
    return exponent * 0.69314718055994531 + 2.0 * s * p;
}

// cos 2 pi u for u in [0, 1): the quarter is exact, the rest lies in [-pi/4, pi/4] (omitted terms: 1e-17).
constexpr double cos_turn(double u) noexcept {
    const double quarters = 4.0 * u;
    const int nearest = static_cast<int>(quarters + 0.5);
    const double r = (quarters - nearest) * 1.5707963267948966, q = r * r;
    double c = 1.0, s = 1.0;
    for (int n = 16; n >= 2; n -= 2)
        c = 1.0 - q / (n * (n - 1.0)) * c;
    for (int n = 17; n >= 3; n -= 2)
        s = 1.0 - q / (n * (n - 1.0)) * s;
    s *= r;
    switch (nearest & 3) {
    case 0:
        return c;
    case 1:
        return -s;
    case 2:
        return -c;
    default:
        return s;
    }
}

} // namespace philox_detail

// A source of noise with one seed.
class Noise {
public:
    constexpr explicit Noise(std::uint64_t seed) noexcept : m_seed(seed) {}
    constexpr std::uint64_t seed() const noexcept { return m_seed; }

    constexpr PhiloxWords words(NoisePurpose purpose, std::uint32_t frame, std::uint32_t row,
                                std::uint32_t index) const noexcept {
        return philox4x32({static_cast<std::uint32_t>(purpose), frame, row, index}, m_seed);
    }
    // Exponential with mean 1; never 0. [any]
    constexpr float exponential(NoisePurpose purpose, std::uint32_t frame, std::uint32_t row,
                                std::uint32_t index) const noexcept {
        const PhiloxWords w = words(purpose, frame, row, index);
        return static_cast<float>(-philox_detail::log_of(philox_detail::uniform(w[0], w[1])));
    }
    // Standard normal (Box & Muller 1958, the cosine half). [any]
    float normal(NoisePurpose purpose, std::uint32_t frame, std::uint32_t row, std::uint32_t index) const noexcept {
        const PhiloxWords w = words(purpose, frame, row, index);
        const double radius = std::sqrt(-2.0 * philox_detail::log_of(philox_detail::uniform(w[0], w[1])));
        return static_cast<float>(radius * philox_detail::cos_turn(philox_detail::uniform(w[2], w[3])));
    }

private:
    std::uint64_t m_seed;
};

} // namespace tutti::models
