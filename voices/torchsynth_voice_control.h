// SPDX-License-Identifier: MIT
// Torchsynth voice, control rate: ADSRs, LFOs and the matrix at one control point of each lane, about every hundred frames.
//
// The oscillators' phases are sums over the whole note, so a pitch must be right to some 1e-9 of a cycle a frame. FP32
// rounds a semitone to that only near 0: what stays constant for long (sustain levels times matrix times depth) is kept as
// an unevaluated sum of two floats (Dekker, A floating-point technique for extending the available precision, 1971).
#pragma once

#include "voices/torchsynth_voice_parameters.h"

namespace tutti {
namespace voices {
inline namespace TUTTI_ISA_SPACE {
namespace torchsynth_kernel {

using namespace torchsynth_voice;

// high + low, |low| within half of high's last bit.
template <class F>
struct Pair {
    F high, low;
};
// a + b (Knuth).
template <class F>
TUTTI_INLINE Pair<F> sum_of(F a, F b) {
    const F high = a + b, part = high - a;
    return {high, (a - (high - part)) + (b - part)};
}
template <class F>
TUTTI_INLINE Pair<F> product_of(F a, F b) {
    const F high = a * b;
    return {high, fma(a, b, F(0.0f) - high)};
}
template <class F>
TUTTI_INLINE Pair<F> add(Pair<F> a, Pair<F> b) {
    const Pair<F> s = sum_of(a.high, b.high);
    return {s.high, s.low + (a.low + b.low)};
}
template <class F>
TUTTI_INLINE Pair<F> scaled(Pair<F> a, F by) {
    const Pair<F> p = product_of(a.high, by);
    return {p.high, fma(a.low, by, p.low)};
}

// Only lanes of `which`.
template <class V, class F>
TUTTI_INLINE void put(V v, int field, MaskOf<F> which, F x) {
    v.set(field, select(which, x, v.get(field)));
}
template <class V, class F>
TUTTI_INLINE void put_bits(V v, int field, MaskOf<F> which, UintOf<F> x) {
    v.set_bits(field, select(which, x, v.bits(field)));
}
template <class F>
TUTTI_INLINE UintOf<F> nearest_int(Pair<F> x) { // |x| < 2^31
    const UintOf<F> whole = truncate_to_int(x.high);
    const F rest = (x.high - signed_to_float(whole)) + x.low;
    return whole + truncate_to_int(rest + select(rest < F(0.0f), F(-0.5f), F(0.5f)));
}

template <class F>
TUTTI_INLINE Pair<F> product_of(Pair<F> a, Pair<F> b) {
    const Pair<F> p = product_of(a.high, b.high);
    return {p.high, p.low + fma(a.high, b.low, a.low * b.high)};
}

constexpr float k_eps = 1e-6f; // as torchsynth has it
constexpr float k_ln2 = 0.693147182f, k_ln2_rest = -1.90465432e-9f;

// (2^f - 1 - ln(2) f) / f^2 (Taylor).
template <class F>
TUTTI_INLINE F exp2_rest(F f) {
    F q = fma(F(1.32154868e-6f), f, F(1.52527338e-5f));
    q = fma(q, f, F(1.54035304e-4f));
    q = fma(q, f, F(1.33335581e-3f));
    q = fma(q, f, F(9.61812911e-3f));
    q = fma(q, f, F(5.55041087e-2f));
    return fma(q, f, F(2.40226507e-1f));
}
// 2^x, relative error 5e-9, |x.high| <= 126.
template <class F>
TUTTI_INLINE Pair<F> exp2_of(Pair<F> x) {
    const Rounded<F> whole = round_small(x.high);
    const F f = x.high - whole.value;
    Pair<F> slope = product_of(f, F(k_ln2));
    slope.low = fma(f, F(k_ln2_rest), slope.low);
    const Pair<F> one = sum_of(F(1.0f), slope.high), two = sum_of(one.high, f * f * exp2_rest(f));
    const F low = (one.low + two.low) + fma(x.low * F(k_ln2), two.high, slope.low);
    const F power = float_of_bits(shift_left(whole.integer + UintOf<F>(127u), 23));
    return {two.high * power, low * power};
}

// x^power for 0 <= x <= 1. An LFO's rate follows it for seconds, and pitch follows the LFO's phase: FP32's error would be
// heard by a comparison at -50 dB.
template <class F>
TUTTI_INLINE Pair<F> power_of(Pair<F> x, F power) {
    // What has come to its end stays there: 0 and 1 are exact, so the others' bits do not tell.
    if (!any(both(x.high > F(0.0f), either(x.high < F(1.0f), x.low != F(0.0f)))))
        return {select(x.high > F(0.0f), F(1.0f), F(0.0f)), F(0.0f)};
    const F some = max(x.high, F(1e-30f)), y = log2(some);
    // One Newton step: log2(x) = y + log2(x 2^-y).
    const Pair<F> back = exp2_of(Pair<F>{F(0.0f) - y, F(0.0f)});
    const F rest = fma(some, back.high, F(-1.0f)) + fma(some, back.low, x.low * back.high);
    const Pair<F> octaves = product_of(Pair<F>{y, rest * F(1.44269504f)}, Pair<F>{power, F(0.0f)});
    const Pair<F> z = exp2_of(Pair<F>{max(octaves.high, F(-120.0f)), octaves.low});
    const MaskOf<F> some_at_all = both(x.high > F(0.0f), octaves.high > F(-120.0f));
    return {select(some_at_all, z.high, F(0.0f)), select(some_at_all, z.low, F(0.0f))};
}

template <class F>
TUTTI_INLINE Pair<F> select_pair(MaskOf<F> mask, Pair<F> yes, Pair<F> no) {
    return {select(mask, yes.high, no.high), select(mask, yes.low, no.low)};
}
template <class V>
TUTTI_INLINE Pair<typename V::Lane> get_pair(V v, int field) {
    return {v.get(field), v.get(field + 1)};
}
template <class F>
TUTTI_INLINE Pair<F> negative(Pair<F> x) {
    return {F(0.0f) - x.high, F(0.0f) - x.low};
}
// (time + eps) * rate + eps, at most 1; time below 0 is 0.
template <class F>
TUTTI_INLINE Pair<F> ramp(Pair<F> time, Pair<F> rate) {
    const Pair<F> zero = {F(0.0f), F(0.0f)}, one = {F(1.0f), F(0.0f)}, eps = {F(k_eps), F(0.0f)};
    time = select_pair(time.high > F(0.0f), time, zero);
    const Pair<F> x = add(product_of(add(time, eps), rate), eps);
    return select_pair(x.high < F(1.0f), x, one);
}

// attack * decay * release of ADSR `at` at control point j.
template <class V, class F>
TUTTI_INLINE Pair<F> adsr(V v, int at, F j, Pair<F> released) {
    const Pair<F> now = {j, F(0.0f)}, one = {F(1.0f), F(0.0f)}, sustain = {v.get(at + a_sustain), F(0.0f)};
    const F power = v.get(at + a_alpha);
    const Pair<F> attack = power_of(ramp(now, get_pair(v, at + a_attack)), power);
    const Pair<F> decay_rate = get_pair(v, at + a_decay), release_rate = get_pair(v, at + a_release);
    const Pair<F> down = ramp(add(now, negative(get_pair(v, at + a_decay_from))), decay_rate);
    // What has no length stands at its beginning, as torchsynth has it.
    const MaskOf<F> decays = decay_rate.high < F(1e29f), releases = release_rate.high < F(1e29f);
    const Pair<F> decay = select_pair(decays, power_of(add(one, negative(down)), power), one);
    const Pair<F> held = product_of(attack, add(sustain, product_of(add(one, negative(sustain)), decay)));
    const Pair<F> fallen = ramp(add(now, negative(released)), release_rate);
    const Pair<F> release = select_pair(releases, power_of(add(one, negative(fallen)), power), one);
    return product_of(held, release);
}

// 0..1: the five shapes at a phase, weighed.
template <class V>
TUTTI_INLINE typename V::Lane lfo_shapes(V v, int at) {
    typedef typename V::Lane F;
    const UintOf<F> phase = v.bits(at + l_phase);
    const F turn = signed_to_float(phase) * F(1.0f / 2147483648.0f); // half turns, -1..1
    const F cosine = sin_pi(signed_to_float(phase + UintOf<F>(0x40000000u)) * F(1.0f / 2147483648.0f));
    const F saw = select(turn < F(0.0f), fma(turn, F(0.5f), F(1.0f)), turn * F(0.5f));
    F y = v.get(at + l_shape) * fma(cosine, F(-0.5f), F(0.5f));
    y = fma(v.get(at + l_shape + 1), F(1.0f) - abs(fma(F(2.0f), saw, F(-1.0f))), y);
    y = fma(v.get(at + l_shape + 2), saw, y);
    y = fma(v.get(at + l_shape + 3), F(1.0f) - saw, y);
    return fma(v.get(at + l_shape + 4), select(cosine < F(0.0f), F(1.0f), F(0.0f)), y);
}

// An LFO goes on by one control step, its rate moved by `rate`.
template <class V, class F>
TUTTI_INLINE void lfo_step(V v, int at, MaskOf<F> which, Pair<F> rate) {
    const Pair<F> zero = {v.get(at + l_frequency), F(0.0f)};
    Pair<F> hertz = add(zero, scaled(rate, v.get(at + l_mod_depth)));
    const MaskOf<F> runs = hertz.high > F(0.0f);
    hertz = {select(runs, hertz.high, F(0.0f)), select(runs, hertz.low, F(0.0f))};
    // 2^32 / 441 and its rounding
    const Pair<F> step = product_of(hertz.high, F(9739155.0f));
    const F low = step.low + fma(hertz.high, F(-0.133786848f), hertz.low * F(9739155.0f));
    put_bits<V, F>(v, at + l_phase, which, v.bits(at + l_phase) + nearest_int(Pair<F>{step.high, low}));
}

// Control point `j` of the lanes `which` becomes the last of the three that are kept.
template <class V, class F>
void control_point(V v, MaskOf<F> which, F j) {
    const F early = v.get(f_released);
    Pair<F> released = get_pair(v, f_duration);
    released = select_pair(early < released.high, Pair<F>{early, F(0.0f)}, released);
    Pair<F> source[k_sources];
    for (int l = 0; l < k_lfos; ++l) {
        const int at = f_lfo + l * k_lfo_fields;
        lfo_step(v, at, which, adsr(v, f_adsr + (adsr_lfo_1_rate + l) * k_adsr_fields, j, released));
        source[2 + l] = scaled(adsr(v, f_adsr + (adsr_lfo_1_amp + l) * k_adsr_fields, j, released), lfo_shapes(v, at));
    }
    for (int e = 0; e <= adsr_2; ++e)
        source[e] = adsr(v, f_adsr + e * k_adsr_fields, j, released);
    for (int t = 0; t < k_targets; ++t) {
        Pair<F> sum = scaled(source[0], v.get(f_matrix + t));
        for (int s = 1; s < k_sources; ++s)
            sum = add(sum, scaled(source[s], v.get(f_matrix + s * k_targets + t)));
        const int at = f_point + 3 * t;
        put<V, F>(v, at, which, v.get(at + 1));
        put<V, F>(v, at + 1, which, v.get(at + 2));
        put<V, F>(v, at + 2, which, sum.high);
        if (t != to_pitch_1 && t != to_pitch_2) continue;
        const int rounding = f_rounding + (t == to_pitch_1 ? 0 : 3);
        put<V, F>(v, rounding, which, v.get(rounding + 1));
        put<V, F>(v, rounding + 1, which, v.get(rounding + 2));
        put<V, F>(v, rounding + 2, which, sum.low);
    }
}

} // namespace torchsynth_kernel
} // namespace TUTTI_ISA_SPACE
} // namespace voices
} // namespace tutti
