// SPDX-License-Identifier: MIT
// The pace of `tutti play --null` and of `tutti soak --minutes`.
#include <doctest/doctest.h>

#include "cli/pacer.h"

using tutti::cli::Pacer;
using namespace std::chrono_literals;

namespace {

// Blocks of 5 ms played within the two seconds after the clock has jumped, by a driver that sleeps to each due time.
int blocks_after(std::chrono::nanoseconds jump) {
    Pacer::Clock::time_point now{24h};
    Pacer pacer(0.005, now);
    for (int i = 0; i < 100; ++i)
        now = std::max(now, pacer.next(now).due);
    now += jump;
    const auto end = now + 2s;
    int blocks = 0;
    for (; now < end && blocks < 100000; ++blocks)
        now = std::max(now, pacer.next(now).due);
    return blocks;
}

} // namespace

TEST_CASE("fault 70: a process that stood still for an hour: the driver without a device goes on at its pace, without "
          "a burst") {
    CHECK(blocks_after(0ns) == 400);
    CHECK(blocks_after(1h) <= 402);
    CHECK(blocks_after(1h) >= 398);
    CHECK(blocks_after(-1h) >= 398); // and does not wait for an hour
    CHECK(blocks_after(-1h) <= 402);
    // What was late by less is made up for.
    CHECK(blocks_after(100ms) == 420);
}

TEST_CASE("a block that comes too late is told") {
    Pacer::Clock::time_point now{1h};
    Pacer pacer(0.005, now);
    CHECK_FALSE(pacer.next(now + 4ms).late);
    CHECK(pacer.next(now + 11ms).late);
    CHECK_FALSE(pacer.next(now + 12ms).late);
}
