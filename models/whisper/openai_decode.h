// SPDX-License-Identifier: MIT
// One window the way openai/whisper decodes it (decoding.py): rules on logits, its own beam search, several samples of which the
// likeliest is kept.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <models/tokenizer/tokenizer.h>
#include <models/whisper/generation_config.h>
#include <models/whisper/model.h>

namespace tutti::models {

struct OpenaiDecodeOptions {
    std::string task = "transcribe";
    std::string language = "en"; // code; a checkpoint of English alone takes none
    double temperature = 0.0;
    std::optional<int> best_of;   // samples at a temperature above 0
    std::optional<int> beam_size; // at temperature 0
    std::optional<double> patience;
    std::optional<double> length_penalty;
    std::optional<int> sample_len;
    std::vector<TokenId> prompt; // text before this window
    bool without_timestamps = false;
    bool suppress_blank = true;
    // -1 stands for the non-speech list. [control]
    std::vector<TokenId> suppress{-1};
    std::optional<double> max_initial_timestamp = 1.0;
    std::function<double()> uniform; // numbers in [0, 1); must be given when the temperature is above 0
    std::function<bool()> cancelled;
};

struct OpenaiDecoded {
    std::vector<TokenId> tokens; // without the end token
    std::vector<float> logprobs; // one a token
    std::string text;            // stripped
    double average_logprob = 0.0;
    double no_speech = 0.0;
    double temperature = 0.0;
    double compression_ratio = 0.0;
};

// The ids of signs that are not spoken: brackets, notes and the like. [worker]
std::vector<TokenId> non_speech_tokens(const Tokenizer& tokenizer);
// [start, language, task], what the checkpoint knows of it. [worker]
Result<std::vector<TokenId>> openai_start(const GenerationConfig& generation, const std::string& language,
                                          const std::string& task);
// Ids below the first timestamp as text; no clean-up. [worker]
std::string openai_text(const Tokenizer& tokenizer, const GenerationConfig& generation, std::span<const TokenId> ids);

// [worker]
Result<OpenaiDecoded> openai_decode(const WhisperModel& model, const GenerationConfig& generation,
                                    const Tokenizer& tokenizer, const CrossMemory& memory,
                                    const OpenaiDecodeOptions& options);

} // namespace tutti::models
