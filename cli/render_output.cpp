// SPDX-License-Identifier: MIT
#include "cli/render_output.h"

#include <cctype>
#include <filesystem>
#include <system_error>
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
    if (options.plot.empty()) return {};
    // Found out before the work, not behind it.
    const std::filesystem::path plot(options.plot);
    std::string ending = plot.extension().string();
    for (char& c : ending)
        c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (ending != ".png") return wrong(fmt::format("{} does not end in .png", options.plot), "name a .png file");
    std::error_code error;
    if (plot.has_parent_path() && !std::filesystem::is_directory(plot.parent_path(), error))
        return Status(Code::file_unwritable,
                      fmt::format("{}: the folder {} does not exist", options.plot, plot.parent_path().string()),
                      "nothing was rendered", "choose a place where you may write");
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
