// SPDX-License-Identifier: MIT
// Tuning programs and banks: kept apart, chosen by RPN 3 and 4, changed under those who play them.
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include <tutti/engine.h>
#include <tutti/tuning.h>

using namespace tutti;

namespace {

constexpr double k_rate = 48000.0;
constexpr double k_pi = 3.14159265358979323846;

// One stream whose parts each play a sine; what a part plays is listened to with the others silent.
struct Rig {
    std::unique_ptr<Engine> engine = Engine::create().value();
    std::shared_ptr<Stream> stream;
    Sender sender;
    int held = -1, key = 0;

    Rig() : stream(open(*engine)), sender(stream->make_sender().value()) {}
    static std::shared_ptr<Stream> open(Engine& engine) {
        auto stream = engine.open({.sample_rate = k_rate, .mode = Mode::offline}).value();
        Patch patch;
        patch.parameters = {{"osc1_wave", 3.0}, {"filter_type", 0.0}, {"env1_sustain", 1.0}, {"env1_release", 0.002}};
        for (int part = 0; part < 3; ++part)
            REQUIRE(stream->set_patch(part, patch, 0).ok());
        return stream;
    }
    std::vector<float> pull(int frames) {
        std::vector<float> left(static_cast<std::size_t>(frames)), right(left.size());
        float* out[2] = {left.data(), right.data()};
        REQUIRE(stream->pull(out, frames));
        return left;
    }
    void choose(int part, int bank, int program) {
        for (const auto& [rpn, value] : {std::pair{4, bank}, {3, program}}) {
            sender.post(Event::midi(k_asap, part, 0xb0 | part, 101, 0));
            sender.post(Event::midi(k_asap, part, 0xb0 | part, 100, rpn));
            sender.post(Event::midi(k_asap, part, 0xb0 | part, 6, value));
        }
        pull(64);
    }
    Status tune(int bank, int program, int on, double semitones, bool real_time = false) {
        TuningMessage message;
        message.real_time = real_time;
        message.bank = bank;
        message.program = program;
        message.keys = {static_cast<std::uint8_t>(on)};
        message.semitones = {semitones};
        return stream->tune(message);
    }
    void hold(int part, int on) {
        if (held >= 0) sender.post(Event::note_off(k_asap, held, key));
        held = part;
        key = on;
        pull(2400);
        sender.post(Event::note_on(k_asap, part, on, 1.0));
        pull(64); // what the control side posts for the same frame would come first
    }
    // Semitones of what sounds, from the phase's advance over a quarter of a second; within +-2 of `expected`.
    double pitch(double expected) {
        pull(2400);
        const std::vector<float> x = pull(12000);
        const double hertz = 440.0 * std::exp2((expected - 69.0) / 12.0);
        const auto phase = [&](std::size_t from) {
            double re = 0.0, im = 0.0;
            for (std::size_t i = 0; i < 4800; ++i) {
                const double window = 0.5 - 0.5 * std::cos(2.0 * k_pi * static_cast<double>(i) / 4800.0);
                const double turn = 2.0 * k_pi * hertz * static_cast<double>(from + i) / k_rate;
                re += window * static_cast<double>(x[from + i]) * std::cos(turn);
                im -= window * static_cast<double>(x[from + i]) * std::sin(turn);
            }
            return std::atan2(im, re);
        };
        const double turned = std::remainder(phase(480) - phase(0), 2.0 * k_pi); // 10 ms: 50 Hz are half a turn
        return 69.0 + 12.0 * std::log2((hertz + turned * k_rate / (2.0 * k_pi * 480.0)) / 440.0);
    }
    double play(int part, int on, double expected) {
        hold(part, on);
        return pitch(expected);
    }
};

const auto near = [](double x) { return doctest::Approx(x).epsilon(2e-4); }; // a cent

} // namespace

TEST_CASE("programs are kept apart and chosen by RPN 3 and 4") {
    Rig rig;
    REQUIRE(rig.tune(0, 5, 60, 60.5).ok());
    REQUIRE(rig.tune(2, 5, 60, 61.0).ok());
    CHECK(rig.play(0, 60, 60.0) == near(60.0)); // nothing was said about program 0
    rig.choose(0, 0, 5);
    CHECK(rig.play(0, 60, 60.5) == near(60.5));
    CHECK(rig.play(0, 62, 62.0) == near(62.0)); // nothing was said about this key
    rig.choose(1, 2, 5);
    CHECK(rig.play(1, 60, 61.0) == near(61.0));
    CHECK(rig.play(2, 60, 60.0) == near(60.0)); // never chose
    rig.choose(0, 0, 0);
    CHECK(rig.play(0, 60, 60.0) == near(60.0));
}

TEST_CASE("a program changes under those who play it; sounding notes follow real-time messages alone") {
    Rig rig;
    rig.choose(1, 0, 7);
    rig.hold(1, 60);
    REQUIRE(rig.tune(0, 7, 60, 60.25).ok());
    CHECK(rig.pitch(60.0) == near(60.0));
    CHECK(rig.play(1, 60, 60.25) == near(60.25));
    REQUIRE(rig.tune(0, 7, 60, 60.75, true).ok());
    CHECK(rig.pitch(60.75) == near(60.75));
    rig.hold(0, 60);
    REQUIRE(rig.tune(0, 7, 60, 61.0, true).ok()); // not this part's program
    CHECK(rig.pitch(60.0) == near(60.0));
    rig.hold(0, 60);
    rig.choose(0, 0, 7); // choosing moves nothing that sounds
    CHECK(rig.pitch(60.0) == near(60.0));
    CHECK(rig.play(0, 60, 61.0) == near(61.0));
}

TEST_CASE("a part's own tuning takes messages for its program, and ends where it chooses one") {
    Rig rig;
    std::array<double, 128> pitches{};
    for (std::size_t key = 0; key < pitches.size(); ++key)
        pitches[key] = static_cast<double>(key) + 0.3;
    REQUIRE(rig.stream->set_tuning(0, pitches).ok());
    REQUIRE(rig.tune(0, 0, 60, 60.6).ok());
    CHECK(rig.play(0, 60, 60.6) == near(60.6));
    CHECK(rig.play(0, 62, 62.3) == near(62.3));
    rig.choose(0, 0, 9);
    CHECK(rig.play(0, 62, 62.0) == near(62.0));
}

TEST_CASE("sixteen programs are kept, the next is refused by name; so is what is out of range") {
    Rig rig;
    for (int program = 0; program < 16; ++program)
        REQUIRE(rig.tune(0, program, 60, 60.5).ok());
    CHECK(rig.tune(1, 0, 60, 60.5).code() == Code::full);
    CHECK(rig.tune(0, 15, 61, 61.5).ok());
    CHECK(rig.tune(0, 128, 60, 60.5).code() == Code::out_of_range);
    CHECK(rig.tune(-1, 0, 60, 60.5).code() == Code::out_of_range);
    CHECK(rig.tune(0, 3, 60, 1000.0).code() == Code::out_of_range);
}
