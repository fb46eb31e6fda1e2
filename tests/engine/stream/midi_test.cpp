// SPDX-License-Identifier: MIT
// Every MIDI message at a part, seen from the backend's side of the border.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/engine/stream/fake.h"

using tutti::Event;
namespace voices = tutti::voices;

namespace {

// A stream of sixteen parts, part 0 with the fake patch; messages take effect at once and 20 ms pass.
struct Midi {
    explicit Midi(tutti::Patch patch = fake::patch(), int part = 0) : rig({.limiter = false}, false, &probe) {
        REQUIRE(rig.stream->set_patch(part, patch).ok());
        sender = rig.stream->make_sender().value();
    }
    void send(int status, int data1, int data2 = 0, int frames = 960) {
        REQUIRE(sender.post(Event::midi(tutti::k_asap, status & 15, status & 0xf0, data1, data2)));
        pass(frames);
    }
    void control(int number, int value, int channel = 0) { send(0xb0 | channel, number, value, 960); }
    void on(int key, int velocity = 100, int channel = 0) { send(0x90 | channel, key, velocity); }
    void off(int key, int channel = 0) { send(0x80 | channel, key, 64); }
    void rpn(int number, int coarse, int fine = -1, int channel = 0) {
        control(101, number >> 7, channel);
        control(100, number & 127, channel);
        control(6, coarse, channel);
        if (fine >= 0) control(38, fine, channel);
        control(101, 127, channel);
        control(100, 127, channel);
    }
    void pass(int frames) { last = rig.render(frames, 64); }
    void settle() {
        pass(9600);
        pass(9600);
    }
    int voices_now() { return rig.stream->stats().voices; }
    float input(int i) const { return probe.banks.at(0).input(i); }
    const fake::Probe::Lane& lane(std::size_t i = 0) const { return probe.banks.at(0).lanes.at(i); }
    // What is still held after the releases have gone by.
    int held() {
        pass(9600);
        return voices_now();
    }
    float peak() const { return *std::max_element(last[0].begin(), last[0].end()); }

    fake::Probe probe;
    fake::Rig rig;
    tutti::Sender sender;
    std::vector<std::vector<float>> last;
};

} // namespace

TEST_CASE("note on, off, velocity 0, double on, off without on") {
    Midi m;
    m.off(60);
    CHECK(m.voices_now() == 0);
    m.on(60, 127);
    CHECK(m.lane().pitch() == 60.0f);
    CHECK(m.lane().input(voices::input_velocity) == 1.0f);
    CHECK(m.lane().input(voices::input_key) == 0.0f);
    m.on(60);
    CHECK(m.held() == 1); // the earlier one was let go
    m.on(60, 0);
    CHECK(m.held() == 0);
}

TEST_CASE("bend: 14 bits, both ends and the middle exact, range by patch and by RPN 0") {
    tutti::Patch patch = fake::patch();
    patch.bend_range = 3.0;
    Midi m(patch);
    m.on(60);
    m.send(0xe0, 127, 127);
    CHECK(m.input(voices::part_bend) == 3.0f);
    m.send(0xe0, 0, 0);
    CHECK(m.input(voices::part_bend) == -3.0f);
    m.send(0xe0, 0, 64);
    CHECK(m.input(voices::part_bend) == 0.0f);
    m.rpn(0, 12, 50);
    m.send(0xe0, 127, 127);
    CHECK(m.input(voices::part_bend) == 12.5f);
}

TEST_CASE("RPN 1 and 2 tune sounding notes; data increment counts; NRPN and null select nothing") {
    Midi m;
    m.on(60);
    m.rpn(2, 64 + 5);
    CHECK(m.lane().pitch() == 65.0f);
    m.rpn(1, 64 + 32, 0); // half way up: a quarter tone
    CHECK(m.lane().pitch() == doctest::Approx(65.5));
    m.control(99, 1);
    m.control(98, 2);
    m.control(6, 0);
    CHECK(m.lane().pitch() == doctest::Approx(65.5));
    m.control(101, 0);
    m.control(100, 2);
    m.control(6, 64);
    m.control(96, 0); // data up
    CHECK(m.lane().pitch() == doctest::Approx(61.5));
    m.control(97, 0);
    CHECK(m.lane().pitch() == doctest::Approx(60.5));
}

