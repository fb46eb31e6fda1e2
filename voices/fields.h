// SPDX-License-Identifier: MIT
// Numbers that a voice's recurrence, the control side and every backend agree on: the layout of a row, sources, time.
//
// Keeps to C++14 without standard headers: recurrences are also compiled for GPUs.
#pragma once

#include "dsp/address_space.h"

namespace tutti {
namespace voices {

constexpr int k_tick_frames = 16;  // control rate: one tick of the stream's clock
constexpr int k_block_frames = 64; // render block: four ticks
constexpr int k_row_slots = 16;    // slots of a row; a lane is a slot's place in its row
constexpr int k_chunk_rows = 8;    // rows of a chunk, the unit of the sum and of threading
constexpr int k_max_routes = 16;   // modulation routes of a patch
constexpr int k_max_envelopes = 8; // envelopes of a voice type
constexpr int k_max_parameters = 160;
constexpr int k_ringing_fields = 8; // dsp::Ringing's

// A row of voices is a structure of arrays: float field[field_count][k_row_slots], 64-byte aligned.
// Fields 0..input_count-1 are the voice's inputs, written by the control side (by an Edit) and only advanced by the
// recurrence where said. Then three fields an envelope, then the type's own state.
enum Input : int {
    input_pitch = 0,   // semitones on MIDI's scale (69 = 440 Hz), tuning and glide included, at the current tick
    input_pitch_step,  // semitones a tick; the recurrence adds it to input_pitch at every tick; 0 at rest
    input_offset,      // semitones: the note's own pitch expression (MPE, CLAP)
    input_gain,        // linear: the note's own gain expression
    input_pan,         // -1..1: the note's own pan
    input_velocity,    // 0..1 after the velocity curve
    input_key,         // (key - 60) / 12, octaves from middle C
    input_pressure,    // 0..1: polyphonic pressure of this note
    input_timbre,      // 0..1
    input_random,      // -1..1, one draw a note
    input_unison,      // -1..1: place in the unison stack; 0 for a single voice
    input_unison_gain, // linear: 1/sqrt(copies)
    input_seed,        // uint32 bits: hash of (stream seed, note serial, unison copy)
    input_send,        // 0..1
    input_lowpass,     // one-pole coefficient 0..1 of the output stage, 1 is open
    input_count
};

// Envelope e of a row: value, mul, add. At every tick: value = value * mul + add. The control side rewrites all three at
// the start of a stage, so that value is exact on the tick grid; between ticks the recurrence ramps linearly.
// An edit inside a tick (start, release, fade) writes value = the level on the edit's own frame, and mul, add so that
// value * mul + add is the level at the next tick: the ramp goes from the one to the other over what is left of the tick.
// input_pitch alike: the pitch on the edit's frame, and input_pitch_step what the next tick adds.
// On a tick's own frame values advance first, then edits are applied.
constexpr int envelope_field(int envelope) {
    return input_count + 3 * envelope;
}
constexpr int state_field(int envelope_count) {
    return envelope_field(envelope_count);
}

// What a part gives to all of its voices: the head of the parameter table that a backend reads. The type's parameters
// follow at index part_input_count + i, in kernel units (log2 of the value where the curve is exponential), smoothed.
enum PartInput : int {
    part_bend = 0,   // semitones (range already applied)
    part_wheel,      // 0..1
    part_pressure,   // 0..1, channel pressure
    part_breath,     // 0..1
    part_expression, // 0..1: as a modulation source; the part's level uses it in the mixer
    part_tempo,      // beats a second
    part_beat,       // position in quarter notes, wrapped to 0..64
    part_playing,    // 0 or 1
    part_origin, // what follows the beat was there on the stream's frame 0, at the present tempo: quarter notes, 0..48
    part_macro1,
    part_macro8 = part_macro1 + 7,
    part_input_count
};

// Modulation sources. The first ones are the type's own, per voice.
enum Source : unsigned char {
    source_none = 0,
    source_envelope1,
    source_envelope2,
    source_lfo1,
    source_lfo2,
    source_velocity,
    source_key,
    source_pressure, // polyphonic plus channel pressure, at most 1
    source_timbre,
    source_random,
    source_unison,
    source_bend,
    source_wheel,
    source_breath,
    source_expression,
    source_macro1,
    source_macro8 = source_macro1 + 7,
    source_count
};

// value(target, in kernel units) += depth * source * via (without one: 1). `target` is a parameter index of the type
// (modulatable ones only).
struct Route {
    Source source = source_none;
    unsigned char target = 0;
    float depth = 0.0f;
    Source via = source_none;
};

} // namespace voices
} // namespace tutti
