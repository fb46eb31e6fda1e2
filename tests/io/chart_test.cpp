// SPDX-License-Identifier: MIT
// Charts: a picture where there are numbers, an error where there can be none.
#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

#include "io/chart.h"

using namespace tutti;

namespace {
std::string bytes(const char* path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}
} // namespace

TEST_CASE("lines, bars and marks become a PNG of the size asked for; numbers that cannot be shown are left out") {
    for (const bool logarithmic : {false, true}) {
        io::Chart chart;
        chart.title = std::string("a chart"); // gcc 12 takes a plain assignment for an overlap (its bug 105651)
        chart.x_title = std::string("x");
        chart.x_logarithmic = logarithmic;
        chart.width = 640;
        chart.height = 480;
        io::ChartLine line{"line", {}, false}, bars{"bars", {}, true};
        for (int i = -5; i < 100; ++i) {
            line.points.emplace_back(i, std::sin(i * 0.1));
            bars.points.emplace_back(i, i == 50 ? std::numeric_limits<double>::quiet_NaN() : i * i);
        }
        chart.panels = {{"first", {line, bars}, {{10.0, "ten"}, {-1.0, "below"}, {1e9, "far"}}}, {"empty", {}, {}}};
        REQUIRE(io::draw_chart("chart_test.png", chart).ok());
        const std::string png = bytes("chart_test.png");
        REQUIRE(png.size() > 1000);
        CHECK(png.substr(1, 3) == "PNG");
        // Width and height stand in the header, most significant byte first.
        const auto word = [&](std::size_t at) {
            int value = 0;
            for (std::size_t i = 0; i < 4; ++i)
                value = value * 256 + static_cast<unsigned char>(png[at + i]);
            return value;
        };
        CHECK(word(16) == 640);
        CHECK(word(20) == 480);
        std::filesystem::remove("chart_test.png");
    }
}

TEST_CASE("no panel, no size, no folder: an error, and no file") {
    io::Chart chart;
    CHECK(io::draw_chart("chart_test.png", chart).code() == Code::invalid_argument);
    chart.panels = {{"one", {}, {}}};
    chart.width = 10;
    CHECK(io::draw_chart("chart_test.png", chart).code() == Code::invalid_argument);
    chart.width = 800;
    CHECK(io::draw_chart("/nowhere/chart.png", chart).code() == Code::file_unwritable);
    CHECK_FALSE(std::filesystem::exists("chart_test.png"));
}
