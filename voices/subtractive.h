// SPDX-License-Identifier: MIT
// The subtractive voice: two oscillators, sub and noise, a filter, two envelopes, two LFOs.
//
// How a voice type is made. One row of the registry (voices/registry.h) points to
//   - a table (this file): constexpr Parameters, the envelopes' plan(), the patch shape();
//   - a recurrence (subtractive_kernel.h): a class template over the lane type F with
//       View                         Slots<F>: the lanes of a row that one F holds
//       k_envelope_count, k_field_count
//       advance(view, context)       a tick has come: envelopes, pitch (voices/slots.h), LFOs (voices/lfo.h)
//       retarget(view, context, which, begun, frames_left) -> lanes to be computed again at the next tick
//       retarget_tick(view, context, rest) -> the same, for all lanes, at a tick
//       runs_through(context)        true where `run` does what ticks need by itself, while all lanes are settled
//       run<G>(views, context, first, last, tick, accumulator)   adds frames [first, last) of G rows, in order; where it
//                                    runs through, `tick` says that one has come at `first`
//       health(view, context)        not finite where a memory is not
//       prefetch(view, c)            asks for the lines that a block will touch
//       k_packed_count               0; or not, and packed_fields(), k_memories, bundle_kind(): for a form whose `run` needs a
//                                    few fields only
//     Give `which` lanes new values only, ramp between ticks by retarget() of voices/slots.h, keep every quantity of time in
//     fields: rendering may stop after any frame, and a lane's bits may not depend on its neighbours.
//   - its line in engine/cpu/kernels.inl.
// Backends are not edited. Tests: tests/voices.
#pragma once

#include <initializer_list>

#include "voices/parameter_rows.h"
#include "voices/subtractive_parameters.h"

