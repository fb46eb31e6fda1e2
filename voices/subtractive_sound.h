// SPDX-License-Identifier: MIT
// Subtractive voice, audio rate: the frames between two ticks.
//
// Two forms with the same bits. `fused` is one loop for the patch that is played most, a saw through the low-pass; it can run
// over many ticks while only envelope 1 moves. `modules` runs one module after the other over at most a tick, through small
// buffers in the first-level cache, and skips what the shape does not use.
#pragma once

#include "voices/subtractive_targets.h"

namespace tutti {
namespace voices {
inline namespace TUTTI_ISA_SPACE {
namespace subtractive_kernel {

// True where a saw alone goes through the low-pass.
TUTTI_INLINE bool is_fused_shape(const Context& c) {
    const unsigned long long module_bits = (1ull << shape_move_pitch) - 1ull;
    const unsigned long long plain = 1ull << shape_osc1 | static_cast<unsigned long long>(filter_low) << shape_filter;
    const unsigned long long control = 1ull << shape_env2 | 1ull << shape_lfo1 | 1ull << shape_lfo2;
    return (c.shape & module_bits & ~control) == plain && !has(c, shape_modules);
}
// What the fused loop does by itself at ticks: nothing but envelope 1 moves, or envelope 2 moves the cutoff as well.
TUTTI_INLINE bool is_still(const Context& c) {
    return c.shape >> shape_env2 == 0 && !c.gliding;
}
TUTTI_INLINE bool is_sweep(const Context& c) {
    const unsigned long long sweep = 1ull << shape_env2 | 1ull << shape_move_filter;
    return c.shape >> shape_env2 << shape_env2 == sweep && !c.gliding;
}

// Which of the fused loop's quantities are ramped.
enum Ramps : int { ramp_none = 0, ramp_filter, ramp_all };

template <class F>
TUTTI_INLINE bool any_bits(UintOf<F> bits) {
    return any(less_unsigned(UintOf<F>(0u), bits & UintOf<F>(0x7fffffffu)));
}
template <class F>
TUTTI_INLINE Ramps ramps_of(Slots<F> v) {
    const int at = f_osc1 + k_slopes;
    if (any_bits<F>(v.bits(at + f_osc_increment) | v.bits(at + f_osc_slope) | v.bits(at + f_osc_offset)))
        return ramp_all;
    const bool filter = any_bits<F>(v.bits(f_c1 + k_slopes) | v.bits(f_c2 + k_slopes) | v.bits(f_c3 + k_slopes));
    return filter ? ramp_filter : ramp_none;
}

// What the fused loop keeps of one row in registers.
template <class F, int tier, int ramps, bool stereo>
struct FusedVoice {
    UintOf<F> phase, increment, increment_slope;
    Edge<F> edge, edge_slope;
    Svf<F> filter;
    F a1, a2, a3, a1_slope, a2_slope, a3_slope;
    F left, left_slope, right, right_slope;
    Ringing<F> ring; // `ultra` alone

    TUTTI_INLINE void load_from(Slots<F> v) {
        phase = v.bits(f_osc1);
        increment = v.bits(f_osc1 + f_osc_increment);
        edge = {v.get(f_osc1 + f_osc_slope), v.get(f_osc1 + f_osc_offset)};
        filter = {v.get(f_i1), v.get(f_i2)};
        a1 = v.get(f_c1);
        a2 = v.get(f_c2);
        a3 = v.get(f_c3);
        if (tier == tier_ultra) load_ringing(v, f_ring1, ring);
        left = v.get(f_left);
        left_slope = v.get(f_left + k_slopes);
        if (stereo) {
            right = v.get(f_right);
            right_slope = v.get(f_right + k_slopes);
        }
        if (ramps == ramp_all) {
            increment_slope = v.bits(f_osc1 + f_osc_increment + k_slopes);
            edge_slope = {v.get(f_osc1 + f_osc_slope + k_slopes), v.get(f_osc1 + f_osc_offset + k_slopes)};
        }
        if (ramps != ramp_none) {
            a1_slope = v.get(f_c1 + k_slopes);
            a2_slope = v.get(f_c2 + k_slopes);
            a3_slope = v.get(f_c3 + k_slopes);
        }
    }
    TUTTI_INLINE void store_to(Slots<F> v) const {
        v.set_bits(f_osc1, phase);
        v.set(f_i1, filter.i1);
        v.set(f_i2, filter.i2);
        if (tier == tier_ultra) store_ringing(v, f_ring1, ring);
        v.set(f_left, left);
        v.set(f_left + k_slopes, left_slope);
        if (stereo) {
            v.set(f_right, right);
            v.set(f_right + k_slopes, right_slope);
        }
        if (ramps == ramp_all) {
            v.set_bits(f_osc1 + f_osc_increment, increment);
            v.set(f_osc1 + f_osc_slope, edge.slope);
            v.set(f_osc1 + f_osc_offset, edge.offset);
        }
        if (ramps != ramp_none) {
            v.set(f_c1, a1);
            v.set(f_c2, a2);
            v.set(f_c3, a3);
            v.set(f_c1 + k_slopes, a1_slope);
            v.set(f_c2 + k_slopes, a2_slope);
            v.set(f_c3 + k_slopes, a3_slope);
        }
    }
    // What `advance` and `compute_targets` do where only envelope 1 moves.
    TUTTI_INLINE void tick(Slots<F> v) {
        const int e = envelope_field(0);
        const F mul = v.get(e + 1), add = v.get(e + 2);
        const F value = fma(v.get(e), mul, add);
        v.set(e, value);
        const F next = fma(value, mul, add);
        left_slope = fma(next, v.get(f_left_gain), -left) * F(1.0f / 16.0f);
        if (stereo) right_slope = fma(next, v.get(f_right_gain), -right) * F(1.0f / 16.0f);
    }
    // The same where envelope 2 moves the cutoff.
    TUTTI_INLINE void sweep(Slots<F> v) {
        const int e = envelope_field(1);
        const F mul = v.get(e + 1), add = v.get(e + 2);
        const F value = fma(v.get(e), mul, add);
        v.set(e, value);
        const F angle = angle_with(v.get(f_base), v.get(f_depth), fma(value, mul, add));
        const SvfCoefficients<F> to = svf_coefficients(angle, v.get(f_damping));
        a1_slope = (to.a1 - a1) * F(1.0f / 16.0f);
        a2_slope = (to.a2 - a2) * F(1.0f / 16.0f);
        a3_slope = (to.a3 - a3) * F(1.0f / 16.0f);
    }
    TUTTI_INLINE UintOf<F> move_phase() {
        if (ramps == ramp_all) {
            increment = increment + increment_slope;
            edge.slope = edge.slope + edge_slope.slope;
            edge.offset = edge.offset + edge_slope.offset;
        }
        const UintOf<F> before = phase;
        phase = phase + increment;
        return before;
    }
    // `ultra` on machines of 16 registers: some frames ahead of the filter, a row at a time, for what rings needs eight of them.
    static constexpr bool k_ahead = tier == tier_ultra && width_of<F>() <= 8;
    TUTTI_INLINE void saws(F* x, int n) {
        Ringing<F> own = ring;
        for (int i = 0; i < n; ++i) {
            const UintOf<F> before = move_phase();
            x[i] = ringing_saw(own, before, phase, edge);
        }
        ring = own;
    }
    // `made`: what saws() has made for this frame.
    TUTTI_INLINE F step(const F& made) {
        F x;
        if (k_ahead) {
            x = made;
        } else {
            const UintOf<F> before = move_phase();
            x = tier == tier_ultra ? ringing_saw(ring, before, phase, edge) : saw<tier>(signed_to_float(phase), edge);
        }
        if (ramps != ramp_none) {
            a1 = a1 + a1_slope;
            a2 = a2 + a2_slope;
            a3 = a3 + a3_slope;
        }
        left = left + left_slope;
        if (stereo) right = right + right_slope;
        F low, band;
        filter.step(x, a1, a2, a3, low, band);
        return low;
    }
};

template <class F, int G, int tier, int ramps, bool stereo>
void fused(const Slots<F>* v, const Context& c, int first, int last, bool tick, Accumulator to) {
    FusedVoice<F, tier, ramps, stereo> voice[G];
    const bool sweep = ramps != ramp_none && is_sweep(c);
    TUTTI_UNROLL for (int g = 0; g < G; ++g) voice[g].load_from(v[g]);
    float TUTTI_SHARED* left = to.left + first * k_row_slots;
    float TUTTI_SHARED* right = stereo ? to.right + first * k_row_slots : nullptr;
    int at = first;
    for (;;) {
        if (tick) {
            TUTTI_UNROLL for (int g = 0; g < G; ++g) voice[g].tick(v[g]);
            if (sweep) {
                TUTTI_UNROLL for (int g = 0; g < G; ++g) voice[g].sweep(v[g]);
            }
        }
        const int stop = smaller(last, at + frames_to_tick(c, at));
        constexpr bool ahead = FusedVoice<F, tier, ramps, stereo>::k_ahead;
        F made[G][ahead ? k_tick_frames : 1];
        if (ahead) {
            TUTTI_UNROLL for (int g = 0; g < G; ++g) voice[g].saws(made[g], stop - at);
        }
        const int begin = at;
        for (; at < stop; ++at) {
            F sum = to.fresh ? F(0.0f) : load<F>(left), sum_right = sum;
            if (stereo) sum_right = to.fresh ? F(0.0f) : load<F>(right);
            TUTTI_UNROLL for (int g = 0; g < G; ++g) {
                const F y = voice[g].step(made[g][ahead ? at - begin : 0]);
                sum = sum + y * voice[g].left;
                if (stereo) sum_right = sum_right + y * voice[g].right;
            }
            store(left, sum);
            left += k_row_slots;
            if (stereo) {
                store(right, sum_right);
                right += k_row_slots;
            }
        }
        if (at == last) break;
        tick = true;
    }
    TUTTI_UNROLL for (int g = 0; g < G; ++g) voice[g].store_to(v[g]);
}

template <class F, int G, int tier, int ramps>
TUTTI_INLINE void fused_channels(const Slots<F>* v, const Context& c, int first, int last, bool tick, Accumulator to) {
    if (c.stereo)
        fused<F, G, tier, ramps, true>(v, c, first, last, tick, to);
    else
        fused<F, G, tier, ramps, false>(v, c, first, last, tick, to);
}
// What does not move has slopes of 0, and adding them changes no bit: only speed asks for a loop of its own. The instruction
// sets that nobody plays on (TUTTI_FEW_SHAPES) do without, and so does `ultra`, of whose time it is a small part.
#ifdef TUTTI_FEW_SHAPES
constexpr bool k_few_shapes = true;
#else
constexpr bool k_few_shapes = false;
#endif
template <class F, int G, int tier>
void fused_tier(const Slots<F>* v, const Context& c, int first, int last, bool tick, Accumulator to, Ramps ramps) {
    constexpr int filter = tier == tier_ultra ? ramp_all : ramp_filter;
    if (k_few_shapes || ramps == ramp_all)
        fused_channels<F, G, tier, ramp_all>(v, c, first, last, tick, to);
    else if (ramps == ramp_filter)
        fused_channels<F, G, tier, k_few_shapes ? ramp_all : filter>(v, c, first, last, tick, to);
    else
        fused_channels<F, G, tier, k_few_shapes ? ramp_all : ramp_none>(v, c, first, last, tick, to);
}
template <class F, int G>
void fused_form(const Slots<F>* v, const Context& c, int first, int last, bool through, bool tick, Accumulator to) {
    Ramps ramps = ramp_none;
    if (!through) { // else settled: nothing but what the ticks inside ramp
        for (int g = 0; g < G; ++g) {
            const Ramps own = ramps_of(v[g]);
            ramps = own > ramps ? own : ramps;
        }
    } else if (is_sweep(c)) {
        ramps = ramp_filter;
    }
    if (c.tier == tier_eco)
        fused_tier<F, G, tier_eco>(v, c, first, last, tick, to, ramps);
    else if (c.tier == tier_standard)
        fused_tier<F, G, tier_standard>(v, c, first, last, tick, to, ramps);
    else
        fused_tier<F, G, tier_ultra>(v, c, first, last, tick, to, ramps);
}

} // namespace subtractive_kernel
} // namespace TUTTI_ISA_SPACE
} // namespace voices
} // namespace tutti
