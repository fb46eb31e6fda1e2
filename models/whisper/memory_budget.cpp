// SPDX-License-Identifier: MIT
#include <models/whisper/memory_budget.h>

#include <algorithm>

namespace tutti::models {
namespace {

std::size_t floats(int a, int b) {
    return sizeof(float) * static_cast<std::size_t>(a) * static_cast<std::size_t>(b);
}

} // namespace

std::size_t window_bytes(const WhisperModel& model, int beams, int tokens) noexcept {
    const WhisperConfig& c = model.config();
    return model.cross_bytes() + floats(2 * c.positions, c.mels) +
           static_cast<std::size_t>(beams) * (model.row_bytes(tokens) + floats(2, c.vocabulary));
}

int batch_that_fits(const WhisperModel& model, int beams, int tokens, int wanted, std::int64_t bytes) noexcept {
    const WhisperConfig& c = model.config();
    // Two convolutions, six arrays of one row a position, the hidden layer.
    const std::size_t encoder = floats(2 * c.positions, c.mels + c.width) + 6 * floats(c.positions, c.width) +
                                floats(c.positions, c.encoder_hidden);
    const auto left = bytes - static_cast<std::int64_t>(encoder);
    const auto fit = left / static_cast<std::int64_t>(window_bytes(model, beams, tokens));
    return static_cast<int>(std::clamp<std::int64_t>(fit, 1, std::max(1, wanted)));
}

} // namespace tutti::models
