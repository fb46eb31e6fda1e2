// SPDX-License-Identifier: MIT
// Real callbacks, a real loss of the device and real MIDI ports, on a JACK server without hardware. Skipped without jackd.
#include <atomic>
#include <chrono>
#include <csignal>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "io/audio_device.h"
#include "io/midi_port.h"
#include "tests/io/jack_server.h"

using namespace tutti;
using namespace tutti::io;
using namespace tutti::test;
using namespace std::chrono_literals;

namespace {

const bool k_ready = !JackPlace::get().name().empty();

struct Counter {
    std::atomic<std::int64_t> blocks{0};
    std::atomic<int> largest{0};
    static void fill(void* self, float* const* out, int frames) noexcept {
        auto& counter = *static_cast<Counter*>(self);
        for (int i = 0; i < frames; ++i)
            out[0][i] = out[1][i] = 0.0f;
        if (frames > counter.largest.load()) counter.largest.store(frames);
        ++counter.blocks;
    }
};

// The JACK server's device, or none.
std::vector<AudioDevice> jack_devices(bool probe_rates = false) {
    auto devices = list_output_devices(probe_rates);
    std::erase_if(devices, [](const auto& device) { return device.api.find("JACK") == std::string::npos; });
    return devices;
}
bool jack_listed() {
    return !jack_devices().empty();
}
std::string jack_number() {
    return std::to_string(jack_devices().at(0).number);
}

} // namespace

TEST_CASE("play at the server's rate, on one server after another") {
    REQUIRE(k_ready);
    for (const char* rate : {"44100", "48000"}) {
        Counter counter;
        JackServer jack(rate);
        REQUIRE(jack.there());
        REQUIRE(soon(jack_listed));
        const auto devices = jack_devices(true);
        REQUIRE(devices.size() == 1);
        const std::string number = jack_number();
        CHECK(devices[0].default_rate == std::stod(rate));
        CHECK(devices[0].rates == std::vector<double>{std::stod(rate)});
        CHECK(AudioOutput::open({.device = "no such"}, Counter::fill, &counter).status().code() == Code::not_found);
        CHECK(AudioOutput::open({.device = number, .sample_rate = 22050.0}, Counter::fill, &counter).status().code() ==
              Code::unsupported);
        CHECK(AudioOutput::open({.device = number, .channels = 60}, Counter::fill, &counter).status().code() ==
              Code::unsupported);

        auto output = AudioOutput::open({.device = number, .most_frames = 100}, Counter::fill, &counter);
        REQUIRE_MESSAGE(output.ok(), output.status().message());
        CHECK(output->sample_rate() == std::stod(rate));
        REQUIRE(output->start().ok());
        CHECK(soon([&] { return counter.blocks > 100; }));
        CHECK(counter.largest == 100); // 128 came as 100 and 28
        CHECK(output->check().ok());
        CHECK(output->callbacks() > 0);
        CHECK(output->frames() >= 128);
        CHECK(output->stop().ok());
        const std::int64_t stopped = counter.blocks;
        std::this_thread::sleep_for(50ms);
        CHECK(counter.blocks == stopped);
    }
}

TEST_CASE("fault 64: a MIDI port that vanishes: told, and so is its return; a message arrives with its time") {
    JackServer jack("48000");
    REQUIRE(soon(jack_listed));
    if (!has_virtual_midi()) {
        MESSAGE("SKIP: no MIDI system with ports of our own");
        return;
    }
    std::mutex mutex;
    std::vector<std::vector<std::uint8_t>> got;
    auto keyboard = MidiOutput::open_virtual("keys");
    REQUIRE_MESSAGE(keyboard.ok(), keyboard.status().message());
    std::vector<std::string> changes;
    MidiInputs inputs(
        "keys",
        [&](std::span<const std::uint8_t> message, std::chrono::steady_clock::time_point time) {
            const std::lock_guard lock(mutex);
            if (time <= std::chrono::steady_clock::now()) got.emplace_back(message.begin(), message.end());
        },
        [&](const std::string& name, bool appeared) { changes.push_back((appeared ? "+" : "-") + name); });
    REQUIRE(soon([&] {
        inputs.poll();
        return inputs.names().size() == 1;
    }));
    REQUIRE(changes.size() == 1);
    CHECK(changes[0][0] == '+');
    const std::uint8_t note[] = {0x90, 60, 100};
    CHECK(soon([&] {
        (void)keyboard->send(note);
        const std::lock_guard lock(mutex);
        return !got.empty();
    }));
    {
        const std::lock_guard lock(mutex);
        CHECK(got.front() == std::vector<std::uint8_t>{0x90, 60, 100});
    }
    { auto gone = std::move(*keyboard); }
    CHECK(soon([&] {
        inputs.poll();
        return inputs.names().empty();
    }));
    CHECK(changes.back()[0] == '-');
}

TEST_CASE("fault 61: a device that vanishes: told, and given up without waiting") {
    Counter counter;
    JackServer jack("48000");
    REQUIRE(soon(jack_listed));
    Status lost;
    {
        auto output = AudioOutput::open({.device = jack_number()}, Counter::fill, &counter);
        REQUIRE_MESSAGE(output.ok(), output.status().message());
        REQUIRE(output->start().ok());
        CHECK(soon([&] { return counter.blocks > 100; }));
        jack.end(SIGKILL);
        CHECK(soon([&] {
            lost = output->check();
            return !lost.ok();
        }));
        CHECK(output->stop().code() == Code::device_failed);
    }
    CHECK(lost.code() == Code::device_failed);
    const std::int64_t before = counter.blocks;
    std::this_thread::sleep_for(50ms);
    CHECK(counter.blocks == before);
    CHECK(jack_devices().empty());
}

TEST_CASE("fault 61: a server that dies again and again: one process opens each that comes after it") {
    for (int round = 0; round < 6; ++round) {
        CAPTURE(round);
        Counter counter;
        JackServer jack(round % 2 == 0 ? "48000" : "44100");
        REQUIRE(soon(jack_listed));
        auto output = AudioOutput::open({.device = jack_number()}, Counter::fill, &counter);
        REQUIRE_MESSAGE(output.ok(), output.status().message());
        CHECK(output->sample_rate() == (round % 2 == 0 ? 48000.0 : 44100.0));
        CHECK(output->latency_seconds() >= 0.0);
        REQUIRE(output->start().ok());
        CHECK(output->latency_seconds() > 0.0);
        CHECK(soon([&] { return counter.blocks > 50; }));
        jack.end(round % 3 == 0 ? SIGTERM : SIGKILL);
        CHECK(soon([&] { return !output->check().ok(); }));
        // Without a server there is none to list, and nothing hangs.
        { const auto gone = std::move(*output); }
        CHECK(jack_devices().empty());
    }
}

TEST_CASE(
    "a server that stands still is given up without waiting, and nothing is opened in its place until it is closed") {
    Counter counter;
    JackServer jack("48000");
    REQUIRE(soon(jack_listed));
    {
        auto output = AudioOutput::open({.device = jack_number()}, Counter::fill, &counter);
        REQUIRE_MESSAGE(output.ok(), output.status().message());
        REQUIRE(output->start().ok());
        CHECK(soon([&] { return counter.blocks > 50; }));
        jack.pause();
        CHECK(soon([&] { return !output->check().ok(); }));
    }
    jack.go_on();
    CHECK(soon(jack_listed));
}
