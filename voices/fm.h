// SPDX-License-Identifier: MIT
// `fm`: six operators, 32 algorithms: its parameter table and its envelopes (control side).
//
// Rates and levels 0..99 as musicians know them. Their meaning in seconds and decibels follows the published reading of the
// DX7's envelope generator (R. Levien, "DX7 envelope", music-synthesizer-for-android project wiki): levels are logarithmic,
// eight steps a doubling above 20; a rate gives doublings a second, 0.042 x 2^(0.16 rate); falling stages are straight in
// decibels, rising ones approach a point above their target.
#pragma once

#include <cmath>

#include "voices/fm_parameters.h"
#include "voices/parameter_rows.h"

namespace tutti::voices::fm {

// clang-format off
#define TUTTI_FM_OPERATOR(ID, NAME, LEVEL, RATIO, R1, R2, R3, R4, L1, L2, L3, L4)                                               \
    {ID "_level", NAME " level", NAME, Unit::none, 0, 99, LEVEL, Curve::linear, 0.01f, nullptr, 0, true},                      \
    {ID "_ratio", NAME " ratio", NAME, Unit::ratio, 0.25f, 32, RATIO, Curve::linear, 0, nullptr, 0, false},                    \
    {ID "_fixed", NAME " fixed frequency", NAME, Unit::hertz, 0, 8000, 0, Curve::linear, 0, nullptr, 0, false},                \
    {ID "_detune", NAME " detune", NAME, Unit::cents, -50, 50, 0, Curve::linear, 0.01f, nullptr, 0, true},                     \
    {ID "_velocity", NAME " velocity", NAME, Unit::none, 0, 7, 2, Curve::linear, 0, nullptr, 0, false},                        \
    {ID "_key_scale", NAME " key scaling", NAME, Unit::decibels, -24, 24, 0, Curve::linear, 0, nullptr, 0, false},             \
    {ID "_rate_scale", NAME " rate scaling", NAME, Unit::none, 0, 7, 2, Curve::linear, 0, nullptr, 0, false},                  \
    {ID "_rate1", NAME " rate 1", NAME, Unit::none, 0, 99, R1, Curve::linear, 0, nullptr, 0, false},                           \
    {ID "_rate2", NAME " rate 2", NAME, Unit::none, 0, 99, R2, Curve::linear, 0, nullptr, 0, false},                           \
    {ID "_rate3", NAME " rate 3", NAME, Unit::none, 0, 99, R3, Curve::linear, 0, nullptr, 0, false},                           \
    {ID "_rate4", NAME " rate 4", NAME, Unit::none, 0, 99, R4, Curve::linear, 0, nullptr, 0, false},                           \
    {ID "_level1", NAME " level 1", NAME, Unit::none, 0, 99, L1, Curve::linear, 0, nullptr, 0, false},                         \
    {ID "_level2", NAME " level 2", NAME, Unit::none, 0, 99, L2, Curve::linear, 0, nullptr, 0, false},                         \
    {ID "_level3", NAME " level 3", NAME, Unit::none, 0, 99, L3, Curve::linear, 0, nullptr, 0, false},                         \
    {ID "_level4", NAME " level 4", NAME, Unit::none, 0, 99, L4, Curve::linear, 0, nullptr, 0, false}

// The defaults are a plain electric piano on algorithm 5.
inline constexpr Parameter k_table[k_parameters] = {
    {"algorithm", "Algorithm", "Voice", Unit::none, 1, 32, 5, Curve::linear, 0, nullptr, 0, false},
    {"feedback", "Feedback", "Voice", Unit::none, 0, 7, 4, Curve::linear, 0.01f, nullptr, 0, true},
    {"level", "Level", "Voice", Unit::decibels, -48, 12, 0, Curve::linear, 0.01f, nullptr, 0, true},
    {"transpose", "Transpose", "Voice", Unit::semitones, -36, 36, 0, Curve::linear, 0, nullptr, 0, false},
    {"fine", "Fine tune", "Voice", Unit::cents, -100, 100, 0, Curve::linear, 0.01f, nullptr, 0, true},
    {"pitch_depth", "LFO to pitch", "LFO", Unit::semitones, 0, 12, 0, Curve::linear, 0.01f, nullptr, 0, true},
    {"amp_depth", "LFO to level", "LFO", Unit::decibels, 0, 24, 0, Curve::linear, 0.01f, nullptr, 0, true},
    TUTTI_LFO_ROWS("lfo1", "LFO 1", 5.0f),
    {"velocity", "Velocity", "Voice", Unit::percent, 0, 1, 0.3f, Curve::linear, 0.01f, nullptr, 0, true},
    {"pan", "Pan", "Voice", Unit::none, -1, 1, 0, Curve::linear, 0.01f, nullptr, 0, true},
    {"unison_voices", "Voices", "Unison", Unit::none, 1, 16, 1, Curve::linear, 0, nullptr, 0, false},
    {"unison_detune", "Detune", "Unison", Unit::cents, 0, 100, 8, Curve::linear, 0.01f, nullptr, 0, true},
    {"unison_spread", "Spread", "Unison", Unit::percent, 0, 1, 0.5f, Curve::linear, 0.01f, nullptr, 0, true},
    TUTTI_FM_OPERATOR("op1", "Operator 1", 99, 1.0f, 96, 25, 25, 67, 99, 75, 0, 0),
    TUTTI_FM_OPERATOR("op2", "Operator 2", 58, 14.0f, 95, 50, 35, 78, 99, 75, 0, 0),
    TUTTI_FM_OPERATOR("op3", "Operator 3", 99, 1.0f, 95, 20, 20, 50, 99, 95, 0, 0),
    TUTTI_FM_OPERATOR("op4", "Operator 4", 79, 1.0f, 95, 29, 20, 50, 99, 95, 0, 0),
    TUTTI_FM_OPERATOR("op5", "Operator 5", 90, 1.0f, 95, 20, 20, 50, 99, 95, 0, 0),
    TUTTI_FM_OPERATOR("op6", "Operator 6", 72, 1.0f, 95, 29, 20, 50, 99, 95, 0, 0),
};
#undef TUTTI_FM_OPERATOR
// clang-format on

// Level 0..99 in doublings above silence, 0..15.875 (the panel's steps are finer at the bottom).
inline float level_doublings(float level) noexcept {
    constexpr float k_low[21] = {0, 5, 9, 13, 17, 20, 23, 25, 27, 29, 31, 33, 35, 37, 39, 41, 42, 43, 45, 46, 48};
    if (level >= 20.0f) return (28.0f + level) / 8.0f;
    const int below = static_cast<int>(level);
    const float part = level - static_cast<float>(below);
    return (k_low[below] + part * (k_low[below + 1] - k_low[below])) / 8.0f;
}

inline constexpr float k_full_doublings = 127.0f / 8.0f;
inline constexpr float k_floor_doublings = 2.0f; // 84 dB below full: silence from here on

// Linear amplitude 0..1 of an envelope level.
inline float level_amplitude(float level) noexcept {
    return level <= 0.0f ? 0.0f : std::exp2(level_doublings(level) - k_full_doublings);
}

// Seconds from one level to another at a rate, and the curve of the way (see EnvelopeStage).
inline EnvelopeStage stage(float from_level, float to_level, float rate) noexcept {
    const float from = std::fmax(level_doublings(from_level), k_floor_doublings);
    const float to = std::fmax(level_doublings(to_level), k_floor_doublings);
    const float speed = 0.042f * std::exp2(0.16f * std::fmin(std::fmax(rate, 0.0f), 99.0f)); // doublings a second
    EnvelopeStage out;
    out.level = level_amplitude(to_level);
    if (to > from) {
        // Approaches 17 doublings from the level it jumps to, at a speed in proportion to what is left.
        const float start = std::fmax(from, 6.7f);
        out.seconds = to > start ? std::log((17.0f - start) / (17.0f - to)) / speed : 0.0f;
        out.curve = -2.5f; // a fifth of the amplitude is reached at half the time
    } else {
        out.seconds = (from - to) / speed;
        out.curve = 0.6931472f * (from - to); // straight in decibels
        if (to_level <= 0.0f) out.level = 0.0f;
    }
    return out;
}

inline void plan(const float* values, const NoteInfo& note, EnvelopePlan* plans) noexcept {
    for (int op = 0; op < k_operators; ++op) {
        const float* v = values + operator_parameter(op, 0);
        EnvelopePlan& plan = plans[op];
        // Rate scaling: high keys run faster, about 0.9 steps of the rate an octave and unit.
        const float faster = v[op_rate_scale] * (note.key - 60.0f) / 12.0f * 0.9f;
        plan.initial = level_amplitude(v[op_level4]);
        float from = v[op_level4];
        for (int i = 0; i < 4; ++i) {
            // A key may be let go in any stage: the release has the time and curve of a fall from the loudest level, and so
            // its own speed from wherever it begins. From level 3 alone, often 0, it would be a step.
            if (i == 3) from = std::fmax(v[op_level1], std::fmax(v[op_level1 + 1], v[op_level1 + 2]));
            plan.stages[i] = stage(from, v[op_level1 + i], v[op_rate1 + i] + faster);
            from = v[op_level1 + i];
        }
        plan.count = 4;
        plan.sustain = 2;
    }
}

// The algorithm, and what moves by itself. [any]
inline std::uint64_t shape(const float* values, const Route* routes, int route_count) noexcept {
    const float number = values[p_algorithm] < 1.0f ? 1.0f : values[p_algorithm] > 32.0f ? 32.0f : values[p_algorithm];
    std::uint64_t bits = static_cast<std::uint64_t>(number + 0.5f) - 1u;
    const auto set = [&](int bit) { bits |= std::uint64_t{1} << bit; };
    const bool vibrato = values[p_pitch_depth] != 0.0f, tremolo = values[p_amp_depth] != 0.0f;
    if (vibrato || tremolo) set(shape_lfo1);
    if (vibrato) set(shape_move_pitch);
    if (tremolo) set(shape_move_amp);
    for (int r = 0; r < route_count; ++r) {
        const int target = routes[r].target;
        if (routes[r].source == source_lfo1 || routes[r].via == source_lfo1 || target == p_pitch_depth ||
            target == p_amp_depth)
            set(shape_lfo1);
        const bool operators = target >= p_operator && target < k_parameters;
        const int row = operators ? (target - p_operator) % op_rows : -1;
        if (target == p_fine || target == p_pitch_depth || target == p_unison_detune || row == op_detune)
            set(shape_move_pitch);
        else if (target == p_feedback || operators)
            set(shape_move_level);
        else
            set(shape_move_amp);
    }
    return bits;
}

inline constexpr VoiceType k_type = {.id = "fm",
                                     .name = "FM",
                                     .parameters = k_table,
                                     .parameter_count = k_parameters,
                                     .envelope_count = k_operators,
                                     .amplitude_envelopes = 0x3f,
                                     .field_count = f_count,
                                     .channels = 1,
                                     .max_unison = 16,
                                     .unison_parameter = p_unison_voices,
                                     .plan = plan,
                                     .shape = shape,
                                     .choke_group = nullptr,
                                     .kernel = 1};

} // namespace tutti::voices::fm
