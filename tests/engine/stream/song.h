// SPDX-License-Identifier: MIT
// Random events of every kind, posted before their frames, so that any two ways of rendering them can be compared.
#pragma once

#include <random>
#include <vector>

#include <doctest/doctest.h>

#include "tests/engine/stream/fake.h"

namespace fake {

inline tutti::Patch song_patch(int n) {
    tutti::Patch p = patch();
    p.voices = n % 3 == 0 ? 4 : 16;
    p.mode = static_cast<tutti::PlayMode>(n % 4 == 3 ? 2 : n % 2);
    p.steal = static_cast<tutti::StealPolicy>(n % 3);
    p.glide_seconds = n % 2 != 0 ? 0.03 : 0.0;
    p.parameters["unison"] = n % 3 == 1 ? 3.0 : 1.0;
    p.parameters["lfo1_sync"] = n % 2;
    if (n % 2 == 0) p.effects = {{"chorus", {}, true}, {"delay", {}, true}};
    if (n % 3 == 1) p.effects = {{"reverb", {}, true}};
    return p;
}

// Events of `frames` frames for `parts` parts, by increasing frame.
inline std::vector<tutti::Event> song(std::uint32_t seed, int frames, int parts, int count) {
    using tutti::Event;
    std::mt19937 random(seed);
    const auto draw = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
    std::vector<int> at;
    for (int i = 0; i < count; ++i)
        at.push_back(draw(4) == 0 ? draw(frames / 16) * 16 : draw(frames));
    std::sort(at.begin(), at.end());
    std::vector<Event> events;
    for (const int frame : at) {
        const int part = draw(parts), key = 40 + draw(12);
        switch (draw(20)) {
        case 0:
        case 1:
        case 2:
        case 3:
        case 4:
        case 5:
            events.push_back(Event::note_on(frame, part, key, 0.2 + 0.01 * draw(80)));
            break;
        case 6:
        case 7:
        case 8:
        case 9:
            events.push_back(Event::note_off(frame, part, key));
            break;
        case 10:
            events.push_back(Event::midi(frame, part, 0xb0, draw(120), draw(128)));
            break;
        case 11:
            events.push_back(Event::midi(frame, part, 0xe0, draw(128), draw(128)));
            break;
        case 12:
            events.push_back(Event::set_parameter(frame, part, p_level, draw(3) * 0.5));
            break;
        case 13:
            events.push_back(Event::set_parameter(frame, part, draw(p_count), draw(100) * 0.02));
            break;
        case 14:
            events.push_back(Event::set_tempo(frame, 60 + draw(120)));
            break;
        case 15:
            events.push_back(Event::expression(frame, part, key, tutti::k_any_note,
                                               static_cast<tutti::NoteExpression>(draw(7)), 0.1 * draw(10)));
            break;
        case 16:
            events.push_back(Event::set_effect(frame, part, draw(2), draw(3), 0.1 * draw(10)));
            break;
        case 17:
            events.push_back(Event::midi(frame, part, 0xb0, draw(2) != 0 ? 64 : 66, draw(128)));
            break;
        case 18:
            events.push_back(Event::note_choke(frame, part, key));
            break;
        default:
            events.push_back(draw(6) == 0 ? Event::all_sound_off(frame, part) : Event::play(frame, draw(2) != 0));
            break;
        }
    }
    return events;
}

// Patches for all parts, two of them changed on the way, the stream's effects too.
inline void prepare_song(tutti::Stream& stream, int frames) {
    const int parts = stream.config().parts;
    for (int p = 0; p < parts; ++p)
        REQUIRE(stream.set_patch(p, song_patch(p), 0).ok());
    REQUIRE(stream.set_patch(0, song_patch(parts), frames / 3 + 5).ok());
    REQUIRE(stream.set_patch(1, song_patch(parts + 1), frames / 2).ok());
    const tutti::PatchEffect reverb{"reverb", {}, true};
    REQUIRE(stream.set_effects({&reverb, 1}, frames / 4 + 3).ok());
    REQUIRE(stream.set_effects({}, frames * 3 / 4 + 7).ok());
    std::array<double, 128> tuning;
    for (std::size_t k = 0; k < 128; ++k)
        tuning[k] = static_cast<double>(k) + (k % 2 != 0 ? 0.3 : 0.0);
    REQUIRE(stream.set_tuning(0, tuning, frames / 5).ok());
}

} // namespace fake
