// SPDX-License-Identifier: MIT
// Unusual WAV files by other people, where they are at hand.
#include <doctest/doctest.h>

#include "io/audio_file.h"
#include "tests/optional_data.h"

using namespace tutti::io;

namespace {
const auto folder = tutti::test::optional_data("real/wav-odd");
}

TEST_CASE("a file that ends early gives what there is of it") {
    const auto whole = load_audio(folder / "test-44100Hz-le-1ch-4bytes.wav");
    const auto early = load_audio(folder / "test-44100Hz-le-1ch-4bytes-early-eof.wav");
    REQUIRE(whole.ok());
    REQUIRE(early.ok());
    CHECK(whole->frames() > 4000);
    REQUIRE(early->frames() > 200);
    REQUIRE(early->frames() <= 256);
    for (std::size_t i = 0; i < early->frames(); ++i)
        CHECK(early->channels[0][i] == whole->channels[0][i]);
}

TEST_CASE("three channels of 24 bits, five frames") {
    const auto odd = load_audio(folder / "test-8000Hz-le-3ch-5S-24bit.wav");
    REQUIRE(odd.ok());
    CHECK(odd->sample_rate == 8000.0);
    CHECK(odd->channels.size() == 3);
    CHECK(odd->frames() == 5);
}
