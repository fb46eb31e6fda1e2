// SPDX-License-Identifier: MIT
// The chorus's loop (engine/effects/chorus.h).
#pragma once

#include "engine/effects/kernels.h"
#include "engine/effects/ring.h"

namespace tutti::engine {
inline namespace TUTTI_ISA_SPACE {

inline float render_chorus(ChorusState& state, float* left, float* right, int begin, int end) noexcept {
    float* const io[2] = {left - begin, right - begin};
    const Ramp feedback = state.feedback, dry = state.dry, wet = state.wet; // copies: no store below can change them
    const std::uint32_t tick = state.position;
    Peak peak;
    for (int side = 0; side < 2; ++side) {
        const Ring line = state.line[side];
        const MovingDelay* const delay = state.delay[side];
        for_frames(begin, end, [&](auto lane, int k) {
            using F = decltype(lane);
            const F first = Reader<F>::read(line, tick, k, delay[0]);
            const F sum = first + Reader<F>::read(line, tick, k, delay[1]) + Reader<F>::read(line, tick, k, delay[2]);
            const F in = load<F>(io[side] + k);
            // From one tap alone: the sum of three could reach a loop gain above 1.
            const F kept = in + ramp_at<F>(feedback, k) * first;
            put(line, tick + static_cast<std::uint32_t>(k), kept);
            peak.note(kept);
            store(io[side] + k, ramp_at<F>(dry, k) * in + ramp_at<F>(wet, k) * sum);
        });
        if (end == k_tick_frames) end_tick(line, tick);
    }
    return peak.value();
}

} // namespace TUTTI_ISA_SPACE
} // namespace tutti::engine
