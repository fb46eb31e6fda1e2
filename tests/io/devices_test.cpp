// SPDX-License-Identifier: MIT
// Without any device: lists are empty, opening says one sentence, nothing is written to standard error. Names and clocks.
#include <cmath>
#include <cstdlib>
#include <random>

#include <doctest/doctest.h>

#include "io/audio_device.h"
#include "io/midi_clock.h"
#include "io/midi_port.h"
#include "io/name_match.h"

#if !defined(_WIN32)
#include <unistd.h>
#endif

using namespace tutti;
using namespace tutti::io;

namespace {

void nothing(void*, float* const*, int) noexcept {}

#if !defined(_WIN32)
// No ALSA configuration, no JACK server of this name: a machine without sound, whatever this one has.
const bool k_no_sound = [] {
    setenv("ALSA_CONFIG_PATH", "/dev/null", 1);
    setenv("JACK_DEFAULT_SERVER", "tutti-no-such-server", 1);
    return true;
}();
#endif

void tick(MidiClock& clock, double seconds) {
    const std::uint8_t byte[] = {0xf8};
    clock.receive(byte, seconds);
}

} // namespace

#if !defined(_WIN32)
TEST_CASE("fault 63: no device at all: a sentence, and silence on standard error") {
    REQUIRE(k_no_sound);
    std::FILE* kept = std::tmpfile();
    REQUIRE(kept);
    const int before = dup(STDERR_FILENO);
    dup2(fileno(kept), STDERR_FILENO);
    const auto devices = list_output_devices(true);
    const auto output = AudioOutput::open({}, nothing, nullptr);
    const auto inputs = list_midi_inputs();
    const auto input = MidiInput::open("piano", [](auto, auto) {});
    const auto midi_output = MidiOutput::open("synth");
    int changes = 0;
    MidiInputs all(
        "", [](auto, auto) {}, [&](const std::string&, bool) { ++changes; });
    all.poll();
    std::fflush(stderr);
    dup2(before, STDERR_FILENO);
    close(before);
    std::fseek(kept, 0, SEEK_END);
    CHECK(std::ftell(kept) == 0);
    std::fclose(kept);

    CHECK(devices.empty());
    REQUIRE_FALSE(output.ok());
    CHECK(output.status().code() == Code::no_device);
    CHECK(output.status().message().find('\n') == std::string::npos);
    if (inputs.empty()) {
        CHECK(input.status().code() == Code::no_device);
        CHECK(changes == 0);
        CHECK(all.names().empty());
    }
    CHECK_FALSE(input.ok());
    CHECK_FALSE(midi_output.ok());
}
#endif

TEST_CASE("what a user calls a device") {
    const std::vector<NamedItem> items{{0, "Built-in Output"}, {3, "USB Piano"}, {4, "USB Piano 2"}, {7, "3"}};
    CHECK(*match_name("USB Piano", items, "device") == 3); // the whole name wins over a part
    CHECK(*match_name("built", items, "device") == 0);
    CHECK(*match_name("4", items, "device") == 4);
    CHECK(*match_name("piano 2", items, "device") == 4);
    CHECK(match_name("usb", items, "device").status().code() == Code::invalid_argument);
    CHECK(match_name("usb", items, "device").status().remedy().find("4 \"USB Piano 2\"") != std::string::npos);
    CHECK(match_name("drum", items, "device").status().code() == Code::not_found);
    CHECK(match_name("99999999999", items, "device").status().code() == Code::not_found);
    CHECK(match_name("", items, "device").status().code() == Code::not_found);
    CHECK(match_name("x", {}, "device").status().remedy().find("there is none") != std::string::npos);
}

TEST_CASE("MIDI clock: the tempo through a millisecond of jitter, a new tempo, position, stop") {
    MidiClock clock;
    CHECK(clock.beats_per_minute() == 0.0);
    std::mt19937 random(1);
    const auto jitter = [&] { return (static_cast<double>(random() % 2001) - 1000.0) * 1e-6; };
    const std::uint8_t start[] = {0xfa};
    CHECK(clock.receive(start, 0.0));
    CHECK(clock.running());
    double time = 0.0;
    for (int i = 0; i <= 24 * 16; ++i, time += 60.0 / 120.0 / 24.0)
        tick(clock, time + jitter());
    // A bandwidth of 2 % of the tick rate leaves about 3 % of the jitter's share in the period: 1 ms of 21 ms, so 0.5 %.
    CHECK(clock.beats_per_minute() == doctest::Approx(120.0).epsilon(0.005));
    CHECK(clock.quarters_at(time - 60.0 / 120.0 / 24.0) == doctest::Approx(16.0).epsilon(0.003));
    for (int i = 0; i < 24 * 4; ++i, time += 60.0 / 90.0 / 24.0)
        tick(clock, time + jitter());
    CHECK(clock.beats_per_minute() == doctest::Approx(90.0).epsilon(0.01));
    const std::uint8_t stop[] = {0xfc};
    const std::uint8_t position[] = {0xf2, 8, 0}; // two quarters
    const std::uint8_t go_on[] = {0xfb};
    clock.receive(stop, time);
    CHECK_FALSE(clock.running());
    const double held = clock.quarters_at(time);
    CHECK(clock.quarters_at(time + 10.0) == held);
    clock.receive(position, time);
    clock.receive(go_on, time);
    tick(clock, time);
    CHECK(clock.quarters_at(time) == doctest::Approx(2.0).epsilon(0.03));
    // A pause is no tempo.
    for (int i = 0; i < 96; ++i)
        tick(clock, time + 20.0 + i * 60.0 / 200.0 / 24.0);
    CHECK(clock.beats_per_minute() == doctest::Approx(200.0).epsilon(0.002));
    const std::uint8_t note[] = {0x90, 60, 100};
    CHECK_FALSE(clock.receive(note, time));
    CHECK_FALSE(clock.receive({}, time));
}
