// SPDX-License-Identifier: MIT
// From one window's encoder output to tokens: language, prompt, search, fallback over temperatures (transformers
// generation_whisper.py and generation/utils.py; openai/whisper decoding.py).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <models/whisper/generation_config.h>
#include <models/whisper/model.h>
#include <models/whisper/segments.h>

namespace tutti::models {

struct LanguageGuess {
    TokenId id = 0;
    std::vector<float> logits;        // in the order of GenerationConfig::languages
    std::vector<float> probabilities; // softmax over the languages alone
    double no_speech = 0.0;           // of the softmax over the whole vocabulary
};

// One step on the start token serves both questions. [worker]
LanguageGuess detect_language(const WhisperModel& model, const GenerationConfig& generation, const CrossMemory& memory);

struct GenerateOptions {
    std::string task;                   // "transcribe", "translate" or empty: no task token
    std::vector<std::string> languages; // codes: none (detect), one for all, or one an item
    bool timestamps = false;
    int beams = 1;
    double length_penalty = 1.0;
    bool early_stopping = false;
    std::vector<double> temperatures{0.0}; // the next one where a test fails; above 0: sampling
    int top_k = 50;                        // of sampling
    std::optional<int> max_new_tokens;
    std::optional<double> compression_ratio_threshold;
    std::optional<double> logprob_threshold;
    std::optional<double> no_speech_threshold;
    bool condition_on_previous = false;
    std::vector<TokenId> prompt; // begins with <|startofprev|>
    bool prompt_for_all = false; // "all-segments"
    // The reference indexes its flags by the place in the shrunken batch of a retry; strict does so, too. Otherwise each item
    // keeps its own. With one item there is no difference.
    bool strict = false;
    std::function<double()> uniform; // numbers in [0, 1) for sampling; must be given when a temperature is above 0
    std::function<bool()> cancelled; // asked at every step
};

// One search of one batch, for comparisons.
struct SearchPass {
    bool sampled = false;
    double temperature = 1.0;
    int beams = 1;
    std::vector<std::vector<TokenId>> prompts;
    std::vector<std::vector<TokenId>> generated; // with the end token, not padded
    std::vector<float> scores;                   // of beams
    std::vector<int> draw_rows;                  // how many rows drew at each step
};
struct SearchDecision {
    int row = 0;
    double temperature = 0.0;
    std::vector<TokenId> tokens;
    bool fallback = false;
    bool skip = false;
    double compression_ratio = 0.0;
    double average_logprob = 0.0;
    std::vector<double> no_speech;
};

struct TimedSegment {
    Segment segment;
    double temperature = 0.0;
    double average_logprob = 0.0;
    double no_speech = 0.0;
    double compression_ratio = 0.0;
};

struct ItemResult {
    std::vector<TimedSegment> segments;
    std::vector<TokenId> tokens; // of all segments
    std::optional<TokenId> language;
};

struct GenerateResult {
    std::vector<ItemResult> items;
    std::vector<SearchPass> passes;
    std::vector<SearchDecision> decisions;
};

// features of each item: [frames, mels], any number of frames. Longer than one window: windows one after another, each beginning
// where the last one's timestamps end. [worker]
Result<GenerateResult> generate(const WhisperModel& model, const GenerationConfig& generation,
                                const std::vector<std::vector<float>>& features, const GenerateOptions& options);

} // namespace tutti::models
