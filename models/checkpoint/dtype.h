// SPDX-License-Identifier: MIT
// Element types of stored tensors, and their conversion to FP32.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace tutti::models {

enum class Dtype : std::uint8_t { f64, f32, f16, bf16, i64, i32, i16, i8, u8, boolean, f8_e4m3, f8_e5m2 };

struct DtypeRow {
    std::string_view name; // as safetensors headers spell it
    Dtype dtype;
    std::size_t bytes;
};

inline constexpr DtypeRow k_dtypes[] = {
    {"F64", Dtype::f64, 8}, {"F32", Dtype::f32, 4},      {"F16", Dtype::f16, 2},         {"BF16", Dtype::bf16, 2},
    {"I64", Dtype::i64, 8}, {"I32", Dtype::i32, 4},      {"I16", Dtype::i16, 2},         {"I8", Dtype::i8, 1},
    {"U8", Dtype::u8, 1},   {"BOOL", Dtype::boolean, 1}, {"F8_E4M3", Dtype::f8_e4m3, 1}, {"F8_E5M2", Dtype::f8_e5m2, 1},
};

constexpr const DtypeRow& dtype_row(Dtype dtype) noexcept {
    return k_dtypes[static_cast<std::size_t>(dtype)];
}
constexpr std::size_t dtype_bytes(Dtype dtype) noexcept {
    return dtype_row(dtype).bytes;
}
constexpr std::string_view dtype_name(Dtype dtype) noexcept {
    return dtype_row(dtype).name;
}

constexpr std::optional<Dtype> dtype_from_name(std::string_view name) noexcept {
    for (const DtypeRow& row : k_dtypes)
        if (row.name == name) return row.dtype;
    return std::nullopt;
}

// IEEE 754 binary16 -> binary32, exact for every value (NaN payloads kept). [any]
inline float f16_to_f32(std::uint16_t h) noexcept {
    const std::uint32_t sign = static_cast<std::uint32_t>(h & 0x8000u) << 16;
    const std::uint32_t magnitude = static_cast<std::uint32_t>(h & 0x7fffu) << 13;
    // 2^112 is the distance of the exponents, for subnormals, too. No branch: a loop of these is made into vectors.
    const std::uint32_t number = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) * 0x1p112f);
    const std::uint32_t special = magnitude | 0x7f800000u; // infinity and NaN
    return std::bit_cast<float>(sign | ((h & 0x7c00u) == 0x7c00u ? special : number));
}

inline float bf16_to_f32(std::uint16_t b) noexcept {
    return std::bit_cast<float>(static_cast<std::uint32_t>(b) << 16);
}

// binary32 -> binary16, round to nearest even; overflow becomes infinity. [any]
inline std::uint16_t f32_to_f16(float x) noexcept {
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(x);
    const std::uint16_t sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000u);
    const std::uint32_t magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u) return static_cast<std::uint16_t>(sign | 0x7e00u);
    if (magnitude >= 0x47800000u) return static_cast<std::uint16_t>(sign | 0x7c00u);
    if (magnitude < 0x38800000u) { // subnormal half: adding 0.5 leaves the rounded count of 2^-24 in the low bits
        const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
        return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(shifted) - 0x3f000000u));
    }
    const std::uint32_t odd = (magnitude >> 13) & 1u;
    return static_cast<std::uint16_t>(sign | ((magnitude - 0x38000000u + 0xfffu + odd) >> 13));
}

// binary32 -> bfloat16, round to nearest even. [any]
inline std::uint16_t f32_to_bf16(float x) noexcept {
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(x);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<std::uint16_t>((bits >> 16) | 0x40u);
    return static_cast<std::uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

} // namespace tutti::models
