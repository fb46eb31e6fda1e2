// SPDX-License-Identifier: MIT
// Drum voice: a swept tone with one overtone, noise through a band-pass, six squares through a high-pass, a soft clipper.
#pragma once

#include "dsp/svf.h"
#include "voices/drum_parameters.h"

namespace tutti {
namespace voices {
inline namespace TUTTI_ISA_SPACE {
namespace drum_kernel {

using namespace drum;

// The second mode of a round membrane (Rayleigh, "The Theory of Sound", chapter IX), dying twice as fast.
constexpr float k_overtone_ratio = 1.593f;
constexpr float k_overtone_level = 0.3f;
// Frequencies of the metal in Hz.
constexpr float k_square_hz[k_squares] = {205.3f, 304.4f, 369.6f, 522.7f, 540.0f, 800.0f};
constexpr float k_noise_damping = 0.9f;
constexpr float k_metal_damping = 0.8f;
constexpr float k_scale31 = 1.0f / 2147483648.0f;

TUTTI_INLINE bool has(const Context& c, int bit) {
    return (c.shape >> bit & 1u) != 0;
}

template <class V>
void fill_sources(V v, const Context& c, bool next, Sources<typename V::Lane>& s) {
    if (c.sources == 0) return;
    common_sources(v, c, s);
    for (int e = 0; e < 2; ++e)
        if (c.sources >> (source_envelope1 + e) & 1u)
            s.value[source_envelope1 + e] = next ? envelope_next(v, e) : envelope_now(v, e);
    for (int l = 0; l < 2; ++l)
        if (c.sources >> (source_lfo1 + l) & 1u) s.value[source_lfo1 + l] = typename V::Lane(0.0f);
}

template <class V, class F>
TUTTI_INLINE void amplitude(V v, const Change<F>& k, int at, F now, F next) {
    const F value = select(k.begun, now, v.get(at));
    v.set(at, value);
    v.set(at + 1, select(k.which, (next - value) * k.per_frame, v.get(at + 1)));
}

template <class V, class F>
TUTTI_INLINE void hold(V v, MaskOf<F> which, int at, SvfCoefficients<F> to) {
    v.set(at, select(which, to.a1, v.get(at)));
    v.set(at + 1, select(which, to.a2, v.get(at + 1)));
    v.set(at + 2, select(which, to.a3, v.get(at + 2)));
}

template <class V, class F>
TUTTI_INLINE F pitch_at(V v, const Context& c, const Sources<F>& s, bool next) {
    const F sweep = next ? envelope_next(v, e_sweep) : envelope_now(v, e_sweep);
    return envelope_now(v, e_tone_note) + sweep + v.get(input_offset) + parameter(c, s, p_tune) + F(c.part(part_bend));
}

// New targets for the lanes of `k`. Everything moves always, so no lane is ever called unsettled.
template <class V>
void compute_targets(V v, const Context& c, const Change<typename V::Lane>& k) {
    typedef typename V::Lane F;
    Sources<F> s_now, s_next;
    fill_sources(v, c, false, s_now);
    fill_sources(v, c, true, s_next);
    if (k.some_begin)
        for (int i = 0; i < k_squares; ++i) {
            const UintOf<F> phase = hash_word(v.bits(input_seed) + UintOf<F>(0x51ed270bu * static_cast<Word>(i + 1)));
            v.set_bits(f_square_phase + i, select(k.begun, phase, v.bits(f_square_phase + i)));
        }
    const UintOf<F> to = increment_of(pitch_at(v, c, s_next, true), c);
    const UintOf<F> from = k.some_begin ? increment_of(pitch_at(v, c, s_now, false), c) : to;
    retarget_increment(v, f_tone_increment, k.which, k.begun, from, to, k.per_frame);

    const F tone = envelope_now(v, e_tone), tone_next = envelope_next(v, e_tone);
    amplitude(v, k, f_tone, tone, tone_next);
    amplitude(v, k, f_overtone, tone * tone * F(k_overtone_level), tone_next * tone_next * F(k_overtone_level));
    amplitude(v, k, f_noise, envelope_now(v, e_noise) * F(k_scale31), envelope_next(v, e_noise) * F(k_scale31));
    amplitude(v, k, f_metal, envelope_now(v, e_metal) * F(0.25f), envelope_next(v, e_metal) * F(0.25f));

    const F octave = parameter(c, s_next, p_tune) * F(1.0f / 12.0f) + F(c.log2_angle);
    hold(v, k.which, f_noise_c1, svf_coefficients(envelope_now(v, e_noise_octave) + octave, F(k_noise_damping)));
    hold(v, k.which, f_metal_c1, svf_coefficients(envelope_now(v, e_metal_octave) + octave, F(k_metal_damping)));

    const F velocity = v.get(input_velocity);
    const F gain = gain_of(parameter(c, s_next, p_level)) * velocity * v.get(input_gain) * v.get(input_unison_gain);
    F left = gain, right = gain;
    if (c.stereo) {
        F l, r;
        pan_gains(fma(envelope_now(v, e_pan), parameter(c, s_next, p_width), v.get(input_pan)), l, r);
        left = gain * l;
        right = gain * r;
    }
    output_target(v, c, k, f_output, left, right, left, right);
}

template <class V>
void advance(V v) {
    for (int e = 0; e <= e_sweep; ++e)
        advance_envelope(v, e);
    v.set(input_pitch, v.get(input_pitch) + v.get(input_pitch_step));
}

// Drive into the clipper and what it is taken back by; a line over `place`, frames since the tick: the same wherever a call ends.
template <class F>
struct Drive {
    F in, out, in_slope, out_slope;
    TUTTI_INLINE F clip(F y, F place) const {
        return soft_clip(y * fma(in_slope, place, in)) * fma(out_slope, place, out);
    }
};

// Where drive or tune are routed: each voice's own.
template <class F>
void moved(Slots<F> v, const Context& c, UintOf<F>* square_increment, Drive<F>& drive) {
    Sources<F> now, next;
    fill_sources(v, c, false, now);
    fill_sources(v, c, true, next);
    if (has(c, shape_drive)) {
        const F from = min(max(parameter(c, now, p_drive), F(0.0f)), F(1.0f));
        const F to = min(max(parameter(c, next, p_drive), F(0.0f)), F(1.0f));
        const F per_frame(1.0f / k_tick_frames);
        drive.in = fma(F(5.0f), from, F(1.0f));
        drive.out = F(1.0f) / fma(F(3.0f), from, F(1.0f));
        drive.in_slope = F(5.0f) * (to - from) * per_frame;
        drive.out_slope = (F(1.0f) / fma(F(3.0f), to, F(1.0f)) - drive.out) * per_frame;
    }
    if (has(c, shape_tune)) {
        const F ratio = exp2(parameter(c, now, p_tune) * F(1.0f / 12.0f)) * F(1.0f / c.rate);
        for (int i = 0; i < k_squares; ++i)
            square_increment[i] = shift_left(truncate_to_int(ratio * F(k_square_hz[i] * 2147483648.0f)), 1);
    }
}

// Frames [first, last) of the step, inside one tick.
template <class F>
void frames(Slots<F> v, const Context& c, int first, int last, Accumulator to) {
    UintOf<F> phase = v.bits(f_tone_phase), over = v.bits(f_overtone_phase), increment = v.bits(f_tone_increment);
    const UintOf<F> increment_slope = v.bits(f_tone_increment + 1);
    UintOf<F> square[k_squares], square_increment[k_squares];
    const float tune = dsp::exp2(c.parameter(p_tune) * (1.0f / 12.0f)) / c.rate;
    TUTTI_UNROLL for (int i = 0; i < k_squares; ++i) {
        square[i] = v.bits(f_square_phase + i);
        square_increment[i] = UintOf<F>(truncate_to_int(k_square_hz[i] * tune * 2147483648.0f) << 1);
    }
    const F drive(1.0f + 5.0f * c.parameter(p_drive)), undrive(1.0f / (1.0f + 3.0f * c.parameter(p_drive)));
    Drive<F> own = {drive, undrive, F(0.0f), F(0.0f)};
    if (c.shape != 0) moved(v, c, square_increment, own);
    const bool own_drive = has(c, shape_drive);
    F place(static_cast<float>(k_tick_frames - frames_to_tick(c, first)));
    F tone = v.get(f_tone), overtone = v.get(f_overtone), noise = v.get(f_noise), metal = v.get(f_metal);
    const F tone_slope = v.get(f_tone + 1), overtone_slope = v.get(f_overtone + 1), noise_slope = v.get(f_noise + 1),
            metal_slope = v.get(f_metal + 1);
    Svf<F> noise_filter = {v.get(f_noise1), v.get(f_noise2)}, metal_filter = {v.get(f_metal1), v.get(f_metal2)};
    const F n1 = v.get(f_noise_c1), n2 = v.get(f_noise_c2), n3 = v.get(f_noise_c3);
    const F m1 = v.get(f_metal_c1), m2 = v.get(f_metal_c2), m3 = v.get(f_metal_c3);
    const UintOf<F> seed = v.bits(input_seed);
    Output<F> output(v, c, f_output, first, to);
    for (int i = first; i < last; ++i) {
        increment = increment + increment_slope;
        phase = phase + increment;
        over = over + truncate_to_int(min(signed_to_float(increment) * F(k_overtone_ratio), F(2104533975.0f)));
        tone = tone + tone_slope;
        overtone = overtone + overtone_slope;
        noise = noise + noise_slope;
        metal = metal + metal_slope;
        F y = sine_of_phase<F>(phase) * tone;
        y = fma(sine_of_phase<F>(over), overtone, y);
        F low, band;
        const UintOf<F> bits = hash_word(seed + UintOf<F>((c.frame + static_cast<Word>(i)) * 0x9e3779b9u));
        noise_filter.step(signed_to_float(bits), n1, n2, n3, low, band);
        y = fma(band, noise * F(k_noise_damping), y);
        F clang(0.0f);
        TUTTI_UNROLL for (int q = 0; q < k_squares; ++q) {
            square[q] = square[q] + square_increment[q];
            clang = clang + with_sign(F(1.0f), signed_to_float(square[q]));
        }
        metal_filter.step(clang, m1, m2, m3, low, band);
        const F high = clang - F(0.5f) * fma(F(k_metal_damping), band, low);
        y = fma(high, metal, y);
        place = place + F(1.0f);
        output.add(own_drive ? own.clip(y, place) : soft_clip(y * drive) * undrive);
    }
    v.set_bits(f_tone_phase, phase);
    v.set_bits(f_overtone_phase, over);
    v.set_bits(f_tone_increment, increment);
    TUTTI_UNROLL for (int i = 0; i < k_squares; ++i) v.set_bits(f_square_phase + i, square[i]);
    v.set(f_tone, tone);
    v.set(f_overtone, overtone);
    v.set(f_noise, noise);
    v.set(f_metal, metal);
    v.set(f_noise1, noise_filter.i1);
    v.set(f_noise2, noise_filter.i2);
    v.set(f_metal1, metal_filter.i1);
    v.set(f_metal2, metal_filter.i2);
    output.store_to(v, f_output);
}

} // namespace drum_kernel
} // namespace TUTTI_ISA_SPACE
} // namespace voices
} // namespace tutti
