// SPDX-License-Identifier: MIT
// A patch's file: reading, checking and writing against a catalogue of voice types and effects.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <string_view>

#include <tutti/patch.h>

#include "engine/patch/catalog.h"

namespace tutti::engine {

inline constexpr int k_patch_format = 1; // grows when an older version could misread a file

// Ranges of what is no parameter of a voice type.
struct Limits {
    double low, high;
};
inline constexpr Limits k_gain_db{-60.0, 24.0};
inline constexpr Limits k_patch_voices{1.0, 512.0};
inline constexpr Limits k_glide_seconds{0.0, 60.0};
inline constexpr Limits k_bend_range{0.0, 96.0};
inline constexpr Limits k_velocity_curve{-1.0, 1.0};
inline constexpr Limits k_send{0.0, 4.0};
inline constexpr std::size_t k_patch_effects = 16;
inline constexpr std::size_t k_patch_tags = 64;

inline constexpr std::array<std::string_view, 3> k_qualities = {"eco", "standard", "ultra"};
inline constexpr std::array<std::string_view, 3> k_play_modes = {"poly", "mono", "legato"};
inline constexpr std::array<std::string_view, 3> k_priorities = {"last", "high", "low"};
inline constexpr std::array<std::string_view, 3> k_steal_policies = {"quietest", "oldest", "same_note"};

// The most that a route may move its target, in the target's unit, octaves where its curve is exponential: twice its range.
double most_depth(const Parameter& target) noexcept;

// Patch::from_json, Patch::validate and Patch::to_json against a given catalogue. [control]
Result<Patch> read_patch(std::string_view text, const Catalog& catalog);
std::string write_patch(const Patch& patch, const Catalog& catalog);
// `place(key)`: words that stand before the key at fault ("line 3, column 7: "). [control]
Status check_patch(const Patch& patch, const Catalog& catalog,
                   const std::function<std::string(const std::string&)>& place);

// The JSON Schema (draft 2020-12) of the file, for editors and other programs. [control]
std::string patch_schema(const Catalog& catalog);

} // namespace tutti::engine
