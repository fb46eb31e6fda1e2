// SPDX-License-Identifier: MIT
// The notes that a CLAP host speaks of one by one: what it said about each of them, until the plugin says that it has ended.
//
// A note's input is its expression plus its modulation, as the standard has it. The engine has seven inputs for every note
// (tutti::NoteExpression); what a note's modulation may move are those.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include <tutti/event.h>

namespace tutti::clap {

inline constexpr int k_inputs = 7; // NoteExpression

struct NoteInput {
    const char* id;
    const char* name;
    double minimum, maximum, rest; // rest: what a note has that nothing was said about
};
// In the order of NoteExpression.
inline constexpr NoteInput k_note_inputs[k_inputs] = {
    {"note.pitch", "Note Pitch", -120.0, 120.0, 0.0},
    {"note.gain", "Note Gain", 0.0, 4.0, 1.0},
    {"note.pan", "Note Pan", -1.0, 1.0, 0.0},
    {"note.pressure", "Note Pressure", 0.0, 1.0, 0.0},
    {"note.timbre", "Note Timbre", 0.0, 1.0, 0.0},
    {"note.send", "Note Send", 0.0, 1.0, 0.0},
    {"note.lowpass", "Note Lowpass", 0.0, 20000.0, 0.0},
};

struct Note {
    std::int32_t note_id = -1;
    std::int16_t port = 0;
    std::int16_t channel = 0;
    std::int16_t key = 0;
    bool alive = false;
    bool held = false; // no note-off yet
    std::array<double, k_inputs> expression{};
    std::array<double, k_inputs> modulation{};

    bool matches(std::int32_t id, std::int16_t on_channel, std::int16_t on_key) const noexcept {
        return alive && (id < 0 || note_id == id) && (on_channel < 0 || channel == on_channel) &&
               (on_key < 0 || key == on_key);
    }
    double input(int which) const noexcept {
        const auto i = static_cast<std::size_t>(which);
        const NoteInput& row = k_note_inputs[i];
        return std::clamp(expression[i] + modulation[i], row.minimum, row.maximum);
    }
};

// Fixed in size: the note that would be one too many takes the oldest one's place, whose end is told. Used by the audio thread.
class NoteTable {
public:
    static constexpr std::size_t k_size = 512;

    // Where the new note stands; `pushed_out` has been `alive` where one had to go.
    Note& start(std::int32_t id, std::int16_t port, std::int16_t channel, std::int16_t key, Note& pushed_out) noexcept {
        Note& note = m_notes[m_next];
        m_next = (m_next + 1) % k_size;
        pushed_out = note;
        note = Note{id, port, channel, key, true, true, {}, {}};
        for (std::size_t i = 0; i < k_inputs; ++i)
            note.expression[i] = k_note_inputs[i].rest;
        return note;
    }
    std::array<Note, k_size>& notes() noexcept { return m_notes; }
    void clear() noexcept { m_notes.fill(Note{}); }

private:
    std::array<Note, k_size> m_notes{};
    std::size_t m_next = 0;
};

} // namespace tutti::clap
