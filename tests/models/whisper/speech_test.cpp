// SPDX-License-Identifier: MIT
// Real weights, real speech: OpenAI's tiny.en on recordings, against the ids that the reference implementation gives.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <models/checkpoint/json_file.h>
#include <models/mel/mel.h>
#include <models/whisper/transcribe.h>

using namespace tutti::models;
namespace fs = std::filesystem;

namespace {

const fs::path k_model = fs::path(TUTTI_SOURCE_DIR) / "../shared/whisper-tiny.en";
const fs::path k_speech = fs::path(TUTTI_SOURCE_DIR) / "../shared/real/speech";

// 16-bit mono PCM of a plain WAV file.
std::vector<float> read_wav(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), {});
    std::vector<float> samples;
    const auto data = bytes.find("data");
    if (data == std::string::npos) return samples;
    for (std::size_t at = data + 8; at + 1 < bytes.size(); at += 2)
        samples.push_back(static_cast<float>(static_cast<std::int16_t>(
                              static_cast<unsigned char>(bytes[at]) | static_cast<unsigned char>(bytes[at + 1]) << 8)) /
                          32768.0f);
    return samples;
}

} // namespace

TEST_CASE("tiny.en hears what the reference hears") {
    if (!fs::exists(k_model / "model.safetensors") || !fs::exists(k_speech / "reference.json")) {
        std::puts("SKIP: no tiny.en checkpoint and recordings beside this checkout");
        std::exit(77);
    }
    const auto transcriber = Transcriber::open(k_model);
    REQUIRE_MESSAGE(transcriber.ok(), transcriber.status().message());
    const auto reference = read_json_file(k_speech / "reference.json");
    REQUIRE(reference.ok());
    int compared = 0;
    for (const auto& [name, wanted] : reference->items()) {
        if (wanted["rate"] != 16000) continue; // others need a resampler, which changes samples by 1e-4
        CAPTURE(name);
        const auto samples = read_wav(k_speech / name);
        REQUIRE(samples.size() == wanted["samples"].get<std::size_t>());
        const auto features = whisper_features(80, samples, MelExtent::window);
        REQUIRE(features.ok());
        for (bool timestamps : {false, true}) {
            GenerateOptions options;
            options.timestamps = timestamps;
            const auto result = generate(transcriber->model(), transcriber->generation(), {*features}, options);
            REQUIRE_MESSAGE(result.ok(), result.status().message());
            // The first pass: what one window's search gives.
            auto ids = result->passes[0].generated[0];
            if (!ids.empty() && ids.back() == transcriber->generation().eos) ids.pop_back();
            CHECK(ids == wanted[timestamps ? "ids_timestamps" : "ids"].get<std::vector<TokenId>>());
            CHECK(transcriber->tokenizer().decode(ids, {true, timestamps, false}) ==
                  wanted[timestamps ? "text_timestamps" : "text"].get<std::string>());
        }
        ++compared;
    }
    CHECK(compared == 2);
}
