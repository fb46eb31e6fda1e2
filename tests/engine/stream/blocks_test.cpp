// SPDX-License-Identifier: MIT
// The same events give the same bits, whatever the pulls, the mode, the threads.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>

#include "tests/engine/stream/song.h"

using tutti::Mode;

namespace {

constexpr int k_frames = 96000;
constexpr int k_parts = 5;

struct Way {
    Mode mode = Mode::inline_;
    int least = 512; // pulls of least..most frames
    int most = 512;
    std::uint32_t seed = 1;
    bool threads = false; // `ahead` with the real render thread; else a test's own passes
    int planted = -1;     // red control: the pull that cuts here drops a frame's worth of one event
};

std::vector<float> render(const Way& way, std::uint32_t song_seed) {
    tutti::StreamConfig config;
    config.parts = k_parts;
    config.voices = 96;
    config.mode = way.mode;
    config.soft_start = true;
    config.shed = false; // the one thing that asks how long a block took
    config.events = 16384;
    fake::Rig rig(config, !way.threads);
    fake::prepare_song(*rig.stream, k_frames);
    auto sender = rig.stream->make_sender().value();
    std::vector<tutti::Event> events = fake::song(song_seed, k_frames, k_parts, 6000);
    if (way.planted >= 0) events[static_cast<std::size_t>(way.planted)].frame += 1;
    for (const auto& event : events)
        REQUIRE(sender.post(event));
    rig.stream->set_bounce(way.threads);
    const int latency = way.mode == Mode::ahead ? rig.stream->latency_frames() : 0;
    const int total = k_frames + latency;
    std::vector<float> left(static_cast<std::size_t>(total)), right(left);
    std::mt19937 random(way.seed);
    for (int at = 0; at < total;) {
        const int frames = std::min(
            total - at, way.least + static_cast<int>(random() % static_cast<unsigned>(way.most - way.least + 1)));
        float* out[] = {left.data() + at, right.data() + at};
        if (way.mode == Mode::ahead && !way.threads && random() % 3 != 0) tutti::engine::render_once(*rig.engine);
        REQUIRE(rig.stream->pull(out, frames));
        if (way.mode == Mode::ahead && !way.threads) tutti::engine::render_once(*rig.engine);
        at += frames;
    }
    const auto stats = rig.stream->stats();
    CHECK(stats.late_events == 0);
    CHECK(stats.late_blocks == 0);
    CHECK(stats.dropped_events == 0);
    CHECK(std::all_of(left.begin(), left.begin() + latency, [](float x) { return x == 0.0f; }));
    left.erase(left.begin(), left.begin() + latency);
    left.insert(left.end(), right.begin() + latency, right.end());
    return left;
}

// First frame that differs, or -1.
int difference(const std::vector<float>& a, const std::vector<float>& b) {
    for (std::size_t i = 0; i < a.size(); ++i)
        if (std::memcmp(&a[i], &b[i], sizeof(float)) != 0) return static_cast<int>(i);
    return -1;
}

} // namespace

TEST_CASE("sums of sub-blocks equal one block, bit for bit, in every mode") {
#if defined(__SANITIZE_THREAD__)
    const std::uint32_t songs = 1; // twenty times as slow, and it looks at how threads meet alone
#else
    const std::uint32_t songs = 3;
#endif
    for (std::uint32_t seed = 1; seed <= songs; ++seed) {
        CAPTURE(seed);
        const std::vector<float> whole = render({Mode::inline_, 8192, 8192}, seed);
        CHECK(*std::max_element(whole.begin(), whole.end()) > 0.01f);
        CHECK(difference(whole, render({Mode::inline_, 1, 1}, seed)) == -1);
        CHECK(difference(whole, render({Mode::inline_, 1, 100, 5}, seed)) == -1);
        CHECK(difference(whole, render({Mode::inline_, 1, 8192, 6}, seed)) == -1);
        CHECK(difference(whole, render({Mode::inline_, 64, 64}, seed)) == -1);
        CHECK(difference(whole, render({Mode::offline, 1, 3000, 7}, seed)) == -1);
        CHECK(difference(whole, render({Mode::ahead, 1, 8192, 8}, seed)) == -1);
        CHECK(difference(whole, render({Mode::ahead, 16, 300, 9}, seed)) == -1);
        CHECK(difference(whole, render({Mode::ahead, 1, 2000, 10, true}, seed)) == -1);
    }
}

TEST_CASE("red control: one event moved by a frame is found") {
    const std::vector<float> whole = render({Mode::inline_, 512, 512}, 1);
    Way planted{Mode::inline_, 512, 512};
    int found = 0;
    for (planted.planted = 10; planted.planted < 20 && found == 0; ++planted.planted)
        found += difference(whole, render(planted, 1)) >= 0 ? 1 : 0;
    CHECK(found > 0);
}
