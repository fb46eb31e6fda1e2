// SPDX-License-Identifier: MIT
// tutti mel IN -o OUT.npy: log-mel features as Whisper takes them, or librosa's mel spectrogram.
#include <algorithm>
#include <fstream>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/sound_source.h"
#include "io/matrix_plot.h"
#include "io/unfinished_file.h"
#include <models/mel/mel.h>

namespace tutti::cli {

namespace {

struct Options {
    std::string song;
    std::string output;
    std::string plot;
    std::string extent = "item";
    int bins = 80;
    bool librosa = false;
    bool db = false;
    bool json = false;
    bool quiet = false;
};

// NPY version 1.0: magic, header length, a Python literal padded to 64 bytes, then the numbers.
std::string npy_header(std::int64_t rows, int columns) {
    std::string text = fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", rows, columns);
    text.append((64 - (10 + text.size() + 1) % 64) % 64, ' ');
    text += '\n';
    std::string header("\x93NUMPY\x01\x00", 8);
    header += static_cast<char>(text.size() & 0xff);
    header += static_cast<char>(text.size() >> 8);
    return header + text;
}

Status write_npy(const std::string& path, const std::vector<float>& rows, int columns) {
    auto file = io::UnfinishedFile::create(path);
    if (!file) return file.status();
    std::ofstream out(file->path(), std::ios::binary);
    out << npy_header(static_cast<std::int64_t>(rows.size()) / columns, columns);
    out.write(reinterpret_cast<const char*>(rows.data()), static_cast<std::streamsize>(rows.size() * sizeof(float)));
    out.close();
    if (!out) return Status(Code::file_unwritable, path + ": cannot be written", "nothing was kept", "make room");
    return file->keep();
}

int run(const Options& options) {
    const auto wrong = [](const std::string& what, const std::string& remedy) {
        return fail(Status(Code::invalid_argument, what, "nothing was computed", remedy));
    };
    if (options.bins < 1 || options.bins > 512)
        return wrong(fmt::format("--bins {} is out of range", options.bins), "use 80 or 128, at most 512");
    if (options.extent != "item" && options.extent != "window" && options.extent != "openai")
        return wrong("--extent " + options.extent + " is unknown", "use item, window or openai");
    if (options.output.empty() && options.plot.empty() && !options.json)
        return wrong("neither -o nor --plot is given", "name an .npy file or a .png file");
    catch_interrupts();
    const double begin = seconds_now();
    auto source = SoundSource::open(options.song);
    if (!source) return fail(source.status());
    models::MelConfig config = models::MelConfig::whisper(options.bins);
    if (options.librosa) config = models::MelConfig::librosa(16000.0, 2048, 512, options.bins);
    auto stream = models::MelStream::create(config);
    if (!stream) return fail(stream.status());
    // Frames as they come: the sound itself is never held, only its features are.
    std::vector<float> rows, block(16000);
    Progress progress("mel", std::max((*source)->seconds(), 0.01), options.quiet);
    std::int64_t samples = 0;
    const bool window = options.extent == "window" && !options.librosa;
    for (;;) {
        if (g_interrupted) return exit_interrupted;
        auto got = (*source)->read(block);
        if (!got) return fail(got.status());
        std::size_t count = *got;
        if (window) count = std::min<std::size_t>(count, static_cast<std::size_t>(480000 - samples));
        if (count == 0) break;
        stream->push(std::span(block).first(count), rows);
        samples += static_cast<std::int64_t>(count);
        progress.update(static_cast<double>(samples) / 16000.0);
    }
    if (!options.librosa && options.extent != "item") {
        std::fill(block.begin(), block.end(), 0.0f);
        std::int64_t zeros = options.extent == "openai" ? 480000 : 480000 - samples;
        for (; zeros > 0; zeros -= static_cast<std::int64_t>(block.size()))
            stream->push(std::span(block).first(std::min(block.size(), static_cast<std::size_t>(zeros))), rows);
    }
    stream->finish(rows);
    if (rows.empty())
        return fail(Status(Code::malformed, (*source)->name() + ": too short for one frame", "nothing was computed",
                           "give at least 13 ms of sound, or --extent window"));
    if (options.librosa) {
        if (options.db) models::power_to_db(rows);
    } else {
        rows.resize(rows.size() - static_cast<std::size_t>(options.bins)); // both references drop the last column
        models::whisper_normalise(rows);
    }
    progress.finish();
    const auto frames = static_cast<std::int64_t>(rows.size()) / options.bins;
    if (!options.output.empty())
        if (Status status = write_npy(options.output, rows, options.bins); !status) return fail(status);
    if (!options.plot.empty())
        if (Status status = io::plot_matrix(options.plot, rows, options.bins); !status) return fail(status);
    const double wall = seconds_now() - begin, seconds = static_cast<double>(samples) / 16000.0;
    if (options.json)
        fmt::print("{}\n", nlohmann::json{{"song", options.song},
                                          {"output", options.output},
                                          {"frames", frames},
                                          {"bins", options.bins},
                                          {"audio_seconds", seconds},
                                          {"wall_seconds", wall},
                                          {"times_real_time", wall > 0 ? seconds / wall : 0.0},
                                          {"kernel", models::mel_kernel_name()}}
                               .dump());
    else if (!options.quiet)
        fmt::print(stderr, "{}: {} frames of {} bins, {:.0f} times real time, {}\n", (*source)->name(), frames,
                   options.bins, wall > 0 ? seconds / wall : 0.0, models::mel_kernel_name());
    return exit_ok;
}

} // namespace

Command add_mel(CLI::App& app) {
    CLI::App* sub = app.add_subcommand("mel", "Log-mel features of a sound file, as Whisper or librosa define them");
    auto options = std::make_shared<Options>();
    sub->add_option("SONG", options->song, "Sound file; - is standard input")->required();
    sub->add_option("-o,--output", options->output, "NumPy file, float32 [frames, bins]");
    option(*sub, "--bins", options->bins, "Mel bands: 80, or 128 for large-v3");
    sub->add_option("--plot", options->plot, "Picture, PNG");
    option(*sub, "--extent", options->extent,
           "What shares a maximum: item, window (30 s), openai (30 s of zeros behind)");
    sub->add_flag("--librosa", options->librosa, "librosa's: 2048-point frames every 512 samples at 16 kHz, power");
    sub->add_flag("--db", options->db, "librosa's power_to_db");
    sub->add_flag("--json", options->json, "Print the result as one JSON object");
    sub->add_flag("--quiet", options->quiet, "No progress, no summary");
    return {sub, [options] { return run(*options); }};
}

} // namespace tutti::cli
