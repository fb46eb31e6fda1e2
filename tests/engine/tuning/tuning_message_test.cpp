// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include <tutti/tuning.h>

using tutti::Code;
using tutti::Result;
using tutti::Tuning;
using tutti::TuningMessage;
using Bytes = std::vector<std::uint8_t>;

namespace {

Bytes summed(Bytes bytes) {
    unsigned sum = 0;
    for (std::size_t i = 1; i < bytes.size(); ++i)
        sum ^= bytes[i];
    bytes.push_back(static_cast<std::uint8_t>(sum & 0x7f));
    bytes.push_back(0xf7);
    return bytes;
}

Bytes joined(Bytes bytes, const Bytes& more) {
    bytes.insert(bytes.end(), more.begin(), more.end());
    return bytes;
}

const Bytes k_name = {'J', 'u', 's', 't', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' '};

void refused(const Bytes& bytes, Code code, const std::string& word) {
    const Result<TuningMessage> message = TuningMessage::parse(bytes);
    REQUIRE_FALSE(message.ok());
    CAPTURE(message.status().message());
    CHECK(message.status().code() == code);
    CHECK_FALSE(message.status().remedy().empty());
    CHECK(message.status().message().find(word) != std::string::npos);
}

} // namespace

TEST_CASE("the standard's own examples of pitches: middle C, A 440, the ends") {
    // MIDI 1.0, MIDI Tuning: 00 00 00 is 8.1758 Hz, 3C 00 00 middle C, 45 00 00 A-440, 45 00 01 440.0016 Hz, 78 00 00 8372.0181 Hz.
    const Result<TuningMessage> message = TuningMessage::parse(
        Bytes{0xf0, 0x7f, 0x7f, 8,   2,   5, 6, 0,   0,    0,    0,    60, 60,   0,    0,    69,
              69,   0,    1,    120, 120, 0, 0, 127, 0x7f, 0x7f, 0x7e, 40, 0x7f, 0x7f, 0x7f, 0xf7});
    REQUIRE_MESSAGE(message.ok(), message.status().message());
    CHECK(message->real_time);
    CHECK(message->program == 5);
    REQUIRE(message->keys.size() == 5); // 7F 7F 7F leaves key 40 as it is
    Tuning tuning = *Tuning::equal(19);
    const double before = tuning.semitones(40);
    message->apply(tuning);
    // The standard prints seven digits.
    CHECK(tuning.hertz(0) == doctest::Approx(8.1758).epsilon(1e-5));
    CHECK(tuning.hertz(60) == doctest::Approx(261.6256).epsilon(3e-7));
    CHECK(tuning.hertz(69) == doctest::Approx(440.0016).epsilon(3e-7));
    CHECK(tuning.hertz(120) == doctest::Approx(8372.0181).epsilon(3e-7));
    CHECK(tuning.hertz(127) == doctest::Approx(13289.656616).epsilon(3e-7));
    CHECK(tuning.semitones(40) == before);
}

TEST_CASE("a bulk dump comes back as it went, within half a step of 0.0061 cent") {
    Tuning tuning = *Tuning::equal(17, 2.0, 69, 442.0);
    tuning.rename("Seventeen");
    const Result<TuningMessage> message = TuningMessage::parse(tuning.bulk_dump(3));
    REQUIRE_MESSAGE(message.ok(), message.status().message());
    CHECK_FALSE(message->real_time);
    CHECK(message->program == 3);
    CHECK(message->name == "Seventeen");
    Tuning back;
    message->apply(back);
    CHECK(back.name() == "Seventeen");
    for (int key = 0; key < 128; ++key) {
        const double sayable = std::clamp(tuning.semitones(key), 0.0, 128.0 - 2.0 / 16384.0);
        CHECK(std::fabs(back.semitones(key) - sayable) <= 0.5 / 16384.0 + 1e-12);
    }
}

TEST_CASE("banks: a dump and single notes") {
    Bytes dump = joined({0xf0, 0x7e, 0x10, 8, 4, 2, 9}, k_name);
    for (int key = 0; key < 128; ++key)
        dump = joined(dump, {static_cast<std::uint8_t>(key), 0x40, 0}); // a quarter tone up
    const Result<TuningMessage> message = TuningMessage::parse(summed(dump));
    REQUIRE_MESSAGE(message.ok(), message.status().message());
    CHECK(message->device == 0x10);
    CHECK(message->bank == 2);
    CHECK(message->program == 9);
    CHECK(message->name == "Just");
    CHECK(message->semitones[69] == 69.5);
    const Result<TuningMessage> note =
        TuningMessage::parse(Bytes{0xf0, 0x7e, 0x7f, 8, 7, 1, 2, 1, 60, 61, 0x40, 0, 0xf7});
    REQUIRE(note.ok());
    CHECK_FALSE(note->real_time);
    CHECK(note->bank == 1);
    CHECK(note->semitones == std::vector<double>{61.5});
}

