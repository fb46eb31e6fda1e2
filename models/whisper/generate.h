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

struct TimedSegment {
    Segment segment;
    double temperature = 0.0;
    double average_logprob = 0.0;
    double no_speech = 0.0;
    double compression_ratio = 0.0;
    std::int64_t seek = 0;             // first frame of its window
    std::vector<double> token_times;   // one a token, seconds of the item; when asked for
    std::vector<float> token_logprobs; // one a token
};

// Seconds that the stages took.
struct StageTimes {
    double features = 0.0;
    double encoder = 0.0;
    double decoder = 0.0;
    double alignment = 0.0;
};

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
    std::vector<TokenId> prompt;            // begins with <|startofprev|>
    bool prompt_for_all = false;            // "all-segments"
    bool token_times = false;               // when each token is said, by the alignment heads
    std::vector<std::int64_t> sound_frames; // of each item, where its features go on as padding; empty: all of them
    // The reference indexes its flags by the place in the shrunken batch of a retry; strict does so, too. Otherwise each item
    // keeps its own. With one item there is no difference.
    bool strict = false;
    std::function<double()> uniform; // numbers in [0, 1) for sampling; must be given when a temperature is above 0
    StageTimes* times = nullptr;     // added to
    // Where a window that would begin at frame `seek` begins instead: behind a silence.
    std::function<std::int64_t(std::size_t item, std::int64_t seek)> skip_silence;
    std::function<bool()> cancelled; // asked at every step
    // Told of every window that is done: what it gave, and how far (in frames) the item has come.
    std::function<void(std::size_t item, const std::vector<TimedSegment>& segments, std::int64_t frames_done)>
        on_window;
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

struct ItemResult {
    std::vector<TimedSegment> segments;
    std::vector<TokenId> tokens;     // of all segments
    std::vector<double> token_times; // strict: each from its own window's start, as the reference joins them
    std::optional<TokenId> language;
};

struct GenerateResult {
    std::vector<ItemResult> items;
    std::vector<SearchPass> passes;
    std::vector<SearchDecision> decisions;
};

// Features that are computed when a window is reached: rows[count][mels] of frames [from, from + count).
struct ItemFeatures {
    std::int64_t frames = 0;
    std::function<Status(std::int64_t from, std::int64_t count, std::vector<float>& rows)> read;
};

// Items of any number of frames. Longer than one window: windows one after another, each beginning where the last one's
// timestamps end. [worker]
Result<GenerateResult> generate(const WhisperModel& model, const GenerationConfig& generation,
                                const std::vector<ItemFeatures>& features, const GenerateOptions& options);
// features of each item in memory: [frames, mels]. [worker]
Result<GenerateResult> generate(const WhisperModel& model, const GenerationConfig& generation,
                                const std::vector<std::vector<float>>& features, const GenerateOptions& options);

} // namespace tutti::models
