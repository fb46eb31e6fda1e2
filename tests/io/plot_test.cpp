// SPDX-License-Identifier: MIT
// The picture's numbers are right: levels, places, times; and it does not depend on how the sound is cut or how long it is.
#include <cmath>
#include <filesystem>
#include <fstream>
#include <numbers>
#include <random>

#include <doctest/doctest.h>

#include "io/colour_map.h"
#include "io/plot.h"
#include "io/plot_columns.h"

using namespace tutti;
using namespace tutti::io;
namespace fs = std::filesystem;

namespace {

float sine(double hz, double rate, std::int64_t frame) {
    return static_cast<float>(std::sin(2.0 * std::numbers::pi * hz / rate * static_cast<double>(frame)));
}

// The loudest row over the whole of a sound, and its level.
std::pair<double, float> loudest(const PlotColumns& columns, double begin, double end) {
    std::vector<float> db;
    columns.levels(begin, end, db);
    int best = 0;
    for (int row = 1; row < static_cast<int>(db.size()); ++row)
        if (db[static_cast<std::size_t>(row)] > db[static_cast<std::size_t>(best)]) best = row;
    return {columns.spectrum().row_hz(best), db[static_cast<std::size_t>(best)]};
}

std::string bytes_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

} // namespace

TEST_CASE("a full-scale sine reads 0 dBFS in its own row, at every rate and frequency") {
    for (double rate : {8000.0, 44100.0, 48000.0, 192000.0})
        for (double hz : {55.0, 130.0, 440.0, 997.0, 3000.0, 9000.0, 15000.0}) {
            if (hz > rate * 0.45) continue;
            PlotColumns columns(rate, 2, 20.0, std::min(20000.0, rate / 2.0), 500);
            std::vector<float> left(static_cast<std::size_t>(rate));
            for (std::size_t i = 0; i < left.size(); ++i)
                left[i] = sine(hz, rate, static_cast<std::int64_t>(i));
            const float* channels[] = {left.data(), left.data()};
            columns.add(channels, left.size());
            columns.finish();
            const auto [where, level] = loudest(columns, rate * 0.45, rate * 0.55);
            INFO(rate << " " << hz);
            // A Blackman-Harris window is 0.83 dB low half-way between bins; the parabola makes up for all but 0.05 dB of it,
            // and rows in the bass are read at three places, at most a sixth of a bin off.
            CHECK(std::fabs(level) < 0.2f);
            // A row is 1.4 % wide; in the bass the window's lobe is 6 bins of 3 Hz with a flat top.
            CHECK(std::fabs(std::log2(where / hz)) < 0.05);
        }
}

TEST_CASE("channels: powers are averaged, opposite phases do not cancel") {
    PlotColumns columns(48000.0, 2, 20.0, 20000.0, 300);
    std::vector<float> left(48000), right(48000);
    for (std::size_t i = 0; i < left.size(); ++i) {
        left[i] = sine(1000.0, 48000.0, static_cast<std::int64_t>(i));
        right[i] = -left[i];
    }
    const float* channels[] = {left.data(), right.data()};
    columns.add(channels, left.size());
    columns.finish();
    CHECK(std::fabs(loudest(columns, 20000.0, 28000.0).second) < 0.2f);
}

TEST_CASE("time: what sounds in one second is seen in that second, in twenty minutes as in two seconds") {
    for (int seconds : {2, 1200}) {
        constexpr double k_rate = 8000.0;
        PlotColumns columns(k_rate, 1, 20.0, 4000.0, 100);
        std::vector<float> block(8000);
        for (int second = 0; second < seconds; ++second) {
            for (std::size_t i = 0; i < block.size(); ++i)
                block[i] = second == seconds - 1 ? 0.5f * sine(1000.0, k_rate, static_cast<std::int64_t>(i)) : 0.0f;
            const float* channel = block.data();
            columns.add(&channel, block.size());
        }
        columns.finish();
        const double end = seconds * k_rate;
        CHECK(columns.frames() == static_cast<std::int64_t>(end));
        const auto last = columns.wave(0, end - 6000.0, end - 2000.0);
        CHECK(last.high == doctest::Approx(0.5f).epsilon(0.001));
        CHECK(last.low == doctest::Approx(-0.5f).epsilon(0.001));
        const auto before = columns.wave(0, 0.0, end - 12000.0);
        CHECK((before.high == 0.0f && before.low == 0.0f));
        // -6.02 dBFS; a column of the long one covers 0.4 s and may reach out of the second.
        CHECK(loudest(columns, end - 4500.0, end - 3500.0).second ==
              doctest::Approx(-6.02).epsilon(seconds == 2 ? 0.1 : 0.35));
        CHECK(loudest(columns, 0.0, end - 16000.0 > 0 ? end - 16000.0 : 2000.0).second < -140.0f);
    }
}

