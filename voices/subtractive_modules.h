// SPDX-License-Identifier: MIT
// Subtractive voice, audio rate, the general form: one module after the other over at most a tick of frames.
#pragma once

#include "voices/subtractive_ramp.h"
#include "voices/subtractive_sound.h"
#include "voices/subtractive_sync.h"

namespace tutti {
namespace voices {
inline namespace TUTTI_ISA_SPACE {
namespace subtractive_kernel {

// What a wave with jumps or corners carries through some frames, whatever the tier.
template <int tier, class F>
struct Wave {
    UintOf<F> phase;
    IntegerRamp<F> increment;
    Ramp<F> slope, offset;
    Ringing<F> ring; // `ultra` alone
    TUTTI_INLINE Wave(Slots<F> v, int at, int rings)
        : phase(v.bits(at)), increment(v, at + f_osc_increment), slope(v, at + f_osc_slope),
          offset(v, at + f_osc_offset) {
        if (tier == tier_ultra) load_ringing(v, rings, ring);
    }
    TUTTI_INLINE UintOf<F> step() {
        const UintOf<F> before = phase;
        phase = phase + increment.next();
        return before;
    }
    TUTTI_INLINE Edge<F> edge() { return {slope.next(), offset.next()}; }
    TUTTI_INLINE void store_to(Slots<F> v, int at, int rings) const {
        v.set_bits(at, phase);
        v.set_bits(at + f_osc_increment, increment.value);
        v.set(at + f_osc_slope, slope.value);
        v.set(at + f_osc_offset, offset.value);
        if (tier == tier_ultra) store_ringing(v, rings, ring);
    }
};

template <int tier, class F>
void saw_frames(Slots<F> v, int at, int width, int rings, bool pulse, Frames<F>& out, int n) {
    Wave<tier, F> wave(v, at, rings);
    if (!pulse) {
        for (int i = 0; i < n; ++i) {
            const UintOf<F> before = wave.step();
            const Edge<F> edge = wave.edge();
            out.at[i] = tier == tier_ultra ? ringing_saw(wave.ring, before, wave.phase, edge)
                                           : saw<tier>(signed_to_float(wave.phase), edge);
        }
    } else { // two saws, one shifted by the width, the mean is 0 by itself
        IntegerRamp<F> shift(v, width);
        for (int i = 0; i < n; ++i) {
            const UintOf<F> before = wave.step(), other_before = before + shift.value;
            const UintOf<F> other = wave.phase + shift.next();
            const Edge<F> edge = wave.edge();
            out.at[i] = tier == tier_ultra
                            ? ringing_pulse(wave.ring, before, wave.phase, other_before, other, edge.slope)
                            : saw<tier>(signed_to_float(wave.phase), edge) - saw<tier>(signed_to_float(other), edge);
        }
        v.set_bits(width, shift.value);
    }
    wave.store_to(v, at, rings);
}

template <int tier, class F>
void triangle_frames(Slots<F> v, int at, int corner_field, int rings, Frames<F>& out, int n) {
    Wave<tier, F> wave(v, at, rings);
    const F corner = v.get(corner_field);
    for (int i = 0; i < n; ++i) {
        const UintOf<F> before = wave.step();
        const Edge<F> edge = wave.edge();
        out.at[i] = tier == tier_ultra ? ringing_triangle(wave.ring, before, wave.phase, edge, corner)
                                       : triangle<tier>(signed_to_float(wave.phase), edge, corner);
    }
    wave.store_to(v, at, rings);
}

template <class F>
void sine_frames(Slots<F> v, int at, Frames<F>& out, int n) {
    UintOf<F> phase = v.bits(at);
    IntegerRamp<F> increment(v, at + f_osc_increment);
    for (int i = 0; i < n; ++i) {
        phase = phase + increment.next();
        out.at[i] = sine_of_phase<F>(phase) * F(k_cycle_half);
    }
    v.set_bits(at, phase);
    v.set_bits(at + f_osc_increment, increment.value);
}

template <class F>
void oscillator_frames(Slots<F> v, const Context& c, int at, int wave, int width, int corner, int rings, Frames<F>& out,
                       int n) {
    if (wave == wave_sine) return sine_frames(v, at, out, n);
    if (wave == wave_triangle) {
        if (c.tier == tier_eco) return triangle_frames<tier_eco>(v, at, corner, rings, out, n);
        if (c.tier == tier_standard) return triangle_frames<tier_standard>(v, at, corner, rings, out, n);
        return triangle_frames<tier_ultra>(v, at, corner, rings, out, n);
    }
    if (c.tier == tier_eco) return saw_frames<tier_eco>(v, at, width, rings, wave == wave_pulse, out, n);
    if (c.tier == tier_standard) return saw_frames<tier_standard>(v, at, width, rings, wave == wave_pulse, out, n);
    return saw_frames<tier_ultra>(v, at, width, rings, wave == wave_pulse, out, n);
}

template <int tier, class F>
void sub_frames(Slots<F> v, bool square, IntegerRamp<F> increment, Frames<F>& x, Ramp<F> level, int n) {
    UintOf<F> phase = v.bits(f_sub_phase);
    Ramp<F> slope(v, f_sub_slope), offset(v, f_sub_offset);
    Ringing<F> ring;
    const bool rings = square && tier == tier_ultra;
    if (rings) load_ringing(v, f_ring_sub, ring);
    const UintOf<F> half(0x80000000u);
    for (int i = 0; i < n; ++i) {
        const UintOf<F> before = phase;
        phase = phase + shift_right(increment.next(), 1);
        F y;
        if (square) {
            const Edge<F> edge = {slope.next(), offset.next()};
            y = tier == tier_ultra
                    ? ringing_pulse(ring, before, phase, before + half, phase + half, edge.slope)
                    : saw<tier>(signed_to_float(phase), edge) - saw<tier>(signed_to_float(phase + half), edge);
        } else {
            y = sine_of_phase<F>(phase) * F(k_cycle_half);
        }
        x.at[i] = fma(level.next(), y, x.at[i]);
    }
    if (rings) store_ringing(v, f_ring_sub, ring);
    v.set_bits(f_sub_phase, phase);
    v.set(f_sub, level.value);
    if (square) {
        v.set(f_sub_slope, slope.value);
        v.set(f_sub_offset, offset.value);
    }
}

// White, or pink by P. Kellet's three poles (music-dsp, 1999; within 0.5 dB of -3 dB an octave from 20 Hz up at 44.1 kHz).
template <class F>
void noise_frames(Slots<F> v, bool pink, Word frame, Frames<F>& x, int n) {
    Ramp<F> level(v, f_noise);
    const UintOf<F> seed = v.bits(input_seed);
    F p0 = v.get(f_pink), p1 = v.get(f_pink + 1), p2 = v.get(f_pink + 2);
    for (int i = 0; i < n; ++i) {
        F y = signed_to_float(hash_word(seed + UintOf<F>((frame + static_cast<Word>(i)) * 0x9e3779b9u)));
        if (pink) {
            p0 = fma(F(0.99765f), p0, y * F(0.0990460f));
            p1 = fma(F(0.96300f), p1, y * F(0.2965164f));
            p2 = fma(F(0.57000f), p2, y * F(1.0526913f));
            y = fma(F(0.1848f), y, p0 + p1 + p2) * F(0.25f);
        }
        x.at[i] = fma(level.next(), y, x.at[i]);
    }
    v.set(f_noise, level.value);
    if (!pink) return;
    v.set(f_pink, p0);
    v.set(f_pink + 1, p1);
    v.set(f_pink + 2, p2);
}

template <class F>
void filter_ladder_frames(Slots<F> v, bool fm, const Frames<F>& mover, Frames<F>& x, int n) {
    Ladder<F> ladder = {v.get(f_i1), v.get(f_i2), v.get(f_i3), v.get(f_i4)};
    Ramp<F> pole(v, f_c1), solve(v, f_c2), feedback(v, f_damping), drive(v, f_drive), angle(v, f_angle), depth(v, f_fm);
    for (int i = 0; i < n; ++i) {
        F p, s;
        const F k = feedback.next();
        if (fm) {
            p = ladder_pole(max(fma(depth.next() * F(1.0f / k_cycle_half), mover.at[i], angle.next()), F(-20.0f)));
            s = ladder_solve(p, k);
        } else {
            p = pole.next();
            s = solve.next();
        }
        const F gain = drive.next();
        x.at[i] = ladder.step(x.at[i] * (gain * F(1.0f / k_cycle_half)), p, k, s);
    }
    v.set(f_i1, ladder.s1);
    v.set(f_i2, ladder.s2);
    v.set(f_i3, ladder.s3);
    v.set(f_i4, ladder.s4);
    v.set(f_damping, feedback.value);
    v.set(f_drive, drive.value);
    v.set(fm ? f_angle : f_c1, fm ? angle.value : pole.value);
    v.set(fm ? f_fm : f_c2, fm ? depth.value : solve.value);
}

template <class F>
struct SvfRow {
    Svf<F> svf;
    Ramp<F> a1, a2, a3, damping, angle, depth;
    TUTTI_INLINE explicit SvfRow(Slots<F> v)
        : svf{v.get(f_i1), v.get(f_i2)}, a1(v, f_c1), a2(v, f_c2), a3(v, f_c3), damping(v, f_damping),
          angle(v, f_angle), depth(v, f_fm) {}
    template <int type, bool fm>
    TUTTI_INLINE F step(F in, F mover) {
        F low, band;
        F k = damping.value;
        if (fm) {
            k = damping.next();
            const F moved = fma(depth.next() * F(1.0f / k_cycle_half), mover, angle.next());
            const SvfCoefficients<F> a = svf_coefficients(max(moved, F(-20.0f)), k);
            svf.step(in, a.a1, a.a2, a.a3, low, band);
        } else {
            svf.step(in, a1.next(), a2.next(), a3.next(), low, band);
        }
        if (type == filter_low) return low;
        if (type == filter_band) return k * band; // 0 dB at its centre
        const F high = fnma(k, band, fma(F(2.0f), in, -low));
        return type == filter_high ? high : high + low;
    }
    TUTTI_INLINE void store_to(Slots<F> v, bool fm) const {
        v.set(f_i1, svf.i1);
        v.set(f_i2, svf.i2);
        if (fm) {
            v.set(f_damping, damping.value);
            v.set(f_angle, angle.value);
            v.set(f_fm, depth.value);
        } else {
            v.set(f_c1, a1.value);
            v.set(f_c2, a2.value);
            v.set(f_c3, a3.value);
        }
    }
};
// Two rows at once: the chain from one sample to the next leaves half of the machine idle.
template <int G, int type, bool fm, class F>
void svf_frames(const Slots<F>* v, const Frames<F>* mover, Frames<F>* x, int n) {
    SvfRow<F> first(v[0]), second(v[G - 1]);
    for (int i = 0; i < n; ++i) {
        x[0].at[i] = first.template step<type, fm>(x[0].at[i], fm ? mover[0].at[i] : x[0].at[i]);
        if (G == 2)
            x[G - 1].at[i] = second.template step<type, fm>(x[G - 1].at[i], fm ? mover[G - 1].at[i] : x[0].at[i]);
    }
    first.store_to(v[0], fm);
    if (G == 2) second.store_to(v[G - 1], fm);
}
template <int G, int type, class F>
TUTTI_INLINE void svf_type_frames(const Slots<F>* v, bool fm, const Frames<F>* mover, Frames<F>* x, int n) {
    fm ? svf_frames<G, type, true>(v, mover, x, n) : svf_frames<G, type, false>(v, mover, x, n);
}
template <int G, class F>
void filter_svf_frames(const Slots<F>* v, int type, bool fm, const Frames<F>* mover, Frames<F>* x, int n) {
    if (type == filter_low) return svf_type_frames<G, filter_low>(v, fm, mover, x, n);
    if (type == filter_band) return svf_type_frames<G, filter_band>(v, fm, mover, x, n);
    if (type == filter_high) return svf_type_frames<G, filter_high>(v, fm, mover, x, n);
    return svf_type_frames<G, filter_notch>(v, fm, mover, x, n);
}

template <class F>
void sources_frames(Slots<F> v, const Context& c, int first, Frames<F>& x, Frames<F>& b, int n) {
    const int wave1 = number(c, shape_osc1_wave, 2), wave2 = number(c, shape_osc2_wave, 2);
    const IntegerRamp<F> increment1(v, f_osc1 + f_osc_increment);
    if (has(c, shape_osc2)) {
        if (has(c, shape_sync) && c.tier == tier_eco)
            sync_frames<tier_eco>(v, wave2, b, n);
        else if (has(c, shape_sync) && c.tier == tier_standard)
            sync_frames<tier_standard>(v, wave2, b, n);
        else if (has(c, shape_sync))
            sync_frames<tier_ultra>(v, wave2, b, n);
        else
            oscillator_frames(v, c, f_osc2, wave2, f_width2, f_corner2, f_ring2, b, n);
    }
    if (has(c, shape_osc1)) oscillator_frames(v, c, f_osc1, wave1, f_width1, f_corner1, f_ring1, x, n);
    if (!has(c, shape_mix)) {
        if (!has(c, shape_osc1)) x = b;
        return;
    }
    Ramp<F> level1(v, f_level1), level2(v, f_level2), ring(v, f_ring);
    for (int i = 0; i < n; ++i) {
        F sum(0.0f);
        if (has(c, shape_osc1)) sum = level1.next() * x.at[i];
        if (has(c, shape_ring)) sum = fma(ring.next() * x.at[i], b.at[i], sum);
        if (has(c, shape_osc2)) sum = fma(level2.next(), b.at[i], sum);
        x.at[i] = sum;
    }
    v.set(f_level1, level1.value);
    v.set(f_level2, level2.value);
    v.set(f_ring, ring.value);
    if (has(c, shape_sub)) {
        const Ramp<F> level(v, f_sub);
        const bool square = has(c, shape_sub_square);
        if (c.tier == tier_eco)
            sub_frames<tier_eco>(v, square, increment1, x, level, n);
        else if (c.tier == tier_standard)
            sub_frames<tier_standard>(v, square, increment1, x, level, n);
        else
            sub_frames<tier_ultra>(v, square, increment1, x, level, n);
    }
    if (has(c, shape_noise)) noise_frames(v, has(c, shape_pink), c.frame + static_cast<Word>(first), x, n);
}

template <class F>
void output_frames(Slots<F> v, const Context& c, const Frames<F>& x, int n, float TUTTI_SHARED* left,
                   float TUTTI_SHARED* right) {
    const F open = v.get(input_lowpass);
    const MaskOf<F> muffled = both(F(0.0f) < open, open < F(1.0f));
    const bool muffle = c.muffled && any(muffled);
    F memory = v.get(f_muffle);
    Ramp<F> l(v, f_left), r(v, f_right);
    for (int i = 0; i < n; ++i) {
        F y = x.at[i];
        if (muffle) {
            memory = select(muffled, fma(open, y - memory, memory), memory);
            y = select(muffled, memory, y);
        }
        add_frame(left + i * k_row_slots, y * l.next());
        if (c.stereo) add_frame(right + i * k_row_slots, y * r.next());
    }
    v.set(f_left, l.value);
    if (c.stereo) v.set(f_right, r.value);
    if (muffle) v.set(f_muffle, memory);
}

// Frames [first, last) of the step, inside one tick.
template <class F, int G>
void modules(const Slots<F>* v, const Context& c, int first, int last, Accumulator to) {
    const int n = last - first;
    Frames<F> x[G], b[G];
    for (int g = 0; g < G; ++g)
        sources_frames(v[g], c, first, x[g], b[g], n);
    const int type = number(c, shape_filter, 3);
    const bool fm = has(c, shape_fm);
    if (type == filter_ladder) {
        for (int g = 0; g < G; ++g)
            filter_ladder_frames(v[g], fm, b[g], x[g], n);
    } else if (type != filter_off) {
        filter_svf_frames<G>(v, type, fm, b, x, n);
    }
    for (int g = 0; g < G; ++g)
        output_frames(v[g], c, x[g], n, to.left + first * k_row_slots,
                      c.stereo ? to.right + first * k_row_slots : nullptr);
}

} // namespace subtractive_kernel
} // namespace TUTTI_ISA_SPACE
} // namespace voices
} // namespace tutti
