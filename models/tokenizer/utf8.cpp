// SPDX-License-Identifier: MIT
#include <models/tokenizer/utf8.h>

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace tutti::models {
namespace {

struct CodeRange {
    std::uint32_t first;
    std::uint32_t last;
};
#include <models/tokenizer/unicode_classes.inc>

struct CaseRun { // every `step`-th code from first to last
    std::uint32_t first;
    std::uint32_t last;
    std::uint32_t step;
    std::int32_t difference;
};
#include <models/tokenizer/unicode_case.inc>

template <std::size_t N>
bool within(const CodeRange (&table)[N], char32_t code) noexcept {
    const auto found = std::upper_bound(std::begin(table), std::end(table), static_cast<std::uint32_t>(code),
                                        [](std::uint32_t c, const CodeRange& range) { return c < range.first; });
    return found != std::begin(table) && code <= std::prev(found)->last;
}

// Reads one code point at `at` and moves past it; U+FFFD moves past the maximal invalid part.
char32_t next(std::string_view s, std::size_t& at) noexcept {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
    const unsigned lead = byte(at++);
    if (lead < 0x80) return lead;
    int more = 0;
    unsigned low = 0x80, high = 0xbf; // bounds of the second byte: no overlong forms, surrogates or codes above 10ffff
    char32_t code = 0;
    if (lead >= 0xc2 && lead <= 0xdf) {
        more = 1;
        code = lead & 0x1f;
    } else if (lead >= 0xe0 && lead <= 0xef) {
        more = 2;
        code = lead & 0x0f;
        if (lead == 0xe0) low = 0xa0;
        if (lead == 0xed) high = 0x9f;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
        more = 3;
        code = lead & 0x07;
        if (lead == 0xf0) low = 0x90;
        if (lead == 0xf4) high = 0x8f;
    } else {
        return 0xfffd;
    }
    for (; more > 0; --more) {
        if (at >= s.size() || byte(at) < low || byte(at) > high) return 0xfffd;
        code = code << 6 | (byte(at++) & 0x3f);
        low = 0x80;
        high = 0xbf;
    }
    return code;
}

} // namespace

std::u32string utf8_decode(std::string_view bytes) {
    std::u32string text;
    text.reserve(bytes.size());
    for (std::size_t at = 0; at < bytes.size();)
        text += next(bytes, at);
    return text;
}

void utf8_append(std::string& text, char32_t c) {
    const auto put = [&](char32_t b) { text += static_cast<char>(static_cast<unsigned char>(b)); };
    if (c < 0x80) {
        put(c);
    } else if (c < 0x800) {
        put(0xc0 | c >> 6);
        put(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        put(0xe0 | c >> 12);
        put(0x80 | (c >> 6 & 0x3f));
        put(0x80 | (c & 0x3f));
    } else {
        put(0xf0 | c >> 18);
        put(0x80 | (c >> 12 & 0x3f));
        put(0x80 | (c >> 6 & 0x3f));
        put(0x80 | (c & 0x3f));
    }
}

std::string utf8_encode(std::u32string_view text) {
    std::string bytes;
    for (char32_t c : text)
        utf8_append(bytes, c);
    return bytes;
}

std::string utf8_repair(std::string_view bytes) {
    return utf8_encode(utf8_decode(bytes));
}

bool is_letter(char32_t code) noexcept {
    return within(k_letters, code);
}
bool is_number(char32_t code) noexcept {
    return within(k_numbers, code);
}

bool is_white_space(char32_t c) noexcept {
    return (c >= 0x09 && c <= 0x0d) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

std::string to_lower(std::string_view text) {
    const std::u32string codes = utf8_decode(text);
    std::string out;
    for (std::size_t i = 0; i < codes.size(); ++i) {
        const char32_t c = codes[i];
        if (c == 0x130) { // capital I with a dot: i and the dot above
            out += "i\xcc\x87";
            continue;
        }
        if (c ==
            0x3a3) { // final where a cased letter stands before, and none behind; ignorable characters do not count
            std::size_t before = i, after = i + 1;
            while (before > 0 && within(k_case_ignorable, codes[before - 1]))
                --before;
            while (after < codes.size() && within(k_case_ignorable, codes[after]))
                ++after;
            const bool final_one = before > 0 && within(k_cased, codes[before - 1]) &&
                                   (after == codes.size() || !within(k_cased, codes[after]));
            utf8_append(out, final_one ? 0x3c2 : 0x3c3);
            continue;
        }
        const auto code = static_cast<std::uint32_t>(c);
        const auto run = std::upper_bound(std::begin(k_lower), std::end(k_lower), code,
                                          [](std::uint32_t x, const CaseRun& one) { return x < one.first; });
        std::int64_t lower = code;
        if (run != std::begin(k_lower)) {
            const CaseRun& one = *std::prev(run);
            if (code <= one.last && (code - one.first) % one.step == 0) lower += one.difference;
        }
        utf8_append(out, static_cast<char32_t>(lower));
    }
    return out;
}

std::string_view strip(std::string_view text) noexcept {
    std::size_t first = 0, last = 0, at = 0;
    bool seen = false;
    while (at < text.size()) {
        const std::size_t begin = at;
        const char32_t c = next(text, at);
        // str.strip() takes the separators 1c to 1f for white space, too
        if (is_white_space(c) || (c >= 0x1c && c <= 0x1f)) continue;
        if (!seen) first = begin;
        seen = true;
        last = at;
    }
    return seen ? text.substr(first, last - first) : std::string_view();
}

} // namespace tutti::models
