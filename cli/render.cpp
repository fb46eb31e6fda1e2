// SPDX-License-Identifier: MIT
// tutti render SONG.mid -o OUT.wav
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <tutti/trace.h>

#include "cli/command.h"
#include "cli/patch_name.h"
#include "cli/render_output.h"
#include "cli/song.h"
#include "io/audio_file.h"

namespace tutti::cli {

namespace {

struct Options {
    std::string song;
    OutputOptions output;
    std::vector<std::string> patches;
    double rate = 48000.0;
    double seconds = 0.0;
    int threads = 0;
    std::uint64_t seed = 1;
    bool normalize = false;
    bool stems = false;
    bool no_limiter = false;
    bool json = false;
    bool quiet = false;
    std::string trace;
};

Result<std::shared_ptr<const MidiFile>> load_song(const std::string& path) {
    Result<MidiFile> file = [&]() -> Result<MidiFile> {
        if (path != "-") return MidiFile::load(path);
        std::cin >> std::noskipws;
        const std::vector<char> bytes{std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
        return MidiFile::parse(std::as_bytes(std::span(bytes)));
    }();
    if (!file.ok()) return file.status();
    return std::shared_ptr<const MidiFile>(std::make_shared<MidiFile>(std::move(file).value()));
}

// --patch CHANNEL=NAME, channel 1..16 as musicians count.
Result<std::map<int, Patch>> chosen_patches(const std::vector<std::string>& words) {
    std::map<int, Patch> chosen;
    for (const std::string& word : words) {
        const auto equals = word.find('=');
        int channel = 0;
        try {
            if (equals != std::string::npos) channel = std::stoi(word.substr(0, equals));
        } catch (const std::exception&) {
            channel = 0;
        }
        if (channel < 1 || channel > 256)
            return Status(Code::invalid_argument, fmt::format("--patch {} is not CHANNEL=NAME", word),
                          "nothing was rendered", "write for example --patch 1=warm-pad");
        Result<Patch> patch = find_patch(word.substr(equals + 1));
        if (!patch.ok()) return patch.status();
        chosen[channel - 1] = std::move(patch).value();
    }
    return chosen;
}

// Renders the song once into `writer` (none: only listens for the peak).
struct Pass {
    double peak = 0.0;
    std::int64_t frames = 0;
    int most_voices = 0;
    StreamStats stats;
    std::vector<int> parts;
};

Result<Pass> render_pass(Engine& engine, const std::shared_ptr<const MidiFile>& file, const SongOptions& options,
                         io::AudioFileWriter* writer, float gain, Progress& progress) {
    auto song = Song::open(engine, file, options);
    if (!song.ok()) return song.status();
    for (;;) {
        if (g_interrupted)
            return Status(Code::cancelled, "interrupted", "the output was not written", "run the command again");
        const Result<int> frames = song->next();
        if (!frames.ok()) return frames.status();
        if (*frames == 0) break;
        if (writer != nullptr) {
            const trace::Span span("write");
            if (gain != 1.0f)
                for (int channel = 0; channel < 2; ++channel)
                    for (int i = 0; i < *frames; ++i)
                        song->out()[channel][i] *= gain;
            if (Status status = writer->write(song->out(), static_cast<std::size_t>(*frames)); !status.ok())
                return status;
        }
        progress.update(static_cast<double>(song->frames()) / static_cast<double>(song->expected_frames()));
    }
    Pass pass;
    pass.peak = song->peak();
    pass.frames = song->frames();
    pass.most_voices = song->most_voices();
    pass.stats = song->stream().stats();
    pass.parts = song->parts();
    return pass;
}

std::string stem_path(const std::string& path, int part) {
    const std::filesystem::path whole(path);
    return (whole.parent_path() /
            fmt::format("{}-channel-{:02d}{}", whole.stem().string(), part + 1, whole.extension().string()))
        .string();
}

int run(const Options& options) {
    trace::Stages stages("set up");
    const double begin = seconds_now();
    if (Status status = check_output(options.output); !status.ok()) return fail(status);
    if (options.stems && options.output.path == "-")
        return fail(Status(Code::invalid_argument, "--stems needs a file name to derive the others from",
                           "nothing was rendered", "use -o NAME.wav"));
    for (const Status& status : {check_range("--rate", options.rate, 8000.0, 192000.0, "nothing was rendered"),
                                 check_range("--seconds", options.seconds, 0.0, 1e6, "nothing was rendered")})
        if (!status.ok()) return fail(status);
    auto file = load_song(options.song);
    if (!file.ok()) return fail(file.status());
    auto patches = chosen_patches(options.patches);
    if (!patches.ok()) return fail(patches.status());
    auto engine = Engine::create({.threads = options.threads});
    if (!engine.ok()) return fail(engine.status());
    if (!options.quiet)
        for (const MidiWarning& warning : (*file)->warnings())
            tell("{}: {}\n", options.song, warning.text);

    SongOptions song;
    song.rate = options.rate;
    song.seconds = options.seconds;
    song.patches = *patches;
    song.seed = options.seed;
    song.limiter = !options.no_limiter;
    catch_interrupts();

    float gain = 1.0f;
    if (options.normalize) {
        Progress progress("level", 1.0, options.quiet);
        const auto pass = render_pass(**engine, *file, song, nullptr, 1.0f, progress);
        if (!pass.ok()) return fail(pass.status());
        if (pass->peak > 0.0) gain = static_cast<float>(std::pow(10.0, -1.0 / 20.0) / pass->peak);
    }

    const std::string title = std::filesystem::path(options.song).stem().string();
    nlohmann::json written = nlohmann::json::array();
    const auto render_to = [&](const std::string& path, const SongOptions& what,
                               const std::string& label) -> Result<Pass> {
        auto writer = open_output(path, options.output, options.rate, 2, title);
        if (!writer.ok()) return writer.status();
        Progress progress(label, 1.0, options.quiet);
        auto pass = render_pass(**engine, *file, what, &*writer, gain, progress);
        if (!pass.ok()) return pass;
        if (Status status = writer->close(); !status.ok()) return status;
        written.push_back(path);
        return pass;
    };
    stages.next("render");
    const auto mix = render_to(options.output.path, song, "render");
    if (!mix.ok()) return fail(mix.status());
    if (options.stems)
        for (const int part : mix->parts) {
            SongOptions stem = song;
            stem.only_part = part;
            stem.limiter = false;
            const auto pass =
                render_to(stem_path(options.output.path, part), stem, fmt::format("channel {}", part + 1));
            if (!pass.ok()) return fail(pass.status());
        }
    const double wall = seconds_now() - begin;
    stages.next("finish");
    if (Status status = plot_output(options.output); !status.ok()) return fail(status);

    const double seconds = static_cast<double>(mix->frames) / options.rate;
    if (options.json) {
        const nlohmann::json result = {{"song", options.song},
                                       {"outputs", written},
                                       {"plot", options.output.plot},
                                       {"audio_seconds", seconds},
                                       {"wall_seconds", wall},
                                       {"times_real_time", seconds / wall},
                                       {"rate", options.rate},
                                       {"peak_db", decibels(mix->peak * gain)},
                                       {"most_voices", mix->most_voices},
                                       {"stolen_voices", mix->stats.stolen_voices},
                                       {"late_events", mix->stats.late_events},
                                       {"dropped_events", mix->stats.dropped_events},
                                       {"muted_voices", mix->stats.muted_voices},
                                       {"warnings", (*file)->warning_count()},
                                       {"seed", options.seed},
                                       {"backend", (*engine)->backend()}};
        fmt::print(options.output.path == "-" ? stderr : stdout, "{}\n", result.dump());
    } else if (!options.quiet) {
        tell("{}: {}:{:04.1f} of sound, peak {}, {} voices at most, {:.0f} times real time, {}\n", options.output.path,
             static_cast<int>(seconds) / 60, std::fmod(seconds, 60.0), level_text(mix->peak * gain), mix->most_voices,
             seconds / wall, (*engine)->backend());
    }
    return exit_ok;
}

} // namespace

Command add_render(CLI::App& app) {
    CLI::App* sub = app.add_subcommand("render", "Renders a MIDI file to a sound file");
    auto options = std::make_shared<Options>();
    sub->add_option("SONG", options->song, "Standard MIDI File, or - for standard input")->required();
    add_output_options(*sub, options->output);
    sub->add_option("--patch", options->patches, "CHANNEL=NAME: a factory patch or patch file for a channel (1..16)");
    option(*sub, "--rate", options->rate, "Sample rate in Hz, 8000 to 192000");
    option(*sub, "--threads", options->threads, "Threads that render, 0: one a core");
    option(*sub, "--seconds", options->seconds, "Length, 0: the piece and its tail");
    option(*sub, "--seed", options->seed, "Of noise and drift")->check(CLI::NonNegativeNumber);
    sub->add_flag("--normalize", options->normalize, "Bring the peak to -1 dBFS (renders twice)");
    sub->add_flag("--stems", options->stems, "Also one file a channel, without the limiter");
    sub->add_flag("--no-limiter", options->no_limiter, "Leave the limiter out");
    sub->add_flag("--json", options->json, "Print the result as one JSON object");
    sub->add_flag("--quiet", options->quiet, "No progress, no summary");
    trace_option(*sub, options->trace);
    return {sub, [options] { return traced(options->trace, options->quiet, [options] { return run(*options); }); }};
}

} // namespace tutti::cli
