// SPDX-License-Identifier: MIT
// What reaches a part besides notes: a map of controllers, tuning messages, the latency of its effects, a late writer.
#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <thread>
#include <vector>

#include "tests/engine/stream/fake.h"

using tutti::Event;
using tutti::TuningMessage;
namespace voices = tutti::voices;

namespace {

struct Player {
    explicit Player(const tutti::Patch& patch = fake::patch()) : rig({.limiter = false}, false, &probe) {
        REQUIRE(rig.stream->set_patch(0, patch).ok());
        sender = rig.stream->make_sender().value();
        post(Event::note_on(tutti::k_asap, 0, 60, 1.0));
    }
    void post(const Event& event) {
        REQUIRE(sender.post(event));
        rig.render(9600, 64); // 20 time constants of the smoothing
    }
    void control(int number, int value) { post(Event::midi(tutti::k_asap, 0, 0xb0, number, value)); }
    float parameter(int i) const { return probe.banks.at(0).parameter(i); }
    float input(int i) const { return probe.banks.at(0).input(i); }
    float pitch(std::size_t lane = 0) const { return probe.banks.at(0).lanes.at(lane).pitch(); }

    fake::Probe probe;
    fake::Rig rig;
    tutti::Sender sender;
};

} // namespace

TEST_CASE("a patch's controllers move parameters along their knobs, between their ends, and macros") {
    tutti::Patch patch = fake::patch();
    patch.controllers = {
        {20, "tone", 100.0, 10000.0}, {21, "level", {}, {}}, {22, "macro3", 1.0, 0.0}, {1, "level", 1.0, 0.5}};
    Player p(patch);
    p.control(20, 0);
    CHECK(std::exp2(p.parameter(fake::p_tone)) == doctest::Approx(100.0).epsilon(1e-3));
    p.control(20, 127);
    CHECK(std::exp2(p.parameter(fake::p_tone)) == doctest::Approx(10000.0).epsilon(1e-3));
    p.control(20, 64); // the middle of a knob that walks octaves
    CHECK(std::exp2(p.parameter(fake::p_tone)) == doctest::Approx(100.0 * std::pow(100.0, 64.0 / 127.0)).epsilon(1e-3));
    p.control(21, 127);
    CHECK(p.parameter(fake::p_level) == doctest::Approx(2.0));
    p.control(22, 0);
    CHECK(p.input(voices::part_macro1 + 2) == doctest::Approx(1.0));
    p.control(22, 127);
    CHECK(p.input(voices::part_macro1 + 2) == doctest::Approx(0.0));
    // Beside its own meaning.
    p.control(1, 127);
    CHECK(p.input(voices::part_wheel) == doctest::Approx(1.0));
    CHECK(p.parameter(fake::p_level) == doctest::Approx(0.5));
}

TEST_CASE("a part's own map overrules the patch, and can be taken back; unmapped controllers move nothing") {
    tutti::Patch patch = fake::patch();
    patch.controllers = {{20, "level", 0.0, 1.0}};
    Player p(patch);
    p.post(Event::map_controller(tutti::k_asap, 0, 20, fake::p_tone));
    p.control(20, 127);
    CHECK(std::exp2(p.parameter(fake::p_tone)) == doctest::Approx(20000.0).epsilon(1e-3));
    CHECK(p.parameter(fake::p_level) == doctest::Approx(1.0)); // its default
    p.post(Event::map_controller(tutti::k_asap, 0, 20, tutti::k_macro_target + 7));
    p.control(20, 127);
    CHECK(p.input(voices::part_macro8) == doctest::Approx(1.0));
    p.post(Event::map_controller(tutti::k_asap, 0, 20, tutti::k_no_target));
    p.control(20, 0);
    CHECK(p.input(voices::part_macro8) == doctest::Approx(1.0));
    CHECK(p.parameter(fake::p_level) == doctest::Approx(1.0));
    p.post(Event::map_controller(tutti::k_asap, 0, 20, tutti::k_patch_target));
    p.control(20, 32);
    CHECK(p.parameter(fake::p_level) == doctest::Approx(32.0 / 127.0));
    // General-purpose controller 16 is macro 1 until it is asked to be something else.
    p.control(16, 127);
    CHECK(p.input(voices::part_macro1) == doctest::Approx(1.0));
    p.post(Event::map_controller(tutti::k_asap, 0, 16, tutti::k_no_target));
    p.control(16, 0);
    CHECK(p.input(voices::part_macro1) == doctest::Approx(1.0));
    // Out of range: nothing moves, nothing breaks.
    p.post(Event::map_controller(tutti::k_asap, 0, 20, 999));
    p.control(20, 127);
    CHECK(p.parameter(fake::p_level) == doctest::Approx(32.0 / 127.0));
}

