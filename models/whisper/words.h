// SPDX-License-Identifier: MIT
// Words out of tokens, and their times out of attention (openai/whisper timing.py; transformers tokenization_whisper.py).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <models/tokenizer/tokenizer.h>

namespace tutti::models {

struct Word {
    std::string text;
    std::vector<TokenId> tokens;
    std::vector<int> indices; // of the tokens in the whole list
};

struct WordOptions {
    bool unicode_only = false;              // languages written without spaces: cut wherever a character is complete
    TokenId first_special = 0;              // ids from here on are words of their own
    std::string_view prepend = "\"'“¿([{-"; // joined to the word after
    std::string_view append = "\"'.。,，!！?？:：”)]}、"; // joined to the word before
    bool clean_up = false;
    bool join_punctuation = true; // false: join_punctuation() is called later, on words that have times
};

// [worker]
std::vector<Word> split_words(const Tokenizer& tokenizer, std::span<const TokenId> tokens, const WordOptions& options);
// Punctuation joins its neighbour, as the options say: for each word, which ones it is made of now (none: it was joined to
// another). [any]
std::vector<std::vector<std::size_t>> join_punctuation(const std::vector<std::string>& words,
                                                       const WordOptions& options);
// zh ja th lo my yue, by code or English name. [any]
bool written_without_spaces(std::string_view language);

// Dynamic time warping: the cheapest path from (0,0) to the far corner through cost[rows][columns]; (row, column) pairs. [worker]
std::vector<std::pair<int, int>> dynamic_time_warping(std::span<const float> cost, int rows, int columns);

// Where each row of the path is first visited: its column. [any]
std::vector<int> first_visits(std::span<const std::pair<int, int>> path, int rows);

// attention [head][row][columns], in place: each column standardised over its rows (population deviation), smoothed along time;
// gives the mean over the heads, negated: the cost of each (row, column). [worker]
std::vector<float> alignment_cost(std::span<float> attention, int heads, int rows, int columns, int median_width);

// Median of `width` (odd) along the last axis, mirrored at the ends; rows no longer than width / 2 stay. [worker]
void median_filter(std::span<float> values, int columns, int width);

} // namespace tutti::models
