// SPDX-License-Identifier: MIT
// CLAP's events and the instance's, each on its own frame.
#include <bit>
#include <cmath>

#include <clap/events.h>
#include <clap/ext/thread-check.h>
#include <clap/fixedpoint.h>

#include "plugin/clap/wrapper.h"

namespace tutti::clap {
namespace {

using plugin::BlockEvent;
using Kind = BlockEvent::Kind;

// CLAP's numbers of expressions, and ours; "expression" is a gain, as MIDI's controller 11 is.
int input_of(clap_note_expression expression) noexcept {
    switch (expression) {
    case CLAP_NOTE_EXPRESSION_VOLUME:
    case CLAP_NOTE_EXPRESSION_EXPRESSION:
        return static_cast<int>(NoteExpression::gain);
    case CLAP_NOTE_EXPRESSION_PAN:
        return static_cast<int>(NoteExpression::pan);
    case CLAP_NOTE_EXPRESSION_TUNING:
        return static_cast<int>(NoteExpression::pitch);
    case CLAP_NOTE_EXPRESSION_BRIGHTNESS:
        return static_cast<int>(NoteExpression::timbre);
    case CLAP_NOTE_EXPRESSION_PRESSURE:
        return static_cast<int>(NoteExpression::pressure);
    default:
        return -1; // vibrato is the patch's own
    }
}

float plain(const plugin::ParameterInfo& info, double value) noexcept {
    return info.stepped() ? static_cast<float>(value) : value_from_normalised(*info.row, static_cast<float>(value));
}

template <class Event>
const Event& as(const clap_event_header_t* event) noexcept {
    return *reinterpret_cast<const Event*>(event);
}

} // namespace

void Wrapper::push(const BlockEvent& event) noexcept {
    if (m_events.size() < m_events.capacity()) m_events.push_back(event);
}

void Wrapper::set_input(int offset, const Note& note, int input) noexcept {
    BlockEvent event = BlockEvent::note(Kind::express, offset, note.channel, note.key, note.input(input), note.note_id);
    event.expression = static_cast<NoteExpression>(input);
    push(event);
}

void Wrapper::take(const clap_event_header_t* event, const clap_output_events_t* out, int last_frame) noexcept {
    if (event == nullptr || event->space_id != CLAP_CORE_EVENT_SPACE_ID) return;
    const int offset = std::clamp(static_cast<int>(std::min(event->time, 0x7fffffffu)), 0, std::max(0, last_frame));
    switch (event->type) {
    case CLAP_EVENT_NOTE_ON: {
        const auto& said = as<clap_event_note_t>(event);
        if (said.key < 0 || said.key > 127 || said.channel < 0 || said.channel > 15 || !std::isfinite(said.velocity))
            break;
        Note pushed_out;
        m_notes.start(said.note_id, said.port_index, said.channel, said.key, pushed_out);
        if (pushed_out.alive) tell_end(out, pushed_out, static_cast<std::uint32_t>(offset));
        push(BlockEvent::note(Kind::note_on, offset, said.channel, said.key, std::clamp(said.velocity, 0.0, 1.0),
                              said.note_id));
        break;
    }
    case CLAP_EVENT_NOTE_OFF:
    case CLAP_EVENT_NOTE_CHOKE: {
        const auto& said = as<clap_event_note_t>(event);
        const Kind kind = event->type == CLAP_EVENT_NOTE_OFF ? Kind::note_off : Kind::choke;
        const double velocity = std::isfinite(said.velocity) ? std::clamp(said.velocity, 0.0, 1.0) : 0.5;
        for (Note& note : m_notes.notes())
            if (note.matches(said.note_id, said.channel, said.key)) note.held = false;
        push(BlockEvent::note(kind, offset, said.channel < 0 ? std::int16_t{0} : said.channel, said.key, velocity,
                              said.note_id));
        break;
    }
    case CLAP_EVENT_NOTE_EXPRESSION: {
        const auto& said = as<clap_event_note_expression_t>(event);
        const int input = input_of(said.expression_id);
        if (input < 0 || !std::isfinite(said.value)) break;
        const NoteInput& row = k_note_inputs[input];
        const double value = input == static_cast<int>(NoteExpression::pan) ? 2.0 * said.value - 1.0 : said.value;
        for (Note& note : m_notes.notes())
            if (note.matches(said.note_id, said.channel, said.key)) {
                note.expression[static_cast<std::size_t>(input)] = std::clamp(value, row.minimum, row.maximum);
                set_input(offset, note, input);
            }
        break;
    }
    case CLAP_EVENT_PARAM_VALUE: {
        const auto& said = as<clap_event_param_value_t>(event);
        const int place = parameter_place(said.param_id);
        const plugin::ParameterList& list = plugin::ParameterList::get();
        // One note's value is no parameter's: only what modulation may move belongs to a note.
        if (place < 0 || place >= list.size() || said.note_id >= 0 || said.key >= 0 || !std::isfinite(said.value))
            break;
        push(BlockEvent::set(offset, place, static_cast<double>(plain(list[place], said.value))));
        m_callback_wanted = true; // a release may be another one
        break;
    }
    case CLAP_EVENT_PARAM_MOD: {
        const auto& said = as<clap_event_param_mod_t>(event);
        const int input = parameter_place(said.param_id) - plugin::ParameterList::get().size();
        if (input < 0 || input >= k_inputs || !std::isfinite(said.amount)) break;
        for (Note& note : m_notes.notes())
            if (note.matches(said.note_id, said.channel, said.key)) {
                note.modulation[static_cast<std::size_t>(input)] = said.amount;
                set_input(offset, note, input);
            }
        break;
    }
    case CLAP_EVENT_MIDI: {
        const auto& said = as<clap_event_midi_t>(event);
        push(BlockEvent::midi(offset, said.data[0], said.data[1], said.data[2]));
        // Programs and learnt controllers are the main thread's to finish.
        const int kind = said.data[0] & 0xf0;
        m_callback_wanted = m_callback_wanted || kind == 0xb0 || kind == 0xc0;
        break;
    }
    case CLAP_EVENT_MIDI_SYSEX: {
        const auto& said = as<clap_event_midi_sysex_t>(event);
        if (said.buffer == nullptr) break;
        m_instance.take_sysex({said.buffer, said.size}, offset);
        m_callback_wanted = true; // the main thread tunes
        break;
    }
    default:
        break;
    }
}

void Wrapper::tell_end(const clap_output_events_t* out, const Note& note, std::uint32_t frame) noexcept {
    clap_event_note_t event{};
    event.header = {sizeof event, frame, CLAP_CORE_EVENT_SPACE_ID, CLAP_EVENT_NOTE_END, 0};
    event.note_id = note.note_id;
    event.port_index = note.port;
    event.channel = note.channel;
    event.key = note.key;
    out->try_push(out, &event.header);
}

void Wrapper::tell_values(const clap_output_events_t* out) noexcept {
    for (std::size_t word = 0; word < m_to_tell.size(); ++word) {
        if (m_to_tell[word].load(std::memory_order_relaxed) == 0) continue;
        for (std::uint64_t bits = m_to_tell[word].exchange(0, std::memory_order_relaxed); bits != 0; bits &= bits - 1) {
            const int place = static_cast<int>(word * 64) + std::countr_zero(bits);
            if (place >= plugin::ParameterList::get().size()) continue;
            clap_event_param_value_t event{};
            event.header = {sizeof event, 0, CLAP_CORE_EVENT_SPACE_ID, CLAP_EVENT_PARAM_VALUE, 0};
            event.param_id = plugin::ParameterList::get()[place].number;
            event.note_id = -1;
            event.port_index = event.channel = event.key = -1;
            event.value = value(place);
            out->try_push(out, &event.header);
        }
    }
}

void Wrapper::flush(const clap_input_events_t* in, const clap_output_events_t* out) noexcept {
    // Nothing sounds meanwhile: a parameter is set, everything else waits for nobody.
    const plugin::ParameterList& list = plugin::ParameterList::get();
    for (std::uint32_t i = 0, count = in->size(in); i < count; ++i) {
        const clap_event_header_t* event = in->get(in, i);
        if (event == nullptr || event->space_id != CLAP_CORE_EVENT_SPACE_ID || event->type != CLAP_EVENT_PARAM_VALUE)
            continue;
        const auto& said = as<clap_event_param_value_t>(event);
        const int place = parameter_place(said.param_id);
        if (place >= 0 && place < list.size() && said.note_id < 0 && said.key < 0 && std::isfinite(said.value))
            m_instance.set_value(place, plain(list[place], said.value));
    }
    tell_values(out);
}

plugin::HostTransport Wrapper::transport(const clap_event_transport_t& said) const noexcept {
    const auto quarters = [](clap_beattime time) {
        return static_cast<double>(time) / static_cast<double>(CLAP_BEATTIME_FACTOR);
    };
    plugin::HostTransport now;
    now.playing = (said.flags & CLAP_TRANSPORT_IS_PLAYING) != 0;
    if ((said.flags & CLAP_TRANSPORT_HAS_TEMPO) != 0) now.beats_per_minute = said.tempo;
    if ((said.flags & CLAP_TRANSPORT_HAS_BEATS_TIMELINE) != 0) {
        now.has_position = true;
        now.quarter_notes = quarters(said.song_pos_beats);
        now.looping = (said.flags & CLAP_TRANSPORT_IS_LOOP_ACTIVE) != 0;
        now.loop_begin = quarters(said.loop_start_beats);
        now.loop_end = quarters(said.loop_end_beats);
    }
    return now;
}

} // namespace tutti::clap
