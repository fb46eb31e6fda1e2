// SPDX-License-Identifier: MIT
// The header of a safetensors file, checked completely before any tensor byte is touched.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <models/checkpoint/dtype.h>
#include <tutti/status.h>

namespace tutti::models {

// Limits that no honest checkpoint reaches; they bound the memory a hostile header can make us use.
inline constexpr std::uint64_t k_max_header_bytes = 100'000'000;
inline constexpr std::size_t k_max_tensors = 65'536;
inline constexpr std::size_t k_max_rank = 8;
inline constexpr std::size_t k_max_name_bytes = 1024;

struct TensorInfo {
    std::string name;
    Dtype dtype = Dtype::f32;
    std::vector<std::uint64_t> shape; // row-major; empty for a scalar
    std::uint64_t elements = 0;       // product of the shape
    std::uint64_t begin = 0;          // byte offsets from the start of the file
    std::uint64_t end = 0;
};

struct SafetensorsHeader {
    std::vector<TensorInfo> tensors;             // in order of their place in the file
    std::map<std::string, std::string> metadata; // the `__metadata__` entry
};

// Reads the header out of the first bytes of a file. `prefix` holds at least the 8-byte length and the JSON text when the
// file is that long; `file_bytes` is the whole length; `file_name` is only named in messages. Refused, each with its culprit:
// archives and pickles (which can run code), lengths beyond the file or 100 MB, text that is not strict JSON of the one known
// form, unknown types, repeated names, shapes whose product overflows, ranges that do not equal shape x type, leave gaps,
// overlap or run past the file, and bytes after the last tensor. Format: huggingface/safetensors, README. [control]
Result<SafetensorsHeader> parse_safetensors_header(std::span<const std::byte> prefix, std::uint64_t file_bytes,
                                                   std::string_view file_name);

// How many bytes of the file parse_safetensors_header needs: 8 + the header's length as stored, at most 8 + 100 MB + 1. [control]
std::uint64_t safetensors_prefix_bytes(std::span<const std::byte> first_8_bytes) noexcept;

// "[3, 4, 5]" for messages. [any]
std::string shape_text(std::span<const std::uint64_t> shape);

} // namespace tutti::models
