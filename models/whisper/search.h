// SPDX-License-Identifier: MIT
// One search over a batch of windows: greedy, sampling or beams, with Whisper's rules. Internal to models/whisper.
#pragma once

#include <models/whisper/generate.h>

namespace tutti::models {

struct SearchItem {
    const CrossMemory* memory = nullptr;
    std::vector<TokenId> prompt;
};

struct SearchRow {
    std::vector<TokenId> tokens; // after the prompt, with the end token if one came
    float score = 0.0f;          // of beams
    double average_logprob = 0.0;
    double no_speech = 0.0;
    std::vector<float> logprobs; // of each token
};

struct SearchOptions {
    bool timestamps = false;
    int beams = 1;
    double length_penalty = 1.0;
    bool early_stopping = false;
    double temperature = 0.0;
    int top_k = 50;
    int limit = 0; // new tokens
    bool strict = false;
    const std::function<double()>* uniform = nullptr;
    const std::function<bool()>* cancelled = nullptr;
    std::vector<int>* draw_rows = nullptr;
    // With beams: what the batch's first row attends to at every step after the prompt, [step][head][position].
    std::span<const std::pair<int, int>> heads{};
    std::vector<std::vector<float>>* first_row = nullptr;
};

// Empty when cancelled. [worker]
std::vector<SearchRow> search(const WhisperModel& model, const GenerationConfig& generation,
                              const std::vector<SearchItem>& items, const SearchOptions& options);

} // namespace tutti::models
