// SPDX-License-Identifier: MIT
// A voice type of one's own in one header: a sine folded by another, sin(fold * sin(phase)), whose odd partials grow with
// `fold` as Bessel functions do. See docs/examples/custom_voice.md.
//
// First the table, which the engine, patches and schema read; then the recurrence over the lane type F, compiled for every instruction
// set: F is one voice or sixteen. No `if` on F but `select`; whatever lasts from frame to frame stands in fields of the row.
#pragma once

#include "voices/output.h"
#include "voices/parameter_rows.h"

namespace tutti::voices::folded {

enum Index : int {
    p_level = 0,
    p_velocity,
    p_fold,
    p_fold_env,
    p_attack,
    p_decay,
    p_sustain,
    p_release,
    p_curve,
    k_parameters
};

// What a row keeps for a voice after its inputs and its one envelope. A pair is a value and its change a frame.
enum Field : int {
    f_phase = state_field(1), // 2^-32 cycles
    f_increment,              // pair
    f_fold = f_increment + 2, // pair: radians
    f_output = f_fold + 2,
    f_count = f_output + k_output_field_count
};

inline constexpr Parameter k_table[k_parameters] = {
    linear("level", "Level", "Voice", Unit::decibels, -48, 12, 0),
    linear("velocity", "Velocity", "Voice", Unit::percent, 0, 1, 0.7f),
    linear("fold", "Fold", "Folder", Unit::none, 0.5f, 12, 1.5f),
    linear("fold_env", "Envelope to fold", "Folder", Unit::none, -12, 12, 2),
    linear("env1_attack", "Attack", "Envelope", Unit::seconds, 0, 20, 0.005f, false, 0),
    linear("env1_decay", "Decay", "Envelope", Unit::seconds, 0, 20, 0.6f, false, 0),
    linear("env1_sustain", "Sustain", "Envelope", Unit::percent, 0, 1, 0.4f, false, 0),
    linear("env1_release", "Release", "Envelope", Unit::seconds, 0, 30, 0.2f, false, 0),
    linear("env1_curve", "Curve", "Envelope", Unit::none, 0, 8, 3, false, 0),
};

inline void plan(const float* values, const NoteInfo&, EnvelopePlan* plans) noexcept {
    adsr_plan(values, p_attack, plans[0]);
}
// There is one form of the loop only.
inline std::uint64_t shape(const float*, const Route*, int) noexcept {
    return 0;
}

inline constexpr VoiceType k_type = {.id = "folded",
                                     .name = "Folded Sine",
                                     .parameters = k_table,
                                     .parameter_count = k_parameters,
                                     .envelope_count = 1,
                                     .field_count = f_count,
                                     .plan = plan,
                                     .shape = shape};

inline namespace TUTTI_ISA_SPACE {

template <class F>
struct Folded {
    typedef Slots<F> View;
    static constexpr int k_envelope_count = 1;
    static constexpr int k_field_count = f_count;
    static constexpr int k_packed_count = 0;

    // A tick has come.
    static void advance(View v, const Context&) {
        advance_envelope(v, 0);
        v.set(input_pitch, v.get(input_pitch) + v.get(input_pitch_step));
    }
    // New targets for some lanes, in the middle of a tick; for all, at a tick. What is returned are lanes that would have to
    // be computed again at the next tick: none, since all are anyway.
    static Word retarget(View v, const Context& c, Word which, Word begun, int frames_left) {
        const float frames = static_cast<float>(frames_left);
        aim(v, c, {lane_mask<F>(which), lane_mask<F>(begun), F(frames), F(1.0f / frames), true, begun != 0});
        return 0;
    }
    static Word retarget_tick(View v, const Context& c, bool rest) {
        aim(v, c, tick_change<F>(rest));
        return 0;
    }
    static bool runs_through(const Context&) { return false; }
    static void prefetch(View, const Context&) {}

    // Frames [first, last) of G rows.
    template <int G>
    static void run(const View* views, const Context& c, int first, int last, bool, bool, Accumulator to) {
        for (int g = 0; g < G; ++g) {
            const View v = views[g];
            UintOf<F> phase = v.bits(f_phase), increment = v.bits(f_increment);
            const UintOf<F> increment_slope = v.bits(f_increment + 1);
            F fold = v.get(f_fold);
            const F fold_slope = v.get(f_fold + 1);
            Output<F> output(v, c, f_output, first, to);
            for (int i = first; i < last; ++i) {
                increment = increment + increment_slope;
                phase = phase + increment;
                fold = fold + fold_slope;
                // Radians to 2^-32 cycles, by sixteenths: up to 50 radians stay within an integer.
                const F radians = sine_of_phase<F>(phase) * fold;
                output.add(sine_of_phase<F>(shift_left(truncate_to_int(radians * F(42722829.0f)), 4)));
            }
            v.set_bits(f_phase, phase);
            v.set_bits(f_increment, increment);
            v.set(f_fold, fold);
            output.store_to(v, f_output);
        }
    }
    // Not finite where a memory is not.
    static F health(View v, const Context&) {
        return abs(v.get(f_fold)) + abs(v.get(f_output + k_output_left)) + abs(v.get(f_output + k_output_right)) +
               abs(v.get(f_output + k_output_memory));
    }

private:
    // Partial n of sin(a sin x) dies away above n = a + 3: the fold is held where that is half the rate.
    static F fold_at(View v, const Context& c, const Sources<F>& s, F hertz, bool next) {
        const F wanted =
            fma(parameter(c, s, p_fold_env), next ? envelope_next(v, 0) : envelope_now(v, 0), parameter(c, s, p_fold));
        return max(min(min(wanted, fma(F(0.5f * c.rate), F(1.0f) / hertz, F(-3.0f))), F(48.0f)), F(0.5f));
    }
    static F loudness(View v, const Context& c, const Sources<F>& s, bool next) {
        const F velocity = fma(parameter(c, s, p_velocity), v.get(input_velocity) - F(1.0f), F(1.0f));
        return gain_of(parameter(c, s, p_level)) * velocity * v.get(input_gain) *
               (next ? envelope_next(v, 0) : envelope_now(v, 0)) * F(0.4f);
    }
    static void sources(View v, const Context& c, bool next, Sources<F>& s) {
        if (c.sources == 0) return;
        common_sources(v, c, s);
        for (int own = source_envelope1; own <= source_lfo2; ++own)
            s.value[own] = own != source_envelope1 ? F(0.0f) : next ? envelope_next(v, 0) : envelope_now(v, 0);
    }
    static void aim(View v, const Context& c, const Change<F>& k) {
        Sources<F> s_now, s_next;
        sources(v, c, false, s_now);
        sources(v, c, true, s_next);
        v.set_bits(f_phase, select(k.begun, UintOf<F>(0u), v.bits(f_phase)));
        const F pitch = v.get(input_pitch) + v.get(input_offset) + F(c.part(part_bend));
        const UintOf<F> to = increment_of(pitch + v.get(input_pitch_step), c), from = increment_of(pitch, c);
        retarget_increment(v, f_increment, k.which, k.begun, from, to, k.per_frame);
        const F hertz = exp2((pitch - F(69.0f)) * F(1.0f / 12.0f)) * F(440.0f);
        move_to(v, f_fold, f_fold + 1, k.which, k.begun, fold_at(v, c, s_now, hertz, false),
                fold_at(v, c, s_next, hertz, true), k.per_frame);
        F left(1.0f), right(1.0f);
        if (c.stereo) pan_gains(v.get(input_pan), left, right);
        const F now = loudness(v, c, s_now, false), next = loudness(v, c, s_next, true);
        output_target(v, c, k, f_output, left * now, right * now, left * next, right * next);
    }
};

} // namespace TUTTI_ISA_SPACE
} // namespace tutti::voices::folded
