// SPDX-License-Identifier: MIT
// A machine that gives no privileges, and how what two threads write lies in its cache.
#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

#include <tutti/engine.h>

#include "engine/stream/clock.h"
#include "engine/stream/queue.h"
#include "engine/stream/ring.h"

using namespace tutti;

TEST_CASE("fault 10: no privilege for real-time priority: the sound goes on, and one line says so") {
    // From here on this process is an ordinary user's without any right of its own.
    const rlimit none{0, 0};
    REQUIRE(setrlimit(RLIMIT_RTPRIO, &none) == 0);
    if (geteuid() == 0) REQUIRE(setresuid(65534, 65534, 65534) == 0);
    auto engine = Engine::create({.threads = 1}).value();
    auto stream = engine->open({.mode = Mode::ahead, .max_frames = 256, .look_ahead_blocks = 64}).value();
    REQUIRE(stream->set_patch(0, Patch::factory("warm-pad").value(), 0).ok());
    auto sender = stream->make_sender().value();
    REQUIRE(sender.post(Event::note_on(0, 0, 60, 0.9)));
    std::vector<float> left(256), right(256);
    float* out[] = {left.data(), right.data()};
    int sounding = 0;
    stream->set_bounce(true); // waits for the render thread: how busy the machine is does not matter
    for (int i = 0; i < 200; ++i) {
        REQUIRE(stream->pull(out, 256));
        for (const float x : left)
            sounding += x != 0.0f;
    }
    CHECK(sounding > 10000);
    const EngineStats stats = engine->stats();
    CHECK_FALSE(stats.real_time);
    const std::string line = stats.fallback;
    CAPTURE(line);
    CHECK_FALSE(line.empty());
    CHECK(line.find('\n') == std::string::npos);
}

TEST_CASE("fault 11: false sharing of cache lines: what two threads write lies on lines of its own") {
    // Two indices, each on its line, behind what neither writes.
    static_assert(alignof(engine::BlockRing<>) == 64 && sizeof(engine::BlockRing<>) >= 3 * 64);
    static_assert(alignof(engine::EventQueue) >= 64);
    static_assert(alignof(engine::PullClock) == 64 && sizeof(engine::PullClock) == 64);
    CHECK(alignof(engine::BlockRing<>) == 64);
}
