// SPDX-License-Identifier: MIT
// Real callbacks, a real loss of the device and real MIDI ports, on a JACK server without hardware. Skipped without jackd.
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "io/audio_device.h"
#include "io/midi_port.h"

extern char** environ;

using namespace tutti;
using namespace tutti::io;
using namespace std::chrono_literals;

namespace {

const std::string k_server = "tutti-test-" + std::to_string(getpid());

class Jack {
public:
    explicit Jack(const char* rate) {
        const std::string name = "-n" + k_server;
        const char* words[] = {"jackd", name.c_str(), "-r", "-d", "dummy", "-r", rate, "-p", "128", nullptr};
        posix_spawn_file_actions_t files;
        posix_spawn_file_actions_init(&files);
        posix_spawn_file_actions_addopen(&files, 1, "/dev/null", 1, 0);
        posix_spawn_file_actions_adddup2(&files, 1, 2);
        if (posix_spawnp(&m_process, "jackd", &files, nullptr, const_cast<char**>(words), environ) != 0) m_process = -1;
        posix_spawn_file_actions_destroy(&files);
    }
    ~Jack() { end(SIGTERM); }
    void end(int signal) {
        if (m_process <= 0) return;
        kill(m_process, signal);
        waitpid(m_process, nullptr, 0);
        m_process = -1;
    }
    bool there() const { return m_process > 0; }

private:
    pid_t m_process = -1;
};

// Generous: a busy machine may take its time, a broken one never gets there.
template <class Condition>
bool soon(Condition condition, std::chrono::seconds limit = 20s) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (std::chrono::steady_clock::now() < end) {
        if (condition()) return true;
        std::this_thread::sleep_for(20ms);
    }
    return condition();
}

const bool k_ready = [] {
    if (std::system("command -v jackd >/dev/null 2>&1") != 0) {
        std::puts("SKIP: jackd is not installed");
        std::fflush(stdout);
        std::exit(77);
    }
    setenv("JACK_DEFAULT_SERVER", k_server.c_str(), 1);
    // Nothing of this machine's own sound: ALSA has a device that plays to nowhere.
    const auto conf = std::filesystem::temp_directory_path() / (k_server + ".conf");
    std::ofstream(conf) << "defaults.pcm.card 0\npcm.!default { type null }\nctl.!default { type null }\n";
    setenv("ALSA_CONFIG_PATH", conf.c_str(), 1);
    return true;
}();

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
        Jack jack(rate);
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

TEST_CASE("MIDI: a message arrives with its time; ports come and go") {
    Jack jack("48000");
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

// Last: PortAudio keeps waiting for the dead server for as long as this process lives.
TEST_CASE("a device that is lost is told, and given up without waiting") {
    Counter counter;
    Jack jack("48000");
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
}
