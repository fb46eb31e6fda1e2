// SPDX-License-Identifier: MIT
// Engine::stats(): what all streams did, in one sum, while streams come and go.
#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "tests/engine/stream/fake.h"

using namespace tutti;

TEST_CASE("the engine's account: open and closed streams in one sum, loads, memory") {
    auto engine = engine::create_engine({}, fake::hooks(true)).value();
    CHECK(engine->stats().streams == 0);
    StreamConfig config;
    config.events = 16;
    auto first = engine->open(config).value();
    config.mode = Mode::ahead;
    config.max_frames = 64;
    config.look_ahead_blocks = 6;
    auto second = engine->open(config).value();
    auto sender = first->make_sender().value();
    for (int i = 0; i < 20; ++i)
        (void)sender.post(Event::note_on(0, 0, 60, 1.0));
    REQUIRE(first->set_patch(0, fake::patch(), 0).ok());
    std::vector<float> left(64), right(64);
    float* out[] = {left.data(), right.data()};
    for (int i = 0; i < 100; ++i) {
        first->pull(out, 64);
        second->pull(out, 64);
    }
    second->pull(out, 65);
    EngineStats stats = engine->stats();
    CHECK(stats.streams == 2);
    CHECK(stats.voices == first->stats().voices);
    CHECK(stats.voices > 0);
    CHECK(stats.dropped_events == 4);
    CHECK(stats.refused_pulls == 1);
    CHECK(stats.underruns == second->stats().late_blocks);
    CHECK(stats.underruns == 100 - 7); // nobody rendered: L is 7 blocks
    CHECK(stats.look_ahead_blocks == 6);
    CHECK(stats.audio_load.count == 200);
    CHECK(stats.load.count == 100);
    CHECK(stats.load.p50 > 0.0);
    CHECK(stats.load.p50 <= stats.load.p99);
    CHECK(stats.load.p999 <= stats.load.max);
    CHECK(std::string(stats.backend) == "fake");
#if defined(__linux__)
    CHECK(stats.memory_bytes > 1'000'000);
#endif
    first.reset();
    second.reset();
    const EngineStats after = engine->stats();
    CHECK(after.streams == 0);
    CHECK(after.voices == 0);
    CHECK(after.underruns == stats.underruns);
    CHECK(after.dropped_events == 4);
    CHECK(after.audio_load.count == 200);
    CHECK(after.load.max == stats.load.max);
}

TEST_CASE("snapshots while streams come and go: sums never fall") {
    auto engine = engine::create_engine({}, fake::hooks()).value();
    std::atomic<bool> stop{false};
    std::atomic<int> fallen{0}, looks{0};
    std::vector<std::thread> readers;
    for (int t = 0; t < 2; ++t)
        readers.emplace_back([&] {
            std::int64_t last = 0;
            while (!stop.load()) {
                const EngineStats stats = engine->stats();
                fallen += stats.audio_load.count < last;
                last = stats.audio_load.count;
                ++looks;
            }
        });
    std::vector<float> left(64), right(64);
    float* out[] = {left.data(), right.data()};
    for (int round = 0; round < 300 || looks.load() < 100; ++round) {
        auto stream = engine->open({.max_frames = 64, .parts = 1}).value();
        for (int i = 0; i < 20; ++i)
            stream->pull(out, 64);
    }
    stop = true;
    for (std::thread& reader : readers)
        reader.join();
    CHECK(fallen.load() == 0);
    CHECK(engine->stats().audio_load.count % 20 == 0);
}