TEST_CASE("RMS and peak") {
    PlotColumns columns(48000.0, 1, 20.0, 20000.0, 10);
    std::vector<float> square(100'000);
    for (std::size_t i = 0; i < square.size(); ++i)
        square[i] = i % 100 < 50 ? 0.25f : -0.75f;
    const float* channel = square.data();
    columns.add(&channel, square.size());
    columns.finish();
    const auto all = columns.wave(0, 0.0, 100'000.0);
    CHECK(all.high == 0.25f);
    CHECK(all.low == -0.75f);
    CHECK(all.squares == doctest::Approx((0.0625 + 0.5625) / 2.0).epsilon(1e-9));
}

TEST_CASE("the same picture however the sound is cut; of the size that was asked for; whole or not at all") {
    const fs::path folder = fs::temp_directory_path() / ("tutti_plot_" + std::to_string(std::random_device{}()));
    fs::create_directories(folder);
    std::vector<float> sound(30'000);
    std::mt19937 random(5);
    for (float& sample : sound)
        sample = static_cast<float>(random() % 2001) / 1000.0f - 1.0f;
    for (const auto& [name, block] :
         {std::pair<const char*, std::size_t>{"a.png", 30'000}, {"b.png", 997}, {"c.png", 1}}) {
        auto plot = AudioPlot::create(folder / name, 44100.0, 1, {.width = 600, .height = 400});
        REQUIRE(plot.ok());
        for (std::size_t at = 0; at < sound.size(); at += block) {
            const float* channel = sound.data() + at;
            plot->add(&channel, std::min(block, sound.size() - at));
        }
        REQUIRE(plot->close().ok());
    }
    const std::string a = bytes_of(folder / "a.png");
    CHECK(a.substr(1, 3) == "PNG");
    CHECK(a.substr(16, 8) == std::string("\0\0\x02\x58\0\0\x01\x90", 8));
    CHECK(a.size() > 20'000); // noise does not compress
    CHECK(a == bytes_of(folder / "b.png"));
    CHECK(a == bytes_of(folder / "c.png"));
    // Nothing at all is a picture, too.
    CHECK(AudioPlot::create(folder / "empty.png", 44100.0, 2)->close().ok());
    { const auto forgotten = AudioPlot::create(folder / "forgotten.png", 44100.0, 2); }
    CHECK_FALSE(fs::exists(folder / "forgotten.png"));
    CHECK(AudioPlot::create(folder / "no" / "such.png", 44100.0, 2)->close().code() == Code::file_unwritable);
    CHECK(AudioPlot::create(folder / "x.png", 44100.0, 0).status().code() == Code::invalid_argument);
    CHECK(AudioPlot::create(folder / "x.png", 0.0, 1).status().code() == Code::invalid_argument);
    CHECK(AudioPlot::create(folder / "x.png", 8000.0, 1, {.width = 10}).status().code() == Code::invalid_argument);
    CHECK(plot_file(folder / "x.png", folder / "none.wav").code() == Code::file_not_found);
    CHECK(std::distance(fs::directory_iterator(folder), fs::directory_iterator{}) == 4);
    fs::remove_all(folder);
}

TEST_CASE("colours: lightness rises all the way, so the picture can be read in grey") {
    double before = -1.0;
    for (int i = 0; i <= 200; ++i) {
        const Colour colour = colour_of_level(i / 200.0);
        const auto linear = [](double x) { return x <= 0.04045 ? x / 12.92 : std::pow((x + 0.055) / 1.055, 2.4); };
        const double light = 0.2126 * linear(colour.red) + 0.7152 * linear(colour.green) + 0.0722 * linear(colour.blue);
        CHECK(light > before);
        before = light;
    }
    CHECK(before > 0.85);
}
