// SPDX-License-Identifier: MIT
// Files that lie about themselves, by hand.
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

#include <doctest/doctest.h>

#include "io/audio_file.h"

using namespace tutti;
using namespace tutti::io;

namespace {

struct Wav {
    std::string bytes;
    Wav& word(std::uint32_t value, int count) {
        for (int i = 0; i < count; ++i)
            bytes += static_cast<char>(value >> 8 * i & 0xff);
        return *this;
    }
    Wav& text(const char* text) {
        bytes += text;
        return *this;
    }
    // format 1: integers, 3: float
    static Wav make(int format, int channels, std::uint32_t rate, int bits, std::uint32_t data_size,
                    const std::string& data, std::uint32_t riff_size = 36) {
        Wav wav;
        const auto frame = static_cast<std::uint32_t>(channels * bits / 8);
        wav.text("RIFF").word(riff_size, 4).text("WAVEfmt ").word(16, 4);
        wav.word(static_cast<std::uint32_t>(format), 2).word(static_cast<std::uint32_t>(channels), 2).word(rate, 4);
        wav.word(rate * frame, 4).word(frame, 2).word(static_cast<std::uint32_t>(bits), 2);
        wav.text("data").word(data_size, 4);
        wav.bytes += data;
        return wav;
    }
    std::span<const std::byte> span() const { return std::as_bytes(std::span(bytes.data(), bytes.size())); }
};

// All frames, or -1 and the status in `why`.
long count(const Wav& wav, Status* why = nullptr) {
    auto reader = AudioFileReader::open_memory(wav.span());
    if (!reader) {
        if (why) *why = reader.status();
        return -1;
    }
    std::vector<std::vector<float>> room(static_cast<std::size_t>(reader->channels()), std::vector<float>(100));
    std::vector<float*> out;
    for (auto& channel : room)
        out.push_back(channel.data());
    long frames = 0;
    for (;;) {
        const auto got = reader->read(out.data(), 100);
        REQUIRE(got.ok());
        if (*got == 0) return frames;
        frames += static_cast<long>(*got);
        REQUIRE(frames < 1'000'000); // more than any of these files holds
    }
}

} // namespace

TEST_CASE("fault 48: sizes that lie: reading ends where the data end") {
    const std::string ten(20, '\1');
    CHECK(count(Wav::make(1, 1, 8000, 16, 20, ten)) == 10);
    CHECK(count(Wav::make(1, 1, 8000, 16, 0xffffffff, ten)) == 10); // a stream
    CHECK(count(Wav::make(1, 1, 8000, 16, 2'000'000'000, ten, 2'000'000'036)) == 10);
    CHECK(count(Wav::make(1, 1, 8000, 16, 19, ten)) == 9); // not a whole frame
    CHECK(count(Wav::make(1, 3, 8000, 16, 20, ten)) == 3);
    CHECK(count(Wav::make(1, 1, 8000, 16, 0, "")) == 0);
}

TEST_CASE("headers that mean nothing are refused with a sentence") {
    const std::string data(64, '\1');
    Status why;
    CHECK(count(Wav::make(1, 0, 8000, 16, 64, data), &why) == -1);
    CHECK(why.code() == Code::malformed);
    CHECK(count(Wav::make(1, 1, 0, 16, 64, data), &why) == -1);
    CHECK(count(Wav::make(99, 1, 8000, 16, 64, data), &why) == -1);
    CHECK(count(Wav::make(1, 65, 8000, 8, 65, std::string(65, '\1')), &why) == -1);
    CHECK(why.code() == Code::unsupported);
    CHECK(count(Wav{}.text("RIFF"), &why) == -1);
    CHECK(count(Wav{}.text("this is a letter, not a sound"), &why) == -1);
    CHECK(count(Wav{}, &why) == -1);
    CHECK_FALSE(why.what().empty());
    CHECK_FALSE(why.remedy().empty());
    CHECK(AudioFileReader::open("/no/such/file.wav").status().code() == Code::file_not_found);
    CHECK(AudioFileReader::open(std::filesystem::temp_directory_path()).status().code() == Code::file_unreadable);
}

TEST_CASE("fault 48: samples that are no numbers: they become silence and are counted") {
    float samples[] = {0.5f, std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity(), -0.5f};
    std::string data(sizeof samples, '\0');
    std::memcpy(data.data(), samples, sizeof samples);
    const auto wav = Wav::make(3, 2, 48000, 32, 16, data);
    auto reader = AudioFileReader::open_memory(wav.span());
    REQUIRE(reader.ok());
    float left[2];
    float right[2];
    float* out[] = {left, right};
    REQUIRE(*reader->read(out, 2) == 2);
    CHECK(left[0] == 0.5f);
    CHECK(right[0] == 0.0f);
    CHECK(left[1] == 0.0f);
    CHECK(right[1] == -0.5f);
    CHECK(reader->bad_samples() == 2);
}
