// SPDX-License-Identifier: MIT
// Sound files written and read back: values, dither, metadata, rates, no half files.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <numbers>
#include <random>
#include <string>
#include <thread>

#if defined(__unix__)
#include <csignal>

#include <sys/wait.h>
#include <unistd.h>
#endif

#include <doctest/doctest.h>

#include "io/audio_file.h"
#include "io/wav_stream.h"

using namespace tutti;
using namespace tutti::io;
namespace fs = std::filesystem;

namespace {

struct Folder {
    fs::path path = fs::temp_directory_path() / ("tutti_audio_" + std::to_string(std::random_device{}()));
    Folder() { fs::create_directories(path); }
    ~Folder() { fs::remove_all(path); }
    std::size_t files() const {
        return static_cast<std::size_t>(std::distance(fs::directory_iterator(path), fs::directory_iterator{}));
    }
};

std::vector<float> sine(double hz, double rate, std::size_t frames, double gain) {
    std::vector<float> out(frames);
    for (std::size_t i = 0; i < frames; ++i)
        out[i] = static_cast<float>(gain * std::sin(2.0 * std::numbers::pi * hz * static_cast<double>(i) / rate));
    return out;
}

// Writes one channel in blocks of `block` frames.
Status save(const fs::path& path, const std::vector<float>& samples, AudioFileConfig config, std::size_t block = 1000) {
    config.channels = 1;
    auto writer = AudioFileWriter::create(path, config);
    if (!writer) return writer.status();
    for (std::size_t at = 0; at < samples.size(); at += block) {
        const float* channel = samples.data() + at;
        if (Status status = writer->write(&channel, std::min(block, samples.size() - at)); !status) return status;
    }
    return writer->close();
}

double rms(const std::vector<float>& a, const std::vector<float>& b) {
    double sum = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i)
        sum += (static_cast<double>(a[i]) - b[i]) * (static_cast<double>(a[i]) - b[i]);
    return std::sqrt(sum / static_cast<double>(a.size()));
}

std::string bytes_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

} // namespace

TEST_CASE("what is written is read: float exactly, integers within their dither") {
    Folder folder;
    const auto samples = sine(997.0, 48000.0, 20000, 0.5);
    for (const char* name : {"a.wav", "a.flac"})
        for (SampleFormat format : {SampleFormat::int16, SampleFormat::int24, SampleFormat::float32}) {
            if (std::string(name) == "a.flac" && format == SampleFormat::float32) continue;
            REQUIRE(save(folder.path / name, samples, {.samples = format}).ok());
            const auto back = load_audio(folder.path / name);
            REQUIRE(back.ok());
            REQUIRE(back->frames() == samples.size());
            CHECK(back->sample_rate == 48000.0);
            // Rounding has a variance of 1/12 step^2, triangular dither adds 2/12: half a step r.m.s.
            const double step = format == SampleFormat::int16 ? 1.0 / 32768 : 1.0 / 8388608;
            if (format == SampleFormat::float32)
                CHECK(back->channels[0] == samples);
            else
                CHECK(rms(back->channels[0], samples) == doctest::Approx(0.5 * step).epsilon(0.03));
        }
    CHECK(folder.files() == 2); // nothing beside the two
}

TEST_CASE("lossy formats keep the sound: better than 30 dB at the highest quality") {
    Folder folder;
    const auto samples = sine(441.0, 44100.0, 44100, 0.5);
    for (const char* name : {"a.ogg", "a.mp3"}) {
        REQUIRE(save(folder.path / name, samples, {.sample_rate = 44100.0, .quality = 1.0}).ok());
        const auto back = load_audio(folder.path / name);
        REQUIRE(back.ok());
        REQUIRE(back->frames() >= 40000);
        // MP3 shifts by its encoder's delay, so compare levels over the middle, not samples.
        double sum = 0.0;
        for (std::size_t i = 10000; i < 30000; ++i)
            sum += back->channels[0][i] * back->channels[0][i];
        CHECK(std::sqrt(sum / 20000.0) == doctest::Approx(0.5 / std::numbers::sqrt2).epsilon(0.03));
    }
}

