// SPDX-License-Identifier: MIT
// Long audio in overlapping chunks, and their texts put together again (transformers: pipelines/automatic_speech_recognition.py,
// tokenization_whisper.py).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <models/tokenizer/tokenizer.h>

namespace tutti::models {

struct AudioChunk {
    std::int64_t begin = 0; // samples
    std::int64_t length = 0;
    std::int64_t left = 0; // shared with the chunk before
    std::int64_t right = 0;
    bool last = false;
};

// Chunks of `chunk` samples that overlap by left + right. [any]
std::vector<AudioChunk> cut_audio(std::int64_t samples, std::int64_t chunk, std::int64_t left, std::int64_t right);

using TimePair = std::pair<double, double>; // start and end, seconds

struct MergedTokens {
    std::vector<TokenId> tokens;
    std::vector<TimePair> times; // empty without times
};

// Joins each sequence to the one before where they agree best. `times` is empty or one list a sequence. [worker]
MergedTokens merge_sequences(const std::vector<std::vector<TokenId>>& sequences,
                             const std::vector<std::vector<TimePair>>& times = {});

// What one chunk's decoder said.
struct ChunkTokens {
    std::vector<TokenId> tokens;
    std::vector<double> token_times; // one a token when words are wanted
    bool has_stride = false;
    double length_s = 0.0, left_s = 0.0, right_s = 0.0;
};

struct TextPiece {
    std::string text;
    std::optional<double> start, end; // seconds
    std::string language;             // English name; empty when not known
    std::vector<TokenId> tokens;
    std::size_t first_word = 0, words = 0; // of JoinedText::words
};

enum class TimesWanted : std::uint8_t { none, segments, words };

struct JoinOptions {
    TimesWanted times = TimesWanted::none;
    double time_step = 0.02;
    TokenId timestamp_begin = 0;
};

// The whole text and its pieces (words when asked for). [worker]
struct JoinedText {
    std::string text;
    std::vector<TextPiece> pieces;
    std::vector<TextPiece> segments; // what the words were cut from, when words are wanted
};
JoinedText join_chunks(const Tokenizer& tokenizer, std::span<const ChunkTokens> chunks, const JoinOptions& options);

// "en" -> "english"; empty for what is no language. [any]
std::string language_name(std::string_view code);
// "English", "en", "mandarin" -> "en" ...; empty for what is no language. [any]
std::string language_code(std::string_view name);

// Rounds to two decimals as Python does: the exact value, ties to even. [any]
double round_2(double x);

} // namespace tutti::models
