// SPDX-License-Identifier: MIT
// Counter-based hash: the draws of a note depend on the stream's seed and the note alone.
#pragma once

#include <cstdint>

namespace tutti::engine {

// splitmix64's finaliser (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
inline std::uint64_t mix_bits(std::uint64_t x) noexcept {
    x += 0x9e3779b97f4a7c15ull;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
    return x ^ (x >> 31);
}
inline std::uint64_t note_hash(std::uint64_t seed, int part, std::uint64_t serial, int copy) noexcept {
    return mix_bits(mix_bits(mix_bits(seed) ^ static_cast<std::uint64_t>(part)) ^
                    (serial << 8 | static_cast<unsigned>(copy)));
}
// -1..1
inline float signed_unit(std::uint64_t bits) noexcept {
    return static_cast<float>(static_cast<std::int32_t>(bits >> 32)) * (1.0f / 2147483648.0f);
}

} // namespace tutti::engine
