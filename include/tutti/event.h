// SPDX-License-Identifier: MIT
// What can happen to a stream, and on which frame.
#pragma once

#include <bit>
#include <cstdint>

#include <tutti/platform.h>

namespace tutti {

// Frame for "as soon as possible": the first frame that is not rendered yet (live input, stamped on arrival).
inline constexpr std::int64_t k_asap = -1;
// note_id for "whatever note has this key".
inline constexpr std::int32_t k_any_note = -1;
// part for "every part of the stream".
inline constexpr std::uint16_t k_every_part = 0xffff;

enum class EventType : std::uint8_t {
    note_on, // key, value = velocity 0..1 (0 is a note-on of velocity 0, not a note-off), note_id, parameter = its age in ticks
    note_off,        // key, value = release velocity 0..1, note_id
    note_choke,      // key, note_id: fade within 2 ms
    note_expression, // key, note_id, index = NoteExpression, value
    midi, // index = status byte with its channel nibble cleared, key = data 1, value = data 2 (0..127; bend: 0..16383)
    parameter, // parameter = index in the part's voice type table, value in the parameter's unit
    effect,    // index = effect in the part's chain (k_every_part: the stream's), parameter = index in its table, value
    tempo,     // value = beats a minute
    position,  // value = position in quarter notes at this frame
    transport, // index = 1 plays, 0 stopped
    loop,      // value = its start in quarter notes, parameter = its length in 1/960 quarter notes, 0: none
    macro,     // index = 0..7, value 0..1
    all_notes_off,  // releases every voice of the part
    all_sound_off,  // fades every voice of the part within 2 ms
    place,          // value = azimuth in degrees to the right, parameter = elevation in degrees, as a float's bits
    patch,          // internal: a prepared patch instance takes over the part
    clip,           // internal: a prepared clip joins the part
    tuning,         // internal: a prepared tuning table takes over
    effects,        // internal: prepared effects of the stream take over
    controller_map, // key = MIDI controller 0..119, parameter = what it moves: an index, k_macro_target + 0..7, ...
};

// Targets of EventType::controller_map beside parameter indices.
inline constexpr std::uint32_t k_macro_target = 0x10000;    // + 0..7
inline constexpr std::uint32_t k_no_target = 0xffffffff;    // the controller's own meaning alone
inline constexpr std::uint32_t k_patch_target = 0xfffffffe; // what the patch says, as at first

// Per-note expressions (CLAP's set; MPE and games arrive at the same ones).
enum class NoteExpression : std::uint8_t {
    pitch,    // semitones, -120..120
    gain,     // linear, 0..4
    pan,      // -1..1
    pressure, // 0..1
    timbre,   // 0..1, "brightness"
    send,     // 0..1
    lowpass,  // cutoff in Hz, 0 is open
};

// 32 bytes, copied through the event queue. Order of effect: frame, then sender number, then serial of posting.
struct Event {
    std::int64_t frame = k_asap;
    EventType type = EventType::note_on;
    std::uint8_t key = 0;   // 0..127
    std::uint16_t part = 0; // 0..parts-1 or k_every_part
    std::int32_t note_id = k_any_note;
    double value = 0.0;
    std::uint32_t parameter = 0;
    std::uint8_t index = 0;

