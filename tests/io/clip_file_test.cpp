// SPDX-License-Identifier: MIT
// Sound files as clips of a stream: WAV, FLAC and OGG, from memory and streamed by a worker.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <tutti/engine.h>

#include "io/clip_file.h"

using namespace tutti;

namespace {

constexpr std::size_t k_frames = 40000;

struct Folder {
    std::filesystem::path path;
    Folder() {
        const auto own = reinterpret_cast<std::uintptr_t>(this) ^
                         static_cast<std::uintptr_t>(std::chrono::steady_clock::now().time_since_epoch().count());
        path = std::filesystem::temp_directory_path() / ("tutti-clip-" + std::to_string(own));
        std::filesystem::create_directories(path);
    }
    ~Folder() { std::filesystem::remove_all(path); }
};

std::vector<float> tone() {
    std::vector<float> x(k_frames);
    for (std::size_t i = 0; i < k_frames; ++i)
        x[i] = 0.5f * static_cast<float>(std::sin(0.05 * static_cast<double>(i)));
    return x;
}

void write(const std::filesystem::path& path) {
    const auto x = tone();
    const float* in[] = {x.data(), x.data()};
    auto file = io::AudioFileWriter::create(path, {});
    REQUIRE(file.ok());
    REQUIRE(file->write(in, k_frames).ok());
    REQUIRE(file->close().ok());
}

std::shared_ptr<Stream> offline(Engine& engine) {
    return engine.open({.mode = Mode::offline, .limiter = false}).value();
}
std::vector<float> pull(Stream& stream) {
    std::vector<float> left(k_frames), right(k_frames);
    for (std::size_t at = 0; at < k_frames; at += 1000) {
        float* out[] = {left.data() + at, right.data() + at};
        stream.pull(out, 1000);
    }
    return left;
}
double worst(const std::vector<float>& heard) {
    const auto x = tone();
    double most = 0.0;
    for (std::size_t i = 100; i + 100 < k_frames; ++i)
        most = std::max(most, std::fabs(static_cast<double>(heard[i]) - x[i]));
    return most;
}

} // namespace

TEST_CASE("a file's sound in memory is what a stream gives out") {
    Folder folder;
    auto engine = Engine::create({.threads = 1}).value();
    for (const auto& [name, bound] : {std::pair{"a.wav", 1e-6}, {"a.flac", 1e-6}, {"a.ogg", 0.02}}) { // Vorbis is lossy
        CAPTURE(std::string(name));
        write(folder.path / name);
        const auto sound = io::load_sound(folder.path / name);
        REQUIRE_MESSAGE(sound.ok(), sound.status().message());
        auto stream = offline(*engine);
        REQUIRE(stream->play(0, *sound, {.fade_seconds = 0.0}, 0).ok());
        CHECK(worst(pull(*stream)) < bound);
    }
    CHECK(io::load_sound(folder.path / "none.wav").status().code() == Code::file_not_found);
}

TEST_CASE("a file streamed by a worker through a small ring loses nothing; a stopped worker ends") {
    Folder folder;
    write(folder.path / "a.flac");
    auto engine = Engine::create({.threads = 1}).value();
    auto stream = offline(*engine);
    auto reader = io::AudioFileReader::open(folder.path / "a.flac");
    REQUIRE(reader.ok());
    auto clip = stream->play_written(0, reader->channels(), reader->sample_rate(), 0.03, {.fade_seconds = 0.0}, 0);
    REQUIRE(clip.ok());
    std::atomic<bool> stop{false};
    Status fed;
    std::thread worker([&] { fed = io::feed_clip(*reader, *clip, stop); });
    const auto heard = pull(*stream);
    worker.join();
    CHECK(fed.ok());
    CHECK(stream->stats().dry_clips == 0);
    CHECK(worst(heard) < 1e-6);
    // Nobody pulls: the ring fills, the worker waits, and can be told to end.
    REQUIRE(reader->seek(0).ok());
    auto waiting = stream->play_written(0, reader->channels(), reader->sample_rate(), 0.03, {}, 0);
    REQUIRE(waiting.ok());
    std::thread other([&] { fed = io::feed_clip(*reader, *waiting, stop); });
    stop = true;
    other.join();
    CHECK(fed.ok());
}
