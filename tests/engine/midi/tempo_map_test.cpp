// SPDX-License-Identifier: MIT
#include <random>

#include <doctest/doctest.h>

#include <tutti/tempo_map.h>

using namespace tutti;

TEST_CASE("no drift: a million tempo changes end where exact arithmetic says") {
    // Each tick has a tempo of its own; the sum of integers is the only truth.
    TempoMap map = TempoMap::with_quarter(960);
    std::mt19937 random(7);
    std::int64_t units = 0;
    for (std::int64_t tick = 0; tick < 1'000'000; ++tick) {
        const std::int64_t tempo = 200'000 + random() % 800'000;
        REQUIRE(map.add(tick, tempo));
        units += tempo;
    }
    CHECK(map.units_of(1'000'000) == units);
    // 1 ulp of 520 s is 1.2e-13.
    CHECK(map.seconds_of(1'000'000) == doctest::Approx(static_cast<double>(units) / 960e6).epsilon(1e-15));
}

TEST_CASE("frames: exact for whole rates, nearest with halves up") {
    TempoMap map = TempoMap::with_quarter(3); // a tick is 1/6 s
    CHECK(map.frame_of(1, 48000) == 8000);
    CHECK(map.frame_of(1, 44100) == 7350);
    CHECK(map.frame_of(1, 3) == 1);          // 0.5
    CHECK(map.frame_of(1, 2) == 0);          // 0.33
    CHECK(map.frame_of(1, 44100.6) == 7350); // 7350.1
    // A year in: floats would be 8 frames off, doubles are not asked.
    const std::int64_t year = std::int64_t{6} * 86400 * 365;
    CHECK(map.frame_of(year + 1, 192000) == std::int64_t{86400} * 365 * 192000 + 32000);
    CHECK(map.frame_of(-5, 48000) == 0);
}

TEST_CASE("ticks and seconds go there and back") {
    TempoMap map = TempoMap::with_quarter(480);
    REQUIRE(map.add(100, 333'333));
    REQUIRE(map.add(5000, 1));
    REQUIRE(map.add(9000, 16'777'215));
    for (std::int64_t tick : {0, 1, 99, 100, 101, 4999, 5000, 5001, 8999, 9000, 9001, 123'456'789})
        CHECK(map.tick_of(map.seconds_of(tick)) == tick);
    CHECK(map.tick_of(-1.0) == 0);
    CHECK(map.quarters_of(1200) == 2.5);
    CHECK(TempoMap::with_smpte(24, 4).tick_of(1.0) == 96);
}

TEST_CASE("what cannot be a tempo changes nothing") {
    TempoMap map = TempoMap::with_quarter(1);
    CHECK_FALSE(map.add(0, 0));
    CHECK_FALSE(map.add(0, -1));
    CHECK(map.add(0, 16'777'215));
    CHECK(map.reaches(std::int64_t{1} << 39));
    CHECK_FALSE(map.reaches(std::int64_t{1} << 40)); // 2^40 x 2^24 needs 65 bits
    CHECK_FALSE(map.add(std::int64_t{1} << 40, 500'000));
    CHECK(map.changes().size() == 1);
    CHECK(map.add(10, 500'000));
    CHECK(map.add(10, 600'000)); // of several at one tick the last one holds
    CHECK(map.changes().size() == 2);
    CHECK(map.beats_per_minute(10) == 100.0);
}
