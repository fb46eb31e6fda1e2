// SPDX-License-Identifier: MIT
// The places of the ambient pad's parameters in its table, the bits of its shape, the fields of its row.
//
// Keeps to C++14 without standard headers; the table itself (names, ranges) is in voices/ambient_pad.h.
#pragma once

#include "voices/lfo.h"
#include "voices/output.h"

namespace tutti {
namespace voices {
namespace ambient_pad {

constexpr int k_oscillators = 6; // the even ones left, the odd ones right; the last pair an octave up
constexpr int k_envelopes = 2;

enum Index : int {
    p_level = 0,
    p_velocity,
    p_pan,
    p_detune,
    p_drift,
    p_drift_rate,
    p_spread,
    p_octave_level,
    p_sub_level,
    p_noise_level,
    p_noise_colour,
    p_cutoff,
    p_resonance,
    p_filter_env,
    p_filter_key,
    p_filter_drift,
    p_transpose,
    p_fine,
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
    p_lfo1_cutoff, // octaves
    p_lfo2_level,  // decibels
    p_lfo1,
    p_lfo2 = p_lfo1 + lfo_parameter_count,
    k_parameters = p_lfo2 + lfo_parameter_count
};

// Fields of a row. A pair is a value and its change a frame.
enum Field : int {
    f_phase = state_field(k_envelopes),
    f_increment = f_phase + k_oscillators,
    f_slope = f_increment + k_oscillators, // of the band-limited jump, see dsp/oscillator.h
    f_offset = f_slope + k_oscillators,
    f_sub_phase = f_offset + k_oscillators,
    f_sub_increment,
    f_drift_phase, // of the drift's noise, 2^-32 cycles
    f_drift_cycles,
    f_drift_increment, // a tick
    f_noise_left,      // the colouring low-pass
    f_noise_right,
    f_left1, // states of the two filters
    f_left2,
    f_right1,
    f_right2,
    f_c1,            // pairs
    f_c2 = f_c1 + 2, //
    f_c3 = f_c2 + 2, //
    f_output = f_c3 + 2,
    f_lfo1 = f_output + k_output_field_count,
    f_lfo2 = f_lfo1 + lfo_field_count,
    f_ring_left = f_lfo2 + lfo_field_count, // `ultra`: what rings of the jumps of each side's oscillators
    f_ring_right = f_ring_left + k_ringing_fields,
    f_count = f_ring_right + k_ringing_fields
};

// Modules that cost something where they are not used.
enum ShapeBit : int { shape_sub = 0, shape_noise, shape_octave };

constexpr int k_lfo1_rate = static_cast<int>(p_lfo1) + lfo_rate;
constexpr int k_lfo2_rate = static_cast<int>(p_lfo2) + lfo_rate;

} // namespace ambient_pad
} // namespace voices
} // namespace tutti
