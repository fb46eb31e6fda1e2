// SPDX-License-Identifier: MIT
// The factory patches as the build puts them into the library.
#pragma once

#include <string_view>

namespace tutti::engine {

struct EmbeddedPatch {
    std::string_view name; // of the file, without ".json"; sorted
    std::string_view text;
};
extern const EmbeddedPatch k_embedded_patches[]; // k_embedded_patch_count of them
extern const int k_embedded_patch_count;

} // namespace tutti::engine
