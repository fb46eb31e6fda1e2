// SPDX-License-Identifier: MIT
// What a JACK server does to a program that plays: other block sizes at any time, its end, its return at another rate.
#include <atomic>
#include <chrono>
#include <csignal>
#include <string>
#include <vector>

#include <spawn.h>

#include <doctest/doctest.h>

#include <tutti/engine.h>

#include "io/audio_device.h"
#include "tests/io/jack_server.h"

extern char** environ;

using namespace tutti;
using namespace tutti::io;
using namespace tutti::test;

namespace {

const bool k_ready = !JackPlace::get().name().empty();

// A stream of `ahead` on the device: real callbacks, a real render thread.
struct Player {
    static constexpr int k_most = 256;
    std::unique_ptr<Engine> engine;
    std::shared_ptr<Stream> stream;
    std::atomic<std::int64_t> blocks{0}, frames{0}, sounding{0};
    std::atomic<int> largest{0}, last{0};

    void open(double rate) {
        engine = Engine::create({.threads = 1}).value();
        stream = engine->open({.sample_rate = rate, .mode = Mode::ahead, .max_frames = k_most, .look_ahead_blocks = 32})
                     .value();
        REQUIRE(stream->set_patch(0, Patch::factory("warm-pad").value(), 0).ok());
        auto sender = stream->make_sender().value();
        REQUIRE(sender.post(Event::note_on(0, 0, 57, 0.9)));
    }
    static void fill(void* self, float* const* out, int count) noexcept {
        auto& player = *static_cast<Player*>(self);
        (void)player.stream->pull(out, count);
        for (int i = 0; i < count; ++i)
            player.sounding += out[0][i] != 0.0f;
        player.frames += count;
        if (count > player.largest) player.largest = count;
        player.last = count;
        ++player.blocks;
    }
};

std::string jack_number() {
    for (const AudioDevice& device : list_output_devices(false))
        if (device.api.find("JACK") != std::string::npos) return std::to_string(device.number);
    return {};
}

bool set_size(int frames) {
    return std::system(("jack_bufsize " + std::to_string(frames) + " >/dev/null 2>&1").c_str()) == 0;
}

// This program again, as a process of its own that takes one part; its exit code.
pid_t begin(const char* part) {
    setenv("TUTTI_TEST_PART", part, 1);
    setenv("TUTTI_TEST_PLACE", JackPlace::get().name().c_str(), 1);
    const char* words[] = {"test_io_jack_live", "--test-case=a process that takes one part", nullptr};
    pid_t process = -1;
    if (posix_spawn(&process, "/proc/self/exe", nullptr, nullptr, const_cast<char**>(words), environ) != 0)
        process = -1;
    unsetenv("TUTTI_TEST_PART");
    return process;
}
int end_of(pid_t process) {
    int status = -1;
    waitpid(process, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

} // namespace

TEST_CASE("fault 62: a block size that changes while sound is played: from 16 to 1,024 frames, the sound goes on") {
    REQUIRE(k_ready);
    if (std::getenv("TUTTI_TEST_PART") != nullptr) return;
    JackServer jack("48000", "64");
    REQUIRE(soon([] { return !jack_number().empty(); }));
    Player player;
    auto output = AudioOutput::open({.device = jack_number(), .most_frames = Player::k_most}, Player::fill, &player);
    REQUIRE_MESSAGE(output.ok(), output.status().message());
    player.open(output->sample_rate());
    REQUIRE(output->start().ok());
    for (const int size : {64, 1024, 16, 333, 128}) {
        CAPTURE(size);
        REQUIRE(set_size(size));
        const std::int64_t before = player.frames, heard = player.sounding;
        CHECK(soon([&] { return player.frames > before + 24000; }));
        CHECK(player.sounding > heard);
        CHECK(player.largest <= Player::k_most);
        CHECK(output->check().ok());
    }
    CHECK(player.stream->stats().refused_pulls == 0);
    CHECK(output->stop().ok());
}

TEST_CASE(
    "fault 61: a server that ends and comes back at another rate: told within its time, played again at that rate") {
    if (std::getenv("TUTTI_TEST_PART") != nullptr) return;
    for (const int signal : {SIGTERM, SIGKILL}) {
        CAPTURE(signal);
        const pid_t plays = [&] {
            JackServer jack("48000");
            const pid_t process = begin("until lost");
            REQUIRE(process > 0);
            const std::filesystem::path mark = "/dev/shm/tutti-plays";
            CHECK(soon([&] { return std::filesystem::exists(mark); }));
            std::filesystem::remove(mark);
            jack.end(signal);
            return process;
        }();
        CHECK(end_of(plays) == 0);
        JackServer jack("44100");
        CHECK(end_of(begin("at 44100")) == 0);
    }
}

TEST_CASE("a process that takes one part") {
    const char* const part = std::getenv("TUTTI_TEST_PART");
    if (part == nullptr) return;
    REQUIRE(soon([] { return !jack_number().empty(); }));
    Player player;
    Status lost;
    {
        auto output =
            AudioOutput::open({.device = jack_number(), .most_frames = Player::k_most}, Player::fill, &player);
        REQUIRE_MESSAGE(output.ok(), output.status().message());
        player.open(output->sample_rate());
        REQUIRE(output->start().ok());
        REQUIRE(soon([&] { return player.sounding > 24000; }));
        if (std::string(part) == "at 44100") {
            CHECK(output->sample_rate() == 44100.0);
            CHECK(output->stop().ok());
            return;
        }
        CHECK(output->sample_rate() == 48000.0);
        std::ofstream("/dev/shm/tutti-plays") << "1";
        CHECK(soon([&] {
            lost = output->check();
            return !lost.ok();
        }));
    }
    CHECK(lost.code() == Code::device_failed);
}
