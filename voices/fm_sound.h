// SPDX-License-Identifier: MIT
// FM voice: six sine operators that move each other's phases (J. Chowning, "The Synthesis of Complex Audio Spectra by Means
// of Frequency Modulation", JAES 21(7), 1973), in 32 fixed algorithms.
#pragma once

#include "voices/fm_parameters.h"
#include "voices/output.h"

namespace tutti {
namespace voices {
inline namespace TUTTI_ISA_SPACE {
namespace fm_kernel {

using namespace fm;

// A modulator at full level turns its target's phase by two cycles (index 4 pi); full feedback by half a cycle.
constexpr float k_full_index = 2.0f;
constexpr float k_full_feedback = 0.5f;

TUTTI_INLINE bool has(const Context& c, int bit) {
    return (c.shape >> bit & 1u) != 0;
}
TUTTI_INLINE const FmAlgorithm& algorithm_of(const Context& c) {
    return k_fm_algorithms[c.shape & 31u];
}

template <class V>
void fill_sources(V v, const Context& c, bool next, Sources<typename V::Lane>& s) {
    if (c.sources == 0) return;
    common_sources(v, c, s);
    for (int e = 0; e < 2; ++e)
        if (c.sources >> (source_envelope1 + e) & 1u)
            s.value[source_envelope1 + e] = next ? envelope_next(v, e) : envelope_now(v, e);
    if (c.sources >> source_lfo1 & 1u) s.value[source_lfo1] = lfo_output(v, c, f_lfo1, p_lfo1, next);
    if (c.sources >> source_lfo2 & 1u) s.value[source_lfo2] = typename V::Lane(0.0f);
}

template <class V, class F>
TUTTI_INLINE F pitch_at(V v, const Context& c, const Sources<F>& s, bool next) {
    F pitch = v.get(input_pitch) + v.get(input_offset);
    if (next) pitch = pitch + v.get(input_pitch_step);
    pitch = pitch + F(c.parameter(p_transpose) + c.part(part_bend));
    pitch = fma(parameter(c, s, p_fine), F(0.01f), pitch);
    pitch = fma(v.get(input_unison), parameter(c, s, p_unison_detune) * F(0.01f), pitch);
    if (has(c, shape_lfo1)) pitch = fma(parameter(c, s, p_pitch_depth), lfo_output(v, c, f_lfo1, p_lfo1, next), pitch);
    return pitch;
}

// Increment of an operator: its ratio of the voice's pitch, or its own fixed frequency.
template <class F>
TUTTI_INLINE UintOf<F> operator_increment(F pitch, const Context& c, const Sources<F>& s, int op) {
    const int first = operator_parameter(op, 0);
    const float fixed = c.parameter(first + op_fixed);
    const F base = fixed > 0.0f ? F(69.0f + 12.0f * log2(fixed * (1.0f / 440.0f)))
                                : pitch + F(12.0f * log2(c.parameter(first + op_ratio)));
    return increment_of(fma(parameter(c, s, first + op_detune), F(0.01f), base), c);
}

// Linear amplitude of an operator without its envelope: level (eight steps a doubling), velocity, key scaling.
template <class V, class F>
TUTTI_INLINE F operator_level(V v, const Context& c, const Sources<F>& s, int op) {
    const int first = operator_parameter(op, 0);
    const F level = min(max(parameter(c, s, first + op_level), F(0.0f)), F(99.0f));
    F doublings = (max(level, F(20.0f)) - F(99.0f)) * F(0.125f);
    doublings = fma(F(0.9f * c.parameter(first + op_velocity)), v.get(input_velocity) - F(1.0f), doublings);
    doublings = fma(F(c.parameter(first + op_key_scale) * (1.0f / 6.0206f)), v.get(input_key), doublings);
    return exp2(min(doublings, F(1.0f))) * min(level * F(1.0f / 20.0f), F(1.0f));
}

template <class V, class F>
TUTTI_INLINE void gains(V v, const Context& c, const Sources<F>& s, bool next, F& left, F& right) {
    F db = parameter(c, s, p_level);
    if (has(c, shape_lfo1)) { // full level at the wave's top
        const F dip = fma(lfo_output(v, c, f_lfo1, p_lfo1, next), F(-0.5f), F(0.5f));
        db = fma(parameter(c, s, p_amp_depth), -dip, db);
    }
    const F velocity = v.get(input_velocity);
    const F sense = parameter(c, s, p_velocity);
    const F loud = max(fma(sense, fma(velocity, velocity, F(-1.0f)), F(1.0f)), F(0.0f));
    const F gain = gain_of(db) * loud * v.get(input_gain) * v.get(input_unison_gain);
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

// New targets for the lanes of `k`; returns the lanes that are not settled.
template <class V>
Word compute_targets(V v, const Context& c, const Change<typename V::Lane>& k) {
    typedef typename V::Lane F;
    Sources<F> s_now, s_next;
    if (has(c, shape_lfo1) && (k.rest || c.is_routed(k_lfo1_rate))) {
        fill_sources(v, c, false, s_now);
        lfo_begin(v, c, f_lfo1, p_lfo1, k.which, k.begun, parameter(c, s_now, k_lfo1_rate));
    }
    fill_sources(v, c, true, s_next);
    if (k.some_begin) {
        fill_sources(v, c, false, s_now);
        // All operators begin together: that is what makes a struck sound the same each time.
        for (int op = 0; op < k_operators; ++op)
            v.set_bits(f_phase + op, select(k.begun, UintOf<F>(0u), v.bits(f_phase + op)));
        v.set(f_last, select(k.begun, F(0.0f), v.get(f_last)));
        v.set(f_before, select(k.begun, F(0.0f), v.get(f_before)));
    }
    const Sources<F>& from = k.some_begin ? s_now : s_next;
    MaskOf<F> moving = lane_mask<F>(0);
    const bool moving_pitch = any(v.get(input_pitch_step) != F(0.0f)) || has(c, shape_move_pitch);
    if (k.rest || moving_pitch) {
        const F next = pitch_at(v, c, s_next, true);
        const F now = k.some_begin ? pitch_at(v, c, s_now, false) : next;
        for (int op = 0; op < k_operators; ++op) {
            const UintOf<F> to = operator_increment(next, c, s_next, op);
            const UintOf<F> begin = k.some_begin ? operator_increment(now, c, s_now, op) : to;
            const MaskOf<F> m = retarget_increment(v, f_increment + 2 * op, k.which, k.begun, begin, to, k.per_frame);
            if (!moving_pitch) moving = either(moving, m);
        }
    }
    if (k.rest || has(c, shape_move_level)) {
        const F scale(k_full_feedback / 7.0f);
        const MaskOf<F> m =
            retarget(v, f_feedback, k.which, k.begun, max(parameter(c, from, p_feedback), F(0.0f)) * scale,
                     max(parameter(c, s_next, p_feedback), F(0.0f)) * scale, k.per_frame);
        if (!has(c, shape_move_level)) moving = either(moving, m);
    }
    // Amplitudes follow their envelopes at every tick. f_level keeps what rests.
    const int carriers = algorithm_of(c).carriers;
    for (int op = 0; op < k_operators; ++op) {
        const F index((carriers >> op & 1) != 0 ? 1.0f : k_full_index);
        if (k.rest || has(c, shape_move_level))
            v.set(f_level + op, select(k.which, operator_level(v, c, s_next, op) * index, v.get(f_level + op)));
        const F level = v.get(f_level + op);
        const int at = f_amplitude + 2 * op;
        const F value = select(k.begun, envelope_now(v, op) * level, v.get(at));
        v.set(at, value);
        v.set(at + 1, select(k.which, fma(envelope_next(v, op), level, -value) * k.per_frame, v.get(at + 1)));
    }
    if (k.rest || has(c, shape_move_amp)) {
        F l, r, l_now, r_now;
        gains(v, c, s_next, true, l, r);
        l_now = l;
        r_now = r;
        if (k.some_begin) gains(v, c, s_now, false, l_now, r_now);
        const MaskOf<F> m = output_target(v, c, k, f_output, l_now, r_now, l, r);
        if (!has(c, shape_move_amp)) moving = either(moving, m);
    }
    return mask_bits(moving);
}

// A tick has come: everything that has a place of its own in time moves on.
template <class V>
void advance(V v, const Context& c) {
    for (int op = 0; op < k_operators; ++op)
        advance_envelope(v, op);
    v.set(input_pitch, v.get(input_pitch) + v.get(input_pitch_step));
    if (has(c, shape_lfo1)) lfo_advance(v, f_lfo1);
}

// sin of a phase moved by `turn` cycles, |turn| < 2^21.
template <class F>
TUTTI_INLINE F turned_sine(UintOf<F> phase, F turn) {
    const F part = turn - round_small(turn).value; // -0.5..0.5
    return sine_of_phase<F>(phase + truncate_to_int(part * F(4294967040.0f)));
}

// Frames [first, last) of the step, inside one tick.
template <class F>
void frames(Slots<F> v, const Context& c, int first, int last, Accumulator to) {
    const FmAlgorithm& algorithm = algorithm_of(c);
    const F feedback_scale((algorithm.carriers >> algorithm.feedback_from & 1) != 0 ? 1.0f : 1.0f / k_full_index);
    UintOf<F> phase[k_operators], increment[k_operators], increment_slope[k_operators];
    F amplitude[k_operators], amplitude_slope[k_operators], out[k_operators];
    bool silent[k_operators]; // in every lane, throughout: what has been struck has often died away in part
    TUTTI_UNROLL for (int op = 0; op < k_operators; ++op) {
        phase[op] = v.bits(f_phase + op);
        increment[op] = v.bits(f_increment + 2 * op);
        increment_slope[op] = v.bits(f_increment + 2 * op + 1);
        amplitude[op] = v.get(f_amplitude + 2 * op);
        amplitude_slope[op] = v.get(f_amplitude + 2 * op + 1);
        silent[op] = !any(either(amplitude[op] != F(0.0f), amplitude_slope[op] != F(0.0f)));
        out[op] = F(0.0f);
    }
    F newest = v.get(f_last), before = v.get(f_before);
    F feedback = v.get(f_feedback);
    const F feedback_slope = v.get(f_feedback + 1);
    Output<F> output(v, c, f_output, first, to);
    for (int frame = first; frame < last; ++frame) {
        feedback = feedback + feedback_slope;
        F sum(0.0f);
        TUTTI_UNROLL for (int op = k_operators - 1; op >= 0; --op) {
            increment[op] = increment[op] + increment_slope[op];
            phase[op] = phase[op] + increment[op];
            if (silent[op]) { // its output is 0
                if (algorithm.feedback_from == op) {
                    before = newest;
                    newest = F(0.0f);
                }
                continue;
            }
            amplitude[op] = amplitude[op] + amplitude_slope[op];
            const int modulators = algorithm.modulators[op];
            F turn(0.0f);
            for (int m = op + 1; m < k_operators; ++m)
                if ((modulators >> m & 1) != 0) turn = turn + out[m];
            // The mean of the last two outputs keeps the loop from ringing at half the rate.
            if (algorithm.feedback_to == op) turn = fma(feedback, newest + before, turn);
            const F wave = modulators != 0 || algorithm.feedback_to == op ? turned_sine(phase[op], turn)
                                                                          : sine_of_phase<F>(phase[op]);
            out[op] = wave * amplitude[op];
            if ((algorithm.carriers >> op & 1) != 0) sum = sum + out[op];
            if (algorithm.feedback_from == op) {
                before = newest;
                newest = out[op] * feedback_scale;
            }
        }
        output.add(sum);
    }
    TUTTI_UNROLL for (int op = 0; op < k_operators; ++op) {
        v.set_bits(f_phase + op, phase[op]);
        v.set_bits(f_increment + 2 * op, increment[op]);
        v.set(f_amplitude + 2 * op, amplitude[op]);
    }
    v.set(f_last, newest);
    v.set(f_before, before);
    v.set(f_feedback, feedback);
    output.store_to(v, f_output);
}

} // namespace fm_kernel
} // namespace TUTTI_ISA_SPACE
} // namespace voices
} // namespace tutti
