// SPDX-License-Identifier: MIT
#include "io/plot_columns.h"

#include <algorithm>
#include <cmath>

namespace tutti::io {

namespace {

constexpr std::size_t k_most_spectra = PlotColumns::k_most_columns / 2;
constexpr float k_nothing = 1e-15f; // -150 dB

void join(PlotColumns::Wave& a, const PlotColumns::Wave& b) {
    a.low = std::min(a.low, b.low);
    a.high = std::max(a.high, b.high);
    a.squares += b.squares;
}

} // namespace

PlotColumns::PlotColumns(double sample_rate, int channels, double lowest_hz, double highest_hz, int rows)
    : m_spectrum(sample_rate, lowest_hz, highest_hz, rows), m_waves(static_cast<std::size_t>(channels)) {
    for (auto& waves : m_waves)
        waves.reserve(k_most_columns);
    // About 5 ms to begin with.
    while (static_cast<double>(m_spectrum_hop) * 190.0 < sample_rate)
        m_spectrum_hop *= 2;
    m_history.assign(m_spectrum.reach(m_spectrum_hop), {});
    m_history_begin = -static_cast<std::int64_t>(m_history.size());
}

void PlotColumns::add(const float* const* channels, std::size_t frames) {
    const auto width = m_waves.size();
    // Even channels to the left, odd ones to the right; a single one to both.
    const float left_gain = 1.0f / static_cast<float>((width + 1) / 2);
    const float right_gain = width > 1 ? 1.0f / static_cast<float>(width / 2) : 0.0f;
    for (std::size_t i = 0; i < frames; ++i) {
        if (static_cast<std::size_t>(m_frames) / m_wave_hop == k_most_columns) halve_waves();
        const bool begins = static_cast<std::size_t>(m_frames) % m_wave_hop == 0;
        std::complex<float> both{};
        for (std::size_t channel = 0; channel < width; ++channel) {
            float sample = channels[channel][i];
            if (!std::isfinite(sample)) sample = 0.0f;
            const Wave wave{sample, sample, static_cast<double>(sample) * sample};
            if (begins)
                m_waves[channel].push_back(wave);
            else
                join(m_waves[channel].back(), wave);
            if (channel % 2 == 0)
                both += sample * left_gain;
            else
                both += std::complex<float>(0.0f, sample * right_gain);
        }
        if (width == 1) both = {both.real(), both.real()};
        m_history.push_back(both);
        ++m_frames;
        if (m_history.size() % 8192 == 0) look(false);
    }
}

void PlotColumns::finish() {
    look(false);
    look(true);
}

// Takes the spectra whose surroundings are there; at the end, silence follows.
void PlotColumns::look(bool last) {
    const auto rows = static_cast<std::size_t>(m_spectrum.rows());
    for (;;) {
        if (m_spectrum_count == k_most_spectra) halve_spectra();
        const auto reach = static_cast<std::int64_t>(m_spectrum.reach(m_spectrum_hop));
        const auto hop = static_cast<std::int64_t>(m_spectrum_hop);
        const std::int64_t begin = static_cast<std::int64_t>(m_spectrum_count) * hop;
        const std::int64_t centre = begin + hop / 2;
        // What lies before the next look is not needed again, but for what a joined column may reach back to.
        const std::int64_t needed = centre - reach;
        const std::int64_t have = m_history_begin + static_cast<std::int64_t>(m_history.size());
        if (needed > m_history_begin && (!last || centre + reach > have)) {
            const auto drop = std::min(needed - m_history_begin, have - m_history_begin);
            m_history.erase(m_history.begin(), m_history.begin() + static_cast<std::ptrdiff_t>(drop));
            m_history_begin += drop;
        }
        if (last) {
            if (begin >= m_frames) return;
            if (centre + reach > have) m_history.resize(static_cast<std::size_t>(centre + reach - m_history_begin));
        } else if (centre + reach > have) {
            return;
        }
        if (needed < m_history_begin) {
            m_history.insert(m_history.begin(), static_cast<std::size_t>(m_history_begin - needed), {});
            m_history_begin = needed;
        }
        m_spectra.resize((m_spectrum_count + 1) * rows);
        m_spectrum.power(m_history, static_cast<std::size_t>(centre - m_history_begin), m_spectrum_hop, centre,
                         std::span(m_spectra).subspan(m_spectrum_count * rows, rows));
        ++m_spectrum_count;
    }
}

void PlotColumns::halve_waves() {
    for (auto& waves : m_waves) {
        for (std::size_t i = 0; i < waves.size() / 2; ++i) {
            waves[i] = waves[2 * i];
            join(waves[i], waves[2 * i + 1]);
        }
        waves.resize(waves.size() / 2);
    }
    m_wave_hop *= 2;
}

void PlotColumns::halve_spectra() {
    const auto rows = static_cast<std::size_t>(m_spectrum.rows());
    m_spectrum_count /= 2;
    for (std::size_t column = 0; column < m_spectrum_count; ++column)
        for (std::size_t row = 0; row < rows; ++row)
            m_spectra[column * rows + row] =
                0.5f * (m_spectra[2 * column * rows + row] + m_spectra[(2 * column + 1) * rows + row]);
    m_spectrum_hop *= 2;
}

PlotColumns::Wave PlotColumns::wave(int channel, double begin, double end) const {
    const auto& waves = m_waves[static_cast<std::size_t>(channel)];
    if (waves.empty()) return {};
    const auto hop = static_cast<double>(m_wave_hop);
    const auto first = std::min(static_cast<std::size_t>(begin / hop), waves.size() - 1);
    const auto last = std::clamp(static_cast<std::size_t>(std::ceil(end / hop)), first + 1, waves.size());
    Wave found = waves[first];
    for (std::size_t i = first + 1; i < last; ++i)
        join(found, waves[i]);
    const double frames =
        std::min(static_cast<double>(last) * hop, static_cast<double>(m_frames)) - static_cast<double>(first) * hop;
    found.squares /= std::max(frames, 1.0); // the mean from here on
    return found;
}

void PlotColumns::levels(double begin, double end, std::vector<float>& db) const {
    const auto rows = static_cast<std::size_t>(m_spectrum.rows());
    db.assign(rows, -150.0f);
    if (m_spectrum_count == 0) return;
    const auto hop = static_cast<double>(m_spectrum_hop);
    const auto decibels = [&](std::size_t column, std::size_t row) {
        return 10.0f * std::log10(m_spectra[column * rows + row] + k_nothing);
    };
    if (end - begin < hop) {
        const double place =
            std::clamp((begin + end) / 2.0 / hop - 0.5, 0.0, static_cast<double>(m_spectrum_count - 1));
        const auto column = static_cast<std::size_t>(place);
        const std::size_t next = std::min(column + 1, m_spectrum_count - 1);
        const auto part = static_cast<float>(place - static_cast<double>(column));
        for (std::size_t row = 0; row < rows; ++row)
            db[row] = decibels(column, row) * (1.0f - part) + decibels(next, row) * part;
        return;
    }
    const auto first = std::min(static_cast<std::size_t>(begin / hop), m_spectrum_count - 1);
    const auto last = std::clamp(static_cast<std::size_t>(std::ceil(end / hop)), first + 1, m_spectrum_count);
    for (std::size_t row = 0; row < rows; ++row) {
        float sum = 0.0f;
        for (std::size_t column = first; column < last; ++column)
            sum += m_spectra[column * rows + row];
        db[row] = 10.0f * std::log10(sum / static_cast<float>(last - first) + k_nothing);
    }
}

} // namespace tutti::io
