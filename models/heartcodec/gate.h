// SPDX-License-Identifier: MIT
// Whether the codec may be held in INT8: only where its sound from given latents stays within 5e-3 relative RMS of FP32.
#pragma once

#include <filesystem>

#include <models/heartcodec/codec.h>

namespace tutti::models {

struct CodecGate {
    static constexpr double k_bar = 5e-3;
    double relative_rms = 0.0;
    bool opens() const noexcept { return relative_rms <= k_bar; }
};

// Decodes the same random latents with the weights as they are and rounded to INT8. What INT8 does to activations comes on top
// of that: a gate that stays shut here is shut. [worker]
Result<CodecGate> gate_codec(const std::filesystem::path& folder, int threads, int latents = 50);

} // namespace tutti::models
