// SPDX-License-Identifier: MIT
// `torchsynth_voice`: the module graph of torchsynth 1.0.2's `Voice` (Turian, Shier, Tzanetakis, McNally, Henry: One Billion
// Audio Sounds from GPU-enabled Modular Synthesis, DAFx 2021): a keyboard, six ADSRs and two LFOs at 441 Hz, a modulation
// matrix of 4 x 5, a cosine, a square that turns into a saw, noise, three amplifiers, a mixer. A yardstick, and an instrument.
//
// Parameters have torchsynth's names, module and parameter, and its ranges. What a live instrument needs besides: the key
// transposes from 69 (`keyboard.midi_f0` sounds there), velocity scales, and a key that comes up before
// `keyboard.duration` has passed releases. The mixer's division by the whole sound's peak, where that is above 1, looks into
// the future: it is left to who has the whole sound.
#pragma once

#include "voices/parameter_rows.h"
#include "voices/torchsynth_voice_parameters.h"

namespace tutti::voices::torchsynth_voice {

// clang-format off
#define TUTTI_ADSR_ROWS(ID, GROUP, SUSTAIN)                                                                            \
    linear(ID ".attack", "Attack", GROUP, Unit::seconds, 0, 2, 0.01f, false, 0),                                       \
    linear(ID ".decay", "Decay", GROUP, Unit::seconds, 0, 2, 0.2f, false, 0),                                          \
    linear(ID ".sustain", "Sustain", GROUP, Unit::ratio, 0, 1, SUSTAIN, false, 0),                                     \
    linear(ID ".release", "Release", GROUP, Unit::seconds, 0, 5, 0.3f, false, 0),                                      \
    linear(ID ".alpha", "Curve", GROUP, Unit::none, 0.1f, 6, 1.5f, false, 0)
#define TUTTI_TORCH_LFO_ROWS(ID, GROUP, RATE)                                                                          \
    linear(ID ".frequency", "Rate", GROUP, Unit::hertz, 0, 20, RATE, false, 0),                                        \
    linear(ID ".mod_depth", "Rate modulation", GROUP, Unit::hertz, -10, 20, 0, false, 0),                              \
    linear(ID ".initial_phase", "Phase", GROUP, Unit::none, -k_pi, k_pi, 0, false, 0),                                 \
    linear(ID ".sin", "Sine", GROUP, Unit::ratio, 0, 1, 1, false, 0),                                                  \
    linear(ID ".tri", "Triangle", GROUP, Unit::ratio, 0, 1, 0, false, 0),                                              \
    linear(ID ".saw", "Saw", GROUP, Unit::ratio, 0, 1, 0, false, 0),                                                   \
    linear(ID ".rsaw", "Falling saw", GROUP, Unit::ratio, 0, 1, 0, false, 0),                                          \
    linear(ID ".sqr", "Square", GROUP, Unit::ratio, 0, 1, 0, false, 0)
#define TUTTI_MATRIX_ROWS(ID, GROUP, PITCH, AMP)                                                                       \
    linear("mod_matrix." ID "->vco_1_pitch", "To pitch 1", GROUP, Unit::ratio, 0, 1, PITCH, false, 0),                 \
    linear("mod_matrix." ID "->vco_1_amp", "To level 1", GROUP, Unit::ratio, 0, 1, AMP, false, 0),                     \
    linear("mod_matrix." ID "->vco_2_pitch", "To pitch 2", GROUP, Unit::ratio, 0, 1, PITCH, false, 0),                 \
    linear("mod_matrix." ID "->vco_2_amp", "To level 2", GROUP, Unit::ratio, 0, 1, AMP, false, 0),                     \
    linear("mod_matrix." ID "->noise_amp", "To noise", GROUP, Unit::ratio, 0, 1, AMP, false, 0)

inline constexpr float k_pi = 3.1415927f;
// In the order of Index.
inline constexpr Parameter k_table[k_parameters] = {
    linear("keyboard.midi_f0", "Note", "Keyboard", Unit::semitones, 0, 127, 69, false, 0),
    linear("keyboard.duration", "Duration", "Keyboard", Unit::seconds, 0.01f, 4, 4, false, 0),
    TUTTI_ADSR_ROWS("adsr_1", "ADSR 1", 0.7f),
    TUTTI_ADSR_ROWS("adsr_2", "ADSR 2", 0.3f),
    TUTTI_ADSR_ROWS("lfo_1_amp_adsr", "LFO 1 level", 1),
    TUTTI_ADSR_ROWS("lfo_2_amp_adsr", "LFO 2 level", 1),
    TUTTI_ADSR_ROWS("lfo_1_rate_adsr", "LFO 1 rate", 1),
    TUTTI_ADSR_ROWS("lfo_2_rate_adsr", "LFO 2 rate", 1),
    TUTTI_TORCH_LFO_ROWS("lfo_1", "LFO 1", 5),
    TUTTI_TORCH_LFO_ROWS("lfo_2", "LFO 2", 1),
    TUTTI_MATRIX_ROWS("adsr_1", "Matrix: ADSR 1", 0, 1),
    TUTTI_MATRIX_ROWS("adsr_2", "Matrix: ADSR 2", 0, 0),
    TUTTI_MATRIX_ROWS("lfo_1", "Matrix: LFO 1", 0.1f, 0),
    TUTTI_MATRIX_ROWS("lfo_2", "Matrix: LFO 2", 0, 0),
    linear("vco_1.tuning", "Tuning", "Oscillator 1", Unit::semitones, -24, 24, 0, false, 0),
    linear("vco_1.mod_depth", "Pitch modulation", "Oscillator 1", Unit::semitones, -96, 96, 1, false, 0),
    linear("vco_1.initial_phase", "Phase", "Oscillator 1", Unit::none, -k_pi, k_pi, 0, false, 0),
    linear("vco_2.tuning", "Tuning", "Oscillator 2", Unit::semitones, -24, 24, 0.07f, false, 0),
    linear("vco_2.mod_depth", "Pitch modulation", "Oscillator 2", Unit::semitones, -96, 96, 1, false, 0),
    linear("vco_2.initial_phase", "Phase", "Oscillator 2", Unit::none, -k_pi, k_pi, 0, false, 0),
    linear("vco_2.shape", "Square to saw", "Oscillator 2", Unit::ratio, 0, 1, 0.5f, false, 0),
    linear("mixer.vco_1", "Oscillator 1", "Mixer", Unit::ratio, 0, 1, 0.4f, false, 0),
    linear("mixer.vco_2", "Oscillator 2", "Mixer", Unit::ratio, 0, 1, 0.3f, false, 0),
    linear("mixer.noise", "Noise", "Mixer", Unit::ratio, 0, 1, 0, false, 0),
};
// clang-format on

inline void plan(const float* values, const NoteInfo&, EnvelopePlan* plans) noexcept {
    plans[0] = {};
    plans[0].initial = 1.0f;
    plans[0].stages[0] = {0.0f, 1.0f, 0.0f};
    plans[0].stages[1] = {gate_seconds([&](int i) { return values[i]; }), 0.0f, 0.0f};
    plans[0].count = 2;
    plans[0].sustain = 0;
}

inline std::uint64_t shape(const float*, const Route*, int) noexcept {
    return 0;
}

inline constexpr VoiceType k_type = {.id = "torchsynth_voice",
                                     .name = "Torchsynth Voice",
                                     .parameters = k_table,
                                     .parameter_count = k_parameters,
                                     .envelope_count = k_envelopes,
                                     .amplitude_envelopes = 1,
                                     .field_count = f_count,
                                     .channels = 1,
                                     .max_unison = 1,
                                     .unison_parameter = -1,
                                     .plan = plan,
                                     .shape = shape,
                                     .choke_group = nullptr,
                                     .kernel = 4};

} // namespace tutti::voices::torchsynth_voice
