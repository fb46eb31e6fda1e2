// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/engine/stream/fake.h"

using tutti::Event;

TEST_CASE("a note sounds on its own frame and ends a computed number of frames after its release") {
    fake::Rig rig;
    REQUIRE(rig.stream->set_patch(0, fake::patch()).ok());
    auto sender = rig.stream->make_sender().value();
    REQUIRE(sender.post(Event::note_on(1000, 0, 69, 1.0)));
    REQUIRE(sender.post(Event::note_off(10007, 0, 69)));
    const auto out = rig.render(48000);
    const auto& left = out[0];
    CHECK(std::all_of(left.begin(), left.begin() + 1000, [](float x) { return x == 0.0f; }));
    CHECK(*std::max_element(left.begin(), left.end()) > 0.05f);
    // 50 ms of release, at most a tick later.
    const int end = 10007 + 2400 + 16;
    CHECK(std::all_of(left.begin() + end, left.end(), [](float x) { return x == 0.0f; }));
    CHECK(std::any_of(left.begin() + 10007 + 2300, left.begin() + end, [](float x) { return x != 0.0f; }));
    CHECK(rig.stream->stats().voices == 0);
    CHECK(rig.stream->stats().late_events == 0);
}
