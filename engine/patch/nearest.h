// SPDX-License-Identifier: MIT
// "Did you mean": the nearest of a list of names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tutti::engine {

// Insertions, deletions, replacements and swaps of neighbours from one word to the other (Damerau 1964), letter case apart.
int edit_distance(std::string_view a, std::string_view b);

// The nearest names first, at most `most`; only those within half of the word's length. [control]
std::vector<std::string_view> nearest_names(std::string_view word, const std::vector<std::string_view>& names,
                                            int most = 1);

// "did you mean \"cutoff\"?", or "give one of a, b, c" where nothing is near. [control]
std::string suggestion(std::string_view word, const std::vector<std::string_view>& names, int most = 1);

} // namespace tutti::engine
