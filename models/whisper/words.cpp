// SPDX-License-Identifier: MIT
#include <models/whisper/words.h>

#include <algorithm>
#include <limits>

#include <models/tokenizer/utf8.h>

namespace tutti::models {
namespace {

constexpr std::string_view k_punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

bool within(std::string_view all, std::string_view part) {
    return all.find(part) != std::string_view::npos;
}

// Tokens are collected until their bytes are whole characters (or are broken in the full text at the same place, too).
std::vector<Word> split_unicode(const Tokenizer& tokenizer, std::span<const TokenId> tokens,
                                const WordOptions& options) {
    const DecodeOptions decode{false, true, options.clean_up};
    const std::u32string full = utf8_decode(tokenizer.decode(tokens, decode));
    std::vector<Word> words;
    Word word;
    std::size_t offset = 0;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        word.tokens.push_back(tokens[i]);
        word.indices.push_back(static_cast<int>(i));
        const std::u32string text = utf8_decode(tokenizer.decode(word.tokens, decode));
        const std::size_t broken = text.find(U'\ufffd');
        if (broken == std::u32string::npos || (offset + broken < full.size() && full[offset + broken] == U'\ufffd')) {
            word.text = utf8_encode(text);
            words.push_back(std::move(word));
            word = {};
            offset += text.size();
        }
    }
    return words;
}

void append_to(Word& to, const Word& from) {
    to.text += from.text;
    to.tokens.insert(to.tokens.end(), from.tokens.begin(), from.tokens.end());
    to.indices.insert(to.indices.end(), from.indices.begin(), from.indices.end());
}

void merge_punctuation(std::vector<Word>& words, const WordOptions& options) {
    const auto emptied = [](Word& word) { word = Word{}; };
    if (words.empty()) return;
    for (std::size_t i = words.size() - 1, j = i; i-- > 0;) { // words[i] before words[j]
        if (words[i].text.starts_with(' ') && within(options.prepend, strip(words[i].text))) {
            Word joined = words[i];
            append_to(joined, words[j]);
            words[j] = std::move(joined);
            emptied(words[i]);
        } else {
            j = i;
        }
    }
    for (std::size_t i = 0, j = 1; j < words.size(); ++j) {
        if (!words[i].text.ends_with(' ') && within(options.append, words[j].text)) {
            append_to(words[i], words[j]);
            emptied(words[j]);
        } else {
            i = j;
        }
    }
    std::erase_if(words, [](const Word& word) { return word.text.empty(); });
}

} // namespace

bool written_without_spaces(std::string_view language) {
    for (std::string_view one :
         {"zh", "ja", "th", "lo", "my", "yue", "chinese", "japanese", "thai", "lao", "myanmar", "cantonese"})
        if (one == language) return true;
    return false;
}

std::vector<Word> split_words(const Tokenizer& tokenizer, std::span<const TokenId> tokens, const WordOptions& options) {
    std::vector<Word> words = split_unicode(tokenizer, tokens, options);
    if (!options.unicode_only) {
        std::vector<Word> glued;
        for (Word& part : words) {
            const bool special = part.tokens.front() >= options.first_special;
            if (glued.empty() || special || part.text.starts_with(' ') || within(k_punctuation, strip(part.text)))
                glued.push_back(std::move(part));
            else
                append_to(glued.back(), part);
        }
        words = std::move(glued);
    }
    merge_punctuation(words, options);
    return words;
}

std::vector<std::pair<int, int>> dynamic_time_warping(std::span<const float> cost, int rows, int columns) {
    const auto width = static_cast<std::size_t>(columns) + 1;
    std::vector<float> total((static_cast<std::size_t>(rows) + 1) * width, std::numeric_limits<float>::infinity());
    std::vector<signed char> step(total.size(), -1);
    total[0] = 0.0f;
    for (std::size_t j = 1; j < width; ++j)
        for (std::size_t i = 1; i <= static_cast<std::size_t>(rows); ++i) {
            const float diagonal = total[(i - 1) * width + j - 1];
            const float up = total[(i - 1) * width + j];
            const float left = total[i * width + j - 1];
            const bool take_diagonal = diagonal < up && diagonal < left;
            const bool take_up = !take_diagonal && up < diagonal && up < left;
            const float best = take_diagonal ? diagonal : take_up ? up : left;
            step[i * width + j] = take_diagonal ? 0 : take_up ? 1 : 2;
            total[i * width + j] = static_cast<float>(static_cast<double>(cost[(i - 1) * (width - 1) + j - 1]) + best);
        }
    std::vector<std::pair<int, int>> path;
    int i = rows, j = columns;
    while (i > 0 || j > 0) {
        path.emplace_back(i - 1, j - 1);
        const int taken = i == 0   ? 2
                          : j == 0 ? 1
                                   : step[static_cast<std::size_t>(i) * width + static_cast<std::size_t>(j)];
        if (taken != 2) --i;
        if (taken != 1) --j;
    }
    std::reverse(path.begin(), path.end());
    return path;
}

void median_filter(std::span<float> values, int columns, int width) {
    const int half = width / 2;
    if (columns <= half) return;
    std::vector<float> padded(static_cast<std::size_t>(columns + 2 * half));
    std::vector<float> window(static_cast<std::size_t>(width));
    for (std::size_t row = 0; row + static_cast<std::size_t>(columns) <= values.size();
         row += static_cast<std::size_t>(columns)) {
        for (int k = -half; k < columns + half; ++k) {
            const int mirrored = k < 0 ? -k : k >= columns ? 2 * (columns - 1) - k : k;
            padded[static_cast<std::size_t>(k + half)] = values[row + static_cast<std::size_t>(mirrored)];
        }
        for (int k = 0; k < columns; ++k) {
            std::copy_n(padded.begin() + k, width, window.begin());
            std::nth_element(window.begin(), window.begin() + half, window.end());
            values[row + static_cast<std::size_t>(k)] = window[static_cast<std::size_t>(half)];
        }
    }
}

} // namespace tutti::models
