// SPDX-License-Identifier: MIT
// The pieces in music/ as a player sees them: whole, in range, nothing left hanging, every kind of voice asked for.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>
#include <string>

#include <doctest/doctest.h>

#include <tutti/midi_file.h>
#include <tutti/patch.h>

using namespace tutti;

namespace {

struct Piece {
    const char* name;
    double bars; // of this many quarters, the last one may ring on
    int quarters_a_bar;
    int least_seconds, most_seconds;
    int channels;
    std::set<std::string> patches; // at least these
};
const Piece k_pieces[] = {
    {"bach-prelude.mid", 36, 4, 110, 140, 1, {}},
    {"bach-chorale.mid", 19.5, 4, 60, 90, 4, {}},
    // subtractive, ambient_pad, fm and drum
    {"scarborough-fair.mid",
     81,
     3,
     90,
     130,
     8,
     {"analog-bass", "warm-pad", "electric-piano", "drum-kit", "saw-lead", "glass-bells"}},
    {"sixteen.mid", 90, 4, 180, 180, 16, {"warm-pad", "electric-piano", "drum-kit", "drawbar-organ"}},
};

MidiFile load(const char* name) {
    auto file = MidiFile::load(std::filesystem::path(TUTTI_SOURCE_DIR) / "music" / name);
    REQUIRE_MESSAGE(file.ok(), file.status().message());
    CHECK(file->warning_count() == 0);
    return std::move(*file);
}

// Notes that sound at the file's end, or are struck while they sound; -1000 where a note ends that did not begin.
int hanging(const MidiFile& file) {
    int sounding[16][128] = {};
    int wrong = 0;
    for (const auto& event : file.events()) {
        if (!event.is_note_on() && !event.is_note_off()) continue;
        int& count = sounding[event.channel()][event.data1];
        count += event.is_note_on() ? 1 : -1;
        if (count > 1 || count < 0) wrong -= 1000;
    }
    for (const auto& channel : sounding)
        for (int count : channel)
            wrong += count;
    return wrong;
}

} // namespace

TEST_CASE("bars, length, channels, ranges, no hanging notes or pedals") {
    for (const Piece& piece : k_pieces) {
        INFO(piece.name);
        const MidiFile file = load(piece.name);
        CHECK(file.type() == 1);
        CHECK(file.tempo_map().quarters_of(file.end_tick()) == piece.bars * piece.quarters_a_bar);
        CHECK(file.duration_seconds() >= piece.least_seconds - 0.001);
        CHECK(file.duration_seconds() <= piece.most_seconds + 0.001);
        CHECK(hanging(file) == 0);
        std::set<int> channels;
        std::set<std::string> patches;
        int pedal[16] = {};
        int bend[16];
        std::fill(bend, bend + 16, 64);
        for (const auto& event : file.events()) {
            if (!event.is_channel()) continue;
            if (event.is_note_on()) {
                channels.insert(event.channel());
                // The C two octaves below the bass clef's to the C of a piccolo; drums have keys of their own.
                CHECK(event.data1 >= (event.channel() == 9 ? 35 : 24));
                CHECK(event.data1 <= (event.channel() == 9 ? 81 : 108));
            }
            if ((event.status & 0xf0) == 0xb0 && event.data1 == 64)
                pedal[event.channel()] = static_cast<int>(event.data2);
            if ((event.status & 0xf0) == 0xe0) bend[event.channel()] = static_cast<int>(event.data2);
            if ((event.status & 0xf0) == 0xc0) patches.emplace(Patch::general_midi(event.data1, event.channel() == 9));
        }
        CHECK(static_cast<int>(channels.size()) == piece.channels);
        CHECK(std::all_of(pedal, pedal + 16, [](int value) { return value == 0; }));
        CHECK(std::all_of(bend, bend + 16, [](int value) { return value == 64; }));
        CHECK(std::includes(patches.begin(), patches.end(), piece.patches.begin(), piece.patches.end()));
        CHECK_FALSE(file.track_name(0).empty());
    }
}

TEST_CASE("Scarborough Fair asks for every type of voice") {
    const MidiFile file = load("scarborough-fair.mid");
    std::set<std::string> voices;
    for (const auto& event : file.events())
        if ((event.status & 0xf0) == 0xc0) {
            const auto patch = Patch::factory(Patch::general_midi(event.data1, event.channel() == 9));
            REQUIRE_MESSAGE(patch.ok(), patch.status().message());
            voices.insert(patch->voice);
        }
    CHECK(voices == std::set<std::string>{"ambient_pad", "drum", "fm", "subtractive"});
}

TEST_CASE("a hanging note would be found") {
    MidiFileWriter writer(0, 480);
    const int track = writer.add_track();
    writer.message(track, 0, 0x90, 60, 100);
    CHECK(hanging(*MidiFile::parse(*writer.bytes())) == 1);
}

TEST_CASE("the prelude is the prelude: 549 notes, its first and last bars") {
    const MidiFile file = load("bach-prelude.mid");
    std::vector<int> keys;
    for (const auto& event : file.events())
        if (event.is_note_on()) keys.push_back(event.data1);
    // 32 bars of 16, two of 16 and a chord of five.
    CHECK(keys.size() == 34 * 16 + 5);
    CHECK(std::vector<int>(keys.begin(), keys.begin() + 8) == std::vector<int>{60, 64, 67, 72, 76, 67, 72, 76});
    CHECK(std::vector<int>(keys.end() - 5, keys.end()) == std::vector<int>{36, 48, 64, 67, 72});
}

TEST_CASE("the chorale: four voices of 19 bars, the first six twice, ending on E major") {
    const MidiFile file = load("bach-chorale.mid");
    std::vector<int> keys[4];
    for (const auto& event : file.events())
        if (event.is_note_on()) keys[event.channel()].push_back(event.data1);
    CHECK(keys[0].back() == 64);
    CHECK(keys[1].back() == 59);
    CHECK(keys[2].back() == 56);
    CHECK(keys[3].back() == 40);
    // The hymn's first line, twice: B B A G F# E.
    const std::vector<int> line{71, 71, 69, 67, 66, 64};
    CHECK(std::equal(line.begin(), line.end(), keys[0].begin()));
    CHECK(std::equal(keys[0].begin(), keys[0].begin() + 16, keys[0].begin() + 16));
}
