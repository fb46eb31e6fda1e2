// SPDX-License-Identifier: MIT
// How many windows may be in flight within a budget of memory.
#pragma once

#include <cstddef>
#include <cstdint>

#include <models/whisper/model.h>

namespace tutti::models {

// What one more window takes: the encoder's output as the decoder reads it, rows of the decoder, features, scores. [any]
std::size_t window_bytes(const WhisperModel& model, int beams, int tokens) noexcept;
// The most windows up to `wanted` that fit into `bytes` beside what the encoder itself works in; at least 1. [any]
int batch_that_fits(const WhisperModel& model, int beams, int tokens, int wanted, std::int64_t bytes) noexcept;

} // namespace tutti::models