TEST_CASE("controllers reach the part inputs: wheel with RPN 5, breath, expression, pressures, macros") {
    Midi m;
    m.on(60);
    m.control(1, 127);
    CHECK(m.input(voices::part_wheel) == doctest::Approx(1.0).epsilon(0.03)); // 4 time constants of smoothing
    m.pass(4800);
    CHECK(m.input(voices::part_wheel) == 1.0f);
    m.rpn(5, 0, 32); // a quarter semitone: half the usual depth
    m.pass(4800);
    CHECK(m.input(voices::part_wheel) == 0.5f);
    m.control(2, 127);
    m.send(0xd0, 127);
    m.control(11, 0);
    m.control(16, 127);
    m.control(83, 127);
    m.pass(4800);
    CHECK(m.input(voices::part_breath) == 1.0f);
    CHECK(m.input(voices::part_pressure) == 1.0f);
    CHECK(m.input(voices::part_expression) == 0.0f);
    CHECK(m.input(voices::part_macro1) == 1.0f);
    CHECK(m.input(voices::part_macro8) == 1.0f);
    m.on(64);
    m.send(0xa0, 64, 127);
    CHECK(m.lane(0).input(voices::input_pressure) == 0.0f);
    CHECK(m.lane(1).input(voices::input_pressure) == 1.0f);
    m.control(74, 127);
    CHECK(m.lane(0).input(voices::input_timbre) == 1.0f);
}

TEST_CASE("volume, expression and pan set the level by their laws, without zipper") {
    Midi m;
    m.on(69, 127);
    m.settle();
    const float reference = m.peak();
    m.control(7, 127);
    m.settle();
    CHECK(m.peak() == doctest::Approx(reference * 1.27 * 1.27).epsilon(0.001));
    m.control(7, 100);
    m.control(11, 64);
    m.settle();
    CHECK(m.peak() == doctest::Approx(reference * std::pow(64.0 / 127.0, 2.0)).epsilon(0.001));
    m.control(11, 127);
    m.control(10, 0);
    m.settle();
    CHECK(m.peak() == doctest::Approx(reference * std::sqrt(2.0)).epsilon(0.001));
    CHECK(*std::max_element(m.last[1].begin(), m.last[1].end()) < 1e-6f);
    // A step of volume from 100 to 0 moves no frame by more than the sine's own slope and a 5 ms glide.
    m.control(10, 64);
    m.pass(9600);
    REQUIRE(m.sender.post(Event::midi(tutti::k_asap, 0, 0xb0, 7, 0)));
    m.pass(2400);
    float step = 0.0f;
    for (std::size_t i = 1; i < 2400; ++i)
        step = std::max(step, std::fabs(m.last[0][i] - m.last[0][i - 1]));
    CHECK(step < reference * (6.2832f * 440.0f / 48000.0f + 0.01f));
}

TEST_CASE("sustain and sostenuto: the truth table") {
    for (int mask = 0; mask < 8; ++mask) {
        const bool sustain = (mask & 1) != 0, sostenuto = (mask & 2) != 0, before = (mask & 4) != 0;
        CAPTURE(sustain);
        CAPTURE(sostenuto);
        CAPTURE(before); // the key was down when the sostenuto pedal came down
        Midi m;
        if (before) m.on(60);
        if (sostenuto) m.control(66, 127);
        if (!before) m.on(60);
        if (sustain) m.control(64, 127);
        m.off(60);
        CHECK(m.held() == (sustain || (sostenuto && before) ? 1 : 0));
        m.control(64, 63);
        CHECK(m.held() == (sostenuto && before ? 1 : 0));
        m.control(66, 0);
        CHECK(m.held() == 0);
    }
    // A key that is held under the pedal outlives it.
    Midi m;
    m.control(64, 64);
    m.on(60);
    m.control(64, 0);
    CHECK(m.held() == 1);
}

TEST_CASE("the soft pedal takes a third of the force") {
    Midi m;
    m.control(67, 127);
    m.on(60, 127);
    CHECK(m.lane().input(voices::input_velocity) == doctest::Approx(2.0 / 3.0));
}

