// SPDX-License-Identifier: MIT
// Reads a configuration file: bounded in size and depth, errors as values. Include only in .cpp files (nlohmann is private).
#pragma once

#include <filesystem>

#include <nlohmann/json.hpp>

#include <tutti/status.h>

namespace tutti::models {

inline constexpr std::uint64_t k_max_json_bytes = 64'000'000; // tokenizer.json of a large vocabulary is 17 MB
inline constexpr int k_max_json_depth = 64;

// [control] [worker]
Result<nlohmann::json> read_json_file(const std::filesystem::path& path);
Result<nlohmann::json> parse_json(std::string_view text, std::string_view name);

} // namespace tutti::models
