// SPDX-License-Identifier: MIT
// A low-frequency oscillator of a voice, computed at ticks: seven waves, delay and fade-in, free or started with the note,
// its rate in hertz or in note lengths.
#pragma once

#include "voices/slots.h"

namespace tutti {
namespace voices {
inline namespace TUTTI_ISA_SPACE {

enum LfoWave : int { lfo_sine = 0, lfo_triangle, lfo_saw_up, lfo_saw_down, lfo_square, lfo_hold, lfo_smooth };

// Indices of an LFO's parameters in its type's table, in this order from `first` on.
enum LfoParameter : int {
    lfo_wave = 0,
    lfo_rate,    // Hz, exponential
    lfo_sync,    // 0: rate in Hz; else one of k_lfo_beats
    lfo_trigger, // 0 free: runs with the stream's clock, with the song's position where synced; 1: begins with the note
    lfo_phase,   // cycles
    lfo_delay,   // seconds before it is heard
    lfo_fade,    // seconds to full depth
    lfo_parameter_count
};
constexpr int k_lfo_sync_count = 12;
// Beats (quarter notes) a cycle.
constexpr float k_lfo_beats[k_lfo_sync_count] = {0.0f, 16.0f, 8.0f,  4.0f,  2.0f,        1.0f,
                                                 1.5f, 0.5f,  0.75f, 0.25f, 1.0f / 3.0f, 0.125f};

// State of an LFO in a row, from a field on.
enum LfoField : int {
    lfo_at = 0,    // phase, 2^-32 cycles
    lfo_increment, // a tick
    lfo_cycles,    // whole cycles so far: what sample-and-hold draws from
    lfo_age,       // ticks since the note began
    lfo_field_count
};

template <class F>
TUTTI_INLINE F lfo_value(int wave, UintOf<F> phase, UintOf<F> cycles, UintOf<F> seed) {
    const F s = signed_to_float(phase) * F(1.0f / 2147483648.0f); // rises 0..1, -1..0
    switch (wave) {
    case lfo_sine:
        return sin_pi(s);
    case lfo_triangle: { // begins at 0, rising
        const F q = signed_to_float(phase - UintOf<F>(0x40000000u)) * F(1.0f / 2147483648.0f);
        return fma(F(-2.0f), abs(q), F(1.0f));
    }
    case lfo_saw_up:
        return signed_to_float(phase ^ UintOf<F>(0x80000000u)) * F(1.0f / 2147483648.0f);
    case lfo_saw_down:
        return signed_to_float(phase ^ UintOf<F>(0x80000000u)) * F(-1.0f / 2147483648.0f);
    case lfo_square:
        return select(s < F(0.0f), F(-1.0f), F(1.0f));
    default:
        break;
    }
    const F from = bipolar<F>(hash_word(seed + cycles * UintOf<F>(0x9e3779b9u)));
    if (wave == lfo_hold) return from;
    const F to = bipolar<F>(hash_word(seed + (cycles + UintOf<F>(1u)) * UintOf<F>(0x9e3779b9u)));
    const F x = fma(signed_to_float(phase ^ UintOf<F>(0x80000000u)), F(1.0f / 4294967296.0f), F(0.5f));
    return fma(to - from, x * x * fma(F(-2.0f), x, F(3.0f)), from);
}

// The LFO at fields `at`, parameters from `first`: its output now, or at the next tick.
template <class V>
TUTTI_INLINE typename V::Lane lfo_output(V v, const Context& c, int at, int first, bool next) {
    typedef typename V::Lane F;
    UintOf<F> phase = v.bits(at + lfo_at);
    UintOf<F> cycles = v.bits(at + lfo_cycles);
    F age = v.get(at + lfo_age);
    if (next) {
        const UintOf<F> moved = phase + v.bits(at + lfo_increment);
        cycles = cycles + select(less_unsigned(moved, phase), UintOf<F>(1u), UintOf<F>(0u));
        phase = moved;
        age = age + F(1.0f);
    }
    const int wave = static_cast<int>(c.parameter(first + lfo_wave) + 0.5f);
    const F value = lfo_value<F>(wave, phase, cycles, v.bits(input_seed) + UintOf<F>(static_cast<Word>(first)));
    const float delay = c.parameter(first + lfo_delay), fade = c.parameter(first + lfo_fade);
    if (delay <= 0.0f && fade <= 0.0f) return value;
    const F since = fma(age, F(c.tick_seconds), F(-delay));
    const F depth = min(max(since * F(1.0f / (fade > 1e-4f ? fade : 1e-4f)), F(0.0f)), F(1.0f));
    return value * depth;
}

// A tick has come.
template <class V>
TUTTI_INLINE void lfo_advance(V v, int at) {
    typedef typename V::Lane F;
    const UintOf<F> phase = v.bits(at + lfo_at);
    const UintOf<F> moved = phase + v.bits(at + lfo_increment);
    v.set_bits(at + lfo_cycles,
               v.bits(at + lfo_cycles) + select(less_unsigned(moved, phase), UintOf<F>(1u), UintOf<F>(0u)));
    v.set_bits(at + lfo_at, moved);
    v.set(at + lfo_age, min(v.get(at + lfo_age) + F(1.0f), F(8388608.0f)));
}

// New increments for the lanes `which`; `begun` lanes take their first phase. `log2_rate`: the rate parameter, modulated.
template <class V, class F>
TUTTI_INLINE void lfo_begin(V v, const Context& c, int at, int first, MaskOf<F> which, MaskOf<F> begun, F log2_rate) {
    const int sync = static_cast<int>(c.parameter(first + lfo_sync) + 0.5f);
    F cycles_a_tick = exp2(log2_rate) * F(c.tick_seconds);
    if (sync > 0 && sync < k_lfo_sync_count) cycles_a_tick = F(c.part(part_tempo) * c.tick_seconds / k_lfo_beats[sync]);
    const UintOf<F> increment = shift_left(truncate_to_int(min(cycles_a_tick, F(0.5f)) * F(2147483647.0f)), 1);
    v.set_bits(at + lfo_increment, select(which, increment, v.bits(at + lfo_increment)));
    const bool free = c.parameter(first + lfo_trigger) < 0.5f;
    const bool follows = free && sync > 0 && sync < k_lfo_sync_count;
    if (!follows && !any(begun)) return;
    Word offset = static_cast<Word>(static_cast<int>(c.parameter(first + lfo_phase) * 65536.0f)) << 16;
    if (follows) {
        // A function of the position alone: a jump of it moves what sounds, too, and where none came this is where it was.
        const float cycles = c.part(part_origin) / k_lfo_beats[sync];
        offset +=
            static_cast<Word>(static_cast<int>((cycles - static_cast<float>(static_cast<int>(cycles))) * 16777216.0f))
            << 8;
    }
    const UintOf<F> phase = free ? UintOf<F>(offset) + increment * UintOf<F>(c.tick) : UintOf<F>(offset);
    v.set_bits(at + lfo_at, select(follows ? which : begun, phase, v.bits(at + lfo_at)));
    if (!any(begun)) return;
    v.set_bits(at + lfo_cycles, select(begun, UintOf<F>(0u), v.bits(at + lfo_cycles)));
    v.set(at + lfo_age, select(begun, F(0.0f), v.get(at + lfo_age)));
}

} // namespace TUTTI_ISA_SPACE
} // namespace voices
} // namespace tutti