TEST_CASE("channel mode messages") {
    Midi m;
    m.on(60);
    m.on(64);
    SUBCASE("all sound off: within 2 ms, pedals or not") {
        m.control(64, 127);
        REQUIRE(m.sender.post(Event::midi(tutti::k_asap, 0, 0xb0, 120, 0)));
        m.pass(96 + 16);
        CHECK(m.voices_now() == 0);
    }
    SUBCASE("all notes off: keys come up, the pedal holds") {
        m.control(64, 127);
        m.control(123, 0);
        CHECK(m.held() == 2);
        m.control(64, 0);
        CHECK(m.held() == 0);
    }
    SUBCASE("omni off and on imply all notes off") {
        m.control(124, 0);
        CHECK(m.held() == 0);
        m.on(60);
        m.control(125, 0);
        CHECK(m.held() == 0);
    }
    SUBCASE("mono, then poly") {
        m.control(126, 1);
        CHECK(m.held() == 0);
        m.on(60);
        m.on(67);
        CHECK(m.held() == 1);
        m.control(127, 0);
        m.on(60);
        m.on(67);
        CHECK(m.held() == 2);
    }
    SUBCASE("local control changes nothing") {
        m.control(122, 0);
        CHECK(m.held() == 2);
    }
    SUBCASE("reset all controllers: RP-015") {
        m.control(1, 127);
        m.control(7, 50);
        m.control(64, 127);
        m.send(0xe0, 127, 127);
        m.off(60);
        CHECK(m.held() == 2);
        m.control(121, 0);
        CHECK(m.held() == 1); // the pedal came up
        CHECK(m.input(voices::part_wheel) == 0.0f);
        CHECK(m.input(voices::part_bend) == 0.0f);
        CHECK(m.input(voices::part_expression) == 1.0f);
        const float quiet = m.peak();
        m.control(7, 100);
        m.pass(9600);
        CHECK(m.peak() == doctest::Approx(quiet * 4.0).epsilon(0.01)); // volume had stayed at 50
    }
}

TEST_CASE("bank select and program change are taken without a sound") {
    Midi m;
    m.control(0, 1);
    m.control(32, 2);
    m.send(0xc0, 5);
    CHECK(m.voices_now() == 0);
}

TEST_CASE("hi-hats choke one another") {
    Midi m;
    m.on(46);
    CHECK(m.voices_now() == 1);
    m.on(42);
    CHECK(m.voices_now() == 1);
    CHECK(m.lane().pitch() == 42.0f);
    m.on(60);
    CHECK(m.voices_now() == 2);
}

TEST_CASE("note expressions and ids") {
    Midi m;
    using tutti::NoteExpression;
    REQUIRE(m.sender.post(Event::note_on(tutti::k_asap, 0, 60, 1.0, 7)));
    REQUIRE(m.sender.post(Event::note_on(tutti::k_asap, 0, 60, 1.0, 8)));
    m.pass(64);
    CHECK(m.voices_now() == 2);
    REQUIRE(m.sender.post(Event::expression(tutti::k_asap, 0, 60, 8, NoteExpression::pitch, 0.5)));
    REQUIRE(m.sender.post(Event::expression(tutti::k_asap, 0, 60, 8, NoteExpression::pan, -2.0)));
    REQUIRE(m.sender.post(Event::expression(tutti::k_asap, 0, 60, 7, NoteExpression::gain, 0.25)));
    REQUIRE(m.sender.post(Event::expression(tutti::k_asap, 0, 60, 7, NoteExpression::lowpass, NAN)));
    m.pass(64);
    CHECK(m.lane(0).input(voices::input_offset) == 0.0f);
    CHECK(m.lane(1).input(voices::input_offset) == 0.5f);
    CHECK(m.lane(1).input(voices::input_pan) == -1.0f);
    CHECK(m.lane(0).input(voices::input_gain) == 0.25f);
    CHECK(m.lane(0).input(voices::input_lowpass) == 1.0f);
    REQUIRE(m.sender.post(Event::note_off(tutti::k_asap, 0, 60, 0.5, 7)));
    CHECK(m.held() == 1);
    CHECK(m.lane().input(voices::input_offset) == 0.5f);
}

TEST_CASE("MPE: members play the master's part, with bend, pressure and timbre of their own") {
    Midi m;
    m.rpn(6, 3);
    m.on(60, 100, 1);
    m.on(64, 100, 2);
    REQUIRE(m.probe.banks.at(0).lanes.size() == 2);
    m.send(0xe1, 127, 127);
    CHECK(m.lane(0).input(voices::input_offset) == 48.0f);
    CHECK(m.lane(1).input(voices::input_offset) == 0.0f);
    m.rpn(0, 24, -1, 1); // a member's range is that of its zone
    CHECK(m.lane(0).input(voices::input_offset) == 24.0f);
    m.send(0xd2, 127);
    CHECK(m.lane(0).input(voices::input_pressure) == 0.0f);
    CHECK(m.lane(1).input(voices::input_pressure) == 1.0f);
    m.control(74, 0, 1);
    CHECK(m.lane(0).input(voices::input_timbre) == 0.0f);
    m.send(0xe0, 127, 127); // the master bends all
    CHECK(m.input(voices::part_bend) == 2.0f);
    m.control(64, 127, 0); // the master's pedal holds all
    m.off(60, 1);
    CHECK(m.held() == 2);
    m.control(64, 0, 0);
    CHECK(m.held() == 1);
    m.off(64, 2);
    m.on(60, 100, 9); // no member: its own part, which has no patch
    CHECK(m.held() == 0);
    m.rpn(6, 0); // the zone is closed
    m.on(60, 100, 1);
    CHECK(m.voices_now() == 0);
}

