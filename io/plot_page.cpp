// SPDX-License-Identifier: MIT
#include "io/plot_page.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>

#include <cairo/cairo.h>

#include "io/colour_map.h"

namespace tutti::io {

namespace {

constexpr double k_ink = 0.13;      // grey of words
constexpr double k_pale = 0.45;     // of units and what matters less
constexpr double k_close_up = 32.0; // frames a pixel

struct Ink {
    double red, green, blue;
};
constexpr Ink k_envelope{0.62, 0.70, 0.86};
constexpr Ink k_body{0.20, 0.33, 0.62};
constexpr Ink k_clip{0.86, 0.15, 0.10};

std::string print(const char* form, double value) {
    char buffer[64];
    std::snprintf(buffer, sizeof buffer, form, value);
    return buffer;
}

// With a true minus sign.
std::string decibels(double db, const char* form) {
    return db < -149.0 ? "\u2212\u221e" : (db < -0.05 ? "\u2212" : "") + print(form, std::fabs(db));
}

std::string clock(double seconds, double step) {
    if (step < 1.0) return print(step < 0.01 ? "%.3f" : step < 0.1 ? "%.2f" : "%.1f", seconds) + " s";
    const auto whole = static_cast<long>(std::lround(seconds));
    char buffer[64];
    if (whole >= 3600)
        std::snprintf(buffer, sizeof buffer, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
    else
        std::snprintf(buffer, sizeof buffer, "%ld:%02ld", whole / 60, whole % 60);
    return buffer;
}

std::string hertz(double hz) {
    return hz >= 1000.0 ? print("%g", hz / 1000.0) + "k" : print("%g", hz);
}

} // namespace

PlotPage::PlotPage(int width, int height, int channels)
    : m_scale(std::min(height / 1000.0, width / 1200.0)), m_page{0.0, 0.0, static_cast<double>(width),
                                                                 static_cast<double>(height)},
      m_surface(cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height)), m_cairo(cairo_create(m_surface)) {
    const double left = std::round(84.0 * m_scale);
    const double right = std::round(124.0 * m_scale);
    const double top = std::round(104.0 * m_scale);
    const double bottom = std::round(62.0 * m_scale);
    const double gap = std::round(26.0 * m_scale);
    const double inner = height - top - bottom - gap;
    // More channels get more room, up to half of the page.
    const double waves = std::round(inner * std::min(0.16 + 0.10 * channels, 0.5));
    m_waves = {left, top, width - left - right, waves};
    m_spectrogram = {left, top + waves + gap, width - left - right, inner - waves};
}

PlotPage::~PlotPage() {
    cairo_destroy(m_cairo);
    cairo_surface_destroy(m_surface);
}

bool PlotPage::save(const std::filesystem::path& png) const {
    return cairo_surface_write_to_png(m_surface, png.string().c_str()) == CAIRO_STATUS_SUCCESS;
}

void PlotPage::text(double x, double y, const std::string& words, double size, Align align, double grey, bool bold) {
    cairo_select_font_face(m_cairo, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL,
                           bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(m_cairo, size * m_scale);
    cairo_text_extents_t extents;
    cairo_text_extents(m_cairo, words.c_str(), &extents);
    const double shift = align == Align::left ? 0.0 : align == Align::centre ? 0.5 : 1.0;
    cairo_set_source_rgb(m_cairo, grey, grey, grey);
    cairo_move_to(m_cairo, x - shift * extents.x_advance, y);
    cairo_show_text(m_cairo, words.c_str());
}

void PlotPage::line(double x1, double y1, double x2, double y2, double grey, double width) {
    cairo_set_source_rgb(m_cairo, grey, grey, grey);
    cairo_set_line_width(m_cairo, width * m_scale);
    cairo_move_to(m_cairo, x1, y1);
    cairo_line_to(m_cairo, x2, y2);
    cairo_stroke(m_cairo);
}

void PlotPage::draw(const PlotColumns& columns, double sample_rate, const PlotOptions& options) {
    cairo_set_source_rgb(m_cairo, 1.0, 1.0, 1.0);
    cairo_paint(m_cairo);
    draw_heading(columns, sample_rate, options);
    const int channels = columns.channels();
    const double space = channels > 1 ? std::round(8.0 * m_scale) : 0.0;
    const double each = (m_waves.height - space * (channels - 1)) / channels;
    for (int i = 0; i < channels; ++i)
        draw_wave(columns, i, {m_waves.x, m_waves.y + i * (each + space), m_waves.width, each});
    draw_spectrogram(columns, options);
    draw_frequencies(options);
    draw_times(static_cast<double>(columns.frames()) / sample_rate);
    draw_levels(options);
    cairo_surface_flush(m_surface);
}

void PlotPage::draw_heading(const PlotColumns& columns, double sample_rate, const PlotOptions& options) {
    double peak = 0.0;
    double squares = 0.0;
    const auto frames = static_cast<double>(columns.frames());
    for (int i = 0; i < columns.channels(); ++i) {
        const auto wave = columns.wave(i, 0.0, frames);
        peak = std::max({peak, static_cast<double>(wave.high), -static_cast<double>(wave.low)});
        squares += wave.squares / columns.channels();
    }
    const double seconds = frames / sample_rate;
    const auto db = [](double power) {
        return decibels(power > 1e-15 ? 10.0 * std::log10(power) : -150.0, "%.1f") + " dBFS";
    };
    const int channels = columns.channels();
    const std::string facts = (seconds < 60.0 ? print("%.2f s", seconds) : clock(seconds, 1.0)) + "   \u00b7   " +
                              print("%g kHz", sample_rate / 1000.0) + "   \u00b7   " +
                              (channels == 1   ? "mono"
                               : channels == 2 ? "stereo"
                                               : std::to_string(channels) + " channels") +
                              "   \u00b7   peak " + db(peak * peak) + "   \u00b7   RMS " + db(squares);
    text(m_waves.x, 50.0 * m_scale, options.title.empty() ? "Waveform and spectrogram" : options.title, 25.0,
         Align::left, k_ink, true);
    text(m_waves.x, 82.0 * m_scale, facts, 15.0, Align::left, k_pale);
}

void PlotPage::draw_wave(const PlotColumns& columns, int channel, Box box) {
    const double middle = box.y + box.height / 2.0;
    const double half = box.height / 2.0;
    const auto y_of = [&](double value) { return middle - std::clamp(value, -1.0, 1.0) * half; };
    cairo_set_source_rgb(m_cairo, 0.975, 0.978, 0.985);
    cairo_rectangle(m_cairo, box.x, box.y, box.width, box.height);
    cairo_fill(m_cairo);
    // 0 and -6 dBFS; where there is little room only the ends.
    for (const double value : {1.0, 0.5, -0.5, -1.0}) {
        if (std::fabs(value) < 1.0) line(box.x, y_of(value), box.x + box.width, y_of(value), 0.90, 1.0);
        if (value == 1.0 || (value > 0.0 && box.height > 90.0 * m_scale))
            text(box.x - 12.0 * m_scale, y_of(value) + (value == 1.0 ? 11.0 : 5.0) * m_scale,
                 value == 1.0 ? "0" : "\u22126", 13.0, Align::right, k_pale);
    }
    text(box.x - 12.0 * m_scale, middle + 5.0 * m_scale, "\u2212\u221e", 13.0, Align::right, k_pale);
    const char* names[] = {"L", "R"};
    if (columns.channels() > 1) {
        const std::string name = columns.channels() == 2 ? names[channel] : std::to_string(channel + 1);
        text(box.x + box.width + 14.0 * m_scale, middle + 5.0 * m_scale, name, 14.0, Align::left, k_ink, true);
    }
    if (channel == 0) text(box.x - 12.0 * m_scale, box.y - 9.0 * m_scale, "dBFS", 12.0, Align::right, k_pale);

    const double frames = static_cast<double>(columns.frames());
    const double step = frames / box.width;
    cairo_set_line_width(m_cairo, 1.0);
    for (int x = 0; x < static_cast<int>(box.width); ++x) {
        const auto wave = columns.wave(channel, x * step, (x + 1) * step);
        const double centre = box.x + x;
        const auto bar = [&](double low, double high, const Ink& ink) {
            const double top = y_of(high);
            cairo_set_source_rgb(m_cairo, ink.red, ink.green, ink.blue);
            cairo_rectangle(m_cairo, centre, top, 1.0, std::max(y_of(low) - top, 1.0));
            cairo_fill(m_cairo);
        };
        // Close up the line itself is to be seen: no envelope, no power.
        bar(wave.low, wave.high, step < k_close_up ? k_body : k_envelope);
        const double rms = std::sqrt(wave.squares);
        if (step >= k_close_up) bar(std::max<double>(-rms, wave.low), std::min<double>(rms, wave.high), k_body);
        if (wave.high >= 1.0f || wave.low <= -1.0f) {
            cairo_set_source_rgb(m_cairo, k_clip.red, k_clip.green, k_clip.blue);
            if (wave.high >= 1.0f) cairo_rectangle(m_cairo, centre, box.y, 1.0, 4.0 * m_scale);
            if (wave.low <= -1.0f)
                cairo_rectangle(m_cairo, centre, box.y + box.height - 4.0 * m_scale, 1.0, 4.0 * m_scale);
            cairo_fill(m_cairo);
        }
    }
}

void PlotPage::draw_spectrogram(const PlotColumns& columns, const PlotOptions& options) {
    cairo_surface_flush(m_surface);
    unsigned char* pixels = cairo_image_surface_get_data(m_surface);
    const auto stride = static_cast<std::size_t>(cairo_image_surface_get_stride(m_surface));
    // 1024 shades: 0.1 dB each, finer than a screen's.
    std::vector<std::uint32_t> shades;
    for (int i = 0; i < 1024; ++i) {
        const Colour colour = colour_of_level(i / 1023.0);
        const auto byte = [](double x) { return static_cast<std::uint32_t>(std::lround(255.0 * x)); };
        shades.push_back(byte(colour.red) << 16 | byte(colour.green) << 8 | byte(colour.blue));
    }
    const double step = static_cast<double>(columns.frames()) / m_spectrogram.width;
    const auto height = static_cast<int>(m_spectrogram.height);
    std::vector<float> db;
    for (int x = 0; x < static_cast<int>(m_spectrogram.width); ++x) {
        columns.levels(x * step, (x + 1) * step, db);
        for (int y = 0; y < height; ++y) {
            const double level = 1.0 - db[static_cast<std::size_t>(height - 1 - y)] / options.floor_db;
            const auto shade = static_cast<std::size_t>(std::clamp(level, 0.0, 1.0) * 1023.0);
            auto* row = pixels + (static_cast<std::size_t>(m_spectrogram.y) + static_cast<std::size_t>(y)) * stride;
            reinterpret_cast<std::uint32_t*>(
                row)[static_cast<std::size_t>(m_spectrogram.x) + static_cast<std::size_t>(x)] = shades[shade];
        }
    }
    cairo_surface_mark_dirty(m_surface);
}

void PlotPage::draw_frequencies(const PlotOptions& options) {
    const double octaves = std::log(options.highest_hz / options.lowest_hz);
    const auto y_of = [&](double hz) {
        return m_spectrogram.y + m_spectrogram.height * (1.0 - std::log(hz / options.lowest_hz) / octaves);
    };
    double labelled = 1e9;
    for (double decade = 1.0; decade < options.highest_hz; decade *= 10.0)
        for (int digit = 1; digit < 10; ++digit) {
            const double hz = decade * digit;
            if (hz < options.lowest_hz * 0.999 || hz > options.highest_hz * 1.001) continue;
            const double y = y_of(hz);
            const bool main = digit == 1 || digit == 2 || digit == 5;
            line(m_spectrogram.x - (main ? 7.0 : 4.0) * m_scale, y, m_spectrogram.x, y, main ? 0.35 : 0.65, 1.0);
            if (main && labelled - y > 17.0 * m_scale) {
                text(m_spectrogram.x - 12.0 * m_scale, y + 5.0 * m_scale, hertz(hz), 13.0, Align::right, k_ink);
                labelled = y;
            }
            if (main) {
                cairo_set_source_rgba(m_cairo, 1.0, 1.0, 1.0, digit == 1 ? 0.16 : 0.07);
                cairo_set_line_width(m_cairo, 1.0);
                cairo_move_to(m_cairo, m_spectrogram.x, std::floor(y) + 0.5);
                cairo_line_to(m_cairo, m_spectrogram.x + m_spectrogram.width, std::floor(y) + 0.5);
                cairo_stroke(m_cairo);
            }
        }
    text(m_spectrogram.x - 12.0 * m_scale, m_spectrogram.y - 9.0 * m_scale, "Hz", 12.0, Align::right, k_pale);
}

void PlotPage::draw_times(double seconds) {
    const double bottom = m_spectrogram.y + m_spectrogram.height;
    if (!(seconds > 0.0)) return;
    // The smallest round step that leaves room for its words.
    static constexpr double k_steps[] = {0.001, 0.002, 0.005, 0.01, 0.02, 0.05,  0.1,   0.2,   0.5,    1.0,   2.0,
                                         5.0,   10.0,  15.0,  30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0};
    double step = k_steps[0];
    for (double candidate : k_steps) {
        step = candidate;
        if (m_spectrogram.width * step / seconds > 90.0 * m_scale) break;
    }
    while (m_spectrogram.width * step / seconds <= 90.0 * m_scale)
        step *= 2.0;
    for (long i = 0; static_cast<double>(i) * step <= seconds * 1.000001; ++i) {
        const double x = m_spectrogram.x + m_spectrogram.width * static_cast<double>(i) * step / seconds;
        line(x, bottom, x, bottom + 7.0 * m_scale, 0.35, 1.0);
        line(x, m_waves.y + m_waves.height, x, m_waves.y + m_waves.height + 5.0 * m_scale, 0.65, 1.0);
        text(x, bottom + 25.0 * m_scale, clock(static_cast<double>(i) * step, step), 13.0, Align::centre, k_ink);
    }
    text(m_spectrogram.x + m_spectrogram.width / 2.0, bottom + 48.0 * m_scale, "time", 12.0, Align::centre, k_pale);
}

void PlotPage::draw_levels(const PlotOptions& options) {
    const Box bar{m_spectrogram.x + m_spectrogram.width + std::round(24.0 * m_scale), m_spectrogram.y,
                  std::round(16.0 * m_scale), m_spectrogram.height};
    for (int y = 0; y < static_cast<int>(bar.height); ++y) {
        const Colour colour = colour_of_level(1.0 - (y + 0.5) / bar.height);
        cairo_set_source_rgb(m_cairo, colour.red, colour.green, colour.blue);
        cairo_rectangle(m_cairo, bar.x, bar.y + y, bar.width, 1.0);
        cairo_fill(m_cairo);
    }
    for (double db = 0.0; db >= options.floor_db - 1e-9; db -= 12.0) {
        const double y = bar.y + bar.height * db / options.floor_db;
        line(bar.x + bar.width, y, bar.x + bar.width + 6.0 * m_scale, y, 0.35, 1.0);
        text(bar.x + bar.width + 11.0 * m_scale, y + 5.0 * m_scale, decibels(db, "%.0f"), 13.0, Align::left, k_ink);
    }
    text(bar.x, bar.y - 9.0 * m_scale, "dBFS", 12.0, Align::left, k_pale);
}

} // namespace tutti::io