TEST_CASE("a mapped controller that changes the patch's shape gives the same bits for any pulls") {
    std::vector<std::vector<float>> whole;
    for (const int block : {4096, 1, 77}) {
        tutti::Patch patch = fake::patch();
        patch.controllers = {{20, "wave", 0.0, 1.0}};
        fake::Rig rig({.limiter = false});
        REQUIRE(rig.stream->set_patch(0, patch, 0).ok());
        auto sender = rig.stream->make_sender().value();
        sender.post(Event::note_on(0, 0, 60, 1.0));
        sender.post(Event::midi(1003, 0, 0xb0, 20, 127));
        sender.post(Event::midi(2006, 0, 0xb0, 20, 0));
        const auto out = rig.render(4096, block);
        if (whole.empty())
            whole = out;
        else
            CHECK(out == whole);
    }
}

TEST_CASE("tuning messages: real-time ones move what sounds, dumps what comes; channels are chosen") {
    Player p;
    CHECK(p.pitch() == 60.0f);
    // Single note, real time: key 60 to 60.5.
    const std::uint8_t single[] = {0xf0, 0x7f, 0x7f, 0x08, 0x02, 0x00, 0x01, 60, 60, 0x40, 0x00, 0xf7};
    REQUIRE(p.rig.stream->tune(TuningMessage::parse(single).value()).ok());
    p.rig.render(960, 64);
    CHECK(p.pitch() == doctest::Approx(60.5));
    // Scale/octave, not real time, one byte, channel 1 only: C +20 cents; the sounding note stays.
    std::vector<std::uint8_t> octave = {0xf0, 0x7e, 0x7f, 0x08, 0x08, 0x00, 0x00, 0x01};
    for (int i = 0; i < 12; ++i)
        octave.push_back(i == 0 ? 64 + 20 : 64);
    octave.push_back(0xf7);
    REQUIRE(p.rig.stream->tune(TuningMessage::parse(octave).value()).ok());
    p.rig.render(960, 64);
    CHECK(p.pitch() == doctest::Approx(60.5));
    p.post(Event::note_on(tutti::k_asap, 0, 72, 1.0));
    CHECK(p.pitch(1) == doctest::Approx(72.2));
    // The same for channel 2: part 0 hears nothing of it.
    octave[7] = 0x02;
    octave[8] = 64 + 50;
    octave[1] = 0x7f;
    REQUIRE(p.rig.stream->tune(TuningMessage::parse(octave).value()).ok());
    p.rig.render(960, 64);
    CHECK(p.pitch() == doctest::Approx(60.5));
    CHECK(p.pitch(1) == doctest::Approx(72.2));
}

TEST_CASE("the latency of a part's effects is in what the stream reports") {
    fake::Rig rig;
    CHECK(rig.stream->latency_frames() == 0);
    tutti::Patch patch = fake::patch();
    patch.effects = {{"saturation", {}, true}};
    REQUIRE(rig.stream->set_patch(3, patch).ok());
    const int own = rig.stream->latency_frames();
    CHECK(own > 0);
    REQUIRE(rig.stream->set_effects(patch.effects).ok());
    CHECK(rig.stream->latency_frames() == 2 * own);
    REQUIRE(rig.stream->set_patch(3, fake::patch()).ok());
    CHECK(rig.stream->latency_frames() == own);
}

TEST_CASE("offline, pull waits for a clip's writer; nothing is dropped") {
    fake::Rig rig({.mode = tutti::Mode::offline, .limiter = false});
    auto clip = rig.stream->play_written(0, 1, 48000.0, 0.02, {.fade_seconds = 0.0}, 0);
    REQUIRE(clip.ok());
    std::vector<float> sound(24000);
    for (std::size_t i = 0; i < sound.size(); ++i)
        sound[i] = 0.5f * std::sin(0.05f * static_cast<float>(i));
    std::thread writer([&] {
        for (std::size_t at = 0; at < sound.size();) {
            const float* in[] = {sound.data() + at};
            at += static_cast<std::size_t>(
                clip->write(in, static_cast<int>(std::min<std::size_t>(300, sound.size() - at))));
            std::this_thread::sleep_for(std::chrono::microseconds(200));
        }
        clip->finish();
    });
    const auto out = rig.render(24000, 1000)[0];
    writer.join();
    CHECK(rig.stream->stats().dry_clips == 0);
    // The part's level (CC 7 at 100) and its place in the middle scale both alike.
    const float gain = out[100] / sound[100];
    double worst = 0.0;
    for (std::size_t i = 0; i < sound.size() - 4; ++i)
        worst = std::max(worst, std::fabs(static_cast<double>(out[i] - gain * sound[i])));
    CHECK(worst < 1e-5);
}
