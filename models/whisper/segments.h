// SPDX-License-Identifier: MIT
// Segments out of one window's tokens, and how far the next window moves (transformers generation_whisper.py).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <models/tokenizer/tokenizer.h>

namespace tutti::models {

struct Segment {
    double start = 0.0; // seconds
    double end = 0.0;
    std::vector<TokenId> tokens;
};

struct WindowSegments {
    std::vector<Segment> segments;
    std::int64_t advance = 0; // mel frames
};

// `tokens` without the end token; `frames` of the window (10 ms each); `offset_s` its start. [worker]
WindowSegments cut_segments(std::span<const TokenId> tokens, TokenId timestamp_begin, std::int64_t frames,
                            double offset_s);

} // namespace tutti::models
