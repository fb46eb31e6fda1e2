// SPDX-License-Identifier: MIT
#include <models/whisper/words.h>

#include <algorithm>
#include <cmath>
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

} // namespace

bool written_without_spaces(std::string_view language) {
    for (std::string_view one :
         {"zh", "ja", "th", "lo", "my", "yue", "chinese", "japanese", "thai", "lao", "myanmar", "cantonese"})
        if (one == language) return true;
    return false;
}

std::vector<std::vector<std::size_t>> join_punctuation(const std::vector<std::string>& words,
                                                       const WordOptions& options) {
    std::vector<std::string> texts = words;
    std::vector<std::vector<std::size_t>> parts(words.size());
    for (std::size_t i = 0; i < words.size(); ++i)
        parts[i] = {i};
    if (words.empty()) return parts;
    for (std::size_t i = words.size() - 1, j = i; i-- > 0;) { // words[i] before words[j]
        if (texts[i].starts_with(' ') && within(options.prepend, strip(texts[i]))) {
            texts[j] = texts[i] + texts[j];
            parts[j].insert(parts[j].begin(), parts[i].begin(), parts[i].end());
            texts[i].clear();
            parts[i].clear();
        } else {
            j = i;
        }
    }
    for (std::size_t i = 0, j = 1; j < words.size(); ++j) {
        if (!texts[i].ends_with(' ') && within(options.append, texts[j])) {
            texts[i] += texts[j];
            parts[i].insert(parts[i].end(), parts[j].begin(), parts[j].end());
            texts[j].clear();
            parts[j].clear();
        } else {
            i = j;
        }
    }
    return parts;
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
    if (!options.join_punctuation) return words;
    std::vector<std::string> texts;
    for (const Word& word : words)
        texts.push_back(word.text);
    std::vector<Word> joined;
    for (const auto& parts : join_punctuation(texts, options)) {
        Word word;
        for (std::size_t part : parts)
            append_to(word, words[part]);
        if (!word.text.empty()) joined.push_back(std::move(word));
    }
    return joined;
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

std::vector<int> first_visits(std::span<const std::pair<int, int>> path, int rows) {
    std::vector<int> columns;
    int last = -1;
    for (const auto& [row, column] : path)
        if (row != last) {
            columns.push_back(std::max(0, column));
            last = row;
        }
    columns.resize(static_cast<std::size_t>(std::max(0, rows)), columns.empty() ? 0 : columns.back());
    return columns;
}

std::vector<float> alignment_cost(std::span<float> attention, int heads, int rows, int columns, int median_width) {
    const auto h = static_cast<std::size_t>(heads), r = static_cast<std::size_t>(rows),
               c = static_cast<std::size_t>(columns);
    std::vector<float> cost(r * c);
    for (std::size_t head = 0; head < h; ++head) {
        const auto block = attention.subspan(head * r * c, r * c);
        for (std::size_t k = 0; k < c; ++k) {
            double sum = 0.0, square = 0.0;
            for (std::size_t i = 0; i < r; ++i)
                sum += static_cast<double>(block[i * c + k]);
            const double mean = sum / static_cast<double>(r);
            for (std::size_t i = 0; i < r; ++i)
                square += (block[i * c + k] - mean) * (block[i * c + k] - mean);
            const double deviation = std::sqrt(square / static_cast<double>(r));
            for (std::size_t i = 0; i < r; ++i) // equal values (a single row) say nothing: the reference has NaN there
                block[i * c + k] = deviation > 0.0 ? static_cast<float>((block[i * c + k] - mean) / deviation) : 0.0f;
        }
        median_filter(block, columns, median_width);
        for (std::size_t i = 0; i < cost.size(); ++i)
            cost[i] -= block[i];
    }
    for (float& x : cost)
        x /= static_cast<float>(std::max(1, heads));
    return cost;
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
