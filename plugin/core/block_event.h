// SPDX-License-Identifier: MIT
// What a host hands in with a block: notes, MIDI, parameters, each on its own frame of the block; and the host's transport.
#pragma once

#include <cstdint>

#include <tutti/event.h>

namespace tutti::plugin {

struct BlockEvent {
    enum class Kind : std::uint8_t {
        midi,      // status, data1, data2: a channel message
        note_on,   // channel, key, value = velocity 0..1, note_id
        note_off,  // the same, value = release velocity; key or note_id may be -1: any
        choke,     // channel, key, note_id
        express,   // key, note_id, expression, value
        parameter, // parameter = place in ParameterList, value in its unit
    };
    int offset = 0; // frame in the block
    Kind kind = Kind::midi;
    std::uint8_t status = 0; // with its channel
    std::uint8_t data1 = 0;
    std::uint8_t data2 = 0;
    std::int16_t channel = 0; // 0..15
    std::int16_t key = 0;
    std::int32_t note_id = k_any_note;
    std::int32_t parameter = 0;
    NoteExpression expression = NoteExpression::pitch;
    double value = 0.0;

    static BlockEvent midi(int offset, int status, int data1, int data2) noexcept { // [any]
        BlockEvent event;
        event.offset = offset;
        event.status = static_cast<std::uint8_t>(status);
        event.data1 = static_cast<std::uint8_t>(data1 & 0x7f);
        event.data2 = static_cast<std::uint8_t>(data2 & 0x7f);
        return event;
    }
    static BlockEvent set(int offset, int parameter, double value) noexcept { // [any]
        BlockEvent event;
        event.offset = offset;
        event.kind = Kind::parameter;
        event.parameter = parameter;
        event.value = value;
        return event;
    }
    static BlockEvent note(Kind kind, int offset, int channel, int key, double value,
                           std::int32_t note_id = k_any_note) noexcept { // [any]
        BlockEvent event;
        event.offset = offset;
        event.kind = kind;
        event.channel = static_cast<std::int16_t>(channel);
        event.key = static_cast<std::int16_t>(key);
        event.value = value;
        event.note_id = note_id;
        return event;
    }
};

// The host's clock at the block's first frame. What a host does not say stays false or 0; nonsense is not passed on.
struct HostTransport {
    bool playing = false;
    bool has_position = false;
    bool looping = false;
    double beats_per_minute = 0.0; // 0: not said
    double quarter_notes = 0.0;
    double loop_begin = 0.0; // quarter notes
    double loop_end = 0.0;
};

} // namespace tutti::plugin
