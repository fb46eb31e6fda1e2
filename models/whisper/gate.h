// SPDX-License-Identifier: MIT
// Whether narrow weights hear the same: words of a model in BF16 or INT8 against those of the same model in FP32, on recordings
// and on altered versions of them.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include <models/whisper/transcribe.h>

namespace tutti::models {

struct GateLimits {
    double all = 0.02;  // of all words may differ
    double file = 0.10; // of one recording's
};

struct GateReport {
    int recordings = 0;
    int words = 0;   // that FP32 gives
    int changed = 0; // substituted, inserted or left out
    double worst = 0.0;
    int worst_recording = -1;
    bool passed(const GateLimits& limits = {}) const {
        return words > 0 && changed <= limits.all * words && worst <= limits.file;
    }
};

// Versions of one recording (mono, 16 kHz): itself, noise at 20 and 10 dB below it, gains of -20, -6 and +6 dB (clipped),
// 6 and 10 % faster and slower, and some of these together. Deterministic in `seed`. [any]
std::vector<std::vector<float>> altered_versions(std::span<const float> recording, unsigned seed = 1);

// Lower case, punctuation off, split at spaces. [any]
std::vector<std::string> words_of(const std::string& text);
// Levenshtein's distance between two lists of words. [any]
int word_distance(const std::vector<std::string>& a, const std::vector<std::string>& b);

// Greedy, without timestamps, each recording in one window; batches of 16. Empty strings where cancelled. [worker]
Result<std::vector<std::string>> hear(const Transcriber& transcriber, std::span<const std::vector<float>> recordings,
                                      const std::function<bool()>& cancelled = {});

// texts in the same order. [any]
GateReport compare_texts(std::span<const std::string> fp32, std::span<const std::string> narrow);

} // namespace tutti::models
