// SPDX-License-Identifier: MIT
// Torchsynth voice, tick and audio rate: pitch to increments, the two oscillators, noise, amplifiers, mixer.
//
// Everything that the sound needs stands in the row's fields: lanes of one row may have parameters of their own.
#pragma once

#include "voices/torchsynth_voice_control.h"

namespace tutti {
namespace voices {
inline namespace TUTTI_ISA_SPACE {
namespace torchsynth_kernel {

constexpr int k_vco_1 = f_vco_1, k_vco_2 = f_vco_2;
constexpr float k_one_twelfth = 0.0833333358f, k_one_twelfth_rest = -2.48352687e-9f;

// 2^x - 1, held at |x| = 0.5, relative error 1e-8 even near 0 (Taylor).
template <class F>
TUTTI_INLINE Pair<F> exp2_minus_1(Pair<F> x) {
    const F f = min(max(x.high, F(-0.5f)), F(0.5f));
    Pair<F> slope = product_of(f, F(k_ln2));
    slope.low = fma(f, F(k_ln2_rest), fma(x.low, F(k_ln2), slope.low));
    const Pair<F> sum = sum_of(slope.high, f * f * exp2_rest(f));
    return {sum.high, sum.low + slope.low};
}

// The increment at a pitch in semitones from 69, relative error 5e-9: the phase of 8 kHz is then right to 1e-3 of a radian
// after four seconds.
template <class V, class F>
TUTTI_INLINE Pair<F> increment_at(V v, Pair<F> semitones) {
    Pair<F> octaves = product_of(semitones.high, F(k_one_twelfth));
    octaves.low = fma(semitones.high, F(k_one_twelfth_rest), fma(semitones.low, F(k_one_twelfth), octaves.low));
    return product_of(exp2_of(octaves), Pair<F>{v.get(f_unit), v.get(f_unit + 1)});
}

// An oscillator's quantities of the tick that begins at `place` after control point 0 of the three.
template <class V, class F>
TUTTI_INLINE void aim_vco(V v, int at, int point, int rounding, MaskOf<F> which, F place, F key) {
    const F m0 = v.get(point), r0 = v.get(rounding), depth = v.get(at + o_depth);
    const F rise = (v.get(point + 1) - m0) + (v.get(rounding + 1) - r0);
    const F rise_after = (v.get(point + 2) - v.get(point + 1)) + (v.get(rounding + 2) - v.get(rounding + 1));
    const Pair<F> moved = add(sum_of(m0, rise * place), Pair<F>{r0, F(0.0f)});
    const Pair<F> note = add(Pair<F>{v.get(at + o_note), v.get(at + o_note + 1)}, Pair<F>{key, F(0.0f)});
    const Pair<F> pitch = add(note, scaled(moved, depth)); // from 69
    const F least = F(-69.0f), most = F(58.0f);            // 0..127
    const MaskOf<F> low = pitch.high<least, high = pitch.high> most;
    const MaskOf<F> out = either(low, high);
    const Pair<F> held = {select(low, least, select(high, most, pitch.high)), select(out, F(0.0f), pitch.low)};
    const Pair<F> step = increment_at(v, held);
    // Beyond the range, but not so far that the increment would overflow.
    const Pair<F> free = {min(max(pitch.high, F(-140.0f)), F(140.0f)), select(out, F(0.0f), pitch.low)};
    const F whole = select(out, exp2(free.high * F(k_one_twelfth)) * v.get(f_unit), step.high);
    put_bits<V, F>(v, at + o_step, which, nearest_int(step));
    put<V, F>(v, at + o_whole, which, whole);
    put<V, F>(v, at + o_over, which, whole - step.high);
    put<V, F>(v, at + o_least, which, select(low, F(0.0f), v.get(f_unit) * F(0.0185813612f) - step.high));
    put<V, F>(v, at + o_most, which, select(high, F(0.0f), v.get(f_unit) * F(28.508759f) - step.high));
    put<V, F>(v, at + o_slope, which, rise * depth * F(k_one_twelfth));
    put<V, F>(v, at + o_slope + 1, which, rise_after * depth * F(k_one_twelfth));
    put<V, F>(v, at + o_more, which, F(0.0f));
    put<V, F>(v, at + o_more + 1, which, F(0.0f));
}
// A signal's level at a control position, and how it changes.
template <class F>
struct Level {
    F start, slope, slope_after;
    template <class V>
    TUTTI_INLINE Level(V v, int target, int mix) {
        const F level = v.get(f_level + mix), p0 = v.get(f_point + 3 * target), p1 = v.get(f_point + 3 * target + 1);
        start = level * p0;
        slope = level * (p1 - p0);
        slope_after = level * (v.get(f_point + 3 * target + 2) - p1);
    }
};
constexpr int k_level_of[3] = {to_amp_1, to_amp_2, to_noise};

// Semitones that the note's inputs add to the keyboard's note.
template <class V>
TUTTI_INLINE typename V::Lane key_offset(V v) {
    typedef typename V::Lane F;
    return (v.get(input_pitch) - F(69.0f)) + (v.get(input_offset) + v.get(f_bend));
}

// Parameters into the fields of the lanes `which`: once a note, and where one has changed.
template <class V>
void take_parameters(V v, const Context& c, MaskOf<typename V::Lane> which) {
    typedef typename V::Lane F;
    const auto value = [&](int i) { return c.parameter(i); };
    const float duration = c.parameter(p_duration), far = 1e30f;
    const auto inverse = [&](float seconds) {
        const Pair<float> steps = product_of(seconds, k_control_rate);
        const float once = 1.0f / steps.high;
        const float rest = fma(-once, steps.low, fma(-once, steps.high, 1.0f)) * once;
        return seconds > 0.0f ? Pair<float>{once, rest} : Pair<float>{far, 0.0f};
    };
    const auto put_pair = [&](int field, Pair<float> x) {
        put<V, F>(v, field, which, F(x.high));
        put<V, F>(v, field + 1, which, F(x.low));
    };
    for (int e = 0; e < k_adsrs; ++e) {
        const int from = p_adsr + e * k_adsr_parameters, at = f_adsr + e * k_adsr_fields;
        // Attack and decay are cut short by the note's end.
        const float attack = c.parameter(from + adsr_attack);
        const float decay = min(max(duration - attack, 0.0f), c.parameter(from + adsr_decay));
        const float cut = min(attack, duration);
        put_pair(at + a_attack, inverse(cut));
        put_pair(at + a_decay_from, product_of(cut, k_control_rate));
        put_pair(at + a_decay, inverse(decay));
        put<V, F>(v, at + a_sustain, which, F(c.parameter(from + adsr_sustain)));
        put_pair(at + a_release, inverse(c.parameter(from + adsr_release)));
        put<V, F>(v, at + a_alpha, which, F(c.parameter(from + adsr_alpha)));
    }
    for (int l = 0; l < k_lfos; ++l) {
        const int from = p_lfo_1 + l * k_lfo_parameters, at = f_lfo + l * k_lfo_fields;
        float weight[k_shapes], all = 0.0f;
        for (int s = 0; s < k_shapes; ++s) {
            weight[s] = power_of(Pair<float>{c.parameter(from + lfo_first_shape + s), 0.0f}, 2.71828183f).high;
            all += weight[s];
        }
        for (int s = 0; s < k_shapes; ++s)
            put<V, F>(v, at + l_shape + s, which, F(all > 0.0f ? weight[s] / all : 0.0f));
        put<V, F>(v, at + l_frequency, which, F(c.parameter(from + lfo_frequency)));
        put<V, F>(v, at + l_mod_depth, which, F(c.parameter(from + lfo_mod_depth)));
    }
    for (int m = 0; m < k_sources * k_targets; ++m)
        put<V, F>(v, f_matrix + m, which, F(c.parameter(p_matrix + m)));
    for (int o = 0; o < 2; ++o) {
        const int from = o == 0 ? p_vco_1_tuning : p_vco_2_tuning, at = o == 0 ? f_vco_1 : f_vco_2;
        const Pair<float> note = add(sum_of(c.parameter(p_midi_f0), -69.0f), Pair<float>{c.parameter(from), 0.0f});
        put_pair(at + o_note, note);
        put<V, F>(v, at + o_depth, which, F(c.parameter(from + 1)));
    }
    put<V, F>(v, f_bend, which, F(c.part(part_bend)));
    // Partials that stay below the ear's limit: 12000 / (f log10 f) at the highest pitch that is meant.
    const float highest =
        c.parameter(p_midi_f0) - 69.0f + c.parameter(p_vco_2_tuning) + max(c.parameter(p_vco_2_mod_depth), 0.0f);
    const F octaves = min((key_offset(v) + F(highest)) * F(k_one_twelfth), F(12.0f)) + F(8.78135971f);
    const F decades = max(octaves, F(1.0f)) * F(0.301029996f);
    put<V, F>(v, f_edge, which, F(12000.0f * 1.57079633f * 2.88539008f) / (exp2(octaves) * decades));
    put<V, F>(v, f_shape, which, F(c.parameter(p_vco_2_shape)));
    for (int m = 0; m < 3; ++m)
        put<V, F>(v, f_level + m, which, F(c.parameter(p_mix_vco_1 + m)));
    put_pair(f_duration, product_of(duration, k_control_rate));
    put<V, F>(v, f_gate_steps, which, F(gate_seconds(value) * k_steps_a_second));
    // 440 * 2^32 / rate, and 2^31 control steps a frame.
    const auto per_frame = [&](float high, float low) {
        const float step = high / c.rate;
        return Pair<float>{step, (fma(-step, c.rate, high) + low) / c.rate};
    };
    const Pair<float> unit = per_frame(1889785610240.0f, 0.0f), steps = per_frame(9.46508792e11f, -8255.94812f);
    put_pair(f_unit, unit);
    const Word step = nearest_int(steps);
    const float rest = (steps.high - signed_to_float(step)) + steps.low;
    put_bits<V, F>(v, f_position_step, which, UintOf<F>(step));
    put_bits<V, F>(v, f_position_rest, which,
                   UintOf<F>(nearest_int(Pair<float>{rest * 2147483648.0f / steps.high, 0.0f})));

    const F loud = v.get(input_velocity) * v.get(input_gain) * v.get(input_unison_gain);
    F left(1.0f), right(1.0f);
    if (c.stereo) pan_gains(v.get(input_pan), left, right);
    put<V, F>(v, f_gain, which, loud * left);
    put<V, F>(v, f_gain + 1, which, loud * right);
}

// 2^-32 cycles from -pi..pi.
TUTTI_INLINE Word turn_of(float radians) {
    return shift_left(truncate_to_int(radians * (2147483648.0f / 6.28318531f)), 1);
}

template <class V>
void begin(V v, const Context& c, MaskOf<typename V::Lane> which) {
    typedef typename V::Lane F;
    put_bits<V, F>(v, f_position, which, UintOf<F>(0u));
    put<V, F>(v, f_step, which, F(0.0f));
    put<V, F>(v, f_released, which, F(1e9f));
    put_bits<V, F>(v, k_vco_1 + o_phase, which, UintOf<F>(turn_of(c.parameter(p_vco_1_initial_phase))));
    put_bits<V, F>(v, k_vco_2 + o_phase, which, UintOf<F>(turn_of(c.parameter(p_vco_2_initial_phase))));
    for (int l = 0; l < k_lfos; ++l)
        put_bits<V, F>(v, f_lfo + l * k_lfo_fields + l_phase, which,
                       UintOf<F>(turn_of(c.parameter(p_lfo_1 + l * k_lfo_parameters + lfo_initial_phase))));
    for (int j = 0; j < 3; ++j)
        control_point(v, which, F(static_cast<float>(j)));
}

// Position after the control point, in control steps.
template <class F>
TUTTI_INLINE F place_of(UintOf<F> position) {
    return signed_to_float(shift_right(position, 8)) * F(1.0f / 8388608.0f);
}

// What a tick, or an edit inside one, makes anew.
template <class V>
void aim(V v, bool stereo, const Change<typename V::Lane>& k) {
    typedef typename V::Lane F;
    const UintOf<F> position = v.bits(f_position);
    const MaskOf<F> passed = both(less_unsigned(UintOf<F>(0x7fffffffu), position), k.which);
    const F gate = envelope_now(v, 0), gate_next = envelope_next(v, 0);
    if (any(passed)) {
        put_bits<V, F>(v, f_position, passed, (position & UintOf<F>(0x7fffffffu)) + v.bits(f_position_rest));
        const F step = v.get(f_step) + F(1.0f);
        put<V, F>(v, f_step, passed, step);
        const F since = (F(1.0f) - gate) * v.get(f_gate_steps);
        put<V, F>(v, f_released, both(passed, gate < F(1.0f)), step + place_of<F>(v.bits(f_position)) - since);
        control_point(v, passed, step + F(2.0f));
    }
    const F place = place_of<F>(v.bits(f_position)), key = key_offset(v);
    put<V, F>(v, f_tick_position, k.which, place);
    aim_vco<V, F>(v, f_vco_1, f_point + 3 * to_pitch_1, f_rounding, k.which, place, key);
    aim_vco<V, F>(v, f_vco_2, f_point + 3 * to_pitch_2, f_rounding + 3, k.which, place, key);
    for (int i = 0; i < 3; ++i) {
        const Level<F> level(v, k_level_of[i], i);
        put<V, F>(v, f_loud + i, k.which, fma(level.slope, place, level.start));
    }

    // The last hundredth of a second fades, whatever a release's length.
    const F fade = v.get(f_gate_steps) * F(1.0f / (k_last_fade * k_steps_a_second));
    const F now = min(gate * fade, F(1.0f)), next = min(gate_next * fade, F(1.0f));
    for (int side = 0; side < (stereo ? 2 : 1); ++side) {
        const F gain = v.get(f_gain + side);
        retarget(v, f_output + 2 * side, k.which, k.begun, gain * now, gain * next, k.per_frame);
    }
}

template <class V>
void compute_targets(V v, const Context& c, const Change<typename V::Lane>& k) {
    if (k.rest) take_parameters(v, c, k.which);
    if (k.some_begin) begin(v, c, k.begun);
    aim(v, c.stereo, k);
}
template <class V>
TUTTI_INLINE void advance(V v) {
    advance_envelope(v, 0);
    v.set(input_pitch, v.get(input_pitch) + v.get(input_pitch_step));
}

// One oscillator in registers. Within a tick its increment grows by the same factor at each frame: 2^(octaves a frame), one
// factor up to the next control point and another one past it. Growth and factor are kept as sums of two floats: their roundings
// would add up to a voice's phase.
template <class F>
struct Vco {
    UintOf<F> phase, step;
    F whole, over, least, most;
    Pair<F> more, factor; // both less 1
    TUTTI_INLINE Vco(Slots<F> v, int at, F steps_a_frame)
        : phase(v.bits(at + o_phase)), step(v.bits(at + o_step)), whole(v.get(at + o_whole)), over(v.get(at + o_over)),
          least(v.get(at + o_least)), most(v.get(at + o_most)), more(get_pair(v, at + o_more)),
          factor(factor_of(v.get(at + o_slope), steps_a_frame)) {}
    static TUTTI_INLINE Pair<F> factor_of(F slope, F steps_a_frame) {
        return exp2_minus_1(product_of(slope, steps_a_frame));
    }
    TUTTI_INLINE void turn() {
        const F octaves = fma(whole, more.high, fma(whole, more.low, over));
        phase = phase + step + truncate_to_int(min(max(octaves, least), most));
    }
    TUTTI_INLINE void go_on() {
        // (1 + more) (1 + factor) - 1; factor is the smaller one, but at the first frame, where the sum is exact.
        const F by = fma(more.high, factor.high, factor.high), high = more.high + by;
        more.low = fma(more.high, factor.low, more.low + factor.low) + (by - (high - more.high));
        more.high = high;
    }
    TUTTI_INLINE void go_past(Slots<F> v, int at, MaskOf<F> past, F steps_a_frame) {
        factor = select_pair(past, factor_of(v.get(at + o_slope + 1), steps_a_frame), factor);
    }
    // `beyond`: control steps past the control point.
    TUTTI_INLINE void cross(Slots<F> v, int at, MaskOf<F> over_it, F tick_position, F beyond) {
        const Pair<F> before = product_of(v.get(at + o_slope), F(1.0f) - tick_position);
        const Pair<F> octaves = add(before, product_of(v.get(at + o_slope + 1), beyond));
        more = select_pair(over_it, add(exp2_of(octaves), Pair<F>{F(-1.0f), F(0.0f)}), more);
    }
    TUTTI_INLINE void store_to(Slots<F> v, int at) const {
        v.set_bits(at + o_phase, phase);
        v.set(at + o_more, more.high);
        v.set(at + o_more + 1, more.low);
    }
    TUTTI_INLINE F sine() const { return sine_of_phase<F>(phase); }
    TUTTI_INLINE F cosine() const { return sine_of_phase<F>(phase + UintOf<F>(0x40000000u)); }
};

// One of the mixer's levels in registers.
template <class F>
struct Loudness {
    F value, step;
    TUTTI_INLINE Loudness(Slots<F> v, int l, F steps_a_frame)
        : value(v.get(f_loud + l)), step(Level<F>(v, k_level_of[l], l).slope * steps_a_frame) {}
    TUTTI_INLINE void go_past(Slots<F> v, int l, MaskOf<F> past, F steps_a_frame) {
        step = select(past, Level<F>(v, k_level_of[l], l).slope_after * steps_a_frame, step);
    }
    TUTTI_INLINE void cross(Slots<F> v, int l, MaskOf<F> over_it, F beyond) {
        const Level<F> level(v, k_level_of[l], l);
        value = select(over_it, fma(level.slope_after, beyond, level.start + level.slope), value);
    }
};

// Frames [first, last) of the step, inside one tick.
template <class F>
void frames(Slots<F> v, const Context& c, int first, int last, Accumulator to) {
    constexpr Word k_control_step = 0x7fffffffu;
    UintOf<F> position = v.bits(f_position);
    const UintOf<F> position_step = v.bits(f_position_step);
    const F steps_a_frame = signed_to_float(position_step) * F(1.0f / 2147483648.0f);
    const F edge = v.get(f_edge), shape = v.get(f_shape), dry = fma(shape, F(-0.5f), F(1.0f));
    Vco<F> one(v, f_vco_1, steps_a_frame), two(v, f_vco_2, steps_a_frame);
    Loudness<F> loud_1(v, 0, steps_a_frame), loud_2(v, 1, steps_a_frame), loud_noise(v, 2, steps_a_frame);
    const UintOf<F> seed = v.bits(input_seed);
    Output<F> output(v, c, f_output, first, to, to.fresh);
    const UintOf<F> end = position + position_step * UintOf<F>(static_cast<Word>(last - first));
    const bool straight = !any(less_unsigned(UintOf<F>(k_control_step), end));
    for (int i = first; i < last; ++i) {
        one.turn();
        two.turn();
        // tanh(x) = 1 - 2 / (e^2x + 1)
        const F grown = exp2(two.sine() * edge);
        const F square = F(1.0f) - F(2.0f) / (grown + F(1.0f));
        const F saw = dry * square * fma(shape, two.cosine(), F(1.0f));
        const F noise = bipolar<F>(hash_word(seed + UintOf<F>((c.frame + static_cast<Word>(i)) * 0x9e3779b9u)));
        F y = one.cosine() * loud_1.value;
        y = fma(saw, loud_2.value, y);
        output.add(fma(noise, loud_noise.value, y));

        MaskOf<F> over = lane_mask<F>(0);
        if (!straight) {
            const MaskOf<F> past = less_unsigned(UintOf<F>(k_control_step), position);
            over = both(less_unsigned(UintOf<F>(k_control_step), position + position_step), !past);
            if (any(past)) {
                one.go_past(v, f_vco_1, past, steps_a_frame);
                two.go_past(v, f_vco_2, past, steps_a_frame);
                loud_1.go_past(v, 0, past, steps_a_frame);
                loud_2.go_past(v, 1, past, steps_a_frame);
                loud_noise.go_past(v, 2, past, steps_a_frame);
            }
        }
        position = position + position_step;
        one.go_on();
        two.go_on();
        loud_1.value = loud_1.value + loud_1.step;
        loud_2.value = loud_2.value + loud_2.step;
        loud_noise.value = loud_noise.value + loud_noise.step;
        if (straight || !any(over)) continue;
        // Over the control point with this frame: from there on as it says.
        const F beyond = place_of<F>(position) - F(1.0f), tick_position = v.get(f_tick_position);
        one.cross(v, f_vco_1, over, tick_position, beyond);
        two.cross(v, f_vco_2, over, tick_position, beyond);
        loud_1.cross(v, 0, over, beyond);
        loud_2.cross(v, 1, over, beyond);
        loud_noise.cross(v, 2, over, beyond);
    }
    v.set_bits(f_position, position);
    one.store_to(v, f_vco_1);
    two.store_to(v, f_vco_2);
    v.set(f_loud, loud_1.value);
    v.set(f_loud + 1, loud_2.value);
    v.set(f_loud + 2, loud_noise.value);
    output.store_to(v, f_output);
}

} // namespace torchsynth_kernel
} // namespace TUTTI_ISA_SPACE
} // namespace voices
} // namespace tutti
