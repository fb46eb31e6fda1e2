// SPDX-License-Identifier: MIT
#include "io/matrix_plot.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <cairo/cairo.h>

#include "io/colour_map.h"
#include "io/unfinished_file.h"

namespace tutti::io {

Status plot_matrix(const std::filesystem::path& png, std::span<const float> rows, int columns) {
    constexpr std::size_t k_most_width = 4000, k_least_height = 320;
    const auto bins = static_cast<std::size_t>(std::max(columns, 1));
    const std::size_t frames = rows.size() / bins;
    if (columns < 1 || frames == 0)
        return Status(Code::invalid_argument, "there is nothing to draw", "no picture was made", "give a longer sound");
    const std::size_t width = std::min(frames, k_most_width), scale = std::max<std::size_t>(1, k_least_height / bins);
    std::vector<float> mean(width * bins);
    for (std::size_t x = 0; x < width; ++x) {
        const std::size_t from = frames * x / width, to = std::max(from + 1, frames * (x + 1) / width);
        for (std::size_t f = from; f < to; ++f)
            for (std::size_t b = 0; b < bins; ++b)
                mean[x * bins + b] += rows[f * bins + b] / static_cast<float>(to - from);
    }
    const auto [low, high] = std::minmax_element(mean.begin(), mean.end());
    const double floor = *low, range = std::max(1e-9, static_cast<double>(*high) - floor);
    std::vector<std::uint32_t> colours(256);
    for (std::size_t i = 0; i < colours.size(); ++i) {
        const Colour c = colour_of_level(static_cast<double>(i) / 255.0);
        const auto byte = [](double x) { return static_cast<std::uint32_t>(std::lround(x * 255.0)); };
        colours[i] = byte(c.red) << 16 | byte(c.green) << 8 | byte(c.blue);
    }
    const std::unique_ptr<cairo_surface_t, void (*)(cairo_surface_t*)> surface(
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, static_cast<int>(width), static_cast<int>(bins * scale)),
        cairo_surface_destroy);
    unsigned char* pixels = cairo_image_surface_get_data(surface.get());
    if (!pixels) return Status(Code::out_of_memory, "the picture has no memory", "no picture was made", "make room");
    const auto stride = static_cast<std::size_t>(cairo_image_surface_get_stride(surface.get()));
    for (std::size_t y = 0; y < bins * scale; ++y) {
        auto* line = reinterpret_cast<std::uint32_t*>(pixels + y * stride);
        const std::size_t bin = bins - 1 - y / scale;
        for (std::size_t x = 0; x < width; ++x)
            line[x] = colours[static_cast<std::size_t>(
                std::lround(255.0 * (static_cast<double>(mean[x * bins + bin]) - floor) / range))];
    }
    cairo_surface_mark_dirty(surface.get());
    auto file = UnfinishedFile::create(png);
    if (!file) return file.status();
    if (cairo_surface_write_to_png(surface.get(), file->path().string().c_str()) != CAIRO_STATUS_SUCCESS)
        return Status(Code::file_unwritable, png.string() + ": cannot be written", "no picture was made",
                      "choose another place");
    return file->keep();
}

} // namespace tutti::io
