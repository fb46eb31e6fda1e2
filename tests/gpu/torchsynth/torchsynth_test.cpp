// SPDX-License-Identifier: MIT
// torchsynth_voice against torchsynth 1.0.2's own Voice in float64: 64 random voices of 4 s at 44.1 kHz, by excerpts that
// reference.py wrote (tests/data/torchsynth/voices.txt); and every instruction set gives the same bits.
#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "engine/cpu/isa.h"
#include "gpu/batch/voice_batch.h"
#include "voices/torchsynth_voice.h"

using namespace tutti;
namespace ts = voices::torchsynth_voice;

namespace {

constexpr int k_frames = 176400;

struct Reference {
    int voices = 0, windows = 0, length = 0;
    std::vector<int> starts;
    std::vector<float> values;   // [voice][78]
    std::vector<double> level;   // [voice]: RMS of the whole sound
    std::vector<double> excerpt; // [voice][window][length]
};

Reference read() {
    std::ifstream file(TUTTI_SOURCE_DIR "/tests/data/torchsynth/voices.txt");
    Reference r;
    std::string comment;
    std::getline(file, comment);
    file >> r.voices >> r.windows >> r.length;
    REQUIRE(r.voices == 64);
    r.starts.resize(static_cast<std::size_t>(r.windows));
    for (int& start : r.starts)
        file >> start;
    for (int v = 0; v < r.voices; ++v) {
        for (int p = 0; p < ts::k_parameters; ++p)
            file >> r.values.emplace_back();
        file >> r.level.emplace_back();
        for (int i = 0; i < r.windows * r.length; ++i) {
            double millionths = 0.0;
            file >> millionths;
            r.excerpt.push_back(millionths * 1e-6);
        }
    }
    REQUIRE(file.good());
    return r;
}

std::vector<float> render(const Reference& r, int voices, const char* isa, std::uint32_t seed = 1) {
    std::vector<gpu::BatchVoice> all(static_cast<std::size_t>(voices));
    for (int v = 0; v < voices; ++v)
        all[static_cast<std::size_t>(v)] = {69.0f, 1.0f, seed + static_cast<std::uint32_t>(v),
                                            r.values.data() + v * ts::k_parameters};
    auto batch = gpu::VoiceBatch::make(ts::k_type, voices, 44100.0, 2, isa);
    REQUIRE(batch.ok());
    std::vector<float> out(static_cast<std::size_t>(voices) * k_frames);
    (*batch)->render(all.data(), k_frames, out.data(), k_frames);
    return out;
}

// dB of the excerpts' error below the voice's level; a voice below -60 dBFS is held to -120 dBFS.
double distance(const Reference& r, const std::vector<float>& sound, int voice) {
    double sum = 0.0;
    for (int w = 0; w < r.windows; ++w)
        for (int i = 0; i < r.length; ++i) {
            const auto at = static_cast<std::size_t>(voice) * k_frames +
                            static_cast<std::size_t>(r.starts[static_cast<std::size_t>(w)] + i);
            const double error = static_cast<double>(sound[at]) -
                                 r.excerpt[static_cast<std::size_t>((voice * r.windows + w) * r.length + i)];
            sum += error * error;
        }
    const double rms = std::sqrt(sum / (r.windows * r.length));
    return 20.0 * std::log10(rms / std::max(r.level[static_cast<std::size_t>(voice)], 1e-3) + 1e-12);
}

} // namespace

TEST_CASE("64 random voices are torchsynth's to -60 dB from the first frame to the last") {
    const Reference r = read();
    const auto sound = render(r, r.voices, "");
    double worst = -200.0;
    for (int v = 0; v < r.voices; ++v) {
        CAPTURE(v);
        const double db = distance(r, sound, v);
        worst = std::max(worst, db);
        CHECK(db < -60.0);
    }
    MESSAGE("worst " << worst << " dB");
}

TEST_CASE("a planted hundredth of a cent is found") {
    Reference r = read();
    for (int v = 0; v < r.voices; ++v)
        r.values[static_cast<std::size_t>(v * ts::k_parameters + ts::p_midi_f0)] += 1e-4f;
    const auto sound = render(r, r.voices, "");
    int found = 0;
    for (int v = 0; v < r.voices; ++v)
        found += distance(r, sound, v) > -60.0 ? 1 : 0;
    CHECK(found > 16);
}

TEST_CASE("every instruction set with a fused multiply-add gives the same bits as the reference") {
    const Reference r = read();
    const auto scalar = render(r, 16, "scalar");
    for (const char* isa : {"avx2", "avx512"}) {
        if (!engine::isa_supported(isa == std::string("avx2") ? engine::Isa::avx2 : engine::Isa::avx512)) continue;
        CAPTURE(isa);
        CHECK(render(r, 16, isa) == scalar);
    }
}

TEST_CASE("a batch is refused for a type whose lanes share their parameters") {
    voices::VoiceType other = ts::k_type;
    other.id = "other";
    CHECK_FALSE(gpu::VoiceBatch::make(other, 16, 44100.0, 1).ok());
    CHECK_FALSE(gpu::VoiceBatch::make(ts::k_type, 16, 44100.0, 1, "abacus").ok());
}
