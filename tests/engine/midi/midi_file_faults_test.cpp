// SPDX-License-Identifier: MIT
// Broken MIDI files: what is forgiven, what is not and what is said about it, and that none makes the parser hungry.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <new>

#include <doctest/doctest.h>

#include <tutti/midi_file.h>

#include "tests/engine/midi/smf_bytes.h"

using namespace tutti;
using tutti::test::Smf;

namespace {

std::size_t allocated = 0; // bytes asked for since the last reset, never taken back

Status status_of(const Smf& smf) {
    auto file = MidiFile::parse(smf.bytes());
    if (file.ok()) return {};
    CHECK_FALSE(file.status().what().empty());
    CHECK_FALSE(file.status().means().empty());
    CHECK_FALSE(file.status().remedy().empty());
    return file.status();
}

bool says(const Status& status, Code code, const char* words) {
    INFO(status.message());
    CHECK(status.code() == code);
    CHECK(status.what().find(words) != std::string::npos);
    return status.code() == code && status.what().find(words) != std::string::npos;
}

std::string forgiven(const Smf& smf) {
    auto file = MidiFile::parse(smf.bytes());
    REQUIRE_MESSAGE(file.ok(), file.status().message());
    REQUIRE(file->warning_count() >= 1);
    return file->warnings().front().text;
}

} // namespace

void* operator new(std::size_t size) {
    allocated += size;
    if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
    throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}

TEST_CASE("nonsense is refused with its byte and track") {
    CHECK(says(status_of(Smf{}), Code::malformed, "not a MIDI file"));
    CHECK(says(status_of(Smf{}.name("fLaC").word(6)), Code::malformed, "byte 0: not a MIDI file"));
    CHECK(says(status_of(Smf{}.name("MThd").word(6).put({0, 1})), Code::truncated, "header"));
    CHECK(says(status_of(Smf{}.name("MThd").word(5).put({0, 0, 0, 1, 0, 96})), Code::malformed, "header of 5"));
    CHECK(says(status_of(Smf{}.name("MThd").word(0xffffffff).put({0, 0, 0, 1, 0, 96})), Code::malformed,
               "longer than the file"));
    CHECK(says(status_of(Smf{}.header(3, 1, 96).track({0, 0xff, 0x2f, 0})), Code::unsupported, "type 3"));
    CHECK(says(status_of(Smf{}.header(0, 1, 0).track({0, 0xff, 0x2f, 0})), Code::malformed, "0 ticks a quarter"));
    CHECK(says(status_of(Smf{}.header(0, 1, (256 - 26) << 8 | 4).track({0, 0xff, 0x2f, 0})), Code::malformed,
               "26 frames"));
    CHECK(says(status_of(Smf{}.header(0, 1, (256 - 25) << 8).track({0, 0xff, 0x2f, 0})), Code::malformed,
               "0 ticks a frame"));
    CHECK(says(status_of(Smf{}.header(0, 0, 96)), Code::malformed, "no track"));
    CHECK(says(status_of(Smf{}.header(0, 1, 96)), Code::truncated, "before the first track"));
    CHECK(says(status_of(Smf{}.header(0, 1, 96).track({0, 60, 60})), Code::malformed,
               "track 1, byte 23: a data byte where"));
    CHECK(says(status_of(Smf{}.header(0, 1, 96).track({0, 0x90, 60, 128})), Code::malformed,
               "byte 25: a data byte of 128"));
    CHECK(says(status_of(Smf{}.header(0, 1, 96).track({0, 0xf8})), Code::malformed, "a status byte of 248"));
    CHECK(says(status_of(Smf{}.header(0, 1, 96).track({0, 0xff, 0x80, 0})), Code::malformed, "number above 127"));
    CHECK(says(status_of(Smf{}.header(0, 1, 96).track({0x81, 0x80, 0x80, 0x80, 0, 0x90, 1, 1})), Code::malformed,
               "more than 4 bytes"));
    // An event longer than what is there: at the file's end it is cut, before another track it is nonsense.
    const auto absurd = {0, 0xff, 1, 0xff, 0xff, 0xff, 0x7f, 0};
    CHECK(says(status_of(Smf{}.header(0, 1, 96).track(absurd)), Code::truncated, "268435455 bytes where 1 are left"));
    CHECK(
        says(status_of(Smf{}.header(1, 2, 96).track(absurd).track({0, 0xff, 0x2f, 0})), Code::malformed, "268435455"));
    CHECK(says(status_of(Smf{}.header(1, 2, 96).track({0, 0xff, 0x2f, 0}).track({0, 0x90, 60})), Code::truncated,
               "track 2"));
}

TEST_CASE("fault 72: a song of years: it does not fit the frames and is refused") {
    // 20 gaps of 2^28 - 1 ticks at the slowest tempo and 1 tick a quarter: 2^32 x 2^24 units fit, 2^40 of them would not.
    MidiFileWriter writer(0, 1);
    const int track = writer.add_track();
    writer.tempo(track, 0, 0xffffff);
    std::int64_t tick = 0;
    for (int i = 0; i < 2100; ++i)
        writer.message(track, tick += (1 << 28) - 1, 0xc0, 1);
    CHECK(MidiFile::parse(*writer.bytes()).status().code() == Code::too_large);
}

