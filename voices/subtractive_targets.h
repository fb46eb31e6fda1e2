// SPDX-License-Identifier: MIT
// Subtractive voice, control rate: what is computed at ticks and at edits, for the frames up to the next tick.
#pragma once

#include "dsp/ladder.h"
#include "dsp/oscillator.h"
#include "dsp/svf.h"
#include "voices/subtractive_parameters.h"

namespace tutti {
namespace voices {
inline namespace TUTTI_ISA_SPACE {
namespace subtractive_kernel {

using namespace subtractive;

TUTTI_INLINE bool has(const Context& c, int bit) {
    return (c.shape >> bit & 1u) != 0;
}
TUTTI_INLINE int number(const Context& c, int bit, int bits) {
    return static_cast<int>(c.shape >> bit) & ((1 << bits) - 1);
}

template <class V>
void fill_sources(V v, const Context& c, bool next, Sources<typename V::Lane>& s) {
    if (c.sources == 0) return;
    common_sources(v, c, s);
    for (int e = 0; e < k_envelopes; ++e)
        if (c.sources >> (source_envelope1 + e) & 1u)
            s.value[source_envelope1 + e] = next ? envelope_next(v, e) : envelope_now(v, e);
    if (c.sources >> source_lfo1 & 1u) s.value[source_lfo1] = lfo_output(v, c, f_lfo1, p_lfo1, next);
    if (c.sources >> source_lfo2 & 1u) s.value[source_lfo2] = lfo_output(v, c, f_lfo2, p_lfo2, next);
}

// Pitch without the oscillators' own intervals, in semitones.
template <class V, class F>
TUTTI_INLINE F base_pitch(V v, const Context& c, const Sources<F>& s, bool next) {
    F pitch = v.get(input_pitch) + v.get(input_offset);
    if (next) pitch = pitch + v.get(input_pitch_step);
    pitch = pitch + parameter(c, s, p_pitch) + F(c.part(part_bend));
    return fma(v.get(input_unison), parameter(c, s, p_unison_detune) * F(0.01f), pitch);
}
template <class F>
TUTTI_INLINE F interval(const Context& c, const Sources<F>& s, int first) {
    return fma(parameter(c, s, first + 3), F(0.01f),
               F(12.0f * c.parameter(first + 1)) + parameter(c, s, first + 2)); // octave, semitone, fine
}

// An oscillator at field `at`, parameters from `first`.
template <class V, class F>
MaskOf<F> oscillator_target(V v, const Context& c, const Change<F>& k, int at, int corner, int wave, int first, F now,
                            F next, const Sources<F>& s_now, const Sources<F>& s_next) {
    const UintOf<F> to = increment_of(next + interval(c, s_next, first), c);
    const UintOf<F> from = k.some_begin ? increment_of(now + interval(c, s_now, first), c) : to;
    const F float_to = signed_to_float(to), float_from = signed_to_float(from);
    MaskOf<F> moving = retarget_increment(v, at + f_osc_increment, at + f_osc_increment + k_slopes, k.which, k.begun,
                                          from, to, k.per_frame);
    if (wave == wave_sine) return moving;
    Edge<F> edge_to, edge_from;
    if (wave == wave_triangle) {
        edge_to = triangle_edge(c.tier, F(1.0f) / float_to);
        edge_from = k.some_begin ? triangle_edge(c.tier, F(1.0f) / float_from) : edge_to;
        v.set(corner, select(k.which, triangle_corner(c.tier, float_to), v.get(corner)));
    } else {
        edge_to = saw_edge(c.tier, F(1.0f) / float_to);
        edge_from = k.some_begin ? saw_edge(c.tier, F(1.0f) / float_from) : edge_to;
    }
    moving = either(moving, retarget(v, at + f_osc_slope, at + f_osc_slope + k_slopes, k.which, k.begun,
                                     edge_from.slope, edge_to.slope, k.per_frame));
    return either(moving, retarget(v, at + f_osc_offset, at + f_osc_offset + k_slopes, k.which, k.begun,
                                   edge_from.offset, edge_to.offset, k.per_frame));
}

// The first phase of a note: its own draw, or the parameter's.
template <class V>
void begin_phase(V v, const Context& c, MaskOf<typename V::Lane> begun, int at, int parameter_index, Word salt) {
    typedef typename V::Lane F;
    const Word fixed = static_cast<Word>(static_cast<int>(c.parameter(parameter_index) * 65536.0f)) << 16;
    const UintOf<F> phase =
        c.parameter(p_osc_start) < 0.5f ? hash_word(v.bits(input_seed) + UintOf<F>(salt)) : UintOf<F>(fixed);
    v.set_bits(at, select(begun, phase, v.bits(at)));
}

template <class V, class F>
MaskOf<F> width_target(V v, const Context& c, const Change<F>& k, int at, int index, const Sources<F>& s_now,
                       const Sources<F>& s_next) {
    const F to = min(max(parameter(c, s_next, index), F(0.01f)), F(0.99f)) - F(0.5f);
    const F from = min(max(parameter(c, s_now, index), F(0.01f)), F(0.99f)) - F(0.5f);
    const UintOf<F> half(0x80000000u);
    return retarget_increment(v, at, at + k_slopes, k.which, k.begun, truncate_to_int(from * F(4294967040.0f)) + half,
                              truncate_to_int(to * F(4294967040.0f)) + half, k.per_frame);
}

// log2(pi cutoff / rate) with key tracking, without envelope 2.
template <class V, class F>
TUTTI_INLINE F angle_base(V, const Context& c, const Sources<F>& s, F pitch) {
    const F x = parameter(c, s, p_cutoff) + F(c.log2_angle);
    return fma(parameter(c, s, p_filter_key) * F(1.0f / 12.0f), pitch - F(60.0f), x);
}
template <class F>
TUTTI_INLINE F angle_with(F base, F depth, F envelope) {
    return max(fma(depth, envelope, base), F(-20.0f));
}

template <class V, class F>
MaskOf<F> filter_target(V v, const Context& c, const Change<F>& k, F now, F next, const Sources<F>& s_now,
                        const Sources<F>& s_next) {
    const int type = number(c, shape_filter, 3);
    const bool ladder = type == filter_ladder;
    MaskOf<F> moving = lane_mask<F>(0);
    if (k.rest || c.is_routed(p_resonance)) {
        const F to = min(max(parameter(c, s_next, p_resonance), F(0.0f)), F(1.0f));
        const F from = min(max(parameter(c, s_now, p_resonance), F(0.0f)), F(1.0f));
        // Butterworth at 0; 1/Q falls by six octaves. The ladder begins to sing by itself at 4.
        const F damping_to = ladder ? to * F(4.4f) : exp2(fma(F(-6.0f), to, F(0.5f)));
        const F damping_from = ladder ? from * F(4.4f) : exp2(fma(F(-6.0f), from, F(0.5f)));
        if (ladder || has(c, shape_fm)) {
            moving =
                retarget(v, f_damping, f_damping + k_slopes, k.which, k.begun, damping_from, damping_to, k.per_frame);
        } else { // it is heard through the coefficients, which are ramped
            v.set(f_damping, select(k.which, damping_to, v.get(f_damping)));
        }
    }
    if (ladder && (k.rest || c.is_routed(p_drive))) {
        const F octaves(1.0f / 6.0206f);
        moving = either(moving, retarget(v, f_drive, f_drive + k_slopes, k.which, k.begun,
                                         exp2(parameter(c, s_now, p_drive) * octaves),
                                         exp2(parameter(c, s_next, p_drive) * octaves), k.per_frame));
    }
    F base_from = v.get(f_base), depth_from = v.get(f_depth);
    if (k.rest || c.gliding || has(c, shape_move_base)) {
        v.set(f_base, select(k.which, angle_base(v, c, s_next, next), base_from));
        v.set(f_depth, select(k.which, parameter(c, s_next, p_filter_env), depth_from));
        if (k.some_begin) {
            base_from = angle_base(v, c, s_now, now);
            depth_from = parameter(c, s_now, p_filter_env);
        }
    }
    const bool env = has(c, shape_env2);
    const F angle_to = angle_with(v.get(f_base), v.get(f_depth), env ? envelope_next(v, 1) : F(0.0f));
    const F angle_from =
        k.some_begin ? angle_with(base_from, depth_from, env ? envelope_now(v, 1) : F(0.0f)) : angle_to;
    if (has(c, shape_fm)) {
        moving = either(moving,
                        retarget(v, f_angle, f_angle + k_slopes, k.which, k.begun, angle_from, angle_to, k.per_frame));
        return either(moving, retarget(v, f_fm, f_fm + k_slopes, k.which, k.begun, parameter(c, s_now, p_filter_fm),
                                       parameter(c, s_next, p_filter_fm), k.per_frame));
    }
    const F damping = v.get(f_damping);
    if (ladder) {
        const F pole_to = ladder_pole(angle_to), pole_from = k.some_begin ? ladder_pole(angle_from) : pole_to;
        moving = either(moving, retarget(v, f_c1, f_c1 + k_slopes, k.which, k.begun, pole_from, pole_to, k.per_frame));
        return either(moving, retarget(v, f_c2, f_c2 + k_slopes, k.which, k.begun, ladder_solve(pole_from, damping),
                                       ladder_solve(pole_to, fma(v.get(f_damping + k_slopes), k.frames, damping)),
                                       k.per_frame));
    }
    const SvfCoefficients<F> to = svf_coefficients(angle_to, damping);
    const SvfCoefficients<F> from = k.some_begin ? svf_coefficients(angle_from, damping) : to;
    if (has(c, shape_move_filter)) {
        move_to(v, f_c1, f_c1 + k_slopes, k.which, k.begun, from.a1, to.a1, k.per_frame);
        move_to(v, f_c2, f_c2 + k_slopes, k.which, k.begun, from.a2, to.a2, k.per_frame);
        move_to(v, f_c3, f_c3 + k_slopes, k.which, k.begun, from.a3, to.a3, k.per_frame);
        return moving;
    }
    moving = either(moving, retarget(v, f_c1, f_c1 + k_slopes, k.which, k.begun, from.a1, to.a1, k.per_frame));
    moving = either(moving, retarget(v, f_c2, f_c2 + k_slopes, k.which, k.begun, from.a2, to.a2, k.per_frame));
    return either(moving, retarget(v, f_c3, f_c3 + k_slopes, k.which, k.begun, from.a3, to.a3, k.per_frame));
}

// Amplitude without envelope 1.
template <class V, class F>
TUTTI_INLINE void gains(V v, const Context& c, const Sources<F>& s, F& left, F& right) {
    const F velocity = v.get(input_velocity);
    const F sense = parameter(c, s, p_velocity);
    const F loud = fma(sense, fma(velocity, velocity, F(-1.0f)), F(1.0f)); // 1 - sense + sense v^2
    F gain = max(parameter(c, s, p_level), F(0.0f)) * max(loud, F(0.0f)) * v.get(input_gain) * v.get(input_unison_gain);
    // Signals run at 2^31, the state-variable filter gives twice its output; the ladder runs at 1.
    const int filter = number(c, shape_filter, 3);
    gain = gain * F(filter == filter_ladder ? 1.0f
                    : filter == filter_off  ? 1.0f / 2147483648.0f
                                            : 1.0f / 4294967296.0f);
    // One oscillator alone in front of a linear filter: its level belongs here.
    if (!has(c, shape_mix))
        gain = gain * max(parameter(c, s, has(c, shape_osc1) ? p_osc1_level : p_osc2_level), F(0.0f));
    left = gain;
    right = gain;
    if (!c.stereo) return;
    const F place =
        fma(v.get(input_unison), parameter(c, s, p_unison_spread), v.get(input_pan) + parameter(c, s, p_pan));
    F l, r;
    pan_gains(place, l, r);
    left = gain * l;
    right = gain * r;
}

template <class V, class F>
TUTTI_INLINE MaskOf<F> level_target(V v, const Context& c, const Change<F>& k, int at, int index, F scale,
                                    const Sources<F>& s_now, const Sources<F>& s_next) {
    return retarget(v, at, at + k_slopes, k.which, k.begun, max(parameter(c, s_now, index), F(0.0f)) * scale,
                    max(parameter(c, s_next, index), F(0.0f)) * scale, k.per_frame);
}

template <class V, class F>
MaskOf<F> pitch_targets(V v, const Context& c, const Change<F>& k, F now, F next, const Sources<F>& s_now,
                        const Sources<F>& s_next) {
    if (k.some_begin) {
        begin_phase(v, c, k.begun, f_osc1, p_osc1_phase, 0x51ed270bu);
        begin_phase(v, c, k.begun, f_osc2, p_osc2_phase, 0xa2f1c3b5u);
        begin_phase(v, c, k.begun, f_sub_phase, p_osc1_phase, 0x51ed270bu);
    }
    MaskOf<F> moving = lane_mask<F>(0);
    if (has(c, shape_osc1) || has(c, shape_sub))
        moving = oscillator_target(v, c, k, f_osc1, f_corner1, number(c, shape_osc1_wave, 2), p_osc1_wave, now, next,
                                   s_now, s_next);
    if (has(c, shape_osc2))
        moving = either(moving, oscillator_target(v, c, k, f_osc2, f_corner2, number(c, shape_osc2_wave, 2),
                                                  p_osc2_wave, now, next, s_now, s_next));
    if (has(c, shape_sub_square)) { // an octave below: from where oscillator 1 will be at the next tick
        const F to = signed_to_float(increment_of(next + interval(c, s_next, p_osc1_wave), c)) * F(0.5f);
        const F from = signed_to_float(increment_of(now + interval(c, s_now, p_osc1_wave), c)) * F(0.5f);
        const Edge<F> edge_to = saw_edge(c.tier, F(1.0f) / to), edge_from = saw_edge(c.tier, F(1.0f) / from);
        moving = either(moving, retarget(v, f_sub_slope, f_sub_slope + k_slopes, k.which, k.begun, edge_from.slope,
                                         edge_to.slope, k.per_frame));
        moving = either(moving, retarget(v, f_sub_offset, f_sub_offset + k_slopes, k.which, k.begun, edge_from.offset,
                                         edge_to.offset, k.per_frame));
    }
    return moving;
}

// New targets for the lanes of `k`; returns the lanes that are not settled.
template <class V>
Word compute_targets(V v, const Context& c, const Change<typename V::Lane>& k) {
    typedef typename V::Lane F;
    Sources<F> s_now, s_next;
    const bool lfos = has(c, shape_lfo1) || has(c, shape_lfo2);
    if (lfos && (k.rest || c.is_routed(k_lfo1_rate) || c.is_routed(k_lfo2_rate))) {
        // The rate's own modulation is taken from the LFO's last output: no circle.
        fill_sources(v, c, false, s_now);
        if (has(c, shape_lfo1)) lfo_begin(v, c, f_lfo1, p_lfo1, k.which, k.begun, parameter(c, s_now, k_lfo1_rate));
        if (has(c, shape_lfo2)) lfo_begin(v, c, f_lfo2, p_lfo2, k.which, k.begun, parameter(c, s_now, k_lfo2_rate));
    }
    fill_sources(v, c, true, s_next);
    if (k.some_begin) fill_sources(v, c, false, s_now);
    const Sources<F>& from = k.some_begin ? s_now : s_next;

    MaskOf<F> moving = lane_mask<F>(0);
    // What is computed at every tick need not be called unsettled.
    const bool moving_pitch = c.gliding || has(c, shape_move_pitch);
    const bool moving_filter = c.gliding || has(c, shape_move_filter);
    const bool filter = number(c, shape_filter, 3) != filter_off && (k.rest || moving_filter);
    if (k.rest || moving_pitch || filter) {
        const F next = base_pitch(v, c, s_next, true);
        const F now = k.some_begin ? base_pitch(v, c, s_now, false) : next;
        if (k.rest || moving_pitch) {
            const MaskOf<F> m = pitch_targets(v, c, k, now, next, from, s_next);
            if (!moving_pitch) moving = m;
        }
        if (filter) {
            const MaskOf<F> m = filter_target(v, c, k, now, next, from, s_next);
            if (!moving_filter) moving = either(moving, m);
        }
    }
    if (k.rest || has(c, shape_move_width)) {
        MaskOf<F> m = lane_mask<F>(0);
        if (number(c, shape_osc1_wave, 2) == wave_pulse)
            m = width_target(v, c, k, f_width1, p_osc1_width, from, s_next);
        if (number(c, shape_osc2_wave, 2) == wave_pulse)
            m = either(m, width_target(v, c, k, f_width2, p_osc2_width, from, s_next));
        if (!has(c, shape_move_width)) moving = either(moving, m);
    }
    if (has(c, shape_mix) && (k.rest || has(c, shape_move_mix))) {
        const F one(1.0f);
        MaskOf<F> m = level_target(v, c, k, f_level1, p_osc1_level, one, from, s_next);
        m = either(m, level_target(v, c, k, f_level2, p_osc2_level, one, from, s_next));
        m = either(m, level_target(v, c, k, f_ring, p_ring_level, F(1.0f / 2147483648.0f), from, s_next));
        m = either(m, level_target(v, c, k, f_sub, p_sub_level, one, from, s_next));
        m = either(m, level_target(v, c, k, f_noise, p_noise_level, one, from, s_next));
        if (!has(c, shape_move_mix)) moving = either(moving, m);
    }
    // Envelope 1 always moves: its product is ramped and never counts as unsettled.
    F left = v.get(f_left_gain), right = v.get(f_right_gain);
    if (k.rest || has(c, shape_move_amp)) {
        F l, r;
        gains(v, c, s_next, l, r);
        left = select(k.which, l, left);
        right = select(k.which, r, right);
        v.set(f_left_gain, left);
        if (c.stereo) v.set(f_right_gain, right);
    }
    const F envelope = envelope_next(v, 0);
    F first_left = left, first_right = right;
    if (k.some_begin) gains(v, c, s_now, first_left, first_right);
    const F level_now = envelope_now(v, 0);
    F at = select(k.begun, level_now * first_left, v.get(f_left));
    v.set(f_left, at);
    v.set(f_left + k_slopes, select(k.which, fma(envelope, left, -at) * k.per_frame, v.get(f_left + k_slopes)));
    if (c.stereo) {
        at = select(k.begun, level_now * first_right, v.get(f_right));
        v.set(f_right, at);
        v.set(f_right + k_slopes, select(k.which, fma(envelope, right, -at) * k.per_frame, v.get(f_right + k_slopes)));
    }
    return mask_bits(moving);
}

// A tick has come: everything that has a place of its own in time moves on.
template <class V>
void advance(V v, const Context& c) {
    advance_envelope(v, 0);
    if (has(c, shape_env2)) advance_envelope(v, 1);
    if (c.gliding) v.set(input_pitch, v.get(input_pitch) + v.get(input_pitch_step));
    if (has(c, shape_lfo1)) lfo_advance(v, f_lfo1);
    if (has(c, shape_lfo2)) lfo_advance(v, f_lfo2);
}

} // namespace subtractive_kernel
} // namespace TUTTI_ISA_SPACE
} // namespace voices
} // namespace tutti
