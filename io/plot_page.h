// SPDX-License-Identifier: MIT
// The page of a plot: where things stand on it, and how they are drawn.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "io/plot.h"
#include "io/plot_columns.h"

struct _cairo_surface;
struct _cairo;

namespace tutti::io {

class PlotPage {
public:
    struct Box {
        double x = 0.0;
        double y = 0.0;
        double width = 0.0;
        double height = 0.0;
    };

    // Sizes in pixels; what is drawn on it is sized for a height of 1000.
    PlotPage(int width, int height, int channels);
    ~PlotPage();
    PlotPage(const PlotPage&) = delete;
    PlotPage& operator=(const PlotPage&) = delete;

    Box spectrogram() const noexcept { return m_spectrogram; }
    void draw(const PlotColumns& columns, double sample_rate, const PlotOptions& options);
    bool save(const std::filesystem::path& png) const;

private:
    enum class Align { left, centre, right };

    void text(double x, double y, const std::string& words, double size, Align align, double grey, bool bold = false);
    void line(double x1, double y1, double x2, double y2, double grey, double width);
    void draw_heading(const PlotColumns& columns, double sample_rate, const PlotOptions& options);
    void draw_wave(const PlotColumns& columns, int channel, Box box);
    void draw_spectrogram(const PlotColumns& columns, const PlotOptions& options);
    void draw_frequencies(const PlotOptions& options);
    void draw_times(double seconds);
    void draw_levels(const PlotOptions& options);

    double m_scale;
    Box m_page, m_waves, m_spectrogram;
    _cairo_surface* m_surface;
    _cairo* m_cairo;
};

} // namespace tutti::io