TEST_CASE("fault 47: a MIDI file cut off anywhere: refused or, at an event's border, read; it never crashes") {
    const auto smf = Smf{}
                         .header(1, 2, 96)
                         .track({0, 0xff, 3, 2, 'h', 'i', 0, 0xff, 0x2f, 0})
                         .track({0, 0x90, 60, 100, 0x60, 60, 0, 0, 0xf0, 2, 1, 0xf7, 0, 0xff, 0x2f, 0});
    REQUIRE(MidiFile::parse(smf.bytes()).ok());
    for (std::size_t size = 0; size < smf.data.size(); ++size) {
        auto file = MidiFile::parse(smf.bytes().first(size));
        INFO(size);
        // Only whole chunks may pass: behind the first track (40 bytes) with up to 7 bytes of the second one's head.
        CHECK(file.ok() == (size >= 32 && size < 40));
        if (file.ok()) CHECK(file->warning_count() > 0);
    }
}

TEST_CASE("what players live with is read, with a warning") {
    CHECK(forgiven(Smf{}.header(0, 1, 96).track({0, 0x90, 60, 1})) == "no end of track");
    CHECK(forgiven(Smf{}.header(0, 1, 96).track({0, 0xff, 0x2f, 0, 1, 2})) == "2 bytes after the end of track");
    CHECK(forgiven(Smf{}.header(0, 1, 96).name("MTrk").word(99).put({0, 0xff, 0x2f, 0})) ==
          "the track's length reaches past the end of the file");
    CHECK(forgiven(Smf{}.header(1, 5, 96).track({0, 0xff, 0x2f, 0})) == "the header says 5 tracks, 1 are there");
    CHECK(forgiven(Smf{}.header(0, 2, 96).track({0, 0xff, 0x2f, 0}).track({0, 0xff, 0x2f, 0})) ==
          "type 0 with several tracks; played as type 1");
    CHECK(forgiven(Smf{}.header(0, 1, 96).track({0, 0x90, 60, 1, 0, 0xff, 1, 0, 0, 60, 0, 0, 0xff, 0x2f, 0})) ==
          "running status after a meta or system-exclusive event");
    CHECK(forgiven(Smf{}.header(0, 1, 96).track({0, 0xff, 0x51, 3, 0, 0, 0, 0, 0xff, 0x2f, 0})) ==
          "a tempo of 0 or of a wrong length is left out");
    CHECK(forgiven(Smf{}.header(0, 1, 96).track({0, 0xff, 0x2f, 0}).put({0, 0, 0})) == "3 bytes after the last chunk");
    Smf longer;
    longer.name("MThd").word(8).put({0, 0, 0, 1, 0, 96, 9, 9}).track({0, 0xff, 0x2f, 0});
    CHECK(forgiven(longer) == "a header of 8 bytes; the first 6 count");
    const auto foreign = Smf{}.header(0, 1, 96).name("XFIH").word(2).put({1, 2}).track({0, 0xff, 0x2f, 0});
    CHECK(MidiFile::parse(foreign.bytes())->warning_count() == 0);
}

TEST_CASE("memory stays in proportion to the file, and so does the list of warnings") {
    constexpr std::size_t k_size = 200'000;
    Smf cheap_events; // two bytes an event
    cheap_events.header(0, 1, 96).name("MTrk").word(k_size).put({0, 0xc0, 1, 0});
    while (cheap_events.data.size() < k_size)
        cheap_events.put({5, 0});
    Smf cheap_metas;
    cheap_metas.header(0, 1, 96).name("MTrk").word(k_size);
    while (cheap_metas.data.size() < 14 + 8 + k_size - 4)
        cheap_metas.put({0, 0xff, 0x51, 0}); // and a warning each
    cheap_metas.put({0, 0xff, 0x2f, 0});
    Smf cheap_tracks;
    cheap_tracks.header(1, 0xffff, 96);
    while (cheap_tracks.data.size() < k_size)
        cheap_tracks.track({});
    Smf liar;
    liar.header(1, 0xffff, 96).name("MTrk").word(0xffffffff).put({0, 0xff, 1, 0xff, 0xff, 0xff, 0x7f});
    for (const Smf* smf : {&cheap_events, &cheap_metas, &cheap_tracks, &liar}) {
        allocated = 0;
        auto file = MidiFile::parse(smf->bytes());
        // 16 bytes an event of 2 bytes, growing by doubling, merged once, shrunk once: below 48 bytes a byte of the file.
        CHECK(allocated < 48 * smf->data.size() + 65536);
        if (file.ok()) CHECK(file->warnings().size() <= MidiFile::k_most_warnings);
    }
    const auto warned = MidiFile::parse(cheap_metas.bytes());
    REQUIRE(warned.ok());
    CHECK(warned.value().warning_count() > 10'000);
}

TEST_CASE("files: missing, a folder, too large, broken; the name stands first") {
    namespace fs = std::filesystem;
    const fs::path folder = fs::temp_directory_path() / "tutti_midi_file_test";
    fs::create_directories(folder);
    CHECK(MidiFile::load(folder / "none.mid").status().code() == Code::file_not_found);
    CHECK(MidiFile::load(folder).status().code() == Code::file_unreadable);
    const fs::path song = folder / "song \xd4\xb9.mid";
    MidiFileWriter writer(0, 96);
    writer.message(writer.add_track("x"), 96, 0x90, 60, 1);
    REQUIRE(writer.save(song).ok());
    CHECK_FALSE(fs::exists(song.string() + ".part"));
    CHECK(MidiFile::load(song).ok());
    CHECK(MidiFile::load(song, MidiFile::k_every_sequence, 10).status().code() == Code::too_large);
    fs::resize_file(song, fs::file_size(song) - 6);
    const Status cut = MidiFile::load(song).status();
    CHECK(cut.code() == Code::truncated);
    CHECK(cut.what().rfind(song.string() + ": track 1, byte ", 0) == 0);
    CHECK(writer.save(folder / "no" / "folder.mid").code() == Code::file_unwritable);
    fs::remove_all(folder);
}
