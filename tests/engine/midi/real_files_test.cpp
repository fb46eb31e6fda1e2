// SPDX-License-Identifier: MIT
// Files by other programs, where they are at hand.
#include <filesystem>

#include <doctest/doctest.h>

#include <tutti/midi_file.h>

#include "tests/optional_data.h"

using namespace tutti;
namespace fs = std::filesystem;

namespace {
const fs::path k_folder = tutti::test::optional_data("real/midi");
}

TEST_CASE("other people's files read without a warning, and every note ends") {
    int files = 0;
    for (const auto& entry : fs::directory_iterator(k_folder)) {
        if (entry.path().extension() != ".mid") continue;
        ++files;
        INFO(entry.path().filename());
        const auto file = MidiFile::load(entry.path());
        REQUIRE(file.ok());
        CHECK(file->warning_count() == 0);
        int sounding[16][128] = {};
        std::int64_t frame = 0;
        for (const auto& event : file->events()) {
            CHECK(file->frame_of(event, 48000) >= frame);
            frame = file->frame_of(event, 48000);
            if (event.is_note_on()) ++sounding[event.channel()][event.data1];
            if (event.is_note_off()) sounding[event.channel()][event.data1] = 0;
        }
        int hanging = 0;
        for (const auto& channel : sounding)
            for (int count : channel)
                hanging += count != 0;
        CHECK(hanging == 0);
    }
    CHECK(files >= 5);
}

TEST_CASE("what is known about them") {
    const auto doom = MidiFile::load(k_folder / "freedoom-d_e1m1.mid");
    REQUIRE(doom.ok());
    CHECK(doom->tracks() == 17);
    const auto bends = MidiFile::load(k_folder / "freedoom-d_dm24.mid");
    REQUIRE(bends.ok());
    CHECK(bends->type() == 0);
    int count = 0;
    for (const auto& event : bends->events())
        count += (event.status & 0xf0) == 0xe0;
    CHECK(count == 4110);
}
