// SPDX-License-Identifier: MIT
// BF16 and INT8 weights against FP32 on real speech and altered versions of it: at least 1,000 words, of which at most 2 % may
// differ, and 10 % in one recording. The control: the words of other recordings are refused.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <models/whisper/gate.h>

using namespace tutti::models;
namespace fs = std::filesystem;

namespace {

const fs::path k_model = fs::path(TUTTI_SOURCE_DIR) / "../shared/whisper-tiny.en";
const fs::path k_speech = fs::path(TUTTI_SOURCE_DIR) / "../shared/real/speech";

// 16-bit mono PCM of a plain WAV file, at 16 kHz: others are resampled by a windowed sinc of 32 lobes.
std::vector<float> read_wav(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), {});
    std::vector<float> samples;
    const auto data = bytes.find("data");
    if (data == std::string::npos || bytes.size() < 44) return samples;
    std::uint32_t rate = 0;
    std::memcpy(&rate, bytes.data() + 24, 4);
    for (std::size_t at = data + 8; at + 1 < bytes.size(); at += 2)
        samples.push_back(static_cast<float>(static_cast<std::int16_t>(
                              static_cast<unsigned char>(bytes[at]) | static_cast<unsigned char>(bytes[at + 1]) << 8)) /
                          32768.0f);
    if (rate == 16000) return samples;
    const double step = rate / 16000.0, cut = 1.0 / std::max(1.0, step);
    std::vector<float> out(static_cast<std::size_t>(static_cast<double>(samples.size()) / step));
    for (std::size_t i = 0; i < out.size(); ++i) {
        const double at = static_cast<double>(i) * step;
        double sum = 0.0;
        for (auto j = static_cast<std::int64_t>(at) - 32; j <= static_cast<std::int64_t>(at) + 32; ++j) {
            if (j < 0 || j >= static_cast<std::int64_t>(samples.size())) continue;
            const double t = at - static_cast<double>(j), x = 3.141592653589793 * t * cut;
            const double window = std::abs(t) < 32.0 ? 0.5 + 0.5 * std::cos(3.141592653589793 * t / 32.0) : 0.0;
            sum += static_cast<double>(samples[static_cast<std::size_t>(j)]) * cut * window *
                   (std::abs(x) < 1e-9 ? 1.0 : std::sin(x) / x);
        }
        out[i] = static_cast<float>(sum);
    }
    return out;
}

} // namespace

TEST_CASE("distances between word lists") {
    CHECK(words_of(" And so, my  fellow Americans!") ==
          std::vector<std::string>{"and", "so", "my", "fellow", "americans"});
    CHECK(word_distance({"a", "b", "c"}, {"a", "c"}) == 1);
    CHECK(word_distance({}, {"a", "c"}) == 2);
    CHECK(word_distance({"a", "b"}, {"b", "a"}) == 2);
}

TEST_CASE("narrow weights hear what FP32 hears") {
    if (!fs::exists(k_model / "model.safetensors") || !fs::exists(k_speech / "jfk.wav")) {
        std::puts("SKIP: no tiny.en checkpoint and recordings beside this checkout");
        std::exit(77);
    }
    std::vector<std::vector<float>> recordings;
    unsigned seed = 1;
    for (const char* name : {"jfk.wav", "sense_and_sensibility_01_austen_64kb-0870.wav", "LJ001-0007.wav"}) {
        const auto samples = read_wav(k_speech / name);
        REQUIRE(samples.size() > 16000);
        for (auto& version : altered_versions(samples, seed++))
            recordings.push_back(std::move(version));
    }
    const auto texts = [&](Compute compute) {
        const auto transcriber = Transcriber::open(k_model, 2, {}, compute);
        REQUIRE_MESSAGE(transcriber.ok(), transcriber.status().message());
        return hear(*transcriber, recordings).value();
    };
    const auto fp32 = texts(Compute::fp32);
    for (const Compute compute : {Compute::bf16, Compute::int8}) {
        const auto narrow = texts(compute);
        const GateReport report = compare_texts(fp32, narrow);
        const std::string line = std::string(compute == Compute::bf16 ? "bf16: " : "int8: ") +
                                 std::to_string(report.changed) + " of " + std::to_string(report.words) +
                                 " words differ in " + std::to_string(report.recordings) + " recordings; worst " +
                                 std::to_string(report.worst);
        MESSAGE(line);
        if (report.worst > 0)
            MESSAGE(fp32[static_cast<std::size_t>(report.worst_recording)], " | ",
                    narrow[static_cast<std::size_t>(report.worst_recording)]);
        CHECK(report.words >= 1000);
        CHECK(report.passed());
    }
    // INT8 again, from what the first load left in the cache.
    const fs::path cache = fs::temp_directory_path() / "tutti-gate-cache";
    fs::remove_all(cache);
    std::vector<std::string> heard[2];
    for (auto& texts_of_one : heard) {
        const auto transcriber = Transcriber::open(k_model, 2, {}, Compute::int8, cache);
        REQUIRE_MESSAGE(transcriber.ok(), transcriber.status().message());
        texts_of_one = hear(*transcriber, std::span(recordings).first(3)).value();
        CHECK(std::distance(fs::directory_iterator(cache), fs::directory_iterator()) == 1);
    }
    CHECK(heard[0] == heard[1]);
    fs::remove_all(cache);
    auto shifted = fp32; // the control
    std::rotate(shifted.begin(), shifted.begin() + 20, shifted.end());
    CHECK_FALSE(compare_texts(fp32, shifted).passed());
}
