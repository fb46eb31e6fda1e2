// SPDX-License-Identifier: MIT
#include <vector>

#include <doctest/doctest.h>

#include "engine/midi/midi_parser.h"

using namespace tutti;

namespace {

using Messages = std::vector<std::vector<int>>;

Messages feed(MidiParser& parser, const std::vector<int>& bytes) {
    Messages messages;
    MidiMessage message;
    for (int byte : bytes)
        if (parser.push(static_cast<std::uint8_t>(byte), message))
            messages.emplace_back(message.data, message.data + message.size);
    return messages;
}

} // namespace

TEST_CASE("running status, and real-time bytes in the middle of anything") {
    std::uint8_t room[16];
    MidiParser parser(room);
    CHECK(feed(parser, {0x90, 60, 100, 62, 0xf8, 100, 0xc3, 5, 6}) ==
          Messages{{0x90, 60, 100}, {0xf8}, {0x90, 62, 100}, {0xc3, 5}, {0xc3, 6}});
    CHECK(feed(parser, {0xf0, 1, 0xfe, 2, 0xf7}) == Messages{{0xfe}, {0xf0, 1, 2, 0xf7}});
    CHECK(feed(parser, {0xf2, 1, 2, 3}) == Messages{{0xf2, 1, 2}}); // no running status for system messages
    CHECK(parser.dropped_bytes() == 1);
    CHECK(feed(parser, {0xf6, 0xf3, 9, 0xf1, 0x24}) == Messages{{0xf6}, {0xf3, 9}, {0xf1, 0x24}});
}

TEST_CASE("what has no meaning is dropped and counted") {
    std::uint8_t room[16];
    MidiParser parser(room);
    CHECK(feed(parser, {1, 2, 0xf7, 0xf4, 0xf9, 0x90, 60, 0xb0, 7, 100}) == Messages{{0xb0, 7, 100}});
    CHECK(parser.dropped_bytes() == 6);
    CHECK(feed(parser, {0xf0, 1, 2, 0x90, 60, 1}) == Messages{{0x90, 60, 1}}); // cut short by a status
    CHECK(parser.dropped_sysex() == 1);
    CHECK(feed(parser, {0x91, 60}).empty());
    parser.reset();
    CHECK(feed(parser, {100}).empty());
}

TEST_CASE("fault 46: a megabyte of system exclusive: bounded by the buffer, it goes by without growth") {
    std::uint8_t room[8];
    MidiParser parser(room);
    CHECK(feed(parser, {0xf0, 1, 2, 3, 4, 5, 6, 0xf7}).size() == 1); // fills it to the last byte
    CHECK(feed(parser, {0xf0, 1, 2, 3, 4, 5, 6, 7, 0xf7, 0x90, 1, 1}) == Messages{{0x90, 1, 1}});
    CHECK(parser.dropped_sysex() == 1);
    MidiMessage message;
    int others = 0;
    parser.push(0xf0, message);
    for (int i = 0; i < 1'000'000; ++i)
        others += parser.push(static_cast<std::uint8_t>(i % 1000 == 999 ? 0xf8 : i & 0x7f), message);
    CHECK_FALSE(parser.push(0xf7, message));
    CHECK(others == 1000); // the clock went through
    CHECK(parser.dropped_sysex() == 2);
    MidiParser none;
    CHECK(feed(none, {0xf0, 1, 0xf7, 0x80, 1, 2}) == Messages{{0x80, 1, 2}});
}
