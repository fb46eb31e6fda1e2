// SPDX-License-Identifier: MIT
// Any bytes as a MIDI file: a Status with its three parts, or events in order that survive being written and read again.
// fault 47: a broken MIDI file: any bytes are read or refused with a sentence
#include <tutti/midi_file.h>

#include "tests/engine/midi/smf_bytes.h"
#include "tests/fuzz/fuzz.h"

using namespace tutti;
using tutti::test::Smf;

namespace {

void check_round_trip(const MidiFile& file) {
    MidiFileWriter writer(1, 480);
    for (int track = 0; track < file.tracks(); ++track)
        writer.add_track();
    for (const auto& event : file.events()) {
        if (event.is_channel())
            writer.message(event.track, event.tick, event.status, event.data1, static_cast<int>(event.data2));
        else if (event.is_meta())
            writer.meta(event.track, event.tick, static_cast<MidiMeta>(event.data1), file.payload(event));
    }
    const auto bytes = writer.bytes();
    if (!bytes.ok()) return; // a gap too long for one number
    const auto again = MidiFile::parse(*bytes);
    if (!again.ok()) {
        require(again.status().code() == Code::too_large, "what was written can be read");
        return;
    }
    std::size_t next = 0;
    for (const auto& event : file.events()) {
        if (event.is_sysex() || event.is_meta(MidiMeta::end_of_track)) continue;
        while (next < again->events().size() && again->events()[next].is_meta(MidiMeta::end_of_track))
            ++next;
        require(next < again->events().size(), "no event is lost");
        const auto& other = again->events()[next++];
        require(other.tick == event.tick && other.status == event.status && other.data1 == event.data1 &&
                    other.track == event.track,
                "events come back as they were");
        require(event.is_channel() ? other.data2 == event.data2 : again->text(other) == file.text(event),
                "data come back as they were");
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span(data, size));
    const auto file = MidiFile::parse(bytes);
    if (!file.ok()) {
        const Status& status = file.status();
        require(!status.what().empty() && !status.means().empty() && !status.remedy().empty(),
                "a Status has three parts");
        return 0;
    }
    require(file->events().size() <= size / 2, "an event takes at least two bytes");
    std::int64_t tick = 0;
    std::int64_t frame = 0;
    std::size_t payloads = 0;
    for (const auto& event : file->events()) {
        require(event.tick >= tick && event.tick <= file->end_tick(), "ticks rise up to the end");
        require(file->frame_of(event, 48000) >= frame, "frames rise");
        require(event.track < file->tracks(), "tracks are there");
        tick = event.tick;
        frame = file->frame_of(event, 48000);
        payloads += file->payload(event).size();
        (void)file->time_signature(event);
        (void)file->key_signature(event);
    }
    require(payloads <= size, "payloads come from the file");
    (void)MidiFile::parse(bytes, 0);
    if (file->type() != 2 && file->tracks() < 100) check_round_trip(*file);
    return 0;
}

std::vector<Bytes> seeds() {
    std::vector<Smf> files;
    files.push_back(
        Smf{}.header(0, 1, 96).track({0, 0x90, 60, 100, 48, 62, 90, 48, 60, 0, 0, 62, 0, 0, 0xff, 0x2f, 0}));
    files.push_back(
        Smf{}
            .header(1, 2, 480)
            .track({0, 0xff, 3, 2,  'h', 'i', 0,    0xff, 0x51, 3,    7, 0xa1, 0x20, 9,    0xff, 0x58,
                    4, 3,    2, 24, 8,   0,   0xff, 0x59, 2,    0xfd, 1, 0,    0xff, 0x2f, 0})
            .track({0, 0xc0, 5, 0x83, 0x60, 0xe0, 0, 64, 1, 0xf0, 2, 1, 2, 1, 0xf7, 2, 3, 0xf7, 0, 0xff, 0x2f, 0}));
    files.push_back(Smf{}
                        .header(2, 2, 96)
                        .track({0, 0x99, 36, 1, 96, 36, 0, 0, 0xff, 0x2f, 0})
                        .track({5, 0xd0, 9, 0, 0xff, 0x2f, 0}));
    files.push_back(Smf{}.header(0, 1, (256 - 29) << 8 | 80).track({0x87, 0x68, 0xb0, 7, 1, 0, 0xff, 0x2f, 0}));
    Smf wrapped;
    wrapped.name("RIFF").put({50, 0, 0, 0}).name("RMID").name("data").put({28, 0, 0, 0});
    wrapped.header(0, 1, 96).track({0, 0xa0, 1, 1, 0, 0xff, 0x2f, 0});
    files.push_back(wrapped);
    std::vector<Bytes> all;
    for (const Smf& file : files) {
        Bytes bytes;
        for (std::byte byte : file.data)
            bytes.push_back(std::to_integer<std::uint8_t>(byte));
        all.push_back(bytes);
    }
    return all;
}
