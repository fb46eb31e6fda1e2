// SPDX-License-Identifier: MIT
// Ambient pad: the recurrence as a backend runs it (the functions every voice type provides, see voices/subtractive.h).
#pragma once

#include "voices/ambient_pad_sound.h"

namespace tutti {
namespace voices {
inline namespace TUTTI_ISA_SPACE {

template <class F>
struct AmbientPad {
    typedef Slots<F> View;
    static constexpr int k_envelope_count = ambient_pad::k_envelopes;
    static constexpr int k_field_count = ambient_pad::f_count;

    static void advance(View v, const Context&) { ambient_pad_kernel::advance(v); }
    static Word retarget(View v, const Context& c, Word which, Word begun, int frames_left) {
        const float frames = static_cast<float>(frames_left);
        ambient_pad_kernel::compute_targets(
            v, c, Change<F>{lane_mask<F>(which), lane_mask<F>(begun), F(frames), F(1.0f / frames), true, begun != 0});
        return 0;
    }
    static Word retarget_tick(View v, const Context& c, bool rest) {
        ambient_pad_kernel::compute_targets(v, c, tick_change<F>(rest));
        return 0;
    }
    static bool runs_through(const Context&) { return false; }
    template <int G>
    static void run(const View* v, const Context& c, int first, int last, bool, bool, Accumulator to) {
        for (int g = 0; g < G; ++g)
            ambient_pad_kernel::frames(v[g], c, first, last, to);
    }
    static void prefetch(View, const Context&) {}
    static constexpr int k_packed_count = 0;
    static F health(View v, const Context&) {
        using namespace ambient_pad;
        return abs(v.get(f_left1)) + abs(v.get(f_left2)) + abs(v.get(f_right1)) + abs(v.get(f_right2)) +
               abs(v.get(f_c1)) + abs(v.get(f_c2)) + abs(v.get(f_c3)) + abs(v.get(f_noise_left)) +
               abs(v.get(f_noise_right)) + abs(v.get(f_output + k_output_left)) +
               abs(v.get(f_output + k_output_right)) + abs(v.get(f_output + k_output_memory)) +
               abs(v.get(f_output + k_output_memory_right));
    }
};

} // namespace TUTTI_ISA_SPACE
} // namespace voices
} // namespace tutti
