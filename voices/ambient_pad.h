// SPDX-License-Identifier: MIT
// `ambient_pad`: six drifting oscillators a voice for chords and long phrases: its parameter table and envelopes.
#pragma once

#include "voices/ambient_pad_parameters.h"
#include "voices/parameter_rows.h"

namespace tutti::voices::ambient_pad {

// clang-format off
inline constexpr Parameter k_table[k_parameters] = {
    {"level", "Level", "Voice", Unit::decibels, -48, 12, 0, Curve::linear, 0.02f, nullptr, 0, true},
    {"velocity", "Velocity", "Voice", Unit::percent, 0, 1, 0.5f, Curve::linear, 0.02f, nullptr, 0, true},
    {"pan", "Pan", "Voice", Unit::none, -1, 1, 0, Curve::linear, 0.02f, nullptr, 0, true},
    {"detune", "Detune", "Oscillators", Unit::cents, 0, 60, 14, Curve::linear, 0.05f, nullptr, 0, true},
    {"drift", "Drift", "Oscillators", Unit::cents, 0, 40, 6, Curve::linear, 0.05f, nullptr, 0, true},
    {"drift_rate", "Drift rate", "Oscillators", Unit::hertz, 0.02f, 4, 0.25f, Curve::exponential, 0.05f, nullptr, 0, true},
    {"spread", "Stereo spread", "Oscillators", Unit::percent, 0, 1, 0.85f, Curve::linear, 0.05f, nullptr, 0, true},
    {"octave_level", "Octave level", "Oscillators", Unit::percent, 0, 1, 0.15f, Curve::linear, 0.05f, nullptr, 0, true},
    {"sub_level", "Sub level", "Oscillators", Unit::percent, 0, 1, 0.2f, Curve::linear, 0.05f, nullptr, 0, true},
    {"noise_level", "Noise level", "Noise", Unit::percent, 0, 1, 0.04f, Curve::linear, 0.05f, nullptr, 0, true},
    {"noise_colour", "Noise colour", "Noise", Unit::hertz, 200, 16000, 3500, Curve::exponential, 0.05f, nullptr, 0, true},
    {"cutoff", "Cutoff", "Filter", Unit::hertz, 40, 18000, 1400, Curve::exponential, 0.02f, nullptr, 0, true},
    {"resonance", "Resonance", "Filter", Unit::percent, 0, 0.95f, 0.12f, Curve::linear, 0.02f, nullptr, 0, true},
    {"filter_env", "Envelope to cutoff", "Filter", Unit::octaves, -4, 6, 1.2f, Curve::linear, 0.02f, nullptr, 0, true},
    {"filter_key", "Key to cutoff", "Filter", Unit::percent, 0, 1, 0.4f, Curve::linear, 0.02f, nullptr, 0, true},
    {"filter_drift", "Drift to cutoff", "Filter", Unit::octaves, 0, 2, 0.25f, Curve::linear, 0.05f, nullptr, 0, true},
    {"transpose", "Transpose", "Voice", Unit::semitones, -36, 36, 0, Curve::linear, 0, nullptr, 0, false},
    {"fine", "Fine tune", "Voice", Unit::cents, -100, 100, 0, Curve::linear, 0.02f, nullptr, 0, true},
    {"env1_attack", "Attack", "Level envelope", Unit::seconds, 0, 20, 1.2f, Curve::linear, 0, nullptr, 0, false},
    {"env1_decay", "Decay", "Level envelope", Unit::seconds, 0, 20, 2, Curve::linear, 0, nullptr, 0, false},
    {"env1_sustain", "Sustain", "Level envelope", Unit::percent, 0, 1, 0.85f, Curve::linear, 0, nullptr, 0, false},
    {"env1_release", "Release", "Level envelope", Unit::seconds, 0, 30, 3, Curve::linear, 0, nullptr, 0, false},
    {"env1_curve", "Curve", "Level envelope", Unit::none, 0, 8, 3, Curve::linear, 0, nullptr, 0, false},
    {"env2_attack", "Attack", "Filter envelope", Unit::seconds, 0, 20, 2.5f, Curve::linear, 0, nullptr, 0, false},
    {"env2_decay", "Decay", "Filter envelope", Unit::seconds, 0, 20, 4, Curve::linear, 0, nullptr, 0, false},
    {"env2_sustain", "Sustain", "Filter envelope", Unit::percent, 0, 1, 0.55f, Curve::linear, 0, nullptr, 0, false},
    {"env2_release", "Release", "Filter envelope", Unit::seconds, 0, 30, 4, Curve::linear, 0, nullptr, 0, false},
    {"env2_curve", "Curve", "Filter envelope", Unit::none, 0, 8, 2, Curve::linear, 0, nullptr, 0, false},
    {"lfo1_cutoff", "LFO to cutoff", "Motion", Unit::octaves, 0, 3, 0.35f, Curve::linear, 0.05f, nullptr, 0, true},
    {"lfo2_level", "LFO to level", "Motion", Unit::decibels, 0, 24, 1.5f, Curve::linear, 0.05f, nullptr, 0, true},
    TUTTI_LFO_ROWS("lfo1", "LFO 1", 0.12f),
    TUTTI_LFO_ROWS("lfo2", "LFO 2", 0.2f),
};
// clang-format on

inline void plan(const float* values, const NoteInfo&, EnvelopePlan* plans) noexcept {
    adsr_plan(values, p_env1_attack, plans[0]);
    adsr_plan(values, p_env2_attack, plans[1]);
}

// The modules in use. [any]
inline std::uint64_t shape(const float* values, const Route* routes, int route_count) noexcept {
    std::uint64_t bits = 0;
    const auto heard = [&](int index) {
        for (int r = 0; r < route_count; ++r)
            if (routes[r].source != source_none && routes[r].target == index) return true;
        return values[index] != 0.0f;
    };
    if (heard(p_sub_level)) bits |= 1u << shape_sub;
    if (heard(p_noise_level)) bits |= 1u << shape_noise;
    if (heard(p_octave_level)) bits |= 1u << shape_octave;
    return bits;
}

inline constexpr VoiceType k_type = {.id = "ambient_pad",
                                     .name = "Ambient Pad",
                                     .parameters = k_table,
                                     .parameter_count = k_parameters,
                                     .envelope_count = k_envelopes,
                                     .amplitude_envelopes = 1,
                                     .field_count = f_count,
                                     .channels = 2,
                                     .max_unison = 1,
                                     .unison_parameter = -1,
                                     .plan = plan,
                                     .shape = shape,
                                     .choke_group = nullptr,
                                     .kernel = 2};

} // namespace tutti::voices::ambient_pad
