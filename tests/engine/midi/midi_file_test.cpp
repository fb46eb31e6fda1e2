// SPDX-License-Identifier: MIT
// What a Standard MIDI File means: events, order, time, text.
#include <algorithm>

#include <doctest/doctest.h>

#include <tutti/midi_file.h>

#include "tests/engine/midi/smf_bytes.h"

using namespace tutti;
using tutti::test::Smf;

namespace {

MidiFile good(const Smf& smf, int sequence = MidiFile::k_every_sequence) {
    auto file = MidiFile::parse(smf.bytes(), sequence);
    REQUIRE_MESSAGE(file.ok(), file.status().message());
    return std::move(*file);
}

} // namespace

TEST_CASE("type 0 with running status: absolute ticks, data as sent") {
    const auto file = good(Smf{}.header(0, 1, 96).track(
        {0, 0x90, 60, 100, 48, 62, 90, 48, 60, 0, 0, 62, 0, 0x83, 0x60, 0xc5, 7, 0, 0xe5, 0, 0x40, 0, 0xff, 0x2f, 0}));
    REQUIRE(file.events().size() == 7);
    const auto& events = file.events();
    CHECK(events[0].is_note_on());
    CHECK(events[0].tick == 0);
    CHECK(events[1].tick == 48);
    CHECK(events[1].data1 == 62);
    CHECK(events[2].is_note_off());
    CHECK(events[2].tick == 96);
    CHECK(events[4].tick == 96 + 480); // 83 60 is 480
    CHECK(events[4].status == 0xc5);
    CHECK(events[4].data1 == 7);
    CHECK(events[5].data2 == 0x40);
    CHECK(events[5].channel() == 5);
    CHECK(events[6].is_meta(MidiMeta::end_of_track));
    CHECK(file.end_tick() == 576);
    CHECK(file.warnings().empty());
    CHECK(file.duration_seconds() == 3.0); // 6 quarters at 120
}

TEST_CASE("type 1: merged by tick, then track, then place; the tempo of one track holds for all") {
    const auto file =
        good(Smf{}
                 .header(1, 3, 100)
                 .track({0, 0xff, 3, 3, 'o', 'n', 'e', 100, 0xff, 0x51, 3, 0x0f, 0x42, 0x40, 0, 0xff, 0x2f, 0})
                 .track({100, 0x91, 60, 1, 0, 0x91, 61, 1, 100, 0x91, 62, 1, 0, 0xff, 0x2f, 0})
                 .track({100, 0x92, 70, 1, 0, 0x82, 70, 1, 100, 0xff, 0x2f, 0}));
    std::vector<int> order;
    for (const auto& event : file.events())
        if (event.is_channel()) order.push_back(event.data1);
    CHECK(order == std::vector<int>{60, 61, 70, 70, 62});
    CHECK(std::is_sorted(file.events().begin(), file.events().end(),
                         [](const auto& a, const auto& b) { return a.tick < b.tick; }));
    CHECK(file.track_name(0) == "one");
    CHECK(file.track_name(1).empty());
    CHECK(file.duration_seconds() == 1.5); // a quarter at 120, one at 60
    CHECK(file.tempo_map().beats_per_minute(99) == 120.0);
    CHECK(file.tempo_map().beats_per_minute(100) == 60.0);
}

TEST_CASE("type 2: sequences one after another, or one of them; each begins at 120") {
    const auto smf = Smf{}
                         .header(2, 2, 100)
                         .track({0, 0xff, 0x51, 3, 0x0f, 0x42, 0x40, 100, 0x90, 60,   1,
                                 0, 0xff, 0x51, 3, 0x07, 0xa1, 0x21, 0,   0xff, 0x2f, 0})
                         .track({100, 0x90, 72, 1, 0, 0xff, 0x2f, 0});
    const auto all = good(smf);
    CHECK(all.sequences() == 2);
    CHECK(all.duration_seconds() == 1.5); // a quarter at 60 and one at 120
    CHECK(all.end_tick() == 200);
    CHECK(all.frame_of(all.events()[1], 48000) == 48000);
    const auto second = good(smf, 1);
    CHECK(second.duration_seconds() == 0.5);
    REQUIRE(second.events().size() == 2);
    CHECK(second.events()[0].data1 == 72);
    const auto none = MidiFile::parse(smf.bytes(), 2);
    REQUIRE_FALSE(none.ok());
    CHECK(none.status().code() == Code::out_of_range);
}