TEST_CASE("dither: white, not cut by blocks, silent in silence, and its seed is an argument") {
    Folder folder;
    const auto quiet = sine(1000.0, 48000.0, 48000, 0.4 / 32768); // below half a step: without dither nothing is left
    REQUIRE(save(folder.path / "on.wav", quiet, {.samples = SampleFormat::int16}).ok());
    REQUIRE(save(folder.path / "off.wav", quiet, {.samples = SampleFormat::int16, .dither = false}).ok());
    const auto on = load_audio(folder.path / "on.wav");
    const auto off = load_audio(folder.path / "off.wav");
    REQUIRE(on.ok());
    REQUIRE(off.ok());
    CHECK(std::all_of(off->channels[0].begin(), off->channels[0].end(), [](float x) { return x == 0.0f; }));
    double found = 0.0;
    for (std::size_t i = 0; i < quiet.size(); ++i)
        found +=
            2.0 * on->channels[0][i] * std::sin(2.0 * std::numbers::pi * 1000.0 * static_cast<double>(i) / 48000.0);
    // Noise of half a step over 48,000 frames leaves 0.003 steps of doubt on an amplitude of 0.4.
    CHECK(found / 48000.0 * 32768 == doctest::Approx(0.4).epsilon(0.04));

    REQUIRE(save(folder.path / "blocks.wav", quiet, {.samples = SampleFormat::int16}, 77).ok());
    CHECK(bytes_of(folder.path / "blocks.wav") == bytes_of(folder.path / "on.wav"));
    REQUIRE(save(folder.path / "seed.wav", quiet, {.samples = SampleFormat::int16, .seed = 2}).ok());
    CHECK(bytes_of(folder.path / "seed.wav") != bytes_of(folder.path / "on.wav"));
    REQUIRE(save(folder.path / "silence.wav", std::vector<float>(1000), {.samples = SampleFormat::int16}).ok());
    const auto silence = load_audio(folder.path / "silence.wav");
    CHECK(std::all_of(silence->channels[0].begin(), silence->channels[0].end(), [](float x) { return x == 0.0f; }));
}

TEST_CASE("a small WAV file is a plain one, with its texts") {
    Folder folder;
    const fs::path path = folder.path / "t.wav";
    REQUIRE(
        save(path, {0.25f}, {.samples = SampleFormat::int16, .title = "Ode", .artist = "Anna", .comment = "no comment"})
            .ok());
    // As the oldest programs know it: "fmt " first, 16 bytes, format 1.
    CHECK(bytes_of(path).substr(0, 4) == "RIFF");
    CHECK(bytes_of(path).substr(12, 10) == std::string("fmt \x10\0\0\0\1\0", 10));
    REQUIRE(save(folder.path / "big.wav", {0.25f}, {.expected_frames = std::int64_t{1} << 33}).ok());
    CHECK(bytes_of(folder.path / "big.wav").substr(0, 4) == "RF64");
    CHECK(load_audio(folder.path / "big.wav")->frames() == 1);
    for (const char* name : {"t.wav", "t.flac", "t.ogg", "t.mp3"}) {
        INFO(name);
        REQUIRE(save(folder.path / name, std::vector<float>(5000, 0.1f),
                     {.title = "Ode", .artist = "Anna", .comment = "no comment"})
                    .ok());
        const auto reader = AudioFileReader::open(folder.path / name);
        REQUIRE(reader.ok());
        CHECK(reader->info().title == "Ode");
        CHECK(reader->info().artist == "Anna");
        CHECK(reader->info().comment == "no comment");
    }
}

TEST_CASE("loud and broken samples are clipped, silenced and counted") {
    Folder folder;
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const float infinity = std::numeric_limits<float>::infinity();
    const std::vector<float> samples{1.5f, -2.0f, nan, -infinity, 0.5f};
    for (SampleFormat format : {SampleFormat::int16, SampleFormat::float32}) {
        auto writer =
            AudioFileWriter::create(folder.path / "c.wav", {.channels = 1, .samples = format, .dither = false});
        REQUIRE(writer.ok());
        REQUIRE(writer->write_interleaved(samples).ok());
        CHECK(writer->bad_samples() == 2);
        CHECK(writer->clipped_samples() == (format == SampleFormat::int16 ? 2 : 0));
        CHECK(writer->peak() == 2.0f);
        CHECK(writer->frames() == 5);
        REQUIRE(writer->close().ok());
        const auto back = load_audio(folder.path / "c.wav");
        if (format == SampleFormat::int16)
            CHECK(back->channels[0] == std::vector<float>{32767.0f / 32768, -1.0f, 0.0f, 0.0f, 0.5f});
        else
            CHECK(back->channels[0] == std::vector<float>{1.5f, -2.0f, 0.0f, 0.0f, 0.5f});
    }
}

TEST_CASE(
    "fault 76: interrupted in the middle of writing: no half file; the old one stays until the new one is whole") {
    Folder folder;
    const fs::path path = folder.path / "song.wav";
    REQUIRE(save(path, {0.5f}, {}).ok());
    const std::string old = bytes_of(path);
    {
        auto writer = AudioFileWriter::create(path, {.channels = 1});
        REQUIRE(writer.ok());
        REQUIRE(writer->write_interleaved(std::vector<float>(100000, 0.1f)).ok());
        CHECK(folder.files() == 2);
        CHECK(bytes_of(path) == old);
        writer->discard();
        CHECK(folder.files() == 1);
        CHECK(writer->write_interleaved(std::vector<float>(10)).code() == Code::cancelled);
        CHECK(writer->close().code() == Code::cancelled);
    }
    { auto forgotten = AudioFileWriter::create(path, {.channels = 1}); }
    CHECK(folder.files() == 1);
    auto writer = AudioFileWriter::create(path, {.channels = 1});
    remove_unfinished_files(); // what a signal handler calls
    CHECK(folder.files() == 1);
    writer->discard();
    CHECK(bytes_of(path) == old);
}

