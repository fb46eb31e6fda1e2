// SPDX-License-Identifier: MIT
// A finished transcript, as every writer takes it. Times in seconds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <models/tokenizer/tokenizer.h>

namespace tutti::models {

struct TranscriptWord {
    std::string text; // with the space before it, where it has one
    double start = 0.0;
    double end = 0.0;
    std::optional<double> probability; // mean over its tokens
};

struct TranscriptSegment {
    std::int64_t seek = 0; // first mel frame of its window
    double start = 0.0;
    double end = 0.0;
    std::string text;
    std::vector<TokenId> tokens;
    std::vector<float> token_probabilities; // one a token, or empty
    double temperature = 0.0;
    double average_logprob = 0.0;
    double compression_ratio = 0.0;
    double no_speech = 0.0;
    bool has_words = false;
    std::vector<TranscriptWord> words;
    std::string language; // code, where it was found for this part alone
};

struct TranscriptDocument {
    std::string language; // code; empty when not known
    std::string text;
    std::vector<TranscriptSegment> segments;
    std::vector<std::pair<std::string, double>> language_probabilities; // of the first window, most likely first
    // Of a song file, for formats that keep it.
    std::string title;
    double duration_s = 0.0;
};

} // namespace tutti::models