    // One event each, as a value. [any]
    static Event note_on(std::int64_t frame, int part, int key, double velocity,
                         std::int32_t note_id = k_any_note) noexcept {
        return make(frame, EventType::note_on, part, key, velocity, note_id);
    }
    // A note that has been going on, unheard, for `age` frames: its envelopes stand where they would. [any]
    static Event note_resume(std::int64_t frame, int part, int key, double velocity, std::int32_t note_id,
                             std::int64_t age) noexcept {
        Event event = make(frame, EventType::note_on, part, key, velocity, note_id);
        const std::int64_t ticks = age < 0 ? 0 : age / 16;
        event.parameter = ticks > 0xffffffff ? 0xffffffffu : static_cast<std::uint32_t>(ticks);
        return event;
    }
    static Event note_off(std::int64_t frame, int part, int key, double velocity = 0.5,
                          std::int32_t note_id = k_any_note) noexcept {
        return make(frame, EventType::note_off, part, key, velocity, note_id);
    }
    static Event note_choke(std::int64_t frame, int part, int key, std::int32_t note_id = k_any_note) noexcept {
        return make(frame, EventType::note_choke, part, key, 0.0, note_id);
    }
    static Event expression(std::int64_t frame, int part, int key, std::int32_t note_id, NoteExpression kind,
                            double value) noexcept {
        Event event = make(frame, EventType::note_expression, part, key, value, note_id);
        event.index = static_cast<std::uint8_t>(kind);
        return event;
    }
    // A MIDI 1.0 channel voice or mode message. Program change is not among them: it needs Stream::set_patch. [any]
    static Event midi(std::int64_t frame, int part, int status, int data1, int data2) noexcept {
        const bool bend = (status & 0xf0) == 0xe0;
        Event event = make(frame, EventType::midi, part, bend ? 0 : (data1 & 0x7f),
                           bend ? (data1 & 0x7f) | (data2 & 0x7f) << 7 : (data2 & 0x7f), k_any_note);
        event.index = static_cast<std::uint8_t>(status & 0xf0);
        return event;
    }
    static Event set_parameter(std::int64_t frame, int part, int parameter, double value) noexcept {
        Event event = make(frame, EventType::parameter, part, 0, value, k_any_note);
        event.parameter = static_cast<std::uint32_t>(parameter);
        return event;
    }
    static Event set_macro(std::int64_t frame, int part, int macro, double value) noexcept {
        Event event = make(frame, EventType::macro, part, 0, value, k_any_note);
        event.index = static_cast<std::uint8_t>(macro & 7);
        return event;
    }
    static Event set_effect(std::int64_t frame, int part, int effect, int parameter, double value) noexcept {
        Event event = make(frame, EventType::effect, part, 0, value, k_any_note);
        event.index = static_cast<std::uint8_t>(effect);
        event.parameter = static_cast<std::uint32_t>(parameter);
        return event;
    }
    // From then on the controller also moves a parameter of the part's voice type over its whole range, or a macro. [any]
    static Event map_controller(std::int64_t frame, int part, int controller, std::uint32_t target) noexcept {
        Event event = make(frame, EventType::controller_map, part, controller, 0.0, k_any_note);
        event.parameter = target;
        return event;
    }
    static Event set_position(std::int64_t frame, double quarter_notes) noexcept {
        return make(frame, EventType::position, k_every_part, 0, quarter_notes, k_any_note);
    }
    static Event play(std::int64_t frame, bool on) noexcept {
        Event event = make(frame, EventType::transport, k_every_part, 0, 0.0, k_any_note);
        event.index = on ? 1 : 0;
        return event;
    }
    static Event set_loop(std::int64_t frame, double start_quarter_notes, double length_quarter_notes) noexcept {
        Event event = make(frame, EventType::loop, k_every_part, 0, start_quarter_notes, k_any_note);
        event.parameter = static_cast<std::uint32_t>(length_quarter_notes * 960.0 + 0.5);
        return event;
    }
    // Where the part stands around the listener; layouts other than discrete. [any]
    static Event place(std::int64_t frame, int part, double azimuth, float elevation = 0.0f) noexcept {
        Event event = make(frame, EventType::place, part, 0, azimuth, k_any_note);
        event.parameter = std::bit_cast<std::uint32_t>(elevation);
        return event;
    }
    static Event all_notes_off(std::int64_t frame, int part = k_every_part) noexcept {
        return make(frame, EventType::all_notes_off, part, 0, 0.0, k_any_note);
    }
    static Event all_sound_off(std::int64_t frame, int part = k_every_part) noexcept {
        return make(frame, EventType::all_sound_off, part, 0, 0.0, k_any_note);
    }
    static Event set_tempo(std::int64_t frame, double beats_per_minute) noexcept {
        return make(frame, EventType::tempo, k_every_part, 0, beats_per_minute, k_any_note);
    }

private:
    static Event make(std::int64_t frame, EventType type, int part, int key, double value,
                      std::int32_t note_id) noexcept {
        Event event;
        event.frame = frame;
        event.type = type;
        event.key = static_cast<std::uint8_t>(key & 0x7f);
        event.part = static_cast<std::uint16_t>(part);
        event.note_id = note_id;
        event.value = value;
        return event;
    }
};

static_assert(sizeof(Event) <= 40, "an event is copied through the queue");

} // namespace tutti
