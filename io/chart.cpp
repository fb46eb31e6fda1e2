// SPDX-License-Identifier: MIT
#include "io/chart.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>

#include <cairo/cairo.h>

#include "io/unfinished_file.h"

namespace tutti::io {

namespace {

struct Colour {
    double red, green, blue;
};
constexpr Colour k_colours[] = {{0.20, 0.33, 0.62}, {0.80, 0.35, 0.13}, {0.22, 0.55, 0.30}, {0.55, 0.30, 0.60}};

struct Range {
    double low = 1e300, high = -1e300;
    void add(double value) {
        low = std::min(low, value);
        high = std::max(high, value);
    }
    bool empty() const { return low > high; }
};

std::string number(double value) {
    char text[40];
    std::snprintf(text, sizeof text, "%.6g", std::fabs(value) < 1e-12 ? 0.0 : value);
    return text;
}

// 1, 2 or 5 times a power of ten, so that about `count` of them span the range.
double nice_step(double span, int count) {
    const double raw = span / count, power = std::pow(10.0, std::floor(std::log10(raw)));
    const double lead = raw / power;
    return power * (lead <= 1.0 ? 1.0 : lead <= 2.0 ? 2.0 : lead <= 5.0 ? 5.0 : 10.0);
}

class Drawing {
public:
    explicit Drawing(const Chart& chart)
        : m_chart(chart), m_surface(cairo_image_surface_create(CAIRO_FORMAT_RGB24, chart.width, chart.height)),
          m_cairo(cairo_create(m_surface)) {}
    ~Drawing() {
        cairo_destroy(m_cairo);
        cairo_surface_destroy(m_surface);
    }
    Drawing(const Drawing&) = delete;
    Drawing& operator=(const Drawing&) = delete;

    bool save(const std::filesystem::path& png) {
        cairo_surface_flush(m_surface);
        return cairo_surface_write_to_png(m_surface, png.string().c_str()) == CAIRO_STATUS_SUCCESS;
    }

    void draw() {
        cairo_set_source_rgb(m_cairo, 1.0, 1.0, 1.0);
        cairo_paint(m_cairo);
        text(m_left, 34.0, m_chart.title, 19.0, 0.0, 0.13, true);
        Range x;
        for (const ChartPanel& panel : m_chart.panels)
            for (const ChartLine& line : panel.lines)
                for (const auto& point : line.points)
                    if (shown(point)) x.add(along(point.first));
        if (x.empty()) x = {0.0, 1.0};
        if (x.high - x.low < 1e-12) x.high = x.low + 1.0;
        m_x = x;
        const auto count = static_cast<double>(m_chart.panels.size());
        const double top = 56.0, bottom = 64.0, gap = 44.0;
        const double each = (m_chart.height - top - bottom - gap * (count - 1.0)) / count;
        for (std::size_t i = 0; i < m_chart.panels.size(); ++i)
            draw_panel(m_chart.panels[i], top + static_cast<double>(i) * (each + gap) + 18.0, each - 18.0);
        text(0.5 * (m_left + right()), m_chart.height - 14.0, m_chart.x_title, 13.0, 0.5, 0.45);
    }

private:
    double right() const { return m_chart.width - 30.0; }
    bool shown(const std::pair<double, double>& point) const {
        return std::isfinite(point.first) && std::isfinite(point.second) &&
               (!m_chart.x_logarithmic || point.first > 0.0);
    }
    double along(double x) const { return m_chart.x_logarithmic ? std::log10(x) : x; }
    double place(double x) const { return m_left + (along(x) - m_x.low) / (m_x.high - m_x.low) * (right() - m_left); }

