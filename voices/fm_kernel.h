// SPDX-License-Identifier: MIT
// FM voice: the recurrence as a backend runs it (the functions every voice type provides, see voices/subtractive.h).
#pragma once

#include "voices/fm_sound.h"

namespace tutti {
namespace voices {
inline namespace TUTTI_ISA_SPACE {

template <class F>
struct Fm {
    typedef Slots<F> View;
    static constexpr int k_envelope_count = fm::k_operators;
    static constexpr int k_field_count = fm::f_count;

    static void advance(View v, const Context& c) { fm_kernel::advance(v, c); }
    static Word retarget(View v, const Context& c, Word which, Word begun, int frames_left) {
        const float frames = static_cast<float>(frames_left);
        const Change<F> change = {lane_mask<F>(which), lane_mask<F>(begun), F(frames), F(1.0f / frames), true,
                                  begun != 0};
        return fm_kernel::compute_targets(v, c, change);
    }
    static Word retarget_tick(View v, const Context& c, bool rest) {
        return fm_kernel::compute_targets(v, c, tick_change<F>(rest));
    }
    static bool runs_through(const Context&) { return false; }
    template <int G>
    static void run(const View* v, const Context& c, int first, int last, bool, bool, Accumulator to) {
        for (int g = 0; g < G; ++g)
            fm_kernel::frames(v[g], c, first, last, to);
    }
    static void prefetch(View, const Context&) {}
    static constexpr int k_packed_count = 0;
    static F health(View v, const Context&) {
        return abs(v.get(fm::f_last)) + abs(v.get(fm::f_before)) + abs(v.get(fm::f_output + k_output_left)) +
               abs(v.get(fm::f_output + k_output_right)) + abs(v.get(fm::f_output + k_output_memory));
    }
};

} // namespace TUTTI_ISA_SPACE
} // namespace voices
} // namespace tutti
