// SPDX-License-Identifier: MIT
// Power over logarithmic frequency, from three Fourier transforms whose windows get shorter towards the treble.
#pragma once

#include <complex>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace tutti::io {

// Rows are levels of sines: a sine of amplitude 1 in both channels gives a power of 1 in its row.
class Spectrum {
public:
    Spectrum(double sample_rate, double lowest_hz, double highest_hz, int rows);
    ~Spectrum();

    int rows() const noexcept { return static_cast<int>(m_rows.size()); }
    double row_hz(int row) const noexcept; // the middle of a row
    // Frames to either side of a centre that power() looks at, when it stands for `hop` frames.
    std::size_t reach(std::size_t hop) const noexcept;
    // Fills out[row] with the power around signal[centre] (left + i right), averaged over `hop` frames;
    // reach(hop) frames must stand on either side. `frame` is the centre's place in the whole sound and rises from call to call.
    void power(std::span<const std::complex<float>> signal, std::size_t centre, std::size_t hop, std::int64_t frame,
               std::span<float> out);

private:
    struct Transform;
    struct Row {
        double low_bin[3] = {}; // of each transform
        double high_bin[3] = {};
        float share[3] = {}; // adds up to 1
    };
    double m_lowest_hz;
    double m_ratio; // from row to row
    std::vector<Row> m_rows;
    std::vector<std::unique_ptr<Transform>> m_transforms;
};

} // namespace tutti::io