    void text(double x, double y, const std::string& words, double size, double align, double grey, bool bold = false) {
        cairo_select_font_face(m_cairo, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL,
                               bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
        cairo_set_font_size(m_cairo, size);
        cairo_text_extents_t extents;
        cairo_text_extents(m_cairo, words.c_str(), &extents);
        cairo_set_source_rgb(m_cairo, grey, grey, grey);
        cairo_move_to(m_cairo, x - align * extents.x_advance, y);
        cairo_show_text(m_cairo, words.c_str());
    }
    void line(double x1, double y1, double x2, double y2, double grey) {
        cairo_set_source_rgb(m_cairo, grey, grey, grey);
        cairo_set_line_width(m_cairo, 1.0);
        cairo_move_to(m_cairo, x1, y1);
        cairo_line_to(m_cairo, x2, y2);
        cairo_stroke(m_cairo);
    }

    void draw_x_ticks(double top, double height) {
        const auto tick = [&](double x) {
            line(place(x), top, place(x), top + height, 0.90);
            text(place(x), top + height + 16.0, number(x), 11.0, 0.5, 0.45);
        };
        if (m_chart.x_logarithmic) {
            for (double decade = std::floor(m_x.low); decade <= m_x.high; decade += 1.0)
                for (const double lead : {1.0, 2.0, 5.0})
                    if (const double x = lead * std::pow(10.0, decade);
                        std::log10(x) >= m_x.low && std::log10(x) <= m_x.high)
                        tick(x);
            return;
        }
        const double step = nice_step(m_x.high - m_x.low, 10);
        for (double i = std::ceil(m_x.low / step); i * step <= m_x.high; i += 1.0)
            tick(i * step);
    }

    void draw_panel(const ChartPanel& panel, double top, double height) {
        Range y;
        y.add(0.0);
        for (const ChartLine& each : panel.lines)
            for (const auto& point : each.points)
                if (shown(point)) y.add(point.second);
        if (y.high - y.low < 1e-12) y.high = y.low + 1.0;
        y.high += 0.05 * (y.high - y.low);
        const auto up = [&](double value) { return top + height - (value - y.low) / (y.high - y.low) * height; };
        draw_x_ticks(top, height);
        const double step = nice_step(y.high - y.low, 4);
        for (double i = std::ceil(y.low / step); i * step <= y.high; i += 1.0) {
            line(m_left, up(i * step), right(), up(i * step), 0.90);
            text(m_left - 8.0, up(i * step) + 4.0, number(i * step), 11.0, 1.0, 0.45);
        }
        line(m_left, up(0.0), right(), up(0.0), 0.55);
        text(m_left, top - 7.0, panel.title, 13.0, 0.0, 0.13, true);
        double legend = right();
        for (std::size_t i = panel.lines.size(); i-- > 0;) {
            const ChartLine& each = panel.lines[i];
            const Colour colour = k_colours[i % std::size(k_colours)];
            cairo_set_source_rgb(m_cairo, colour.red, colour.green, colour.blue);
            cairo_set_line_width(m_cairo, each.bars ? 3.0 : 1.8);
            bool begun = false;
            for (const auto& point : each.points) {
                if (!shown(point)) continue;
                if (each.bars) {
                    cairo_move_to(m_cairo, place(point.first), up(0.0));
                    cairo_line_to(m_cairo, place(point.first), up(point.second));
                } else if (begun) {
                    cairo_line_to(m_cairo, place(point.first), up(point.second));
                } else {
                    cairo_move_to(m_cairo, place(point.first), up(point.second));
                }
                begun = true;
            }
            cairo_stroke(m_cairo);
            cairo_text_extents_t extents;
            cairo_set_font_size(m_cairo, 12.0);
            cairo_text_extents(m_cairo, each.name.c_str(), &extents);
            text(legend, top - 7.0, each.name, 12.0, 1.0, 0.25);
            cairo_set_source_rgb(m_cairo, colour.red, colour.green, colour.blue);
            cairo_rectangle(m_cairo, legend - extents.x_advance - 16.0, top - 15.0, 10.0, 8.0);
            cairo_fill(m_cairo);
            legend -= extents.x_advance + 34.0;
        }
        for (std::size_t i = 0; i < panel.marks.size(); ++i) {
            const auto& [x, words] = panel.marks[i];
            if (m_chart.x_logarithmic && !(x > 0.0)) continue;
            if (along(x) < m_x.low || along(x) > m_x.high) continue;
            line(place(x), top, place(x), top + height, 0.35);
            const bool late = place(x) > 0.8 * right();
            text(place(x) + (late ? -5.0 : 5.0), top + 14.0 + 15.0 * static_cast<double>(i), words, 11.0,
                 late ? 1.0 : 0.0, 0.25);
        }
    }

    const Chart& m_chart;
    const double m_left = 92.0;
    Range m_x;
    cairo_surface_t* m_surface;
    cairo_t* m_cairo;
};

} // namespace

Status draw_chart(const std::filesystem::path& png, const Chart& chart) {
    if (chart.panels.empty() || chart.width < 320 || chart.width > 8000 || chart.height < 240 || chart.height > 8000)
        return Status(Code::invalid_argument, "a chart needs a panel and 320x240 to 8000x8000 pixels",
                      "it was not drawn", "give it a panel, or another size");
    auto file = UnfinishedFile::create(png);
    if (!file.ok()) return file.status();
    Drawing drawing(chart);
    drawing.draw();
    if (!drawing.save(file->path()))
        return Status(Code::file_unwritable, png.string() + " could not be written", "there is no picture",
                      "name a file in a folder that may be written and has room");
    return file->keep();
}

} // namespace tutti::io
