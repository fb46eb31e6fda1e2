// SPDX-License-Identifier: MIT
// Levels to colours: from black through violet and orange to pale yellow, even steps of lightness for even steps of decibels.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace tutti::io {

struct Colour {
    double red = 0.0;
    double green = 0.0;
    double blue = 0.0;
};

// Lightness 0..1, chroma, hue in degrees to sRGB by the OKLab space (B. Ottosson, "A perceptual color space for image
// processing", 2020). Chroma is taken back where sRGB has no such colour.
inline Colour from_lch(double lightness, double chroma, double hue) {
    const auto linear = [&](double c) {
        const double a = c * std::cos(hue * std::numbers::pi / 180.0);
        const double b = c * std::sin(hue * std::numbers::pi / 180.0);
        const auto cube = [](double x) { return x * x * x; };
        const double l = cube(lightness + 0.3963377774 * a + 0.2158037573 * b);
        const double m = cube(lightness - 0.1055613458 * a - 0.0638541728 * b);
        const double s = cube(lightness - 0.0894841775 * a - 1.2914855480 * b);
        return std::array{4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
                          -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
                          -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s};
    };
    const auto inside = [](const std::array<double, 3>& rgb) {
        const auto [low, high] = std::minmax_element(rgb.begin(), rgb.end());
        return *low >= -1e-4 && *high <= 1.0001;
    };
    if (!inside(linear(chroma))) {
        double good = 0.0; // grey is always there
        for (double bad = chroma; bad - good > 1e-4;)
            (inside(linear((good + bad) / 2.0)) ? good : bad) = (good + bad) / 2.0;
        chroma = good;
    }
    const auto encode = [](double x) {
        x = std::clamp(x, 0.0, 1.0);
        return x <= 0.0031308 ? 12.92 * x : 1.055 * std::pow(x, 1.0 / 2.4) - 0.055;
    };
    const auto rgb = linear(chroma);
    return {encode(rgb[0]), encode(rgb[1]), encode(rgb[2])};
}

// 0 is the floor, 1 is full scale.
inline Colour colour_of_level(double level) {
    const double x = std::clamp(level, 0.0, 1.0);
    const double hue = 285.0 + 175.0 * std::pow(x, 1.15); // violet, magenta, red, orange, yellow
    const double chroma = 0.21 * std::pow(std::sin(std::numbers::pi * (0.04 + 0.90 * x)), 0.8);
    return from_lch(0.10 + 0.88 * x, chroma, hue);
}

} // namespace tutti::io
