// SPDX-License-Identifier: MIT
// The places of the torchsynth voice's parameters in its table, and the fields of its row.
//
// Keeps to C++14 without standard headers; the table itself (names, ranges) is in voices/torchsynth_voice.h.
#pragma once

#include "voices/output.h"

namespace tutti {
namespace voices {
namespace torchsynth_voice {

// The graph's sizes: sources of the matrix are ADSR 1, ADSR 2, LFO 1, LFO 2.
constexpr int k_adsrs = 6, k_lfos = 2, k_sources = 4, k_targets = 5, k_shapes = 5;
constexpr int k_envelopes = 1; // the gate: 1 while held, then a straight line that says how long ago the key came up

enum Adsr : int { adsr_1 = 0, adsr_2, adsr_lfo_1_amp, adsr_lfo_2_amp, adsr_lfo_1_rate, adsr_lfo_2_rate };
enum AdsrParameter : int { adsr_attack = 0, adsr_decay, adsr_sustain, adsr_release, adsr_alpha, k_adsr_parameters };
enum LfoParameterOf : int {
    lfo_frequency = 0,
    lfo_mod_depth,
    lfo_initial_phase,
    lfo_first_shape,
    k_lfo_parameters = 8
};
enum Target : int { to_pitch_1 = 0, to_amp_1, to_pitch_2, to_amp_2, to_noise };

enum Index : int {
    p_midi_f0 = 0,
    p_duration,
    p_adsr, // [Adsr][AdsrParameter]
    p_lfo_1 = p_adsr + k_adsrs * k_adsr_parameters,
    p_matrix = p_lfo_1 + k_lfos * k_lfo_parameters, // [source][target]
    p_vco_1_tuning = p_matrix + k_sources * k_targets,
    p_vco_1_mod_depth,
    p_vco_1_initial_phase,
    p_vco_2_tuning,
    p_vco_2_mod_depth,
    p_vco_2_initial_phase,
    p_vco_2_shape,
    p_mix_vco_1,
    p_mix_vco_2,
    p_mix_noise,
    k_parameters
};
static_assert(k_parameters == 78, "as many as torchsynth's Voice has");

// Of an ADSR, in control steps: 1/time where it divides. Two fields each for what is kept as two floats.
enum AdsrField : int {
    a_attack = 0,
    a_decay_from = a_attack + 2,
    a_decay = a_decay_from + 2,
    a_sustain = a_decay + 2,
    a_release,
    a_alpha = a_release + 2,
    k_adsr_fields
};
// Of an LFO: hertz, and the weights of its five shapes.
enum LfoFieldOf : int { l_phase = 0, l_frequency, l_mod_depth, l_shape, k_lfo_fields = l_shape + k_shapes };
// Of an oscillator. From `o_step` on: made anew at every tick, see torchsynth_voice_sound.h.
enum VcoField : int {
    o_phase = 0,
    o_note, // the note's pitch and its rounding, semitones
    o_depth = o_note + 2,
    o_step,  // increment at the tick, 2^-32 cycles a frame
    o_whole, // the same as a number, before the pitch is held in 0..127
    o_over,  // whole - step
    o_least, // what may be added to the step
    o_most,
    o_slope,              // octaves a control step, before the next control point and after it
    o_more = o_slope + 2, // what the frames since the tick have made of it: 2^octaves - 1, and its rounding
    k_vco_fields = o_more + 2
};

enum Field : int {
    f_position = state_field(k_envelopes), // frames since control point `step`, in 2^-31 control steps
    f_position_step,                       // a frame
    f_position_rest,                       // what rounding that loses in a control step
    f_step,                                // the control point before this frame
    f_tick_position,                       // position at the tick, in control steps
    f_duration,                            // of the note, in control steps
    f_gate_steps = f_duration + 2,         // what the gate's way to 0 stands for
    f_released,                            // the control step of release, or far away
    f_unit,                                // increment of 440 Hz and its rounding
    f_bend = f_unit + 2,                   // semitones
    f_edge,                                // pi/2 times the partials of the square, in octaves of its e^2x
    f_shape,
    f_level,                              // of the mixer: oscillators, noise
    f_loud = f_level + 3,                 // the same times their envelopes, at this frame
    f_gain = f_loud + 3,                  // of the two sides, without the fade at the end
    f_point = f_gain + 2,                 // [target][3]: modulation at control points step, step + 1, step + 2
    f_rounding = f_point + 3 * k_targets, // [vco][3]: what the pitches' points lack
    f_matrix = f_rounding + 6,            // [source][target]
    f_adsr = f_matrix + k_sources * k_targets,
    f_lfo = f_adsr + k_adsrs * k_adsr_fields,
    f_vco_1 = f_lfo + k_lfos * k_lfo_fields,
    f_vco_2 = f_vco_1 + k_vco_fields,
    f_output = f_vco_2 + k_vco_fields,
    f_count = f_output + k_output_field_count
};

// torchsynth's control rate, and where its upsampling (corners aligned, 4 s at 44.1 kHz) puts the control points: 1,764 of
// them over 176,400 samples, the first and the last on the ends.
constexpr float k_control_rate = 441.0f;
constexpr float k_steps_a_second = 1763.0f / 176399.0f * 44100.0f;
// A voice lives so much longer than its longest release: control points are made up to three steps ahead.
constexpr float k_release_margin = 0.03f;
constexpr float k_last_fade = 0.01f; // seconds

// How long the gate takes to fall. `value(i)` is parameter i.
template <class Value>
TUTTI_INLINE float gate_seconds(Value value) {
    float longest = 0.0f;
    for (int e = 0; e <= adsr_lfo_2_amp; ++e) {
        const float release = value(p_adsr + e * k_adsr_parameters + adsr_release);
        longest = release > longest ? release : longest;
    }
    return longest + k_release_margin;
}

} // namespace torchsynth_voice
} // namespace voices
} // namespace tutti
