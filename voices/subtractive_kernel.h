// SPDX-License-Identifier: MIT
// Subtractive voice: the recurrence as a backend runs it. The functions below are what every voice type provides (see
// voices/subtractive.h for how to add one).
#pragma once

#include "voices/subtractive_modules.h"

namespace tutti {
namespace voices {
inline namespace TUTTI_ISA_SPACE {

template <class F>
struct Subtractive {
    typedef Slots<F> View;
    static constexpr int envelope_count = subtractive::k_envelopes;
    static constexpr int field_count = subtractive::field_count;

    // A tick has come.
    static void advance(View v, const Context& c) { subtractive_kernel::advance(v, c); }

    // New targets for the frames up to the next tick. `which` lanes take them, `begun` lanes begin here (their state is 0).
    // Returns the lanes that must be computed again at the next tick.
    static Word retarget(View v, const Context& c, Word which, Word begun, int frames_left) {
        const subtractive_kernel::Change<F> change = {lane_mask<F>(which),
                                                      lane_mask<F>(begun),
                                                      F(static_cast<float>(frames_left)),
                                                      F(1.0f / static_cast<float>(frames_left)),
                                                      true,
                                                      begun != 0};
        return subtractive_kernel::compute_targets(v, c, change);
    }
    // The same at a tick, for all lanes; `rest`: some lane is not settled.
    static Word retarget_tick(View v, const Context& c, bool rest) {
        return subtractive_kernel::compute_targets(v, c, subtractive_kernel::tick_change<F>(rest));
    }

    // True where ticks need nothing but what `run` does by itself over any number of them.
    static bool runs_through(View v, const Context& c) {
        return subtractive_kernel::is_fused_shape(c) && !subtractive_kernel::moves(c) && is_open(v) &&
               !any(v.get(input_pitch_step) != F(0.0f));
    }

    // Frames [first, last) of the step, added to `to`. Within one tick, or further where every group runs_through.
    template <int G>
    static void run(const View* v, const Context& c, int first, int last, subtractive_kernel::Accumulator to) {
        bool fused = subtractive_kernel::is_fused_shape(c);
        for (int g = 0; g < G; ++g)
            fused = fused && is_open(v[g]);
        if (fused)
            subtractive_kernel::fused_form<F, G>(v, c, first, last, to);
        else
            subtractive_kernel::modules<F, G>(v, c, first, last, to);
    }

    // Not finite where a memory of the lane is not.
    static F health(View v) {
        using namespace subtractive;
        return abs(v.get(f_i1)) + abs(v.get(f_i2)) + abs(v.get(f_i3)) + abs(v.get(f_i4)) + abs(v.get(f_left)) +
               abs(v.get(f_right)) + abs(v.get(f_c1)) + abs(v.get(f_c2)) + abs(v.get(f_c3)) + abs(v.get(f_pink));
    }

private:
    static TUTTI_INLINE bool is_open(View v) {
        const F open = v.get(input_lowpass);
        return !any(both(F(0.0f) < open, open < F(1.0f)));
    }
};

} // namespace TUTTI_ISA_SPACE
} // namespace voices
} // namespace tutti
