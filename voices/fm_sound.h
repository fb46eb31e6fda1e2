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
TUTTI_INLINE const FmAlgorithm TUTTI_TABLE& algorithm_of(const Context& c) {
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

// An operator's memories while a tick's frames pass.
template <class F>
struct Running {
    UintOf<F> phase, increment, increment_slope;
    F amplitude, amplitude_slope;
    bool silent; // in every lane, throughout: what has been struck has often died away in part
    void load(Slots<F> v, int op) {
        phase = v.bits(f_phase + op);
        increment = v.bits(f_increment + 2 * op);
        increment_slope = v.bits(f_increment + 2 * op + 1);
        amplitude = v.get(f_amplitude + 2 * op);
        amplitude_slope = v.get(f_amplitude + 2 * op + 1);
        silent = !any(either(amplitude != F(0.0f), amplitude_slope != F(0.0f)));
    }
    void store(Slots<F> v, int op) const {
        v.set_bits(f_phase + op, phase);
        v.set_bits(f_increment + 2 * op, increment);
        v.set(f_amplitude + 2 * op, amplitude);
    }
    TUTTI_INLINE void turn_on() {
        increment = increment + increment_slope;
        phase = phase + increment;
    }
};

// What goes round: the operators from feedback_to down to feedback_from, of which each frame needs the one before.
template <class F>
struct Feedback {
    F newest, before, amount, slope, scale;
    Feedback(Slots<F> v, const FmAlgorithm TUTTI_TABLE& algorithm)
        : newest(v.get(f_last)), before(v.get(f_before)), amount(v.get(f_feedback)), slope(v.get(f_feedback + 1)),
          scale((algorithm.carriers >> algorithm.feedback_from & 1) != 0 ? 1.0f : 1.0f / k_full_index) {}
    void store(Slots<F> v) const {
        v.set(f_last, newest);
        v.set(f_before, before);
        v.set(f_feedback, amount);
    }
    // The mean of the last two outputs keeps the loop from ringing at half the rate.
    TUTTI_INLINE F turn(F from) const { return fma(amount, newest + before, from); }
    TUTTI_INLINE void take(F out) {
        before = newest;
        newest = out;
    }
};

// One operator's frame; `out` of the operators above it is known. `turns`: something moves its phase.
template <class F>
TUTTI_INLINE F sound(Running<F>& o, bool turns, F turn) {
    o.amplitude = o.amplitude + o.amplitude_slope;
    return (turns ? turned_sine(o.phase, turn) : sine_of_phase<F>(o.phase)) * o.amplitude;
}

// Frames [first, last) of the step, inside one tick: frame after frame, one lane, nothing kept but in registers.
template <class F>
void frames_in_order(Slots<F> v, const Context& c, int first, int last, Accumulator to) {
    const FmAlgorithm TUTTI_TABLE& algorithm = algorithm_of(c);
    Running<F> running[k_operators];
    F out[k_operators];
    TUTTI_UNROLL for (int op = 0; op < k_operators; ++op) {
        running[op].load(v, op);
        out[op] = F(0.0f);
    }
    Feedback<F> feedback(v, algorithm);
    Output<F> output(v, c, f_output, first, to);
    for (int frame = first; frame < last; ++frame) {
        feedback.amount = feedback.amount + feedback.slope;
        F sum(0.0f);
        TUTTI_UNROLL for (int op = k_operators - 1; op >= 0; --op) {
            running[op].turn_on();
            if (running[op].silent) { // its output is 0
                if (algorithm.feedback_from == op) feedback.take(F(0.0f));
                continue;
            }
            const int modulators = algorithm.modulators[op];
            F turn(0.0f);
            for (int m = op + 1; m < k_operators; ++m)
                if ((modulators >> m & 1) != 0) turn = turn + out[m];
            if (algorithm.feedback_to == op) turn = feedback.turn(turn);
            out[op] = sound(running[op], modulators != 0 || algorithm.feedback_to == op, turn);
            if ((algorithm.carriers >> op & 1) != 0) sum = sum + out[op];
            if (algorithm.feedback_from == op) feedback.take(out[op] * feedback.scale);
        }
        output.add(sum);
    }
    TUTTI_UNROLL for (int op = 0; op < k_operators; ++op) running[op].store(v, op);
    feedback.store(v);
    output.store_to(v, f_output);
}

// The same bits, operator after operator: a chain of sines waits for itself, the frames of one do not. Only what feeds back goes
// frame by frame.
template <class F>
void frames_by_operator(Slots<F> v, const Context& c, int first, int last, Accumulator to) {
    const FmAlgorithm TUTTI_TABLE& algorithm = algorithm_of(c);
    const int count = last - first;
    F out[k_operators][k_tick_frames], sum[k_tick_frames], turn[k_tick_frames];
    bool silent[k_operators];
    for (int i = 0; i < count; ++i)
        sum[i] = F(0.0f);
    Feedback<F> feedback(v, algorithm);
    for (int op = k_operators - 1; op >= 0;) {
        const int end = op == algorithm.feedback_to ? algorithm.feedback_from : op; // the last one of this pass
        Running<F> running[k_operators];
        for (int o = op; o >= end; --o) {
            running[o].load(v, o);
            silent[o] = running[o].silent;
        }
        if (op != algorithm.feedback_to) {
            Running<F> one = running[op];
            bool turns = false;
            for (int m = op + 1; m < k_operators && !one.silent; ++m) {
                if ((algorithm.modulators[op] >> m & 1) == 0 || silent[m]) continue; // a silent one would add 0
                for (int i = 0; i < count; ++i)
                    turn[i] = (turns ? turn[i] : F(0.0f)) + out[m][i];
                turns = true;
            }
            if (one.silent)
                for (int i = 0; i < count; ++i)
                    one.turn_on();
            else if (turns)
                for (int i = 0; i < count; ++i) {
                    one.turn_on();
                    out[op][i] = sound(one, true, turn[i]);
                }
            else
                for (int i = 0; i < count; ++i) {
                    one.turn_on();
                    out[op][i] = sound(one, false, F(0.0f));
                }
            one.store(v, op);
        } else {
            for (int i = 0; i < count; ++i) {
                feedback.amount = feedback.amount + feedback.slope;
                for (int o = op; o >= end; --o) {
                    running[o].turn_on();
                    if (!silent[o]) {
                        F moved(0.0f);
                        for (int m = o + 1; m < k_operators; ++m)
                            if ((algorithm.modulators[o] >> m & 1) != 0 && !silent[m]) moved = moved + out[m][i];
                        if (o == op) moved = feedback.turn(moved);
                        out[o][i] = sound(running[o], true, moved);
                    }
                    if (o == end) feedback.take(silent[o] ? F(0.0f) : out[o][i] * feedback.scale);
                }
            }
            for (int o = op; o >= end; --o)
                running[o].store(v, o);
        }
        for (int o = op; o >= end; --o)
            for (int i = 0; i < count && (algorithm.carriers >> o & 1) != 0 && !silent[o]; ++i)
                sum[i] = sum[i] + out[o][i];
        op = end - 1;
    }
    feedback.store(v);
    Output<F> output(v, c, f_output, first, to);
    for (int i = 0; i < count; ++i)
        output.add(sum[i]);
    output.store_to(v, f_output);
}

template <bool wide>
struct Frames {
    template <class F>
    static void run(Slots<F> v, const Context& c, int first, int last, Accumulator to) {
        frames_in_order(v, c, first, last, to);
    }
};
template <>
struct Frames<true> {
    template <class F>
    static void run(Slots<F> v, const Context& c, int first, int last, Accumulator to) {
        frames_by_operator(v, c, first, last, to);
    }
};
template <class F>
void frames(Slots<F> v, const Context& c, int first, int last, Accumulator to) {
    Frames<(width_of<F>() > 1)>::run(v, c, first, last, to);
}

} // namespace fm_kernel
} // namespace TUTTI_ISA_SPACE
} // namespace voices
} // namespace tutti
