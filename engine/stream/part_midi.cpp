// SPDX-License-Identifier: MIT
// MIDI 1.0 channel voice and mode messages at a part. Sources: MIDI 1.0 Detailed Specification 4.2, RP-015 (reset all
// controllers), RP-018 (soft pedal), GM 2 (registered parameters), MPE 1.0.
#include <algorithm>
#include <cmath>

#include "engine/stream/part.h"

namespace tutti::engine {

void StreamPart::midi(std::int64_t frame, int status, int data1, int value) noexcept {
    switch (status & 0xf0) {
    case 0x90:
        if (value > 0) {
            note_on(frame, data1, value / 127.0, k_any_note);
            break;
        }
        [[fallthrough]]; // velocity 0 is a note-off
    case 0x80:
        note_off(frame, data1, k_any_note);
        break;
    case 0xa0:
        master().each([&](Instance& i) {
            i.voices().express(frame, data1, m_index % 16, k_any_note, NoteExpression::pressure, value / 127.0);
        });
        break;
    case 0xb0:
        controller(frame, data1, value);
        break;
    case 0xd0: // one data byte
        m_channel.pressure = data1 / 127.0;
        if (is_member())
            master().each([&](Instance& i) {
                i.voices().express(frame, -1, m_index % 16, k_any_note, NoteExpression::pressure, m_channel.pressure);
            });
        else
            set_input(voices::part_pressure, m_channel.pressure);
        break;
    case 0xe0:
        // 8192 is the middle; both ends are reached.
        m_channel.bend = value >= 8192 ? (value - 8192) / 8191.0 : (value - 8192) / 8192.0;
        bend(frame);
        break;
    default: // program change: resolved on the control side
        break;
    }
}

void StreamPart::release_pedals(std::int64_t frame, bool sustain_was, bool sostenuto_was) noexcept {
    // A master's pedal holds all of its zone, a member's its own notes.
    const bool all = !is_member();
    const int channel = all ? -1 : m_index % 16;
    StreamPart& part = master();
    if (sostenuto_was && !m_channel.pedal(cc_sostenuto))
        part.each([&](Instance& i) { i.voices().sostenuto_up(frame, channel, part.sustain(*this)); });
    if (sustain_was && !m_channel.pedal(cc_sustain) && !part.sustain(*this))
        part.each([&](Instance& i) { i.voices().sustain_up(frame, channel, part.sostenuto(*this)); });
}

bool StreamPart::mapped(int number, int value, std::uint32_t& target, double& to) const noexcept {
    if (m_first == nullptr || m_first->type() == nullptr || number < 0 || number >= cc_sound_off) return false;
    ControllerTarget found = m_first->controller(number);
    if (const std::uint32_t own = m_map[static_cast<std::size_t>(number)]; own != k_patch_target) {
        found = {};
        found.target = own;
    }
    const voices::VoiceType& type = *m_first->type();
    const bool macro = found.target >= k_macro_target && found.target < k_macro_target + 8;
    if (!macro && found.target >= static_cast<std::uint32_t>(type.parameter_count)) return false;
    const float place = found.from + (found.to - found.from) * (static_cast<float>(value) / 127.0f);
    target = found.target;
    to = static_cast<double>(macro ? place : value_from_normalised(type.parameters[target], place));
    return true;
}

bool StreamPart::changes_shape(int status, int number, int value) const noexcept {
    std::uint32_t target = k_no_target;
    double to = 0.0;
    return (status & 0xf0) == 0xb0 && mapped(number, value, target, to) && target < k_macro_target &&
           m_first->parameters().changes_shape(static_cast<int>(target), to);
}

void StreamPart::controller(std::int64_t frame, int number, int value) noexcept {
    const bool sustain_was = m_channel.pedal(cc_sustain), sostenuto_was = m_channel.pedal(cc_sostenuto);
    if (number < cc_sound_off) m_channel.set(number, value);
    std::uint32_t target = k_no_target;
    double to = 0.0;
    if (mapped(number, value, target, to)) {
        if (target >= k_macro_target)
            set_macro(static_cast<int>(target - k_macro_target), to);
        else
            set_parameter(frame, static_cast<int>(target), to);
    }
    switch (number) {
    case cc_wheel:
        set_input(voices::part_wheel, std::min(1.0, value / 127.0 * (m_channel.modulation_range / 0.5)));
        break;
    case cc_breath:
        set_input(voices::part_breath, value / 127.0);
        break;
    case cc_portamento_time:
        m_channel.portamento_time_seen = true;
        break;
    case cc_portamento:
        m_channel.portamento_seen = true;
        break;
    case cc_portamento_control:
        m_channel.glide_source = value;
        break;
    case cc_expression:
        set_input(voices::part_expression, value / 127.0);
        [[fallthrough]];
    case cc_volume:
    case cc_pan:
        m_level.aim(m_channel.value(cc_volume), m_channel.value(cc_expression), m_channel.value(cc_pan));
        break;
    case cc_reverb:
        m_level.aim_sends(value / 40.0);
        break;
    case cc_sostenuto:
        if (!sostenuto_was && m_channel.pedal(cc_sostenuto))
            master().each([&](Instance& i) { i.voices().sostenuto_down(is_member() ? m_index % 16 : -1); });
        [[fallthrough]];
    case cc_sustain:
        release_pedals(frame, sustain_was, sostenuto_was);
        break;
    case cc_timbre:
        master().each([&](Instance& i) {
            i.voices().express(frame, -1, m_index % 16, k_any_note, NoteExpression::timbre, value / 127.0);
        });
        break;
    case cc_rpn:
    case cc_rpn_fine:
        m_channel.rpn = m_channel.value(cc_rpn) << 7 | m_channel.value(cc_rpn_fine);
        break;
    case cc_nrpn:
    case cc_nrpn_fine:
        m_channel.rpn = k_no_rpn;
        break;
    case cc_data:
        data_entry(frame, value, m_channel.rpn == rpn_fine_tuning ? m_channel.value(cc_data_fine) : 0.0, false);
        break;
    case cc_data_fine:
        data_entry(frame, m_channel.value(cc_data), value, true);
        break;
    case cc_data_up:
    case cc_data_down: {
        const int next = std::clamp(m_channel.value(cc_data) + (number == cc_data_up ? 1 : -1), 0, 127);
        m_channel.set(cc_data, next);
        data_entry(frame, next, m_channel.value(cc_data_fine), false);
        break;
    }
    case cc_sound_off:
        master().each([&](Instance& i) { i.voices().fade_all(frame, is_member() ? m_index % 16 : -1); });
        master().m_key_count = 0;
        break;
    case cc_reset:
        reset_controllers(frame);
        break;
    case cc_mono:
        m_channel.play = Channel::play_mono;
        mode_change(frame);
        break;
    case cc_poly:
        m_channel.play = Channel::play_poly;
        mode_change(frame);
        break;
    case cc_notes_off:
    case cc_omni_off:
    case cc_omni_on:
        mode_change(frame);
        break;
    default:
        if (m_map[static_cast<std::size_t>(number)] != k_patch_target) break; // asked to be something else
        if (number >= cc_general1 && number < cc_general1 + 4) set_macro(number - cc_general1, value / 127.0);
        if (number >= cc_general5 && number < cc_general5 + 4) set_macro(number - cc_general5 + 4, value / 127.0);
        break;
    }
}

// All notes off, and what implies it: keys come up, pedals go on holding (MIDI 1.0, "All Notes Off").
void StreamPart::mode_change(std::int64_t frame) noexcept {
    StreamPart& part = master();
    part.m_key_count = 0;
    part.each([&](Instance& i) {
        i.voices().keys_up(frame, is_member() ? m_index % 16 : -1, part.sustain(*this), part.sostenuto(*this));
    });
}

void StreamPart::reset_controllers(std::int64_t frame) noexcept {
    const bool sustain_was = m_channel.pedal(cc_sustain), sostenuto_was = m_channel.pedal(cc_sostenuto);
    m_channel.reset();
    release_pedals(frame, sustain_was, sostenuto_was);
    set_input(voices::part_wheel, 0.0);
    set_input(voices::part_breath, 0.0);
    set_input(voices::part_pressure, 0.0);
    set_input(voices::part_expression, 1.0);
    m_level.aim(m_channel.value(cc_volume), m_channel.value(cc_expression), m_channel.value(cc_pan));
    master().each(
        [&](Instance& i) { i.voices().express(frame, -1, m_index % 16, k_any_note, NoteExpression::pressure, 0.0); });
    bend(frame);
}

void StreamPart::data_entry(std::int64_t frame, double coarse, double fine, bool fine_only) noexcept {
    switch (m_channel.rpn) {
    case rpn_bend_range:
        m_channel.bend_range = std::min(coarse, 96.0) + fine / 100.0;
        // MPE: a member's range is that of all members of its zone.
        if (is_member())
            for (int c = 0; c < m_group_size; ++c)
                if (m_group[c].is_member() && m_group[c].m_channel.master == m_channel.master) {
                    m_group[c].m_channel.bend_range = m_channel.bend_range;
                    m_group[c].bend(frame);
                }
        bend(frame);
        break;
    case rpn_fine_tuning:
        m_channel.fine = (coarse * 128.0 + fine - 8192.0) / 8192.0;
        retune(frame);
        break;
    case rpn_coarse_tuning:
        if (fine_only) break;
        m_channel.coarse = coarse - 64.0;
        retune(frame);
        break;
    case rpn_tuning_program:
    case rpn_tuning_bank: {
        if (fine_only) break;
        // For the notes to come; those that sound keep their pitch.
        const int number = static_cast<int>(coarse);
        m_channel.tuning_program = m_channel.rpn == rpn_tuning_bank
                                       ? TuningPrograms::number(number, m_channel.tuning_program % 128)
                                       : TuningPrograms::number(m_channel.tuning_program / 128, number);
        m_tuning = m_tunings->get(m_channel.tuning_program);
        break;
    }
    case rpn_modulation_range:
        m_channel.modulation_range = coarse + fine / 128.0;
        set_input(voices::part_wheel, std::min(1.0, m_channel.unit(cc_wheel) * (m_channel.modulation_range / 0.5)));
        break;
    case rpn_mpe:
        if (!fine_only) set_zone(static_cast<int>(coarse));
        break;
    default:
        break;
    }
}

// MPE: channel 1 is the lower zone's master with members upwards, channel 16 the upper one's with members downwards; a new
// zone takes channels from the other.
void StreamPart::set_zone(int members) noexcept {
    const int own = m_index % 16;
    const bool lower = own == 0, upper = own == 15;
    if ((!lower && !upper) || members > 15) return;
    for (int c = 0; c < m_group_size; ++c)
        if (m_group[c].m_channel.master == own) m_group[c].m_channel.master = -1;
    for (int i = 1; i <= members; ++i) {
        const int c = lower ? i : 15 - i;
        if (c < 0 || c >= m_group_size) break;
        m_group[c].m_channel.master = own;
        m_group[c].m_channel.bend_range = -1.0;
    }
    // The other zone's master, once a member here, is no master any more.
    const int other = lower ? 15 : 0;
    if (other < m_group_size && m_group[other].m_channel.master == own)
        for (int c = 0; c < m_group_size; ++c)
            if (m_group[c].m_channel.master == other) m_group[c].m_channel.master = -1;
}

} // namespace tutti::engine
