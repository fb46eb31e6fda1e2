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

namespace tutti::models {

struct LanguageGuess {
    TokenId id = 0;
    std::vector<float> logits;        // in the order of GenerationConfig::languages
    std::vector<float> probabilities; // softmax over the languages alone
    double no_speech = 0.0;           // of the softmax over the whole vocabulary
};

// One step on the start token serves both questions. [worker]
LanguageGuess detect_language(const WhisperModel& model, const GenerationConfig& generation, const CrossMemory& memory);

} // namespace tutti::models
