// SPDX-License-Identifier: MIT
// The places of the fm voice's parameters in its table, the fields of its row.
//
// Keeps to C++14 without standard headers; the table itself (names, ranges) is in voices/fm.h.
#pragma once

#include "voices/fm_algorithms.h"
#include "voices/lfo.h"
#include "voices/output.h"

namespace tutti {
namespace voices {
namespace fm {

enum Index : int {
    p_algorithm = 0,
    p_feedback,
    p_level,
    p_transpose,
    p_fine,
    p_pitch_depth, // of LFO 1, semitones
    p_amp_depth,   // of LFO 1, decibels
    p_lfo1,
    p_velocity = p_lfo1 + lfo_parameter_count,
    p_pan,
    p_unison_voices,
    p_unison_detune,
    p_unison_spread,
    p_operator // the first operator's first row
};

// Rows of one operator, from p_operator + o * op_rows.
enum OperatorIndex : int {
    op_level = 0,
    op_ratio,
    op_fixed,
    op_detune,
    op_velocity,
    op_key_scale,
    op_rate_scale,
    op_rate1,
    op_rate2,
    op_rate3,
    op_rate4,
    op_level1,
    op_level2,
    op_level3,
    op_level4,
    op_rows
};

constexpr int k_operators = 6;
constexpr int k_parameters = p_operator + k_operators * op_rows;

constexpr int operator_parameter(int op, int index) {
    return p_operator + op * op_rows + index;
}

// Fields of a row. A pair is a value and its change a frame.
enum Field : int {
    f_phase = state_field(k_operators),          // of operator 1..6
    f_increment = f_phase + k_operators,         // pairs
    f_amplitude = f_increment + 2 * k_operators, // pairs; a modulator's is in cycles
    f_level = f_amplitude + 2 * k_operators,     // amplitude without the envelope
    f_feedback = f_level + k_operators,          // pair, cycles
    f_last = f_feedback + 2,                     // the fed-back output, one frame ago
    f_before,                                    // and two
    f_output,                                    // the output stage
    f_lfo1 = f_output + k_output_field_count,
    f_count = f_lfo1 + lfo_field_count
};

// The shape: the algorithm (0..31), and what is computed at every tick.
enum ShapeBit : int {
    shape_algorithm = 0, // 5 bits
    shape_lfo1 = 5,      // LFO 1 is heard or routed
    shape_move_pitch,    // pitch is modulated by something that moves
    shape_move_level,    // levels are
    shape_move_amp       // loudness or place is
};

constexpr int k_lfo1_rate = static_cast<int>(p_lfo1) + lfo_rate;

} // namespace fm
} // namespace voices
} // namespace tutti
