// SPDX-License-Identifier: MIT
// A stream on which nothing comes rests: it takes its banks and its mix from the step before. The same bits as one that is kept
// awake, through everything that may end a rest; and what follows the mix runs beside the next block on several threads.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include <tutti/engine.h>

using namespace tutti;

namespace {

constexpr int k_frames = 60000;

struct Plan {
    int channels = 2;
    double gain_db = 0.0;
    bool late = false;    // one part's effects have latency: the others wait for it
    bool effects = false; // on the stream, from the middle of a pull on
    bool room = false;    // parts send
    bool soft = false;    // soft start
    int awake = 0;        // an event that changes nothing each so many frames, 0: none
    int threads = 1;
    int block = 256;
    Mode mode = Mode::offline;
};

std::vector<float> play(const Plan& plan) {
    auto engine = Engine::create({.threads = plan.threads}).value();
    StreamConfig config;
    config.mode = plan.mode;
    config.channels = plan.channels;
    config.soft_start = plan.soft;
    auto stream = engine->open(config).value();
    auto sender = stream->make_sender().value();
    Patch patch;
    patch.parameters = {{"env1_attack", 0.001}, {"env1_decay", 0.05}, {"env1_release", 0.02}};
    patch.gain_db = plan.gain_db;
    patch.room_send = plan.room ? 0.4 : 0.0;
    for (int part = 0; part < 5; ++part) {
        if (plan.late && part == 2) patch.effects = {{"saturation", {}, true, "{}"}};
        REQUIRE(stream->set_patch(part, patch, 0).ok());
        patch.effects.clear();
    }
    // Held, then more, then moved, then let go; long rests between.
    for (int part = 0; part < 5; ++part)
        REQUIRE(sender.post(Event::note_on(100 + 50 * part, part, 48 + 7 * part, 0.8)));
    REQUIRE(sender.post(Event::note_on(9000, 1, 70, 0.8)));
    REQUIRE(sender.post(Event::midi(15000, 0, 0xb0, 7, 60)));
    REQUIRE(sender.post(Event::set_tempo(20010, 90.0)));
    if (plan.effects) {
        const PatchEffect own[] = {{"delay", {{"mix", 0.5}}, true, "{}"}, {"chorus", {}, true, "{}"}};
        REQUIRE(stream->set_effects(own, 12345).ok());
        REQUIRE(sender.post(Event::set_effect(27777, k_every_part, 0, 0, 0.3)));
    }
    REQUIRE(stream->set_patch(4, patch, 31000).ok()); // the old one fades while the rest goes on
    for (int part = 0; part < 4; ++part)
        REQUIRE(sender.post(Event::note_off(40000 + 640 * part, part, 48 + 7 * part)));
    REQUIRE(sender.post(Event::note_on(50000, 3, 40, 0.9)));
    for (int frame = 7; plan.awake > 0 && frame < k_frames; frame += plan.awake)
        REQUIRE(sender.post(Event::midi(frame, 9, 0xb0, 100, 1))); // a part without a patch
    const auto channels = static_cast<std::size_t>(plan.channels);
    std::vector<float> sound(channels * k_frames);
    for (int at = 0; at < k_frames; at += plan.block) {
        float* out[8];
        for (std::size_t c = 0; c < channels; ++c)
            out[c] = sound.data() + c * k_frames + at;
        REQUIRE(stream->pull(out, std::min(plan.block, k_frames - at)));
    }
    CHECK(stream->stats().dropped_events == 0);
    return sound;
}

bool same(const std::vector<float>& a, const std::vector<float>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

} // namespace

TEST_CASE("a resting stream gives the bits of one that is kept awake") {
    for (const int channels : {1, 2, 3})
        for (const double gain : {0.0, 24.0}) // far below the limiter; far above
            for (const int what : {0, 1, 2, 4, 8, 15}) {
                Plan plan;
                plan.channels = channels;
                plan.gain_db = gain;
                plan.late = (what & 1) != 0;
                plan.effects = (what & 2) != 0;
                plan.room = (what & 4) != 0;
                plan.soft = (what & 8) != 0;
                CAPTURE(channels);
                CAPTURE(gain);
                CAPTURE(what);
                const std::vector<float> rested = play(plan);
                CHECK(std::any_of(rested.begin(), rested.end(), [](float x) { return x != 0.0f; }));
                plan.awake = 48;
                CHECK(same(play(plan), rested));
            }
}

TEST_CASE(
    "what follows the mix runs beside the next block: the same bits for any threads and pulls, with events between") {
    for (const int what : {0, 1, 2, 7}) {
        Plan plan;
        plan.gain_db = 12.0;
        plan.late = (what & 1) != 0;
        plan.effects = (what & 2) != 0;
        plan.room = (what & 4) != 0;
        CAPTURE(what);
        const std::vector<float> alone = play(plan);
        for (const int threads : {2, 3})
            for (const int block : {50, 1024}) {
                plan.threads = threads;
                plan.block = block;
                CHECK(same(play(plan), alone));
            }
        plan.threads = 1;
        plan.mode = Mode::inline_;
        CHECK(same(play(plan), alone));
    }
}
