// SPDX-License-Identifier: MIT
// The places of the drum kit's parameters in its table, its envelopes, the fields of its row.
//
// Keeps to C++14 without standard headers; the table itself (names, ranges, recipes) is in voices/drum.h.
#pragma once

#include "voices/output.h"

namespace tutti {
namespace voices {
namespace drum {

enum Index : int {
    p_level = 0,
    p_tune,
    p_decay,
    p_drive,
    p_kick_level,
    p_kick_tune,
    p_kick_decay,
    p_kick_sweep,
    p_kick_click,
    p_snare_level,
    p_snare_tune,
    p_snare_decay,
    p_snare_snap,
    p_hat_level,
    p_hat_tune,
    p_hat_decay,
    p_hat_open_decay,
    p_tom_level,
    p_tom_tune,
    p_tom_decay,
    p_cymbal_level,
    p_cymbal_tune,
    p_cymbal_decay,
    p_percussion_level,
    p_percussion_tune,
    p_percussion_decay,
    p_width,
    k_parameters
};

// Envelopes 0..3 move, 4..7 hold a number for the voice's life.
enum Envelope : int {
    e_tone = 0,
    e_noise,
    e_metal,
    e_sweep,        // semitones above the final pitch
    e_tone_note,    // final pitch, MIDI note scale
    e_noise_octave, // log2 of the band-pass centre in Hz
    e_metal_octave, // log2 of the high-pass corner in Hz
    e_pan,
    k_envelopes
};

constexpr int k_squares = 6;

enum ShapeBit : int {
    shape_drive = 0, // routed: each voice has its own
    shape_tune
};

// Fields of a row. A pair is a value and its change a frame.
enum Field : int {
    f_tone_phase = state_field(k_envelopes),
    f_tone_increment, // integer pair
    f_overtone_phase = f_tone_increment + 2,
    f_square_phase,                      // of six squares
    f_tone = f_square_phase + k_squares, // pairs: amplitudes
    f_overtone = f_tone + 2,
    f_noise = f_overtone + 2,
    f_metal = f_noise + 2,
    f_noise_c1 = f_metal + 2, // filters, held for a tick
    f_noise_c2,
    f_noise_c3,
    f_metal_c1,
    f_metal_c2,
    f_metal_c3,
    f_noise1, // filter states
    f_noise2,
    f_metal1,
    f_metal2,
    f_output,
    f_count = f_output + k_output_field_count
};

} // namespace drum
} // namespace voices
} // namespace tutti
