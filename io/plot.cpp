// SPDX-License-Identifier: MIT
#include "io/plot.h"

#include <algorithm>
#include <utility>

#include "io/plot_columns.h"
#include "io/plot_page.h"
#include "io/unfinished_file.h"

namespace tutti::io {

struct AudioPlot::Impl {
    std::filesystem::path png;
    double sample_rate;
    PlotOptions options;
    PlotPage page;
    PlotColumns columns;
    bool open = true;

    Impl(std::filesystem::path path, double rate, int channels, PlotOptions wanted)
        : png(std::move(path)), sample_rate(rate), options(std::move(wanted)),
          page(options.width, options.height, channels),
          columns(rate, channels, options.lowest_hz, options.highest_hz, static_cast<int>(page.spectrogram().height)) {}
};

Result<AudioPlot> AudioPlot::create(const std::filesystem::path& png, double sample_rate, int channels,
                                    PlotOptions options) {
    const auto wrong = [&](const char* what, const char* remedy) {
        return Status{Code::invalid_argument, png.string() + ": " + what, "no picture was drawn", remedy};
    };
    if (channels < 1 || channels > k_most_channels) return wrong("a picture of that many channels", "use 1 to 64");
    if (!(sample_rate >= 100.0 && sample_rate <= 768000.0))
        return wrong("a sample rate out of range", "use 100 to 768000 Hz");
    if (options.width < 480 || options.height < 360 || options.width > 16000 || options.height > 16000)
        return wrong("a picture of that size", "use 480 x 360 to 16000 x 16000 pixels");
    options.highest_hz = std::min(options.highest_hz, sample_rate / 2.0);
    if (!(options.lowest_hz >= 1.0 && options.lowest_hz * 1.5 < options.highest_hz))
        return wrong("a range of frequencies that is empty", "use 20 to 20000 Hz");
    if (!(options.floor_db >= -150.0 && options.floor_db <= -10.0))
        return wrong("a floor out of range", "use -150 to -10 dB");
    return AudioPlot(std::make_unique<Impl>(png, sample_rate, channels, std::move(options)));
}

AudioPlot::AudioPlot(std::unique_ptr<Impl> impl) noexcept : m_impl(std::move(impl)) {}
AudioPlot::AudioPlot(AudioPlot&&) noexcept = default;
AudioPlot& AudioPlot::operator=(AudioPlot&&) noexcept = default;
AudioPlot::~AudioPlot() = default;

void AudioPlot::add(const float* const* channels, std::size_t frames) {
    if (m_impl->open) m_impl->columns.add(channels, frames);
}

Status AudioPlot::close() {
    Impl& impl = *m_impl;
    if (!impl.open) return {};
    impl.open = false;
    impl.columns.finish();
    auto file = UnfinishedFile::create(impl.png);
    if (!file) return file.status();
    impl.page.draw(impl.columns, impl.sample_rate, impl.options);
    if (!impl.page.save(file->path()))
        return {Code::file_unwritable, impl.png.string() + ": cannot be written", "no picture was drawn",
                "check the space left on the disk"};
    return file->keep();
}

Status plot_audio(const std::filesystem::path& png, const AudioBuffer& sound, PlotOptions options) {
    auto plot = AudioPlot::create(png, sound.sample_rate, static_cast<int>(sound.channels.size()), std::move(options));
    if (!plot) return plot.status();
    std::vector<const float*> channels;
    for (const auto& channel : sound.channels)
        channels.push_back(channel.data());
    plot->add(channels.data(), sound.frames());
    return plot->close();
}

Status plot_file(const std::filesystem::path& png, const std::filesystem::path& sound, PlotOptions options) {
    constexpr std::size_t k_block = 4096;
    auto reader = AudioFileReader::open(sound);
    if (!reader) return reader.status();
    if (options.title.empty())
        options.title = reader->info().title.empty() ? sound.filename().string() : reader->info().title;
    auto plot = AudioPlot::create(png, reader->sample_rate(), reader->channels(), std::move(options));
    if (!plot) return plot.status();
    std::vector<std::vector<float>> room(static_cast<std::size_t>(reader->channels()), std::vector<float>(k_block));
    std::vector<float*> out;
    for (auto& channel : room)
        out.push_back(channel.data());
    for (;;) {
        const auto got = reader->read(out.data(), k_block);
        if (!got) return got.status();
        if (*got == 0) break;
        plot->add(out.data(), *got);
    }
    return plot->close();
}

} // namespace tutti::io
