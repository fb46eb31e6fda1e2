// SPDX-License-Identifier: MIT
// The saturation's loops (engine/effects/saturation.h): up, shape, down.
#pragma once

#include "engine/effects/kernels.h"
#include "engine/effects/ring.h"

namespace tutti::engine {
inline namespace TUTTI_ISA_SPACE {

// The odd phase of a half-band filter by Parks and McClellan, pass band to 0.208 of the doubled rate (its even phase is a
// plain delay of 7 frames), scaled to a sum of 1: no tone at the old Nyquist frequency from a constant.
inline constexpr float k_saturation_up[16] = {-0.007893904f, 0.013233253f,  -0.023836786f, 0.040022419f,
                                              -0.065222291f, 0.108169870f,  -0.201119725f, 0.636647164f,
                                              0.636647164f,  -0.201119725f, 0.108169870f,  -0.065222291f,
                                              0.040022419f,  -0.023836786f, 0.013233253f,  -0.007893904f};
// Least squares: 1 / cos(pi f) up to 0.203 of the doubled rate, 0 from 0.297 on with six times the weight.
inline constexpr float k_saturation_down[30] = {
    0.001616621f,  0.004263522f,  -0.000225040f, -0.009649285f, -0.002861765f, 0.018049972f,
    0.009479383f,  -0.030466267f, -0.022399209f, 0.048951279f,  0.048298851f,  -0.079492132f,
    -0.112961366f, 0.147219704f,  0.480175732f,  0.480175732f,  0.147219704f,  -0.112961366f,
    -0.079492132f, 0.048298851f,  0.048951279f,  -0.022399209f, -0.030466267f, 0.009479383f,
    0.018049972f,  -0.002861765f, -0.009649285f, -0.000225040f, 0.004263522f,  0.001616621f};

inline float render_saturation(SaturationState& state, float* left, float* right, int begin, int end) noexcept {
    float* const sides[2] = {left - begin, right - begin};
    Peak peak;
    for (int side = 0; side < 2; ++side) {
        SaturationChannel& c = state.channel[side];
        float* const io = sides[side];
        for (int k = begin; k < end; ++k)
            *c.in.at(k) = io[k];
        for_frames(begin, end, [&](auto lane, int k) {
            using F = decltype(lane);
            peak.note(load<F>(c.in.at(k)));
            F between = splat<F>(0.0f);
            for (int i = 0; i < 16; ++i)
                between = between + splat<F>(k_saturation_up[i]) * load<F>(c.in.at(k - i));
            const F factor = ramp_at<F>(state.drive, k);
            const F shift = ramp_at<F>(state.bias, k);
            const F even = factor * between + shift;
            const F odd = factor * load<F>(c.in.at(k - 7)) + shift;
            store(c.even.at(k), even);
            store(c.odd.at(k), odd);
            store(c.even_root.at(k), square_root(splat<F>(1.0f) + even * even));
            store(c.odd_root.at(k), square_root(splat<F>(1.0f) + odd * odd));
        });
        for_frames(begin, end, [&](auto lane, int k) {
            using F = decltype(lane);
            const F even = load<F>(c.even.at(k));
            const F even_root = load<F>(c.even_root.at(k));
            const F rest_value = ramp_at<F>(state.rest, k);
            const F before = (even + load<F>(c.odd.at(k - 1))) / (even_root + load<F>(c.odd_root.at(k - 1)));
            const F after = (load<F>(c.odd.at(k)) + even) / (load<F>(c.odd_root.at(k)) + even_root);
            store(c.shaped_even.at(k), before - rest_value);
            store(c.shaped_odd.at(k), after - rest_value);
        });
        for_frames(begin, end, [&](auto lane, int k) {
            using F = decltype(lane);
            F sum = splat<F>(0.0f);
            for (int i = 0; i < 15; ++i)
                sum = sum + splat<F>(k_saturation_down[2 * i]) * load<F>(c.shaped_even.at(k - i)) +
                      splat<F>(k_saturation_down[2 * i + 1]) * load<F>(c.shaped_odd.at(k - i - 1));
            store(io + k, sum);
        });
    }
    return peak.value();
}

} // namespace TUTTI_ISA_SPACE
} // namespace tutti::engine
