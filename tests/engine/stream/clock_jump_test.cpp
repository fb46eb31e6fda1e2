// SPDX-License-Identifier: MIT
// A clock that jumps: suspend, a debugger's stop, a virtual machine that was moved.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/stream/forecast.h"
#include "tests/engine/stream/fake.h"

using namespace tutti;
using engine::PullForecast;
using engine::PullMark;

namespace {

constexpr std::int64_t k_hour_ns = 3600LL * 1'000'000'000;
constexpr std::int64_t k_period_ns = 1'333'333;

std::int64_t g_now = 1;
std::int64_t fake_clock() noexcept {
    return g_now;
}

// Sleeps of a render thread over `pulls` pulls of 64 frames, the clock having jumped by `jump` in the middle.
struct Sleeps {
    double shortest = 1e18, longest = -1e18, after = 0.0;
};
Sleeps sleeps(std::int64_t jump) {
    PullForecast forecast;
    Sleeps found;
    std::int64_t now = 2 * k_hour_ns;
    PullMark mark;
    for (int pull = 0; pull < 200; ++pull) {
        now += k_period_ns;
        mark = {64 * (pull + 1), now, 64};
        if (pull == 100) now += jump; // after the pull, before the thread looks
        const double sleep =
            forecast.wake_ns({static_cast<double>(now), mark, 48000.0, 4 * k_period_ns * 1.0, 100e3, false}) -
            static_cast<double>(now);
        found.shortest = std::min(found.shortest, sleep);
        found.longest = std::max(found.longest, sleep);
        if (pull > 110) found.after = std::max(found.after, sleep);
    }
    return found;
}

} // namespace

TEST_CASE("fault 70: a clock that jumps by an hour: the render thread never sleeps longer than 5 ms or into the past") {
    for (const std::int64_t jump : {std::int64_t{0}, k_hour_ns, -k_hour_ns}) {
        CAPTURE(jump);
        const Sleeps found = sleeps(jump);
        CHECK(found.shortest >= 0.0);
        CHECK(found.longest <= PullForecast::k_longest_sleep_ns);
        // Some pulls later it follows them again, as it does without a jump.
        CHECK(found.after == doctest::Approx(sleeps(0).after).epsilon(0.01));
    }
}

TEST_CASE(
    "fault 70: a clock that jumps while a stream plays: no burst of sound, no event in the future, no late block") {
    for (const std::int64_t jump : {k_hour_ns, -k_hour_ns}) {
        CAPTURE(jump);
        g_now = 2 * k_hour_ns;
        fake::Probe probe;
        engine::Hooks hooks = fake::hooks(true, &probe);
        hooks.clock = fake_clock;
        auto engine = engine::create_engine({}, hooks).value();
        StreamConfig config;
        config.mode = Mode::ahead;
        config.max_frames = 64;
        auto stream = engine->open(config).value();
        Patch patch = fake::patch();
        patch.parameters["sustain"] = 1.0;
        REQUIRE(stream->set_patch(0, patch, 0).ok());
        auto sender = stream->make_sender().value();
        REQUIRE(sender.post(Event::note_on(0, 0, 69, 1.0)));
        std::vector<float> left(64), right(64);
        float* out[] = {left.data(), right.data()};
        for (int i = 0; i < 400; ++i) {
            g_now += k_period_ns;
            stream->pull(out, 64);
            engine::render_once(*engine);
            if (i == 200) {
                g_now += jump;
                // A note that is played now falls into the next pull, not an hour away.
                CHECK(stream->now() >= 64 * 201);
                CHECK(stream->now() <= 64 * 202);
            }
        }
        const StreamStats stats = stream->stats();
        CHECK(stats.frames == 64 * 400);
        CHECK(stats.late_blocks == 0);
        CHECK(stats.late_events == 0);
        CHECK(stats.shed_voices == 0);
        CHECK(*std::max_element(left.begin(), left.end()) > 0.01f);
    }
}
