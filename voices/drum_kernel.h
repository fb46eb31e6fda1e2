// SPDX-License-Identifier: MIT
// Drum voice: the recurrence as a backend runs it (the functions every voice type provides, see voices/subtractive.h).
#pragma once

#include "voices/drum_sound.h"

namespace tutti {
namespace voices {
inline namespace TUTTI_ISA_SPACE {

template <class F>
struct Drum {
    typedef Slots<F> View;
    static constexpr int k_envelope_count = drum::k_envelopes;
    static constexpr int k_field_count = drum::f_count;

    static void advance(View v, const Context&) { drum_kernel::advance(v); }
    static Word retarget(View v, const Context& c, Word which, Word begun, int frames_left) {
        const float frames = static_cast<float>(frames_left);
        drum_kernel::compute_targets(
            v, c, Change<F>{lane_mask<F>(which), lane_mask<F>(begun), F(frames), F(1.0f / frames), true, begun != 0});
        return 0;
    }
    static Word retarget_tick(View v, const Context& c, bool rest) {
        drum_kernel::compute_targets(v, c, tick_change<F>(rest));
        return 0;
    }
    static bool runs_through(const Context&) { return false; }
    template <int G>
    static void run(const View* v, const Context& c, int first, int last, bool, bool, Accumulator to) {
        for (int g = 0; g < G; ++g)
            drum_kernel::frames(v[g], c, first, last, to);
    }
    static void prefetch(View, const Context&) {}
    static constexpr int k_packed_count = 0;
    static F health(View v, const Context&) {
        using namespace drum;
        return abs(v.get(f_noise1)) + abs(v.get(f_noise2)) + abs(v.get(f_metal1)) + abs(v.get(f_metal2)) +
               abs(v.get(f_tone)) + abs(v.get(f_noise)) + abs(v.get(f_metal)) + abs(v.get(f_output + k_output_left)) +
               abs(v.get(f_output + k_output_right)) + abs(v.get(f_output + k_output_memory));
    }
};

} // namespace TUTTI_ISA_SPACE
} // namespace voices
} // namespace tutti
