// SPDX-License-Identifier: MIT
// A sound of any length as a bounded number of columns: extremes and power of each channel, power of each frequency row.
#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "io/spectrum.h"

namespace tutti::io {

class PlotColumns {
public:
    struct Wave {
        float low = 0.0f;
        float high = 0.0f;
        double squares = 0.0; // sum
    };
    static constexpr std::size_t k_most_columns = 4096; // of waves; half as many spectra

    PlotColumns(double sample_rate, int channels, double lowest_hz, double highest_hz, int rows);

    void add(const float* const* channels, std::size_t frames);
    void finish(); // after the last frame

    std::int64_t frames() const noexcept { return m_frames; }
    int channels() const noexcept { return static_cast<int>(m_waves.size()); }
    const Spectrum& spectrum() const noexcept { return m_spectrum; }

    // Over the frames [begin, end) or the nearest to them.
    Wave wave(int channel, double begin, double end) const;
    // In dBFS; between columns where they are further apart than asked for.
    void levels(double begin, double end, std::vector<float>& db) const;

private:
    void look(bool last);
    void halve_waves();
    void halve_spectra();

    Spectrum m_spectrum;
    std::int64_t m_frames = 0;

    std::size_t m_wave_hop = 1;             // frames a column
    std::vector<std::vector<Wave>> m_waves; // [channel][column]

    std::size_t m_spectrum_hop = 32;
    std::vector<float> m_spectra; // [column][row], power
    std::size_t m_spectrum_count = 0;
    std::vector<std::complex<float>> m_history; // left + i right
    std::int64_t m_history_begin = 0;           // the frame of its first one; below 0: silence before the sound
};

} // namespace tutti::io
