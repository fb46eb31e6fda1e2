// SPDX-License-Identifier: MIT
// What Whisper's decoder may say next (openai/whisper decoding.py; transformers logits_process.py).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <models/tokenizer/tokenizer.h>

namespace tutti::models {

struct TimestampRules {
    TokenId eos = 0;
    TokenId no_timestamps = 0;
    std::optional<int> max_initial_index; // no first timestamp later than this many 20 ms steps

    TokenId begin() const noexcept { return no_timestamps + 1; } // <|0.00|>
};

// Sets what may not follow `generated` (the tokens after the prompt) to -infinity. scores[vocabulary]. [worker]
void apply_timestamp_rules(std::span<float> scores, std::span<const TokenId> generated,
                           const TimestampRules& rules) noexcept;

// scores -> log of the softmax, in FP32 with the sum in FP64; -infinity stays. [worker]
void log_softmax(std::span<float> scores) noexcept;

// transformers' measure of repetition: the ids as little-endian bytes against their zlib length. [worker]
double compression_ratio_of_ids(std::span<const TokenId> ids, int vocabulary);
// OpenAI's: UTF-8 bytes of the stripped text against their zlib length. [worker]
double compression_ratio_of_text(std::string_view text);

} // namespace tutti::models