TEST_CASE("tuning tables: new notes and sounding ones") {
    Midi m;
    m.on(60);
    std::array<double, 128> table;
    for (std::size_t k = 0; k < 128; ++k)
        table[k] = static_cast<double>(k) * 0.5 + 30.25;
    REQUIRE(m.rig.stream->set_tuning(0, table).ok());
    m.pass(64);
    CHECK(m.lane().pitch() == 60.25f);
    m.on(62);
    CHECK(m.lane(1).pitch() == 61.25f);
    table[5] = NAN;
    CHECK(m.rig.stream->set_tuning(0, table).code() == tutti::Code::out_of_range);
}

TEST_CASE("tempo drives locked LFO rates, transport the part inputs") {
    tutti::Patch patch = fake::patch();
    patch.parameters["lfo1_sync"] = 1; // 1/4
    patch.parameters["lfo1_rate"] = 7.0;
    Midi m(patch);
    m.on(60);
    CHECK(m.probe.banks[0].parameter(fake::p_lfo1_rate) == doctest::Approx(std::log2(2.0))); // 120 beats a minute
    REQUIRE(m.sender.post(Event::set_tempo(tutti::k_asap, 90.0)));
    m.pass(64);
    CHECK(m.probe.banks[0].parameter(fake::p_lfo1_rate) == doctest::Approx(std::log2(1.5)));
    CHECK(m.input(voices::part_tempo) == 1.5f);
    REQUIRE(m.sender.post(Event::set_parameter(tutti::k_asap, 0, fake::p_lfo1_sync, 2))); // 1/8T: a third of a beat
    m.pass(64);
    CHECK(m.probe.banks[0].parameter(fake::p_lfo1_rate) == doctest::Approx(std::log2(4.5)));
    REQUIRE(m.sender.post(Event::set_parameter(tutti::k_asap, 0, fake::p_lfo1_sync, 0)));
    m.pass(64);
    CHECK(m.probe.banks[0].parameter(fake::p_lfo1_rate) == doctest::Approx(std::log2(7.0)));
    REQUIRE(m.sender.post(Event::set_position(tutti::k_asap, 66.0)));
    REQUIRE(m.sender.post(Event::play(tutti::k_asap, true)));
    m.pass(64);
    CHECK(m.input(voices::part_playing) == 1.0f);
    CHECK(m.input(voices::part_beat) == doctest::Approx(2.0));
    REQUIRE(m.sender.post(Event::set_loop(tutti::k_asap, 64.0, 4.0)));
    m.pass(48000 * 2); // three beats later: 69 is past the loop's end, 65
    REQUIRE(m.sender.post(Event::play(tutti::k_asap, false)));
    m.pass(64);
    CHECK(m.input(voices::part_beat) == doctest::Approx(1.0).epsilon(0.01));
}

TEST_CASE("fault 25: extreme parameters: smoothed, clamped, never not finite") {
    Midi m;
    m.on(60);
    REQUIRE(m.sender.post(Event::set_parameter(tutti::k_asap, 0, fake::p_tone, 4000.0)));
    m.pass(480); // one time constant of 10 ms
    const double half = static_cast<double>(m.probe.banks[0].parameter(fake::p_tone));
    const double share = (half - std::log2(1000.0)) / 2.0;
    CHECK(share == doctest::Approx(1.0 - std::exp(-1.0)).epsilon(0.05)); // a tick of 30
    REQUIRE(m.sender.post(Event::set_parameter(tutti::k_asap, 0, fake::p_tone, NAN)));
    REQUIRE(m.sender.post(Event::set_parameter(tutti::k_asap, 0, fake::p_level, 99.0)));
    REQUIRE(m.sender.post(Event::set_parameter(tutti::k_asap, 0, 9999, 1.0)));
    m.pass(9600);
    CHECK(m.probe.banks[0].parameter(fake::p_tone) == doctest::Approx(std::log2(4000.0)));
    CHECK(m.probe.banks[0].parameter(fake::p_level) == 2.0f);
}
