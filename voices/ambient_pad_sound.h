// SPDX-License-Identifier: MIT
// Ambient pad: six band-limited saws that drift apart, a sub sine and coloured noise through a stereo low-pass.
//
// Pitches, which drift slowly, are held for a tick; the filter's coefficients and the gains are ramped.
#pragma once

#include "dsp/oscillator.h"
#include "dsp/svf.h"
#include "voices/ambient_pad_parameters.h"

namespace tutti {
namespace voices {
inline namespace TUTTI_ISA_SPACE {
namespace ambient_pad_kernel {

using namespace ambient_pad;

// Where the oscillators stand in the detuning, -1..1: pairs left and right of the note, none alike.
constexpr float k_detune_place[k_oscillators] = {-1.0f, 0.93f, 0.41f, -0.36f, -0.67f, 0.71f};
// Six saws of equal level and no common phase have 2.4 times one's power; the pad is as loud as one voice.
constexpr float k_loudness = 0.35f;
// Signals run at 2^31, the filter gives twice its output.
constexpr float k_scale = k_loudness / 4294967296.0f;

TUTTI_INLINE bool has(const Context& c, int bit) {
    return (c.shape >> bit & 1u) != 0;
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

// One draw a cycle of the drift, smoothly joined, -1..1; `which` tells the oscillators apart.
template <class V>
TUTTI_INLINE typename V::Lane drift(V v, int which) {
    typedef typename V::Lane F;
    const UintOf<F> seed = v.bits(input_seed) + UintOf<F>(0x632be5abu * static_cast<Word>(which + 1));
    return lfo_value<F>(lfo_smooth, v.bits(f_drift_phase), v.bits(f_drift_cycles), seed);
}

template <class V, class F>
MaskOf<F> filter_target(V v, const Context& c, const Change<F>& k, F pitch, const Sources<F>& s_now,
                        const Sources<F>& s_next) {
    const auto angle = [&](const Sources<F>& s, bool next) {
        F x = parameter(c, s, p_cutoff) + F(c.log2_angle);
        x = fma(parameter(c, s, p_filter_key) * F(1.0f / 12.0f), pitch - F(60.0f), x);
        x = fma(parameter(c, s, p_filter_env), next ? envelope_next(v, 1) : envelope_now(v, 1), x);
        x = fma(parameter(c, s, p_lfo1_cutoff), lfo_output(v, c, f_lfo1, p_lfo1, next), x);
        x = fma(parameter(c, s, p_filter_drift), drift(v, k_oscillators), x);
        return max(x, F(-20.0f));
    };
    const auto damping = [&](const Sources<F>& s) {
        return exp2(fma(F(-6.0f), min(max(parameter(c, s, p_resonance), F(0.0f)), F(1.0f)), F(0.5f)));
    };
    const SvfCoefficients<F> to = svf_coefficients(angle(s_next, true), damping(s_next));
    const SvfCoefficients<F> from = k.some_begin ? svf_coefficients(angle(s_now, false), damping(s_now)) : to;
    MaskOf<F> moving = retarget(v, f_c1, k.which, k.begun, from.a1, to.a1, k.per_frame);
    moving = either(moving, retarget(v, f_c2, k.which, k.begun, from.a2, to.a2, k.per_frame));
    return either(moving, retarget(v, f_c3, k.which, k.begun, from.a3, to.a3, k.per_frame));
}

// Loudness with envelope 1, before the place in the stereo field.
template <class V, class F>
TUTTI_INLINE F loudness(V v, const Context& c, const Sources<F>& s, bool next) {
    const F dip = fma(lfo_output(v, c, f_lfo2, p_lfo2, next), F(-0.5f), F(0.5f));
    const F db = fma(parameter(c, s, p_lfo2_level), -dip, parameter(c, s, p_level));
    const F velocity = v.get(input_velocity);
    const F loud = max(fma(parameter(c, s, p_velocity), fma(velocity, velocity, F(-1.0f)), F(1.0f)), F(0.0f));
    return gain_of(db) * loud * v.get(input_gain) * v.get(input_unison_gain) *
           (next ? envelope_next(v, 0) : envelope_now(v, 0)) * F(k_scale);
}
// Balance: the side away from `place` is turned down, the other stays.
template <class F>
TUTTI_INLINE void balance(F place, F& left, F& right) {
    left = min(F(1.0f) - place, F(1.0f));
    right = min(F(1.0f) + place, F(1.0f));
}

// New targets for the lanes of `k`. Everything moves always, so no lane is ever called unsettled.
template <class V>
void compute_targets(V v, const Context& c, const Change<typename V::Lane>& k) {
    typedef typename V::Lane F;
    Sources<F> s_now, s_next;
    fill_sources(v, c, false, s_now);
    lfo_begin(v, c, f_lfo1, p_lfo1, k.which, k.begun, parameter(c, s_now, k_lfo1_rate));
    lfo_begin(v, c, f_lfo2, p_lfo2, k.which, k.begun, parameter(c, s_now, k_lfo2_rate));
    fill_sources(v, c, true, s_next);

    const F cycles_a_tick = exp2(parameter(c, s_next, p_drift_rate)) * F(c.tick_seconds);
    const UintOf<F> step = shift_left(truncate_to_int(min(cycles_a_tick, F(0.5f)) * F(2147483647.0f)), 1);
    v.set_bits(f_drift_increment, select(k.which, step, v.bits(f_drift_increment)));
    if (k.some_begin) {
        for (int o = 0; o < k_oscillators; ++o) {
            const UintOf<F> phase = hash_word(v.bits(input_seed) + UintOf<F>(0x51ed270bu * static_cast<Word>(o + 1)));
            v.set_bits(f_phase + o, select(k.begun, phase, v.bits(f_phase + o)));
        }
        v.set_bits(f_drift_phase, select(k.begun, hash_word(v.bits(input_seed)), v.bits(f_drift_phase)));
    }

    F pitch = v.get(input_pitch) + v.get(input_offset);
    pitch = pitch + F(c.parameter(p_transpose) + c.part(part_bend));
    pitch = fma(parameter(c, s_next, p_fine), F(0.01f), pitch);
    const F base = min(exp2((pitch - F(69.0f)) * F(1.0f / 12.0f)) * F(c.increment_at_a), F(1.0e9f));
    const F inverse = F(1.0f) / base;
    const F detune = parameter(c, s_next, p_detune), wander = parameter(c, s_next, p_drift);
    for (int o = 0; o < k_oscillators; ++o) {
        // 2^(cents/1200) by three terms of its series: exact to 0.01 cent at 100 cents.
        const F y = fma(wander, drift(v, o), detune * F(k_detune_place[o])) * F(5.7762265e-4f);
        const F ratio = fma(y, fma(y, F(0.5f), F(1.0f)), F(1.0f));
        const F back = fma(y, fma(y, F(0.5f), F(-1.0f)), F(1.0f));
        const float octave = o < 4 ? 1.0f : 2.0f;
        const UintOf<F> increment = truncate_to_int(base * ratio * F(octave));
        const Edge<F> edge = saw_edge(c.tier, inverse * back * F(1.0f / octave));
        v.set_bits(f_increment + o, select(k.which, increment, v.bits(f_increment + o)));
        v.set(f_slope + o, select(k.which, edge.slope, v.get(f_slope + o)));
        v.set(f_offset + o, select(k.which, edge.offset, v.get(f_offset + o)));
    }
    v.set_bits(f_sub_increment, select(k.which, truncate_to_int(base * F(0.5f)), v.bits(f_sub_increment)));

    filter_target(v, c, k, pitch, s_now, s_next);
    F left, right, left_now, right_now;
    const F place = v.get(input_pan) + parameter(c, s_next, p_pan);
    balance(place, left, right);
    const F gain = loudness(v, c, s_next, true), gain_now = k.some_begin ? loudness(v, c, s_now, false) : gain;
    left_now = left * gain_now;
    right_now = right * gain_now;
    output_target(v, c, k, f_output, left_now, right_now, left * gain, right * gain);
}

template <class V>
void advance(V v) {
    typedef typename V::Lane F;
    for (int e = 0; e < k_envelopes; ++e)
        advance_envelope(v, e);
    v.set(input_pitch, v.get(input_pitch) + v.get(input_pitch_step));
    lfo_advance(v, f_lfo1);
    lfo_advance(v, f_lfo2);
    const UintOf<F> phase = v.bits(f_drift_phase), moved = phase + v.bits(f_drift_increment);
    v.set_bits(f_drift_cycles,
               v.bits(f_drift_cycles) + select(less_unsigned(moved, phase), UintOf<F>(1u), UintOf<F>(0u)));
    v.set_bits(f_drift_phase, moved);
}

// Adds a pair of saws to the two sides.
template <int tier, class F>
TUTTI_INLINE void saw_pair(Slots<F> v, int o, F level, F* left, F* right, int n, bool first) {
    UintOf<F> phase = v.bits(f_phase + o), phase_right = v.bits(f_phase + o + 1);
    const UintOf<F> increment = v.bits(f_increment + o), increment_right = v.bits(f_increment + o + 1);
    const Edge<F> edge = {v.get(f_slope + o), v.get(f_offset + o)};
    const Edge<F> edge_right = {v.get(f_slope + o + 1), v.get(f_offset + o + 1)};
    for (int i = 0; i < n; ++i) {
        phase = phase + increment;
        phase_right = phase_right + increment_right;
        const F a = saw<tier>(signed_to_float(phase), edge) * level;
        const F b = saw<tier>(signed_to_float(phase_right), edge_right) * level;
        left[i] = first ? a : left[i] + a;
        right[i] = first ? b : right[i] + b;
    }
    v.set_bits(f_phase + o, phase);
    v.set_bits(f_phase + o + 1, phase_right);
}

template <int tier, class F>
void saws(Slots<F> v, const Context& c, const Sources<F>& s, F* left, F* right, int n) {
    saw_pair<tier>(v, 0, F(1.0f), left, right, n, true);
    saw_pair<tier>(v, 2, F(1.0f), left, right, n, false);
    if (has(c, shape_octave)) saw_pair<tier>(v, 4, parameter(c, s, p_octave_level), left, right, n, false);
}

// `ultra`, one side: all its jumps ring together.
template <int count, class F>
void ringing_saws(Slots<F> v, int side, F octave_level, F* out, int n) {
    Ringing<F> ring;
    load_ringing(v, side == 0 ? f_ring_left : f_ring_right, ring);
    UintOf<F> phase[count];
    F level[count];
    TUTTI_UNROLL for (int o = 0; o < count; ++o) {
        phase[o] = v.bits(f_phase + 2 * o + side);
        level[o] = o < 2 ? F(1.0f) : octave_level;
    }
    for (int i = 0; i < n; ++i) {
        ring.next();
        F y(0.0f);
        TUTTI_UNROLL for (int o = 0; o < count; ++o) {
            const int at = 2 * o + side;
            const UintOf<F> before = phase[o];
            phase[o] = before + v.bits(f_increment + at);
            y = fma(signed_to_float(phase[o]) + v.get(f_offset + at), level[o], y);
            ring_fall(ring, before, phase[o], v.get(f_slope + at), level[o] * F(-2.0f * k_cycle_half));
        }
        out[i] = y + ring.sum();
    }
    TUTTI_UNROLL for (int o = 0; o < count; ++o) v.set_bits(f_phase + 2 * o + side, phase[o]);
    store_ringing(v, side == 0 ? f_ring_left : f_ring_right, ring);
}
template <class F>
void ultra_saws(Slots<F> v, const Context& c, const Sources<F>& s, F* left, F* right, int n) {
    const bool octave = has(c, shape_octave);
    const F level = octave ? parameter(c, s, p_octave_level) : F(0.0f);
    for (int side = 0; side < 2; ++side) {
        F* const out = side == 0 ? left : right;
        if (octave)
            ringing_saws<3>(v, side, level, out, n);
        else
            ringing_saws<2>(v, side, level, out, n);
    }
}

template <class F>
void add_sub(Slots<F> v, F level, F* left, F* right, int n) {
    UintOf<F> phase = v.bits(f_sub_phase);
    const UintOf<F> increment = v.bits(f_sub_increment);
    const F scale = level * F(3.0f * 2147483648.0f); // as loud as the saws together
    for (int i = 0; i < n; ++i) {
        phase = phase + increment;
        const F y = sine_of_phase<F>(phase) * scale;
        left[i] = left[i] + y;
        right[i] = right[i] + y;
    }
    v.set_bits(f_sub_phase, phase);
}

// White noise of its own on each side through a one-pole low-pass.
template <class F>
void add_noise(Slots<F> v, const Context& c, F level, F log2_colour, int first, F* left, F* right, int n) {
    const F angle = exp2(min(log2_colour + F(c.log2_angle), F(0.5f)));
    const F pole = (angle + angle) / (F(1.0f) + angle + angle);
    F memory = v.get(f_noise_left), memory_right = v.get(f_noise_right);
    const UintOf<F> seed = v.bits(input_seed);
    for (int i = 0; i < n; ++i) {
        const UintOf<F> bits = hash_word(seed + UintOf<F>((c.frame + static_cast<Word>(first + i)) * 0x9e3779b9u));
        memory = fma(pole, signed_to_float(bits) - memory, memory);
        memory_right = fma(pole, signed_to_float(shift_left(bits, 16)) - memory_right, memory_right);
        left[i] = fma(memory, level, left[i]);
        right[i] = fma(memory_right, level, right[i]);
    }
    v.set(f_noise_left, memory);
    v.set(f_noise_right, memory_right);
}

// Frames [first, last) of the step, inside one tick.
template <class F>
void frames(Slots<F> v, const Context& c, int first, int last, Accumulator to) {
    const int n = last - first;
    Sources<F> s;
    fill_sources(v, c, false, s);
    F left[k_tick_frames], right[k_tick_frames];
    if (c.tier == tier_eco)
        saws<tier_eco>(v, c, s, left, right, n);
    else if (c.tier == tier_standard)
        saws<tier_standard>(v, c, s, left, right, n);
    else
        ultra_saws(v, c, s, left, right, n);
    if (has(c, shape_sub)) add_sub(v, parameter(c, s, p_sub_level), left, right, n);
    if (has(c, shape_noise))
        add_noise(v, c, parameter(c, s, p_noise_level) * F(4.0f), parameter(c, s, p_noise_colour), first, left, right,
                  n);

    const F spread = min(max(parameter(c, s, p_spread), F(0.0f)), F(1.0f));
    const F near = fma(spread, F(0.5f), F(0.5f)), far = F(1.0f) - near;
    Svf<F> filter = {v.get(f_left1), v.get(f_left2)}, filter_right = {v.get(f_right1), v.get(f_right2)};
    F a1 = v.get(f_c1), a2 = v.get(f_c2), a3 = v.get(f_c3);
    const F a1_slope = v.get(f_c1 + 1), a2_slope = v.get(f_c2 + 1), a3_slope = v.get(f_c3 + 1);
    Output<F> output(v, c, f_output, first, to);
    for (int i = 0; i < n; ++i) {
        a1 = a1 + a1_slope;
        a2 = a2 + a2_slope;
        a3 = a3 + a3_slope;
        F low, low_right, band;
        filter.step(fma(near, left[i], far * right[i]), a1, a2, a3, low, band);
        filter_right.step(fma(near, right[i], far * left[i]), a1, a2, a3, low_right, band);
        output.add(low, low_right);
    }
    v.set(f_left1, filter.i1);
    v.set(f_left2, filter.i2);
    v.set(f_right1, filter_right.i1);
    v.set(f_right2, filter_right.i2);
    v.set(f_c1, a1);
    v.set(f_c2, a2);
    v.set(f_c3, a3);
    output.store_to(v, f_output);
}

} // namespace ambient_pad_kernel
} // namespace TUTTI_ISA_SPACE
} // namespace voices
} // namespace tutti
