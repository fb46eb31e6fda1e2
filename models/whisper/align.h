// SPDX-License-Identifier: MIT
// When each token is said: dynamic time warping through the cross-attention of the alignment heads (openai/whisper timing.py;
// transformers generation_whisper.py).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <models/whisper/generation_config.h>
#include <models/whisper/model.h>
#include <models/whisper/words.h>

namespace tutti::models {

// A window and the ids fed to the decoder, one after another.
struct ListenItem {
    const CrossMemory* memory = nullptr;
    std::vector<TokenId> tokens;
};

// What the alignment heads attend to while the tokens pass: [head][token][position] of each item; all items move together.
// `raw`: the scores before the softmax. `logits`, if given, is called with each token's scores. Empty when cancelled. [worker]
std::vector<std::vector<float>>
listen(const WhisperModel& model, const std::vector<ListenItem>& items, std::span<const std::pair<int, int>> heads,
       bool raw, const std::function<bool()>& cancelled = {},
       const std::function<void(std::size_t item, std::size_t token, std::span<const float> logits)>& logits = {});

// transformers' way: row r is the step that has token r as its input. attention [head][row][position], rows and columns as
// they count (frames / 2 columns); a time for each of rows + 1 tokens, the last one twice. [worker]
std::vector<double> token_times(std::vector<float> attention, int heads, int rows, int columns, int median_width);

// A word with its time inside the window.
struct AlignedWord {
    std::string text;
    std::vector<TokenId> tokens;
    double start = 0.0;
    double end = 0.0;
    double probability = 0.0;
};

// OpenAI's way: one extra pass over [start, language, task, no-timestamps, text, end] of the window; `columns` positions of it
// hold sound. Punctuation stands alone still. Empty when cancelled or when there is no text. [worker]
struct AlignRequest {
    const CrossMemory* memory = nullptr;
    std::vector<TokenId> start; // start sequence, without no-timestamps
    std::vector<TokenId> text;
    int columns = 0;
};
std::vector<AlignedWord> align_words(const WhisperModel& model, const GenerationConfig& generation,
                                     const Tokenizer& tokenizer, const AlignRequest& request, WordOptions options,
                                     const std::function<bool()>& cancelled = {});

} // namespace tutti::models
