// SPDX-License-Identifier: MIT
// UTF-8 and the few Unicode classes that tokenizers ask for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tutti::models {

// Code points; one U+FFFD for each maximal part that is not valid (Unicode 15, 3.9, "best practice"; as Python's "replace"). [any]
std::u32string utf8_decode(std::string_view bytes);
void utf8_append(std::string& text, char32_t code);
std::string utf8_encode(std::u32string_view text);
// The same bytes with every invalid part replaced. [any]
std::string utf8_repair(std::string_view bytes);

bool is_letter(char32_t code) noexcept;      // general category L
bool is_number(char32_t code) noexcept;      // general category N
bool is_white_space(char32_t code) noexcept; // property White_Space

// As Python's str.lower(): simple mappings, the dotted capital I, and the sigma that ends a word. [any]
std::string to_lower(std::string_view text);

// Without white space at both ends, as Python's str.strip(). [any]
std::string_view strip(std::string_view text) noexcept;

} // namespace tutti::models