TEST_CASE("scale/octave tuning of one and two bytes") {
    // One byte: 0 is -64 cents, 64 none, 127 +63. C up 63, C sharp down 64.
    const Result<TuningMessage> one = TuningMessage::parse(
        Bytes{0xf0, 0x7f, 0x7f, 8, 8, 2, 1, 5, 127, 0, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 0xf7});
    REQUIRE_MESSAGE(one.ok(), one.status().message());
    CHECK(one->channels == (1u << 15 | 1u << 7 | 1u << 2 | 1u)); // ff: 15, 16; gg: 8..14; hh: 1..7, counted from 1
    CHECK(one->semitones[60] == doctest::Approx(60.63));
    CHECK(one->semitones[61] == doctest::Approx(60.36));
    CHECK(one->semitones[62] == 62.0);
    CHECK(one->semitones[0] == doctest::Approx(0.63));
    // Two bytes: 00 00 is -100 cents, 40 00 none, 7F 7F nearly +100.
    Bytes two = {0xf0, 0x7e, 0x7f, 8, 9, 3, 127, 127, 0, 0, 127, 127};
    for (int i = 0; i < 10; ++i)
        two = joined(two, {64, 0});
    two.push_back(0xf7);
    const Result<TuningMessage> fine = TuningMessage::parse(two);
    REQUIRE_MESSAGE(fine.ok(), fine.status().message());
    CHECK(fine->channels == 0xffff);
    CHECK(fine->semitones[12] == 11.0);
    CHECK(fine->semitones[13] == doctest::Approx(13.99988).epsilon(1e-6));
    // The dumps of the same.
    const Bytes octave(12, 64);
    const Result<TuningMessage> dump =
        TuningMessage::parse(summed(joined(joined({0xf0, 0x7e, 0x7f, 8, 5, 1, 4}, k_name), octave)));
    REQUIRE_MESSAGE(dump.ok(), dump.status().message());
    CHECK(dump->semitones[100] == 100.0);
    Bytes pairs;
    for (int i = 0; i < 12; ++i)
        pairs = joined(pairs, {32, 0});
    const Result<TuningMessage> low =
        TuningMessage::parse(summed(joined(joined({0xf0, 0x7e, 0x7f, 8, 6, 1, 4}, k_name), pairs)));
    REQUIRE(low.ok());
    CHECK(low->semitones[100] == 99.5);
}

TEST_CASE("what is wrong with a message is said") {
    Bytes good = Tuning().bulk_dump();
    refused({}, Code::malformed, "F0");
    refused({0xf0, 0x7e, 0x7f, 8, 1, 0}, Code::truncated, "F7");
    refused({0xf0, 0x7e, 0x7f, 8, 1, 0, 0xf7}, Code::truncated, "too early");
    refused({0xf0, 0x7e, 0x7f, 9, 1, 0, 0xf7}, Code::unsupported, "another");
    refused({0xf0, 0x43, 0x7f, 8, 1, 0, 0xf7}, Code::unsupported, "another");
    refused({0xf0, 0x7e, 0x7f, 8, 0, 0, 0xf7}, Code::unsupported, "asks for");
    refused({0xf0, 0x7f, 0x7f, 8, 2, 0, 2, 60, 60, 0, 0, 0xf7}, Code::truncated, "too early");
    refused({0xf0, 0x7f, 0x7f, 8, 2, 0, 0, 0, 0xf7}, Code::malformed, "goes on");
    refused({0xf0, 0x7f, 0x7f, 8, 2, 0, 1, 60, 0x90, 0, 0, 0xf7}, Code::malformed, "byte 9");
    Bytes wrong_sum = good;
    wrong_sum[wrong_sum.size() - 2] ^= 1;
    refused(wrong_sum, Code::malformed, "checksum");
    Bytes longer = good;
    longer.insert(longer.end() - 1, 0);
    refused(longer, Code::malformed, "goes on");
    CHECK(TuningMessage::parse(good).ok());
}
