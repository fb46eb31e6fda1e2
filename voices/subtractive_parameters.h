// SPDX-License-Identifier: MIT
// The places of the subtractive voice's parameters in its table, the bits of its shape, the fields of its row.
//
// Keeps to C++14 without standard headers; the table itself (names, ranges) is in voices/subtractive.h.
#pragma once

#include "voices/lfo.h"

namespace tutti {
namespace voices {
namespace subtractive {

enum Param : int {
    p_osc1_wave = 0,
    p_osc1_octave,
    p_osc1_semitone,
    p_osc1_fine,
    p_osc1_width,
    p_osc1_level,
    p_osc1_phase,
    p_osc2_wave,
    p_osc2_octave,
    p_osc2_semitone,
    p_osc2_fine,
    p_osc2_width,
    p_osc2_level,
    p_osc2_phase,
    p_osc_start, // 0 free: a phase drawn for each note; 1: from the phases above
    p_osc_sync,  // oscillator 2 begins anew with each cycle of oscillator 1
    p_ring_level,
    p_sub_wave,
    p_sub_level,
    p_noise_color,
    p_noise_level,
    p_pitch,
    p_filter_type,
    p_cutoff,
    p_resonance,
    p_drive,
    p_filter_key,
    p_filter_env,
    p_filter_fm,
    p_level,
    p_pan,
    p_velocity,
    p_env1_attack,
    p_env1_decay,
    p_env1_sustain,
    p_env1_release,
    p_env1_curve,
    p_env2_attack,
    p_env2_decay,
    p_env2_sustain,
    p_env2_release,
    p_env2_curve,
    p_lfo1,
    p_lfo2 = p_lfo1 + static_cast<int>(lfo_parameter_count),
    p_unison_voices = p_lfo2 + static_cast<int>(lfo_parameter_count),
    p_unison_detune,
    p_unison_spread,
    parameter_count
};

constexpr int k_lfo1_rate = static_cast<int>(p_lfo1) + static_cast<int>(lfo_rate);
constexpr int k_lfo2_rate = static_cast<int>(p_lfo2) + static_cast<int>(lfo_rate);

enum Wave : int { wave_saw = 0, wave_pulse, wave_triangle, wave_sine };
enum Filter : int { filter_off = 0, filter_low, filter_band, filter_high, filter_notch, filter_ladder };

// The shape: which modules run, in bits. Everything that is uniform over a bank and chooses code stands here.
enum ShapeBit : int {
    shape_osc1 = 0,    // oscillator 1 is heard
    shape_osc1_wave,   // 2 bits
    shape_osc2 = 3,    // oscillator 2 is heard, or rings, or moves the cutoff
    shape_osc2_wave,   // 2 bits
    shape_sync = 6,    //
    shape_ring,        //
    shape_sub,         //
    shape_sub_square,  // else a sine
    shape_noise,       //
    shape_pink,        //
    shape_filter = 12, // 3 bits
    shape_fm = 15,     // audio-rate cutoff
    shape_mix,         // more than one sound, or one that needs its level before the filter
    shape_env2,        //
    shape_lfo1,        //
    shape_lfo2,        //
    shape_move_pitch,  // something moves from tick to tick while parameters and inputs rest
    shape_move_width,  //
    shape_move_mix,    //
    shape_move_filter, //
    shape_move_base,   // the cutoff by more than envelope 2
    shape_move_amp,    //
    shape_modules = 63 // for tests: the general form even where there is a fused one
};

constexpr int k_envelopes = 2;

// A ramped quantity has its value at `f` and its change a frame at `f + k_slopes`: what a plain voice touches in each block
// lies together, in sixteen lines of memory from envelope 1 on.
enum Field : int {
    f_osc1 = static_cast<int>(input_count) + 3 * k_envelopes,
    f_osc_phase = 0, // within an oscillator
    f_osc_increment, // ramped
    f_osc_slope,     // ramped
    f_osc_offset,    // ramped
    f_osc_count,
    f_i1 = f_osc1 + f_osc_count, // filter memories
    f_i2,
    f_c1, // ramped: A1 of the state-variable filter, G of the ladder
    f_c2,
    f_c3,
    f_left,      // ramped: amplitude = envelope 1 * gain
    f_left_gain, //
    f_right,     // ramped
    f_right_gain,
    f_damping, // ramped: k = 1/Q, or the ladder's feedback
    f_base,    // log2(pi cutoff / rate) without envelope 2
    f_depth,   // of envelope 2 on it
    f_angle,   // ramped: log2(pi cutoff / rate), for audio-rate cutoff
    f_fm,      // ramped
    f_drive,   // ramped
    f_osc2,
    f_i3 = f_osc2 + f_osc_count,
    f_i4,
    f_level1, // ramped, as are the next
    f_level2,
    f_ring,
    f_sub,
    f_noise,
    f_width1, // integers
    f_width2,
    f_sub_slope,
    f_sub_offset, // the last of the ramped
    f_slopes_end,
    k_slopes = f_slopes_end - f_osc1,
    f_rest = f_slopes_end + k_slopes,
    f_sub_phase = f_rest,
    f_corner1, // the triangle's third number
    f_corner2,
    f_pink, // three poles
    f_lfo1 = f_pink + 3,
    f_lfo2 = f_lfo1 + static_cast<int>(lfo_field_count),
    f_sync_next = f_lfo2 + static_cast<int>(lfo_field_count), // cycles of oscillator 2 at the reset to come,
    f_sync_last,                                              // at the one behind
    f_muffle,                                                 // the output stage's one-pole, its memory
    f_ring1,                                                  // `ultra`: what rings of each oscillator's jumps
    f_ring2 = f_ring1 + k_ringing_fields,
    f_ring_sub = f_ring2 + k_ringing_fields,
    field_count = f_ring_sub + k_ringing_fields
};

} // namespace subtractive
} // namespace voices
} // namespace tutti
