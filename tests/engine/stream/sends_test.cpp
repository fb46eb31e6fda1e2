// SPDX-License-Identifier: MIT
// What parts send to: the shared reverb hears the sum of what is sent, after effects and level; the same bits for any pulls,
// threads and mode; nothing sent, nothing changed.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include <tutti/engine.h>

#include "engine/effects/chain.h"

using namespace tutti;

namespace {

constexpr int k_frames = 24000;

struct Take {
    std::vector<float> side[2];
};

struct Plan {
    double room[6] = {};
    double hall = 0.0;
    int controller = -1; // 91 on every part
    int threads = 1;
    int block = 64;
    Mode mode = Mode::offline;
};

Take play(const Plan& plan) {
    auto engine = Engine::create({.threads = plan.threads}).value();
    StreamConfig config;
    config.mode = plan.mode;
    config.limiter = false;
    auto stream = engine->open(config).value();
    auto sender = stream->make_sender().value();
    for (int part = 0; part < 6; ++part) {
        Patch patch;
        patch.room_send = plan.room[part];
        patch.hall_send = plan.hall;
        patch.effects = {{"chorus", {}, true, "{}"}}; // enough chains for threads to share
        REQUIRE(stream->set_patch(part, patch, 0).ok());
        if (plan.controller >= 0) sender.post(Event::midi(0, part, 0xb0, 91, plan.controller));
        sender.post(Event::midi(0, part, 0xb0, 10, 20 * part));
        sender.post(Event::note_on(6000 + 777 * part, part, 50 + 5 * part, 0.8));
        sender.post(Event::note_off(14000 + 777 * part, part, 50 + 5 * part));
    }
    Take sound;
    for (auto& side : sound.side)
        side.resize(k_frames);
    for (int at = 0; at < k_frames; at += plan.block) {
        const int frames = std::min(plan.block, k_frames - at);
        float* out[2] = {sound.side[0].data() + at, sound.side[1].data() + at};
        REQUIRE(stream->pull(out, frames));
    }
    return sound;
}

bool equal(const Take& a, const Take& b) {
    return a.side[0] == b.side[0] && a.side[1] == b.side[1];
}

// The loudest of a - b, against the loudest of b.
double distance(const Take& a, const Take& b) {
    double most = 0.0, size = 0.0;
    for (int side = 0; side < 2; ++side)
        for (std::size_t i = 0; i < a.side[side].size(); ++i) {
            most = std::max(most, static_cast<double>(std::fabs(a.side[side][i] - b.side[side][i])));
            size = std::max(size, static_cast<double>(std::fabs(b.side[side][i])));
        }
    return most / size;
}

} // namespace

TEST_CASE("a send is a reverb of the mix's signal, added to it") {
    const Take dry = play({});
    Plan sends;
    for (double& level : sends.room)
        level = 0.5;
    Take wanted = dry;
    for (auto& side : wanted.side)
        for (float& x : side)
            x *= 0.5f;
    const PatchEffect room{"reverb", {{"decay", 1.8}, {"mix", 1.0}}, true, "{}"};
    auto chain = engine::EffectChain::create({&room, 1}, 48000.0, 2).value();
    float* io[2] = {wanted.side[0].data(), wanted.side[1].data()};
    chain->render(io, k_frames, 0);
    for (int side = 0; side < 2; ++side)
        for (std::size_t i = 0; i < wanted.side[side].size(); ++i)
            wanted.side[side][i] += dry.side[side][i];
    const Take heard = play(sends);
    CHECK(distance(heard, wanted) < 2e-5); // sums in another order, six parts of 24 bits each
    CHECK(distance(dry, wanted) > 0.02);   // the room is heard
}

TEST_CASE("controller 91 scales sends: 0 takes them away, 40 leaves them, 80 doubles them") {
    Plan plan;
    const Take dry = play(plan);
    std::fill(std::begin(plan.room), std::end(plan.room), 0.4);
    const Take plain = play(plan);
    plan.controller = 40;
    CHECK(equal(play(plan), plain));
    plan.controller = 0; // the level reaches 0 by a glide of 5 ms that ends before the first note
    CHECK(distance(play(plan), dry) < 1e-4);
    plan.controller = 80;
    const Take twice = play(plan);
    std::fill(std::begin(plan.room), std::end(plan.room), 0.8);
    plan.controller = 40;
    CHECK(distance(twice, play(plan)) < 1e-3);
}

TEST_CASE("sends and part effects: the same bits for every block, thread count and mode") {
    Plan plan;
    for (int part = 0; part < 6; ++part)
        plan.room[part] = 0.1 * part;
    plan.hall = 0.3;
    const Take all = play(plan);
    for (const int threads : {2, 4})
        for (const int block : {1, 100, 1000}) {
            plan.threads = threads;
            plan.block = block;
            CHECK(equal(play(plan), all));
        }
    plan.mode = Mode::inline_;
    CHECK(equal(play(plan), all));
}

TEST_CASE("a stream's own room takes the place of the factory's; there are two sends") {
    auto engine = Engine::create({.threads = 1}).value();
    auto stream = engine->open({}).value();
    const PatchEffect delay{"delay", {{"mix", 1.0}}, true, "{}"};
    CHECK(stream->set_send(0, {&delay, 1}).ok());
    CHECK(stream->set_send(2, {&delay, 1}).code() == Code::out_of_range);
    CHECK(stream->set_send(-1, {&delay, 1}).code() == Code::out_of_range);
    Patch patch;
    patch.room_send = 1.0;
    CHECK(stream->set_patch(0, patch, 0).ok());
    auto sender = stream->make_sender().value();
    sender.post(Event::note_on(0, 0, 60, 0.9));
    std::vector<float> left(512), right(512);
    float* out[2] = {left.data(), right.data()};
    for (int i = 0; i < 20; ++i)
        REQUIRE(stream->pull(out, 512));
    CHECK(*std::max_element(left.begin(), left.end()) > 0.0f);
}
