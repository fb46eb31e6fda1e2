// SPDX-License-Identifier: MIT
// A picture of a sound: waveform above, spectrogram over logarithmic frequency below, as a PNG.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>

#include <tutti/status.h>

#include "io/audio_file.h"

namespace tutti::io {

struct PlotOptions {
    int width = 1600;  // pixels, 480..16000
    int height = 1000; // pixels, 360..16000
    std::string title = {};
    double lowest_hz = 20.0;
    double highest_hz = 20000.0; // at most half the sample rate is shown
    double floor_db = -96.0;     // what is black
};

// Takes a sound of any length piece by piece; memory does not depend on it (about 10 MB): columns of time are joined in pairs
// when there are too many. A full-scale sine reads 0 dBFS at any frequency; noise reads higher in the treble, since the
// analysis window gets shorter towards it, as the ear's does (16,384, 4,096 and 1,024 frames at 48 kHz).
class AudioPlot {
public:
    // Errors: invalid_argument (channels 1..64, rate, size, range). [control]
    static Result<AudioPlot> create(const std::filesystem::path& png, double sample_rate, int channels,
                                    PlotOptions options = {});

    AudioPlot(AudioPlot&&) noexcept;
    AudioPlot& operator=(AudioPlot&&) noexcept;
    ~AudioPlot(); // without close() there is no picture

    // channels[channel][frame]; NaN and infinities are shown as 0. [control]
    void add(const float* const* channels, std::size_t frames);
    // Draws, and gives the file its name when it is whole: file_unwritable. [control]
    Status close();

private:
    struct Impl;
    explicit AudioPlot(std::unique_ptr<Impl> impl) noexcept;
    std::unique_ptr<Impl> m_impl;
};

// The picture of a sound in memory, and of a sound file. [control]
Status plot_audio(const std::filesystem::path& png, const AudioBuffer& sound, PlotOptions options = {});
Status plot_file(const std::filesystem::path& png, const std::filesystem::path& sound, PlotOptions options = {});

} // namespace tutti::io
