// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <cmath>
#include <complex>
#include <cstring>
#include <numbers>

#include <models/mel/mel.h>

using namespace tutti::models;

namespace {

std::vector<float> noise(std::size_t samples, unsigned seed) {
    std::vector<float> x(samples);
    for (float& y : x) {
        seed = seed * 1664525u + 1013904223u;
        y = static_cast<float>(static_cast<std::int32_t>(seed)) * 0x1p-33f;
    }
    return x;
}

std::vector<float> rows_of(const MelConfig& config, const std::vector<float>& x, int threads = 1) {
    std::vector<float> given(static_cast<std::size_t>(mel_frame_count(config, static_cast<std::int64_t>(x.size()))) *
                             static_cast<std::size_t>(config.mels));
    REQUIRE(mel_rows_into(config, x, given, threads).ok());
    auto rows = mel_rows(config, x, threads);
    REQUIRE((rows.ok() && *rows == given));
    REQUIRE_MESSAGE(rows.ok(), rows.status().message());
    return std::move(rows).value();
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
    return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

// The definition, in double precision.
std::vector<double> defined(const MelConfig& c, const std::vector<float>& x, std::int64_t frame) {
    const auto filters =
        tutti::dsp::mel_filters(c.sample_rate, c.n_fft, c.mels, c.fmin, c.fmax > 0 ? c.fmax : c.sample_rate / 2);
    std::vector<double> mel(static_cast<std::size_t>(c.mels));
    const auto length = static_cast<std::int64_t>(x.size());
    for (int bin = 0; bin <= c.n_fft / 2; ++bin) {
        std::complex<double> sum = 0;
        for (int n = 0; n < c.n_fft; ++n) {
            std::int64_t i = frame * c.hop + n - (c.padding == MelPadding::none ? 0 : c.n_fft / 2);
            if (c.padding == MelPadding::reflect) {
                if (i < 0) i = -i;
                if (i >= length) i = 2 * (length - 1) - i;
            }
            if (i < 0 || i >= length) continue;
            const double w = 0.5 - 0.5 * std::cos(2 * std::numbers::pi * n / c.n_fft);
            sum += w * x[static_cast<std::size_t>(i)] *
                   std::polar(1.0, -2 * std::numbers::pi * ((static_cast<std::int64_t>(bin) * n) % c.n_fft) / c.n_fft);
        }
        for (int m = 0; m < c.mels; ++m)
            mel[static_cast<std::size_t>(m)] += std::norm(sum) * filters[static_cast<std::size_t>(bin * c.mels + m)];
    }
    return mel;
}

} // namespace

TEST_CASE("every size of transform agrees with the definition in double precision") {
    struct Row {
        int n_fft, hop, mels;
        MelPadding padding;
    };
    // halves: 200 = 8 5 5, 1024 = 8 8 8 2, 12 = 4 3, 14 = 7 2, 26 = 13 2, 3, 2
    for (const Row& row :
         {Row{400, 160, 80, MelPadding::reflect}, Row{2048, 512, 128, MelPadding::zeros},
          Row{24, 7, 4, MelPadding::reflect}, Row{28, 28, 3, MelPadding::none}, Row{52, 100, 5, MelPadding::zeros},
          Row{6, 1, 2, MelPadding::zeros}, Row{4, 3, 1, MelPadding::reflect}}) {
        CAPTURE(row.n_fft);
        MelConfig config;
        config.n_fft = row.n_fft;
        config.hop = row.hop;
        config.mels = row.mels;
        config.padding = row.padding;
        config.output = tutti::dsp::MelOutput::power;
        const auto x = noise(5000, 3);
        const auto rows = rows_of(config, x);
        const std::int64_t frames = mel_frame_count(config, 5000);
        REQUIRE(static_cast<std::int64_t>(rows.size()) == frames * row.mels);
        double worst = 0, largest = 0;
        for (std::int64_t frame : {std::int64_t{0}, std::int64_t{1}, frames / 2, frames - 2, frames - 1}) {
            const auto wanted = defined(config, x, frame);
            for (std::size_t m = 0; m < wanted.size(); ++m) {
                largest = std::max(largest, wanted[m]);
                worst =
                    std::max(worst, std::abs(wanted[m] - rows[static_cast<std::size_t>(frame) * wanted.size() + m]));
            }
        }
        CHECK(worst <= 1e-6 * largest); // FP32: about log2(n) roundings of 6e-8, squared
    }
}

TEST_CASE("the logarithm is right over the whole range") {
    // One frame of silence, one of a loud tone: the floor is exact, a known power comes out as its logarithm.
    const MelConfig config = MelConfig::whisper(80);
    const auto silence = rows_of(config, std::vector<float>(1600, 0.0f));
    for (float x : silence)
        CHECK(x == doctest::Approx(-10.0).epsilon(1e-7));
    MelConfig power = config;
    power.output = tutti::dsp::MelOutput::power;
    double worst = 0;
    for (int exponent = -5; exponent <= 5; ++exponent) {
        auto x = noise(4000, 9);
        for (float& y : x)
            y *= std::pow(10.0f, static_cast<float>(exponent));
        const auto logs = rows_of(config, x);
        const auto powers = rows_of(power, x);
        for (std::size_t i = 0; i < logs.size(); ++i)
            worst = std::max(worst, std::abs(std::log10(std::max(1e-10, static_cast<double>(powers[i]))) - logs[i]));
    }
    CHECK(worst < 1e-6); // half a unit in the last place of numbers up to 16 is 5e-7
}

TEST_CASE("features are the same bits however the input is cut, and over two threads") {
    for (MelPadding padding : {MelPadding::reflect, MelPadding::zeros, MelPadding::none}) {
        MelConfig config = MelConfig::whisper(80);
        config.padding = padding;
        for (std::size_t length : {1u, 150u, 201u, 399u, 400u, 16000u, 33333u}) {
            CAPTURE(length);
            const auto x = noise(length, 5);
            const auto whole = rows_of(config, x);
            CHECK(same_bits(whole, rows_of(config, x, 2)));
            for (std::size_t cut : {1u, 7u, 159u, 160u, 1024u, 16000u}) {
                if (length / cut > 5000) continue;
                auto stream = MelStream::create(config);
                REQUIRE(stream.ok());
                std::vector<float> rows;
                for (std::size_t at = 0; at < length; at += cut)
                    stream->push(std::span(x).subspan(at, std::min(cut, length - at)), rows);
                stream->finish(rows);
                CHECK(same_bits(whole, rows));
            }
        }
    }
}

TEST_CASE("every instruction set gives these bits") {
    const auto rows = rows_of(MelConfig::whisper(128), noise(48000, 11));
    std::uint64_t hash = 1469598103934665603u; // FNV-1a
    for (float x : rows) {
        std::uint32_t bits;
        std::memcpy(&bits, &x, 4);
        for (int i = 0; i < 4; ++i)
            hash = (hash ^ ((bits >> (8 * i)) & 0xff)) * 1099511628211u;
    }
    MESSAGE(std::string(mel_kernel_name()) << " " << hash);
    CHECK(hash == 11322336711540247610u); // recorded with SSE2, AVX2 and AVX-512 on Debian 12
}

TEST_CASE("odd sizes are refused with a sentence") {
    for (auto change :
         {+[](MelConfig& c) { c.n_fft = 401; }, +[](MelConfig& c) { c.hop = 0; }, +[](MelConfig& c) { c.mels = 0; },
          +[](MelConfig& c) { c.fmin = 9000; }, +[](MelConfig& c) { c.sample_rate = NAN; }}) {
        MelConfig config;
        change(config);
        CHECK_FALSE(MelStream::create(config).ok());
        CHECK_FALSE(mel_rows(config, {}).ok());
        CHECK_FALSE(mel_rows_into(config, {}, {}).ok());
    }
}

TEST_CASE("a feature window of silence is its floor everywhere, and a short item is padded") {
    auto features = whisper_features(80, std::vector<float>(1000, 0.0f), MelExtent::window);
    REQUIRE(features.ok());
    CHECK(features->size() == 3000u * 80u);
    for (float x : *features)
        CHECK(x == -1.5f);
    CHECK(whisper_features(80, noise(1600, 1), MelExtent::item)->size() == 10u * 80u);
    CHECK(whisper_features(80, noise(1600, 1), MelExtent::openai)->size() == 3010u * 80u);
    CHECK(whisper_features(80, {}, MelExtent::item)->empty());
}
