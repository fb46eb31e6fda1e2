// SPDX-License-Identifier: MIT
// `drum`: a kit by synthesis, on General MIDI's percussion keys: its parameter table, recipes and envelopes (control side).
//
// Every drum is the same small machine with other numbers: a tone (two sines, swept), noise through a band-pass, metal (six
// squares at inharmonic ratios) through a high-pass, each with its own decay. The numbers of a key travel to the lanes as
// envelopes without stages, which hold their initial value.
#pragma once

#include <cmath>

#include "voices/drum_parameters.h"
#include "voices/voice_type.h"

namespace tutti::voices::drum {

// clang-format off
inline constexpr Parameter k_table[k_parameters] = {
    {"level", "Level", "Kit", Unit::decibels, -48, 12, 0, Curve::linear, 0.01f, nullptr, 0, true},
    {"tune", "Tune", "Kit", Unit::semitones, -12, 12, 0, Curve::linear, 0.01f, nullptr, 0, true},
    {"decay", "Decay", "Kit", Unit::percent, 0.25f, 4, 1, Curve::exponential, 0, nullptr, 0, false},
    {"drive", "Drive", "Kit", Unit::percent, 0, 1, 0.2f, Curve::linear, 0.01f, nullptr, 0, true},
    {"kick_level", "Kick level", "Kick", Unit::decibels, -48, 12, 0, Curve::linear, 0, nullptr, 0, false},
    {"kick_tune", "Kick tune", "Kick", Unit::semitones, -12, 12, 0, Curve::linear, 0, nullptr, 0, false},
    {"kick_decay", "Kick decay", "Kick", Unit::percent, 0.25f, 4, 1, Curve::exponential, 0, nullptr, 0, false},
    {"kick_sweep", "Kick sweep", "Kick", Unit::semitones, 0, 48, 30, Curve::linear, 0, nullptr, 0, false},
    {"kick_click", "Kick click", "Kick", Unit::percent, 0, 1, 0.35f, Curve::linear, 0, nullptr, 0, false},
    {"snare_level", "Snare level", "Snare", Unit::decibels, -48, 12, 0, Curve::linear, 0, nullptr, 0, false},
    {"snare_tune", "Snare tune", "Snare", Unit::semitones, -12, 12, 0, Curve::linear, 0, nullptr, 0, false},
    {"snare_decay", "Snare decay", "Snare", Unit::percent, 0.25f, 4, 1, Curve::exponential, 0, nullptr, 0, false},
    {"snare_snap", "Snares", "Snare", Unit::percent, 0, 1, 0.65f, Curve::linear, 0, nullptr, 0, false},
    {"hat_level", "Hat level", "Hats", Unit::decibels, -48, 12, 0, Curve::linear, 0, nullptr, 0, false},
    {"hat_tune", "Hat tune", "Hats", Unit::semitones, -12, 12, 0, Curve::linear, 0, nullptr, 0, false},
    {"hat_decay", "Closed hat decay", "Hats", Unit::percent, 0.25f, 4, 1, Curve::exponential, 0, nullptr, 0, false},
    {"hat_open_decay", "Open hat decay", "Hats", Unit::percent, 0.25f, 4, 1, Curve::exponential, 0, nullptr, 0, false},
    {"tom_level", "Tom level", "Toms", Unit::decibels, -48, 12, 0, Curve::linear, 0, nullptr, 0, false},
    {"tom_tune", "Tom tune", "Toms", Unit::semitones, -12, 12, 0, Curve::linear, 0, nullptr, 0, false},
    {"tom_decay", "Tom decay", "Toms", Unit::percent, 0.25f, 4, 1, Curve::exponential, 0, nullptr, 0, false},
    {"cymbal_level", "Cymbal level", "Cymbals", Unit::decibels, -48, 12, 0, Curve::linear, 0, nullptr, 0, false},
    {"cymbal_tune", "Cymbal tune", "Cymbals", Unit::semitones, -12, 12, 0, Curve::linear, 0, nullptr, 0, false},
    {"cymbal_decay", "Cymbal decay", "Cymbals", Unit::percent, 0.25f, 4, 1, Curve::exponential, 0, nullptr, 0, false},
    {"percussion_level", "Percussion level", "Percussion", Unit::decibels, -48, 12, 0, Curve::linear, 0, nullptr, 0, false},
    {"percussion_tune", "Percussion tune", "Percussion", Unit::semitones, -12, 12, 0, Curve::linear, 0, nullptr, 0, false},
    {"percussion_decay", "Percussion decay", "Percussion", Unit::percent, 0.25f, 4, 1, Curve::exponential, 0, nullptr, 0, false},
    {"width", "Stereo width", "Kit", Unit::percent, 0, 1, 0.7f, Curve::linear, 0.01f, nullptr, 0, true},
};
// clang-format on

enum Family : unsigned char { kick, snare, hat, open_hat, tom, cymbal, percussion };

// What a key sounds like. Decays are times to -60 dB.
struct Recipe {
    Family family;
    float tone, tone_seconds, tone_hz;    // amplitude, decay, final pitch
    float sweep_semitones, sweep_seconds; // the tone starts so much higher
    float noise, noise_seconds, noise_hz; // amplitude, decay, band-pass centre
    float metal, metal_seconds, metal_hz; // amplitude, decay, high-pass corner
    float pan;                            // -1..1, as the drummer sits
};

// General MIDI percussion keys 35..81. The metal of hats and cymbals stands on the six frequencies of analogue drum
// machines' cymbals (205 to 800 Hz).
// clang-format off
inline constexpr Recipe k_recipes[47] = {
    {kick, 1.0f, 0.55f, 45, 0, 0.06f, 0.3f, 0.02f, 2400, 0, 0, 8000, 0},             // 35 acoustic bass drum
    {kick, 1.0f, 0.70f, 49, 0, 0.05f, 0.3f, 0.015f, 3200, 0, 0, 8000, 0},            // 36 bass drum 1
    {percussion, 0.5f, 0.06f, 1650, 6, 0.01f, 0.5f, 0.04f, 1900, 0, 0, 8000, -0.1f}, // 37 side stick
    {snare, 0.55f, 0.22f, 185, 7, 0.04f, 0.8f, 0.26f, 2300, 0, 0, 8000, 0},          // 38 acoustic snare
    {percussion, 0, 0.1f, 400, 0, 0.01f, 1.0f, 0.28f, 1150, 0, 0, 8000, 0.1f},       // 39 hand clap
    {snare, 0.45f, 0.16f, 215, 9, 0.03f, 0.9f, 0.19f, 3100, 0, 0, 8000, 0},          // 40 electric snare
    {tom, 1.0f, 0.80f, 72, 9, 0.10f, 0.12f, 0.10f, 900, 0, 0, 8000, 0.5f},           // 41 low floor tom
    {hat, 0, 0.1f, 400, 0, 0.01f, 0.25f, 0.06f, 9000, 0.8f, 0.09f, 7400, -0.3f},     // 42 closed hi-hat
    {tom, 1.0f, 0.72f, 88, 9, 0.10f, 0.12f, 0.10f, 1000, 0, 0, 8000, 0.35f},         // 43 high floor tom
    {hat, 0, 0.1f, 400, 0, 0.01f, 0.2f, 0.08f, 7800, 0.6f, 0.12f, 6600, -0.3f},      // 44 pedal hi-hat
    {tom, 1.0f, 0.64f, 106, 9, 0.09f, 0.12f, 0.09f, 1150, 0, 0, 8000, 0.2f},         // 45 low tom
    {open_hat, 0, 0.1f, 400, 0, 0.01f, 0.25f, 0.50f, 9000, 0.8f, 0.75f, 7200, -0.3f}, // 46 open hi-hat
    {tom, 1.0f, 0.58f, 126, 9, 0.09f, 0.12f, 0.09f, 1300, 0, 0, 8000, 0},            // 47 low-mid tom
    {tom, 1.0f, 0.52f, 150, 9, 0.08f, 0.12f, 0.08f, 1500, 0, 0, 8000, -0.15f},       // 48 high-mid tom
    {cymbal, 0, 0.1f, 400, 0, 0.01f, 0.45f, 1.9f, 6200, 0.7f, 2.4f, 3600, -0.45f},   // 49 crash 1
    {tom, 1.0f, 0.46f, 178, 9, 0.08f, 0.12f, 0.08f, 1700, 0, 0, 8000, -0.3f},        // 50 high tom
    {cymbal, 0.12f, 0.5f, 3150, 0, 0.01f, 0.12f, 1.2f, 8000, 0.6f, 1.8f, 5600, 0.45f}, // 51 ride 1
    {cymbal, 0, 0.1f, 400, 0, 0.01f, 0.7f, 1.3f, 4300, 0.8f, 1.6f, 2600, 0.5f},      // 52 chinese cymbal
    {cymbal, 0.45f, 1.2f, 2650, 0, 0.01f, 0.08f, 0.8f, 8000, 0.4f, 1.6f, 5200, 0.45f}, // 53 ride bell
    {percussion, 0, 0.1f, 400, 0, 0.01f, 0.5f, 0.16f, 9500, 0.7f, 0.22f, 6800, 0.3f}, // 54 tambourine
    {cymbal, 0, 0.1f, 400, 0, 0.01f, 0.5f, 0.7f, 7400, 0.7f, 0.9f, 4600, -0.2f},     // 55 splash
    {percussion, 0.6f, 0.30f, 562, 0, 0.01f, 0.05f, 0.02f, 3000, 0.35f, 0.30f, 500, 0.25f}, // 56 cowbell
    {cymbal, 0, 0.1f, 400, 0, 0.01f, 0.45f, 2.2f, 5600, 0.7f, 2.7f, 3200, 0.55f},    // 57 crash 2
    {percussion, 0.3f, 0.5f, 210, 0, 0.01f, 0.6f, 0.6f, 2700, 0.2f, 0.5f, 2000, 0.3f}, // 58 vibraslap
    {cymbal, 0.1f, 0.5f, 3420, 0, 0.01f, 0.12f, 1.1f, 8600, 0.6f, 1.6f, 6000, 0.55f}, // 59 ride 2
    {percussion, 1.0f, 0.22f, 400, 4, 0.03f, 0.15f, 0.03f, 2600, 0, 0, 8000, 0.35f}, // 60 high bongo
    {percussion, 1.0f, 0.28f, 296, 4, 0.03f, 0.15f, 0.03f, 2100, 0, 0, 8000, 0.2f},  // 61 low bongo
    {percussion, 0.9f, 0.10f, 352, 3, 0.02f, 0.25f, 0.03f, 2400, 0, 0, 8000, -0.2f}, // 62 mute high conga
    {percussion, 1.0f, 0.35f, 340, 3, 0.03f, 0.12f, 0.03f, 2000, 0, 0, 8000, -0.3f}, // 63 open high conga
    {percussion, 1.0f, 0.42f, 228, 3, 0.04f, 0.12f, 0.03f, 1600, 0, 0, 8000, -0.4f}, // 64 low conga
    {percussion, 0.9f, 0.40f, 330, 5, 0.03f, 0.35f, 0.10f, 2800, 0, 0, 8000, 0.3f},  // 65 high timbale
    {percussion, 0.9f, 0.50f, 246, 5, 0.03f, 0.35f, 0.12f, 2300, 0, 0, 8000, 0.4f},  // 66 low timbale
    {percussion, 0.8f, 0.45f, 1180, 0, 0.01f, 0.05f, 0.02f, 5000, 0.08f, 0.3f, 1800, -0.3f}, // 67 high agogo
    {percussion, 0.8f, 0.50f, 880, 0, 0.01f, 0.05f, 0.02f, 4000, 0.08f, 0.3f, 1400, -0.4f}, // 68 low agogo
    {percussion, 0, 0.1f, 400, 0, 0.01f, 0.9f, 0.10f, 6800, 0, 0, 8000, 0.25f},      // 69 cabasa
    {percussion, 0, 0.1f, 400, 0, 0.01f, 0.9f, 0.06f, 7800, 0, 0, 8000, 0.4f},       // 70 maracas
    {percussion, 0.8f, 0.16f, 2350, 0, 0.01f, 0.15f, 0.16f, 4700, 0, 0, 8000, 0.1f}, // 71 short whistle
    {percussion, 0.8f, 0.60f, 2350, 0, 0.01f, 0.15f, 0.60f, 4700, 0, 0, 8000, 0.1f}, // 72 long whistle
    {percussion, 0, 0.1f, 400, 0, 0.01f, 0.9f, 0.12f, 3600, 0, 0, 8000, -0.2f},      // 73 short guiro
    {percussion, 0, 0.1f, 400, 0, 0.01f, 0.9f, 0.38f, 3300, 0, 0, 8000, -0.2f},      // 74 long guiro
    {percussion, 1.0f, 0.09f, 2500, 0, 0.01f, 0.1f, 0.01f, 4000, 0, 0, 8000, 0.2f},  // 75 claves
    {percussion, 1.0f, 0.11f, 1080, 2, 0.01f, 0.15f, 0.02f, 2600, 0, 0, 8000, -0.1f}, // 76 high wood block
    {percussion, 1.0f, 0.13f, 800, 2, 0.01f, 0.15f, 0.02f, 2100, 0, 0, 8000, -0.2f}, // 77 low wood block
    {percussion, 0.9f, 0.10f, 620, -5, 0.05f, 0.1f, 0.03f, 1800, 0, 0, 8000, 0.2f},  // 78 mute cuica
    {percussion, 0.9f, 0.30f, 470, -7, 0.12f, 0.1f, 0.05f, 1500, 0, 0, 8000, 0.2f},  // 79 open cuica
    {percussion, 0.5f, 0.12f, 4600, 0, 0.01f, 0.05f, 0.02f, 9000, 0.25f, 0.12f, 7600, 0.5f}, // 80 mute triangle
    {percussion, 0.5f, 1.60f, 4600, 0, 0.01f, 0.05f, 0.02f, 9000, 0.25f, 1.50f, 7600, 0.5f}, // 81 open triangle
};
// clang-format on

// Keys outside the map sound as the nearest one inside it.
inline const Recipe& recipe(float key) noexcept {
    const int index = static_cast<int>(key + 0.5f) - 35;
    return k_recipes[index < 0 ? 0 : index > 46 ? 46 : index];
}

inline EnvelopePlan decay(float amplitude, float seconds) noexcept {
    EnvelopePlan plan;
    plan.initial = amplitude;
    plan.stages[0] = {seconds, 0.0f, 6.9077553f}; // -60 dB over the stage
    plan.count = 1;
    return plan;
}

inline EnvelopePlan held(float value) noexcept {
    EnvelopePlan plan;
    plan.initial = value;
    return plan;
}

inline void plan(const float* values, const NoteInfo& note, EnvelopePlan* plans) noexcept {
    const Recipe& r = recipe(note.key);
    float level = 1.0f, tune = values[p_tune], length = values[p_decay], noise = r.noise, tone = r.tone;
    float sweep = r.sweep_semitones;
    const auto decibels = [](float db) { return db <= -48.0f ? 0.0f : std::exp2(db * 0.16609640f); };
    switch (r.family) {
    case kick:
        level = decibels(values[p_kick_level]);
        tune += values[p_kick_tune];
        length *= values[p_kick_decay];
        sweep = values[p_kick_sweep];
        noise *= values[p_kick_click] / 0.35f;
        break;
    case snare:
        level = decibels(values[p_snare_level]);
        tune += values[p_snare_tune];
        length *= values[p_snare_decay];
        noise *= values[p_snare_snap] / 0.65f;
        break;
    case hat:
        level = decibels(values[p_hat_level]);
        tune += values[p_hat_tune];
        length *= values[p_hat_decay];
        break;
    case open_hat:
        level = decibels(values[p_hat_level]);
        tune += values[p_hat_tune];
        length *= values[p_hat_open_decay];
        break;
    case tom:
        level = decibels(values[p_tom_level]);
        tune += values[p_tom_tune];
        length *= values[p_tom_decay];
        break;
    case cymbal:
        level = decibels(values[p_cymbal_level]);
        tune += values[p_cymbal_tune];
        length *= values[p_cymbal_decay];
        break;
    case percussion:
        level = decibels(values[p_percussion_level]);
        tune += values[p_percussion_tune];
        length *= values[p_percussion_decay];
        break;
    }
    // A harder stroke is brighter: noise and metal follow the velocity more than the tone does.
    const float bright = 0.6f + 0.4f * note.velocity;
    const float octave = tune / 12.0f;
    plans[e_tone] = decay(tone * level, r.tone_seconds * length);
    plans[e_noise] = decay(noise * level * bright, r.noise_seconds * length);
    plans[e_metal] = decay(r.metal * level * bright, r.metal_seconds * length);
    plans[e_sweep] = decay(sweep, r.sweep_seconds);
    plans[e_tone_note] = held(69.0f + 12.0f * std::log2(r.tone_hz / 440.0f) + tune);
    plans[e_noise_octave] = held(std::log2(r.noise_hz) + octave);
    plans[e_metal_octave] = held(std::log2(r.metal_hz) + octave);
    plans[e_pan] = held(r.pan);
}

// Hi-hats choke each other; so do whistles, guiros, cuicas and triangles.
inline int choke_group(int key) noexcept {
    switch (key) {
    case 42:
    case 44:
    case 46:
        return 1;
    case 71:
    case 72:
        return 2;
    case 73:
    case 74:
        return 3;
    case 78:
    case 79:
        return 4;
    case 80:
    case 81:
        return 5;
    default:
        return 0;
    }
}

// What a route moves by itself. [any]
inline std::uint64_t shape(const float*, const Route* routes, int route_count) noexcept {
    std::uint64_t bits = 0;
    for (int r = 0; r < route_count; ++r) {
        if (routes[r].source == source_none) continue;
        if (routes[r].target == p_drive) bits |= 1u << shape_drive;
        if (routes[r].target == p_tune) bits |= 1u << shape_tune;
    }
    return bits;
}

inline constexpr VoiceType k_type = {.id = "drum",
                                     .name = "Drum Kit",
                                     .parameters = k_table,
                                     .parameter_count = k_parameters,
                                     .envelope_count = k_envelopes,
                                     .amplitude_envelopes = 1u << e_tone | 1u << e_noise | 1u << e_metal,
                                     .field_count = f_count,
                                     .channels = 1,
                                     .max_unison = 1,
                                     .unison_parameter = -1,
                                     .plan = plan,
                                     .shape = shape,
                                     .choke_group = choke_group,
                                     .kernel = 3};

} // namespace tutti::voices::drum
