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
    static constexpr int k_envelope_count = subtractive::k_envelopes;
    static constexpr int k_field_count = subtractive::field_count;

    // A tick has come.
    static void advance(View v, const Context& c) { subtractive_kernel::advance(v, c); }

    // New targets for the frames up to the next tick. `which` lanes take them, `begun` lanes begin here (their state is 0).
    // Returns the lanes that must be computed again at the next tick.
    static Word retarget(View v, const Context& c, Word which, Word begun, int frames_left) {
        const Change<F> change = {lane_mask<F>(which),
                                  lane_mask<F>(begun),
                                  F(static_cast<float>(frames_left)),
                                  F(1.0f / static_cast<float>(frames_left)),
                                  true,
                                  begun != 0};
        return subtractive_kernel::compute_targets(v, c, change);
    }
    // The same at a tick, for all lanes; `rest`: some lane is not settled.
    static Word retarget_tick(View v, const Context& c, bool rest) {
        return subtractive_kernel::compute_targets(v, c, tick_change<F>(rest));
    }

    // True where `run` does by itself what ticks need, over any number of them, while all lanes are settled.
    static bool runs_through(const Context& c) {
        using namespace subtractive_kernel;
        return is_fused_shape(c) && !c.muffled && (is_still(c) || is_sweep(c));
    }

    // Frames [first, last) of the step, added to `to`: inside one tick whose targets are made; or, `through`, over any number,
    // the first one at `first` itself where `tick` says so.
    template <int G>
    static void run(const View* v, const Context& c, int first, int last, bool through, bool tick, Accumulator to) {
        if (subtractive_kernel::is_fused_shape(c) && !c.muffled)
            subtractive_kernel::fused_form<F, G>(v, c, first, last, through, tick, to);
        else
            subtractive_kernel::modules<F, G>(v, c, first, last, to);
    }

    // Not finite where a memory of the lane is not: every other one shows in these after a frame.
    static F health(View v, const Context& c) {
        using namespace subtractive;
        F sum = abs(v.get(f_i1)) + abs(v.get(f_i2)) + abs(v.get(f_left));
        if (!subtractive_kernel::is_fused_shape(c))
            sum = sum + abs(v.get(f_i3)) + abs(v.get(f_i4)) + abs(v.get(f_pink)) + abs(v.get(f_muffle));
        return sum;
    }
    // What the fused form touches while it runs through, lanes being settled: such rows may be rendered in pieces of four
    // lanes, beside others. Every other field may hold 0.
    enum : int { k_packed_count = 1, k_packed_most = 44 };
    struct Packed {
        int in[k_packed_most] = {};
        int out[k_packed_most] = {};
        int in_count = 0, out_count = 0;
        void add(int field, bool written) {
            in[in_count++] = field;
            if (written) out[out_count++] = field;
        }
    };
    static Packed packed_fields(const Context& c) {
        using namespace subtractive;
        Packed p;
        p.add(envelope_field(0), true);
        p.add(envelope_field(0) + 1, false);
        p.add(envelope_field(0) + 2, false);
        for (int f = f_osc1; f <= f_left_gain; ++f)
            p.add(f, f == f_osc1 || f == f_i1 || f == f_i2 || f == f_left);
        p.add(f_left + k_slopes, true);
        for (int f = f_ring1; c.tier == tier_ultra && f < f_ring1 + k_ringing_fields; ++f)
            p.add(f, true);
        if (c.stereo) {
            p.add(f_right, true);
            p.add(f_right + k_slopes, true);
            p.add(f_right_gain, false);
        }
        if (!subtractive_kernel::is_sweep(c)) return p;
        // `ultra` has one loop for all that moves (fused_tier): what rests is read as slopes of 0.
        for (int f = f_osc1 + f_osc_increment; c.tier == tier_ultra && f <= f_osc1 + f_osc_offset; ++f)
            p.add(f + k_slopes, false);
        p.add(envelope_field(1), true);
        p.add(envelope_field(1) + 1, false);
        p.add(envelope_field(1) + 2, false);
        for (int f = f_damping; f <= f_depth; ++f)
            p.add(f, false);
        for (int f = f_c1; f <= f_c3; ++f) {
            p.out[p.out_count++] = f; // read above
            p.add(f + k_slopes, true);
        }
        return p;
    }
    static constexpr int k_memory_count = 3;
    static constexpr int k_memories[k_memory_count] = {subtractive::f_i1, subtractive::f_i2, subtractive::f_left};
    static int bundle_kind(const Context& c) { return subtractive_kernel::is_sweep(c) ? 1 : 0; }

    static void prefetch(View v, const Context& c) {
        using namespace subtractive;
        for (int f = envelope_field(0); f < envelope_field(0) + 3; ++f)
            v.prefetch(f);
        for (int f = f_osc1; f <= f_left_gain; ++f)
            v.prefetch(f);
        v.prefetch(f_left + k_slopes);
        for (int f = f_ring1; c.tier == tier_ultra && f < f_ring1 + k_ringing_fields; ++f)
            v.prefetch(f);
    }
};

} // namespace TUTTI_ISA_SPACE
} // namespace voices
} // namespace tutti
