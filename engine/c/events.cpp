// SPDX-License-Identifier: MIT
// Events through the C interface.
#include <cmath>

#include "engine/c/handle.h"

using tutti::Event;
using tutti::EventType;
using namespace tutti::engine;

namespace {

bool post(tutti_sender* sender, const Event& event) noexcept {
    return sender != nullptr && sender->producer != nullptr && std::isfinite(event.value) &&
           sender->producer->post(event);
}
bool in_range(int32_t part, int32_t key) noexcept {
    return part >= 0 && part <= TUTTI_EVERY_PART && key >= 0 && key < 128;
}

} // namespace

extern "C" tutti_result tutti_sender_create(tutti_engine* engine, tutti_sender** out) noexcept {
    if (engine == nullptr || out == nullptr) return TUTTI_INVALID_ARGUMENT;
    *out = nullptr;
    for (tutti_sender& sender : engine->senders)
        if (sender.engine == nullptr) {
            sender.engine = engine;
            *out = &sender;
            return TUTTI_OK;
        }
    return engine->fail(TUTTI_FULL, "all senders are in use: destroy one, or create the engine with more");
}
extern "C" void tutti_sender_destroy(tutti_sender* sender) noexcept {
    if (sender != nullptr) sender->engine = nullptr; // its place in the queue is kept for the next
}

extern "C" bool tutti_note_on(tutti_sender* sender, int64_t frame, int32_t part, int32_t key, double velocity,
                              int32_t note_id) noexcept {
    return in_range(part, key) && post(sender, Event::note_on(frame, part, key, velocity, note_id));
}
extern "C" bool tutti_note_off(tutti_sender* sender, int64_t frame, int32_t part, int32_t key,
                               int32_t note_id) noexcept {
    return in_range(part, key) && post(sender, Event::note_off(frame, part, key, 0.5, note_id));
}
extern "C" bool tutti_note_choke(tutti_sender* sender, int64_t frame, int32_t part, int32_t key,
                                 int32_t note_id) noexcept {
    return in_range(part, key) && post(sender, Event::note_choke(frame, part, key, note_id));
}
extern "C" bool tutti_note_express(tutti_sender* sender, int64_t frame, int32_t part, int32_t key, int32_t note_id,
                                   tutti_expression expression, double value) noexcept {
    return in_range(part, key) && static_cast<unsigned>(expression) <= TUTTI_LOWPASS &&
           post(sender,
                Event::expression(frame, part, key, note_id, static_cast<tutti::NoteExpression>(expression), value));
}
extern "C" bool tutti_midi(tutti_sender* sender, int64_t frame, int32_t part, uint8_t status, uint8_t data1,
                           uint8_t data2) noexcept {
    return in_range(part, 0) && status >= 0x80 && status < 0xf0 &&
           post(sender, Event::midi(frame, part, status, data1, data2));
}
extern "C" bool tutti_parameter_set(tutti_sender* sender, int64_t frame, int32_t part, int32_t parameter,
                                    double value) noexcept {
    return in_range(part, 0) && parameter >= 0 && post(sender, Event::set_parameter(frame, part, parameter, value));
}
extern "C" bool tutti_effect_set(tutti_sender* sender, int64_t frame, int32_t part, int32_t effect, int32_t parameter,
                                 double value) noexcept {
    return in_range(part, 0) && effect >= 0 && effect < 256 && parameter >= 0 &&
           post(sender, Event::set_effect(frame, part, effect, parameter, value));
}
extern "C" bool tutti_macro_set(tutti_sender* sender, int64_t frame, int32_t part, int32_t macro,
                                double value) noexcept {
    return in_range(part, 0) && macro >= 0 && macro < 8 && post(sender, Event::set_macro(frame, part, macro, value));
}
extern "C" bool tutti_tempo_set(tutti_sender* sender, int64_t frame, double beats_per_minute) noexcept {
    return post(sender, Event::set_tempo(frame, beats_per_minute));
}
extern "C" bool tutti_notes_off(tutti_sender* sender, int64_t frame, int32_t part, bool at_once) noexcept {
    return in_range(part, 0) &&
           post(sender, at_once ? Event::all_sound_off(frame, part) : Event::all_notes_off(frame, part));
}