namespace tutti::voices::subtractive {

inline constexpr const char* k_waves[] = {"saw", "pulse", "triangle", "sine"};
inline constexpr const char* k_sub_waves[] = {"sine", "square"};
inline constexpr const char* k_colors[] = {"white", "pink"};
inline constexpr const char* k_starts[] = {"free", "reset"};
inline constexpr const char* k_filters[] = {"off", "low_pass", "band_pass", "high_pass", "notch", "ladder"};
// In the order of Param.
inline constexpr Parameter k_parameters[parameter_count] = {
    choice("osc1_wave", "Wave", "Oscillator 1", k_waves, 4),
    linear("osc1_octave", "Octave", "Oscillator 1", Unit::octaves, -4, 4, 0, false, 0),
    linear("osc1_semitone", "Semitone", "Oscillator 1", Unit::semitones, -24, 24, 0),
    linear("osc1_fine", "Fine", "Oscillator 1", Unit::cents, -100, 100, 0),
    linear("osc1_width", "Width", "Oscillator 1", Unit::percent, 0.01f, 0.99f, 0.5f),
    linear("osc1_level", "Level", "Oscillator 1", Unit::percent, 0, 1, 1),
    linear("osc1_phase", "Phase", "Oscillator 1", Unit::percent, 0, 1, 0, false, 0),
    choice("osc2_wave", "Wave", "Oscillator 2", k_waves, 4),
    linear("osc2_octave", "Octave", "Oscillator 2", Unit::octaves, -4, 4, 0, false, 0),
    linear("osc2_semitone", "Semitone", "Oscillator 2", Unit::semitones, -24, 24, 0),
    linear("osc2_fine", "Fine", "Oscillator 2", Unit::cents, -100, 100, 0),
    linear("osc2_width", "Width", "Oscillator 2", Unit::percent, 0.01f, 0.99f, 0.5f),
    linear("osc2_level", "Level", "Oscillator 2", Unit::percent, 0, 1, 0),
    linear("osc2_phase", "Phase", "Oscillator 2", Unit::percent, 0, 1, 0, false, 0),
    choice("osc_start", "Start", "Oscillators", k_starts, 2),
    linear("osc_sync", "Sync", "Oscillators", Unit::toggle, 0, 1, 0, false, 0),
    linear("ring_level", "Ring", "Oscillators", Unit::percent, 0, 1, 0),
    choice("sub_wave", "Wave", "Sub", k_sub_waves, 2),
    linear("sub_level", "Level", "Sub", Unit::percent, 0, 1, 0),
    choice("noise_color", "Color", "Noise", k_colors, 2),
    linear("noise_level", "Level", "Noise", Unit::percent, 0, 1, 0),
    linear("pitch", "Pitch", "Voice", Unit::semitones, -48, 48, 0),
    choice("filter_type", "Type", "Filter", k_filters, 6, 1),
    exponential("cutoff", "Cutoff", "Filter", Unit::hertz, 20, 20000, 4000, true, k_smooth),
    linear("resonance", "Resonance", "Filter", Unit::percent, 0, 1, 0.1f),
    linear("drive", "Drive", "Filter", Unit::decibels, -12, 36, 0),
    linear("filter_key", "Key tracking", "Filter", Unit::percent, -1, 2, 0.3f),
    linear("filter_env", "Envelope", "Filter", Unit::octaves, -8, 8, 0),
    linear("filter_fm", "From oscillator 2", "Filter", Unit::octaves, 0, 4, 0),
    linear("level", "Level", "Voice", Unit::percent, 0, 1, 0.5f),
    linear("pan", "Pan", "Voice", Unit::none, -1, 1, 0),
    linear("velocity", "Velocity", "Voice", Unit::percent, 0, 1, 0.7f),
    exponential("env1_attack", "Attack", "Envelope 1", Unit::seconds, 0.0005f, 20, 0.005f, false),
    exponential("env1_decay", "Decay", "Envelope 1", Unit::seconds, 0.001f, 30, 0.3f, false),
    linear("env1_sustain", "Sustain", "Envelope 1", Unit::percent, 0, 1, 0.8f, false, 0),
    exponential("env1_release", "Release", "Envelope 1", Unit::seconds, 0.002f, 30, 0.25f, false),
    linear("env1_curve", "Curve", "Envelope 1", Unit::none, 0, 10, 5, false, 0),
    exponential("env2_attack", "Attack", "Envelope 2", Unit::seconds, 0.0005f, 20, 0.005f, false),
    exponential("env2_decay", "Decay", "Envelope 2", Unit::seconds, 0.001f, 30, 0.3f, false),
    linear("env2_sustain", "Sustain", "Envelope 2", Unit::percent, 0, 1, 0.3f, false, 0),
    exponential("env2_release", "Release", "Envelope 2", Unit::seconds, 0.002f, 30, 0.25f, false),
    linear("env2_curve", "Curve", "Envelope 2", Unit::none, 0, 10, 5, false, 0),
    TUTTI_LFO_ROWS("lfo1", "LFO 1", 5),
    TUTTI_LFO_ROWS("lfo2", "LFO 2", 0.5f),
    linear("unison_voices", "Voices", "Unison", Unit::none, 1, 16, 1, false, 0),
    linear("unison_detune", "Detune", "Unison", Unit::cents, 0, 100, 12),
    linear("unison_spread", "Spread", "Unison", Unit::percent, 0, 1, 0.7f),
};

inline void plan(const float* values, const NoteInfo&, EnvelopePlan* plans) noexcept {
    adsr_plan(values, p_env1_attack, plans[0]);
    adsr_plan(values, p_env2_attack, plans[1]);
}

// Which modules a patch uses, and what moves by itself. [any]
inline std::uint64_t shape(const float* values, const Route* routes, int route_count) noexcept {
    std::uint64_t bits = 0;
    const auto set = [&](int bit, bool on = true) { bits |= std::uint64_t{on} << bit; };
    const auto is_set = [&](int bit) { return (bits >> bit & 1u) != 0; };
    const auto chosen = [&](int index) { return static_cast<std::uint64_t>(values[index] + 0.5f); };
    bool routed[parameter_count] = {}, moving[parameter_count] = {};
    bool used[source_count] = {};
    for (int r = 0; r < route_count; ++r) {
        if (routes[r].source == source_none || routes[r].source >= source_count || routes[r].target >= parameter_count)
            continue;
        const Source via = routes[r].via;
        used[routes[r].source] = used[via] = routed[routes[r].target] = true;
        if (routes[r].source <= source_lfo2 || (via != source_none && via <= source_lfo2))
            moving[routes[r].target] = true;
    }
    const auto heard = [&](int index) { return values[index] != 0.0f || routed[index]; };
    const bool sync = values[p_osc_sync] >= 0.5f, ring = heard(p_ring_level), sub = heard(p_sub_level);
    const std::uint64_t filter = chosen(p_filter_type);
    const bool fm = filter != filter_off && heard(p_filter_fm);
    const bool osc2 = heard(p_osc2_level) || ring || fm;
    const bool osc1 = heard(p_osc1_level) || ring || sub || (sync && osc2) || !osc2;
    set(shape_osc1, osc1);
    set(shape_osc2, osc2);
    if (osc1) bits |= chosen(p_osc1_wave) << shape_osc1_wave;
    if (osc2) bits |= chosen(p_osc2_wave) << shape_osc2_wave;
    set(shape_sync, sync && osc2);
    set(shape_ring, ring);
    set(shape_sub, sub);
    set(shape_sub_square, sub && chosen(p_sub_wave) == 1);
    set(shape_noise, heard(p_noise_level));
    set(shape_pink, is_set(shape_noise) && chosen(p_noise_color) == 1);
    bits |= filter << shape_filter;
    set(shape_fm, fm);
    set(shape_mix, (osc1 && osc2) || sub || is_set(shape_noise) || filter == filter_ladder);
    const bool filter_env = filter != filter_off && heard(p_filter_env);
    set(shape_env2, filter_env || used[source_envelope2]);
    set(shape_lfo1, used[source_lfo1]);
    set(shape_lfo2, used[source_lfo2]);
    const auto any_moves = [&](std::initializer_list<int> list) {
        for (const int index : list)
            if (moving[index]) return true;
        return false;
    };
    const bool pitch = any_moves({p_pitch, p_unison_detune});
    set(shape_move_pitch, pitch || any_moves({p_osc1_semitone, p_osc1_fine, p_osc2_semitone, p_osc2_fine}));
    set(shape_move_width, any_moves({p_osc1_width, p_osc2_width}));
    set(shape_move_mix, any_moves({p_osc1_level, p_osc2_level, p_ring_level, p_sub_level, p_noise_level}));
    const bool base = filter != filter_off && (pitch || any_moves({p_cutoff, p_filter_key, p_filter_env}));
    set(shape_move_base, base);
    set(shape_move_filter,
        filter_env || base || (filter != filter_off && any_moves({p_resonance, p_drive, p_filter_fm})));
    set(shape_move_amp, any_moves({p_level, p_pan, p_velocity, p_unison_spread}) ||
                            (!is_set(shape_mix) && any_moves({p_osc1_level, p_osc2_level})));
    return bits;
}

inline constexpr VoiceType k_type = {.id = "subtractive",
                                     .name = "Subtractive",
                                     .parameters = k_parameters,
                                     .parameter_count = parameter_count,
                                     .envelope_count = k_envelopes,
                                     .amplitude_envelopes = 1,
                                     .field_count = field_count,
                                     .channels = 1,
                                     .max_unison = 16,
                                     .unison_parameter = p_unison_voices,
                                     .plan = plan,
                                     .shape = shape,
                                     .choke_group = nullptr,
                                     .kernel = 0};

} // namespace tutti::voices::subtractive
