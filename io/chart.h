// SPDX-License-Identifier: MIT
// Numbers as a picture: panels one above the other, each with lines over a common axis, as a PNG.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <tutti/status.h>

namespace tutti::io {

struct ChartLine {
    std::string name;
    std::vector<std::pair<double, double>> points; // x, y; in the order of x
    bool bars = false;                             // from 0 to y at each x
};

struct ChartPanel {
    std::string title; // with the unit
    std::vector<ChartLine> lines;
    std::vector<std::pair<double, std::string>> marks; // x of upright lines, and what they say
};

struct Chart {
    std::string title;
    std::string x_title; // with the unit
    bool x_logarithmic = false;
    std::vector<ChartPanel> panels;
    int width = 1200; // pixels, 320..8000
    int height = 800; // pixels, 240..8000
};

// Points that are not finite, or not above 0 on a logarithmic axis, are left out. Errors: invalid_argument (no panel, size),
// file_unwritable. [control]
Status draw_chart(const std::filesystem::path& png, const Chart& chart);

} // namespace tutti::io
