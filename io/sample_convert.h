// SPDX-License-Identifier: MIT
// Float samples to integers: dither, clipping, and what is not a number.
#pragma once

#include <cmath>
#include <cstdint>

namespace tutti::io {

// Counter-based noise (the finaliser of splitmix64, Steele, Lea, Flood 2014): the n-th value does not depend on how the
// frames before it were cut into blocks.
inline std::uint64_t hash(std::uint64_t seed, std::uint64_t count) noexcept {
    std::uint64_t x = seed * 0x9e3779b97f4a7c15u + count;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

// Triangular noise of one step to either side: it makes the first two moments of the rounding error independent of the
// signal (Lipshitz, Wannamaker, Vanderkooy 1992). Two values a hash, each the difference of two numbers of 16 bits.
inline double triangular(std::uint64_t seed, std::uint64_t count) noexcept {
    const auto bits = static_cast<std::uint32_t>(hash(seed, count >> 1) >> (count & 1) * 32);
    constexpr double k_step = 1.0 / 65536.0;
    return static_cast<double>(static_cast<std::int32_t>(bits >> 16) - static_cast<std::int32_t>(bits & 0xffffu)) *
           k_step;
}

// sample -1..1 to -2^(bits-1) .. 2^(bits-1) - 1, nearest; `noise` in steps.
inline std::int32_t to_integer(float sample, int bits, double noise) noexcept {
    const double full = static_cast<double>(std::int32_t{1} << (bits - 1));
    const double scaled = static_cast<double>(sample) * full + noise + 0.5;
    if (scaled >= full - 1.0) return static_cast<std::int32_t>(full) - 1;
    if (scaled <= -full) return -static_cast<std::int32_t>(full);
    const auto whole = static_cast<std::int32_t>(scaled); // floor() is a call on the oldest machines
    return static_cast<double>(whole) > scaled ? whole - 1 : whole;
}

} // namespace tutti::io