#if defined(__unix__)
TEST_CASE("fault 76: killed in the middle of writing, forty times: the last whole file is what is read") {
    Folder folder;
    const fs::path path = folder.path / "song.wav";
    REQUIRE(save(path, std::vector<float>(1000, 0.5f), {}).ok());
    for (int turn = 0; turn < 40; ++turn) {
        const pid_t process = fork();
        if (process == 0) {
            for (std::size_t length = 1001;; ++length)
                (void)save(path, std::vector<float>(length, 0.25f), {}, 16);
        }
        REQUIRE(process > 0);
        std::this_thread::sleep_for(std::chrono::microseconds(200 * turn));
        kill(process, SIGKILL);
        waitpid(process, nullptr, 0);
        const auto sound = load_audio(path);
        REQUIRE_MESSAGE(sound.ok(), sound.status().message());
        CHECK(sound->frames() >= 1000);
    }
}

TEST_CASE("fault 75: two processes on one file: what stands there in the end is one of theirs, whole") {
    Folder folder;
    const fs::path path = folder.path / "song.wav";
    pid_t writers[2];
    for (int i = 0; i < 2; ++i) {
        writers[i] = fork();
        if (writers[i] == 0) {
            bool good = true;
            for (int turn = 0; turn < 30; ++turn)
                good = save(path, std::vector<float>(1000, i == 0 ? 0.25f : 0.5f), {}, 10).ok() && good;
            _exit(good ? 0 : 1);
        }
    }
    for (const pid_t writer : writers) {
        int status = -1;
        waitpid(writer, &status, 0);
        CHECK(status == 0);
    }
    const auto sound = load_audio(path);
    REQUIRE(sound.ok());
    REQUIRE(sound->frames() == 1000);
    const float first = sound->channels[0][0];
    CHECK(std::all_of(sound->channels[0].begin(), sound->channels[0].end(),
                      [&](float x) { return std::abs(x - first) < 1e-3f; }));
    CHECK(folder.files() == 1);
}
#endif

TEST_CASE("fault 51: odd names: letters of any script, blanks, quotes and dots are names like others") {
    Folder folder;
    for (const char* name :
         {"\xd4\xb9", "\xc5\xbe luk", "\xe6\x83\x85\xe7\x86\xb1", "a 'b' \"c\"", "..wav", "-o", "%s%n", "a\nb"}) {
        CAPTURE(name);
        const fs::path path = folder.path / (std::string(name) + ".wav");
        REQUIRE(save(path, {0.5f, 0.25f}, {}).ok());
        const auto sound = load_audio(path);
        REQUIRE(sound.ok());
        CHECK(sound->frames() == 2);
    }
    CHECK(folder.files() == 8); // and nowhere else
}

TEST_CASE("a link is followed, not replaced") {
    Folder folder;
    fs::create_directories(folder.path / "b");
    REQUIRE(save(folder.path / "b" / "real.wav", {0.5f}, {}).ok());
    fs::create_symlink(folder.path / "b" / "real.wav", folder.path / "link.wav");
    REQUIRE(save(folder.path / "link.wav", {0.5f, 0.5f}, {}).ok());
    CHECK(fs::is_symlink(folder.path / "link.wav"));
    CHECK(load_audio(folder.path / "b" / "real.wav")->frames() == 2);
}

TEST_CASE("what cannot be written is said before anything is rendered") {
    Folder folder;
    const auto code = [&](const char* name, AudioFileConfig config) {
        return AudioFileWriter::create(folder.path / name, config).status().code();
    };
    CHECK(code("a.xyz", {}) == Code::unsupported);
    CHECK(code("a.wav", {.sample_rate = 44100.5}) == Code::unsupported);
    CHECK(code("a.wav", {.sample_rate = 0.0}) == Code::unsupported);
    CHECK(code("a.wav", {.channels = 65}) == Code::unsupported);
    CHECK(code("a.flac", {.samples = SampleFormat::float32}) == Code::unsupported);
    CHECK(code("a.flac", {.channels = 9}) == Code::unsupported);
    CHECK(code("a.mp3", {.sample_rate = 96000.0}) == Code::unsupported);
    CHECK(code("no/such/folder.wav", {}) == Code::file_unwritable);
    CHECK(AudioFileWriter::create(folder.path, {.format = AudioFormat::wav}).status().code() == Code::file_unwritable);
    CHECK(folder.files() == 0);
}

