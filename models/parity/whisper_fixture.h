// SPDX-License-Identifier: MIT
// A checkpoint opened once for all cases that name it.
#pragma once

#include <models/parity/case_data.h>
#include <models/whisper/generate.h>
#include <models/whisper/generation_config.h>
#include <models/whisper/model.h>

namespace tutti::models::parity {

struct Fixture {
    WhisperModel model;
    GenerationConfig generation;
    Tokenizer tokenizer;
};

Fixture& fixture(Case& c);
std::vector<std::vector<float>> audio_samples(Case& c);
std::vector<std::vector<float>> audio_features(Case& c, Fixture& f); // of each clip, one window [frames, mels]

} // namespace tutti::models::parity
