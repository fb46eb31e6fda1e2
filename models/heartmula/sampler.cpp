// SPDX-License-Identifier: MIT
#include <models/heartmula/sampler.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include <models/checkpoint/dtype.h>

namespace tutti::models {

Sample sample(std::span<const float> logits, const SampleOptions& options,
              const std::function<float(std::int32_t)>& race) {
    constexpr float k_never = -std::numeric_limits<float>::infinity();
    std::vector<float> x(logits.begin(), logits.end());
    for (int i = std::max(0, options.masked_from); i < std::min<int>(options.masked_to, static_cast<int>(x.size()));
         ++i)
        x[static_cast<std::size_t>(i)] = k_never;
    const auto best = std::max_element(x.begin(), x.end());
    if (options.temperature <= 0.0f) return {static_cast<std::int32_t>(best - x.begin()), 1.0f};
    for (float& y : x) {
        y /= options.temperature;
        if (options.rounded) y = bf16_to_f32(f32_to_bf16(y));
    }
    const float highest = *best;
    std::vector<float> order = x;
    const auto kth = std::min(static_cast<std::size_t>(std::max(1, options.top_k)), order.size()) - 1;
    std::nth_element(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(kth), order.end(), std::greater<>());
    const float threshold = order[kth];
    // The sum of the softmax is common to all and does not change who wins.
    Sample won{static_cast<std::int32_t>(best - x.begin()), 1.0f};
    float first = -1.0f, second = -1.0f;
    for (std::size_t i = 0; i < x.size(); ++i) {
        if (x[i] < threshold || x[i] == k_never) continue;
        const auto id = static_cast<std::int32_t>(i);
        const float score = std::exp(x[i] - highest) / race(id);
        if (score > first) {
            second = first;
            first = score;
            won.id = id;
        } else if (score > second) {
            second = score;
        }
    }
    won.lead = second > 0.0f ? 1.0f - second / first : 1.0f;
    return won;
}

} // namespace tutti::models