TEST_CASE("fault 74: a full disk: told, once and for all") {
    if (!fs::exists("/dev/full")) return;
    auto writer = AudioFileWriter::create("/dev/full", {.channels = 1});
    // Written in place; the C library may keep the first blocks, so the fault may come late, but it must come.
    Status status = writer.ok() ? Status{} : writer.status();
    if (writer.ok()) {
        status = writer->write_interleaved(std::vector<float>(100000, 0.1f));
        CHECK(writer->write_interleaved(std::vector<float>(100000, 0.1f)).code() == Code::file_unwritable);
        CHECK(writer->close().code() == Code::file_unwritable);
    }
    CHECK(status.code() == Code::file_unwritable);
    CHECK(fs::exists("/dev/full"));
}

TEST_CASE("resampling: length, level and nothing above the new band") {
    Folder folder;
    REQUIRE(save(folder.path / "r.wav", sine(1000.0, 44100.0, 44100, 0.5),
                 {.sample_rate = 44100.0, .samples = SampleFormat::float32})
                .ok());
    const auto up = load_audio(folder.path / "r.wav", 48000.0);
    REQUIRE(up.ok());
    CHECK(up->frames() == 48000);
    auto expected = sine(1000.0, 48000.0, 48000, 0.5);
    // Away from the edges, where the sine begins out of nothing. soxr's very-high quality is below -120 dB.
    std::vector<float> got(up->channels[0].begin() + 2000, up->channels[0].end() - 2000);
    expected = {expected.begin() + 2000, expected.end() - 2000};
    CHECK(20.0 * std::log10(rms(got, expected)) < -120.0);
    const auto down = load_audio(folder.path / "r.wav", 1500.0); // its band ends below the tone
    REQUIRE(down.ok());
    CHECK(down->frames() == 1500);
    CHECK(std::fabs(down->channels[0][750]) < 1e-5f);
}

TEST_CASE("seek: the same samples as reading through, with and without resampling") {
    Folder folder;
    std::vector<float> noise(200000);
    std::mt19937 random(3);
    for (float& sample : noise)
        sample = static_cast<float>(random() % 20001) / 10000.0f - 1.0f;
    REQUIRE(save(folder.path / "n.wav", noise, {.sample_rate = 44100.0, .samples = SampleFormat::float32}).ok());
    for (double rate : {0.0, 48000.0}) {
        const auto whole = load_audio(folder.path / "n.wav", rate);
        auto reader = AudioFileReader::open(folder.path / "n.wav", rate);
        REQUIRE(reader.ok());
        for (std::int64_t frame : {150001, 7, 0, 99999}) {
            REQUIRE(reader->seek(frame).ok());
            std::vector<float> out(1000);
            float* place = out.data();
            REQUIRE(*reader->read(&place, out.size()) == out.size());
            const auto from = whole->channels[0].begin() + frame;
            CHECK(rms(out, std::vector<float>(from, from + 1000)) < 1e-6);
        }
        CHECK(reader->seek(-1).code() == Code::out_of_range);
        CHECK(reader->seek(reader->frames() + 1).code() == Code::out_of_range);
    }
    CHECK(load_audio(folder.path / "n.wav", 0.0, 1000).status().code() == Code::too_large);
}

TEST_CASE("a stream's WAV reads back though its header says no length") {
    Folder folder;
    for (SampleFormat format : {SampleFormat::int16, SampleFormat::int24, SampleFormat::float32}) {
        const fs::path path = folder.path / "s.wav";
        std::FILE* file = std::fopen(path.string().c_str(), "wb");
        REQUIRE(file);
        WavStream stream(file, 48000, 2, format);
        const std::int32_t full = format == SampleFormat::int16 ? 32767 : 8388607;
        const std::vector<std::int32_t> integers{1, -1, full, -full - 1};
        const std::vector<float> floats{0.25f, -0.25f, 1.0f, -1.0f};
        REQUIRE(stream.write_header());
        REQUIRE((format == SampleFormat::float32 ? stream.write(floats) : stream.write(integers)));
        REQUIRE(stream.flush());
        std::fclose(file);
        const auto back = load_audio(path);
        REQUIRE(back.ok());
        REQUIRE(back->channels.size() == 2);
        REQUIRE(back->frames() == 2);
        const float step = format == SampleFormat::float32 ? 0.25f : 1.0f / static_cast<float>(full + 1);
        CHECK(back->channels[0][0] == step);
        CHECK(back->channels[1][0] == -step);
        CHECK(back->channels[1][1] == -1.0f);
    }
}
