// SPDX-License-Identifier: MIT
#include "cli/render_output.h"

#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "io/plot.h"

namespace tutti::cli {

void add_output_options(CLI::App& app, OutputOptions& options) {
    app.add_option("-o,--output", options.path, "OUT.wav, .flac, .ogg or .mp3; - writes WAV to standard output")
        ->required();
    option(app, "--bits", options.bits, "16, 24 or 32f (32f: WAV only)");
    app.add_option("--plot", options.plot, "Draw waveform and spectrogram to this PNG file");
}

Status check_output(const OutputOptions& options) {
    const auto wrong = [](std::string what, std::string remedy) {
        return Status(Code::invalid_argument, std::move(what), "nothing was rendered", std::move(remedy));
    };
    if (options.bits != "16" && options.bits != "24" && options.bits != "32f")
        return wrong(fmt::format("--bits {} is unknown", options.bits), "use 16, 24 or 32f");
    if (options.path != "-" && !io::format_of(options.path))
        return wrong(fmt::format("{} does not end in a sound format", options.path), "use .wav, .flac, .ogg or .mp3");
    if (!options.plot.empty() && options.path == "-")
        return wrong("--plot needs a sound file to draw", "use -o with a file name");
    return {};
}

Result<io::AudioFileWriter> open_output(const std::string& path, const OutputOptions& options, double rate,
                                        int channels, const std::string& title) {
    io::AudioFileConfig config;
    config.sample_rate = rate;
    config.channels = channels;
    config.samples = options.bits == "16"    ? io::SampleFormat::int16
                     : options.bits == "32f" ? io::SampleFormat::float32
                                             : io::SampleFormat::int24;
    config.title = title;
    config.comment = "rendered by tutti " TUTTI_VERSION_TEXT;
    return io::AudioFileWriter::create(path, std::move(config));
}

Status plot_output(const OutputOptions& options) {
    if (options.plot.empty()) return {};
    io::PlotOptions plot;
    plot.title = std::filesystem::path(options.path).filename().string();
    return io::plot_file(options.plot, options.path, plot);
}

} // namespace tutti::cli
