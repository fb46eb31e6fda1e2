// SPDX-License-Identifier: MIT
// Any byte stream: the parser against a slow reading of the specification that first takes the real-time bytes out.
// fault 46: a broken MIDI stream: any bytes give the messages of a slow reading of the specification
#include "engine/midi/midi_parser.h"
#include "tests/fuzz/fuzz.h"

using namespace tutti;

namespace {

constexpr std::size_t k_sysex = 16;

std::size_t length_of(std::uint8_t status) {
    static constexpr std::size_t k_channel[] = {3, 3, 3, 3, 2, 2, 3};
    if (status < 0xf0) return k_channel[(status >> 4) - 8];
    switch (status) {
    case 0xf1:
    case 0xf3:
        return 2;
    case 0xf2:
        return 3;
    case 0xf6:
        return 1;
    default:
        return 0;
    }
}

std::vector<Bytes> slow_reading(const Bytes& bytes) {
    std::vector<Bytes> messages;
    std::size_t at = 0;
    std::uint8_t running = 0;
    while (at < bytes.size()) {
        const std::uint8_t first = bytes[at];
        if (first == 0xf0) {
            running = 0;
            std::size_t end = at + 1;
            while (end < bytes.size() && bytes[end] < 0x80)
                ++end;
            if (end < bytes.size() && bytes[end] == 0xf7 && end - at + 1 <= k_sysex)
                messages.emplace_back(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                                      bytes.begin() + static_cast<std::ptrdiff_t>(end) + 1);
            at = end < bytes.size() && bytes[end] == 0xf7 ? end + 1 : end;
            continue;
        }
        std::uint8_t status = running;
        if (first >= 0x80) {
            status = first;
            running = first < 0xf0 ? first : 0;
            ++at;
        }
        const std::size_t length = status == 0 ? 0 : length_of(status);
        if (length == 0) {
            at += first < 0x80; // a stray data byte
            continue;
        }
        Bytes message{status};
        while (message.size() < length && at < bytes.size() && bytes[at] < 0x80)
            message.push_back(bytes[at++]);
        if (message.size() == length) messages.push_back(message);
    }
    return messages;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::uint8_t room[k_sysex];
    MidiParser parser(room);
    std::vector<Bytes> messages;
    std::vector<Bytes> realtime;
    Bytes plain;
    MidiMessage message;
    for (std::size_t i = 0; i < size; ++i) {
        const bool complete = parser.push(data[i], message);
        if (data[i] >= 0xf8) {
            require(complete == (data[i] != 0xf9 && data[i] != 0xfd), "a real-time byte is a message at once");
            if (complete) require(message.size == 1 && message.data[0] == data[i], "and is itself");
            continue;
        }
        plain.push_back(data[i]);
        if (!complete) continue;
        require(message.size >= 1 && message.size <= k_sysex, "a message fits its room");
        messages.emplace_back(message.data, message.data + message.size);
    }
    require(messages == slow_reading(plain), "the messages are those of the slow reading");
    return 0;
}

std::vector<Bytes> seeds() {
    return {{0x90, 60, 100, 62, 0xf8, 100, 0xc3, 5, 6},
            {0xf0, 1, 0xfe, 2, 0xf7, 0x80, 1, 2},
            {0xf2, 1, 2, 3, 0xf6, 0xf3, 9},
            {0xf0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xf7},
            {0xf0, 1, 0x90, 60, 1, 0xf7, 0xf4, 0xe0, 0, 64, 0, 65}};
}