TEST_CASE("system exclusive in packets, escapes, and what is text") {
    const auto file =
        good(Smf{}.header(0, 1, 96).track({0, 0xf0, 3, 0x43, 0x12, 0,   10, 0xf7, 2, 1, 0xf7, 0, 0xf7, 1,    0xfa,
                                           0, 0xff, 5, 2,    'l',  'a', 0,  0xff, 6, 1, 'A',  0, 0xff, 0x2f, 0}));
    const auto& events = file.events();
    REQUIRE(events.size() == 6);
    CHECK(events[0].is_sysex());
    CHECK(file.payload(events[0]).size() == 3);
    CHECK(events[1].data1 == 1); // goes on
    CHECK(file.payload(events[1]).back() == std::byte{0xf7});
    CHECK(events[2].data1 == 0); // an escape
    CHECK(file.text(events[3]) == "la");
    CHECK(events[3].is_meta(MidiMeta::lyric));
    CHECK(file.text(events[4]) == "A");
    CHECK(events[4].is_meta(MidiMeta::marker));
}

TEST_CASE("time and key signatures") {
    const auto file =
        good(Smf{}.header(0, 1, 96).track({0,    0xff, 0x58, 4, 6, 3, 36,   8,    0, 0xff, 0x59, 2,    0xfd, 1, 0,
                                           0xff, 0x59, 2,    9, 0, 0, 0xff, 0x58, 1, 4,    0,    0xff, 0x2f, 0}));
    const auto& events = file.events();
    CHECK(file.time_signature(events[0])->numerator == 6);
    CHECK(file.time_signature(events[0])->denominator == 8);
    CHECK(file.key_signature(events[1])->sharps == -3);
    CHECK(file.key_signature(events[1])->minor);
    CHECK_FALSE(file.key_signature(events[2]).has_value());  // nine sharps
    CHECK_FALSE(file.time_signature(events[3]).has_value()); // one byte
    CHECK_FALSE(file.time_signature(events[1]).has_value()); // another event
}

TEST_CASE("SMPTE time: tempo does not count, 29 is 30000/1001") {
    const auto pal = good(Smf{}
                              .header(0, 1, (256 - 25) << 8 | 40)
                              .track({0, 0xff, 0x51, 3, 1, 0, 0, 0x87, 0x68, 0x90, 60, 1, 0, 0xff, 0x2f, 0}));
    CHECK(pal.duration_seconds() == 1.0); // 87 68 is 1000 ticks of a millisecond
    CHECK(pal.tempo_map().beats_per_minute(0) == 0.0);
    CHECK(pal.tempo_map().ticks_per_quarter() == 0);
    const auto ntsc = good(Smf{}.header(0, 1, (256 - 29) << 8 | 100).track({0x97, 0x38, 0xff, 0x2f, 0}));
    CHECK(ntsc.tempo_map().frame_of(3000, 48000) == 48048); // 30 frames last 1.001 s
    CHECK(ntsc.end_tick() == 3000);
}

TEST_CASE("RMID: the same file inside RIFF") {
    Smf inner;
    inner.header(0, 1, 96).track({0, 0x90, 60, 1, 0, 0xff, 0x2f, 0});
    Smf smf;
    const int size = static_cast<int>(inner.data.size());
    smf.name("RIFF").put({size + 12, 0, 0, 0}).name("RMID").name("data").put({size, 0, 0, 0});
    smf.data.insert(smf.data.end(), inner.data.begin(), inner.data.end());
    CHECK(good(smf).events().size() == 2);
    smf.data.resize(20);
    CHECK_FALSE(MidiFile::parse(smf.bytes()).ok());
}

TEST_CASE("what a writer writes a reader reads, whatever the order of adding") {
    MidiFileWriter writer(1, 480);
    const int conductor = writer.add_track("song");
    const int lead = writer.add_track();
    writer.tempo(conductor, 960, 400000);
    writer.time_signature(conductor, 0, 3, 4);
    writer.message(lead, 480, 0x80, 60, 64);
    writer.message(lead, 0, 0x90, 60, 100);
    writer.message(lead, 0, 0x90, 64, 100);
    writer.message(lead, 480, 0xc0, 5);
    const std::byte reset[] = {std::byte{0x7e}, std::byte{0x7f}, std::byte{9}, std::byte{1}, std::byte{0xf7}};
    writer.sysex(conductor, 0, reset);
    writer.end(lead, 300000);
    const auto bytes = writer.bytes();
    REQUIRE(bytes.ok());
    const auto file = MidiFile::parse(*bytes);
    REQUIRE(file.ok());
    CHECK(file->warnings().empty());
    CHECK(file->end_tick() == 300000);
    CHECK(file->track_name(0) == "song");
    std::vector<int> notes;
    for (const auto& event : file->events())
        if (event.is_channel()) notes.push_back(event.status);
    CHECK(notes == std::vector<int>{0x90, 0x90, 0x80, 0xc0});
    CHECK(file->duration_seconds() == doctest::Approx(2 * 0.5 + 623 * 0.4).epsilon(1e-15));

    MidiFileWriter wrong(0, 480);
    CHECK_FALSE(wrong.bytes().ok()); // no track
    wrong.message(wrong.add_track(), 0, 0x90, 128, 0);
    CHECK(wrong.bytes().status().code() == Code::invalid_argument);
}
