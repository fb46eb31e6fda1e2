// SPDX-License-Identifier: MIT
// One token out of its scores: temperature, the k best, and the exponential race argmax p_j / e_j.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

namespace tutti::models {

struct SampleOptions {
    float temperature = 1.0f; // 0: the largest score
    int top_k = 50;           // ties at the threshold survive
    int masked_from = 0;      // ids [masked_from, masked_to) are never taken
    int masked_to = 0;
    bool rounded = false; // the division by the temperature in BF16, as the reference's autocast has it
};

struct Sample {
    std::int32_t id = 0;
    float lead = 1.0f; // of the winner over the second, relative; 1 where there is no second
};

// `race(id)`: an exponential number of mean 1, asked only for what is left. The first id wins a tie. [worker]
Sample sample(std::span<const float> logits, const SampleOptions& options,
              const std::function<float(std::int32_t)>& race);

} // namespace tutti::models
