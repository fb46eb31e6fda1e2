// SPDX-License-Identifier: MIT
// tutti phrase "Am9 | Fmaj7 | C/G | G6sus4" --patch warm-pad -o pad.wav
#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <tutti/engine.h>
#include <tutti/phrase.h>

#include "cli/command.h"
#include "cli/patch_name.h"
#include "cli/render_output.h"
#include "cli/song.h"

namespace tutti::cli {

namespace {

struct Options {
    std::string text;
    OutputOptions output;
    std::string patch = "warm-pad";
    PhraseStyle style;
    std::string voicing = "open";
    double rate = 48000.0;
    double seconds = 0.0;
    int threads = 0;
    bool json = false;
    bool quiet = false;
};

int run(Options options) {
    if (Status status = check_output(options.output); !status.ok()) return fail(status);
    const auto phrase = Phrase::parse(options.text);
    if (!phrase.ok()) return fail(phrase.status());
    const auto patch = find_patch(options.patch);
    if (!patch.ok()) return fail(patch.status());
    if (options.voicing != "open" && options.voicing != "close" && options.voicing != "drop2")
        return fail(Status(Code::invalid_argument, fmt::format("--voicing {} is unknown", options.voicing),
                           "nothing was rendered", "use open, close or drop2"));
    options.style.voicing = options.voicing == "close"   ? Voicing::close
                            : options.voicing == "drop2" ? Voicing::drop2
                                                         : Voicing::open;
    options.style.sample_rate = options.rate;
    const PhraseStyle& style = options.style;
    const char* const nothing = "nothing was rendered";
    for (const Status& status : {check_range("--tempo", style.tempo, 10.0, 1000.0, nothing),
                                 check_range("--notes", style.voices, 2.0, 8.0, nothing),
                                 check_range("--strum", style.strum_seconds, -0.5, 0.5, nothing),
                                 check_range("--velocity", style.velocity, 0.0, 1.0, nothing),
                                 check_range("--humanise", style.humanise, 0.0, 1.0, nothing),
                                 check_range("--rate", options.rate, 8000.0, 192000.0, nothing),
                                 check_range("--seconds", options.seconds, 0.0, 1e6, nothing)})
        if (!status.ok()) return fail(status);

    auto engine = Engine::create({.threads = options.threads});
    if (!engine.ok()) return fail(engine.status());
    StreamConfig config;
    config.sample_rate = options.rate;
    config.mode = Mode::offline;
    config.parts = 1;
    config.seed = options.style.seed;
    auto stream = (*engine)->open(config);
    if (!stream.ok()) return fail(stream.status());
    if (Status status = (*stream)->set_patch(0, *patch, 0); !status.ok()) return fail(status);
    auto sender = (*stream)->make_sender();
    if (!sender.ok()) return fail(sender.status());
    auto writer = open_output(options.output.path, options.output, options.rate, 2, options.text);
    if (!writer.ok()) return fail(writer.status());
    catch_interrupts();

    const std::vector<Event> events = phrase->events(options.style);
    const double begin = seconds_now();
    std::vector<float> left(k_song_block), right(k_song_block);
    float* out[2] = {left.data(), right.data()};
    const auto played = static_cast<std::int64_t>(phrase->beats() * 60.0 / options.style.tempo * options.rate);
    const auto longest = played + static_cast<std::int64_t>(k_most_tail_seconds * options.rate);
    const auto asked = static_cast<std::int64_t>(options.seconds * options.rate);
    std::int64_t frame = 0, quiet = 0;
    std::size_t next = 0;
    double peak = 0.0;
    Progress progress("phrase", static_cast<double>(asked > 0 ? asked : played), options.quiet);
    for (;;) {
        if (g_interrupted)
            return fail(Status(Code::cancelled, "interrupted", "the output was not written", "run the command again"));
        if (asked > 0 ? frame >= asked
                      : frame >= longest || (frame >= played && (*stream)->stats().voices == 0 &&
                                             quiet > static_cast<std::int64_t>(options.rate / 4)))
            break;
        const int frames =
            asked > 0 ? static_cast<int>(std::min<std::int64_t>(k_song_block, asked - frame)) : k_song_block;
        for (; next < events.size() && events[next].frame < frame + frames; ++next)
            sender->post(events[next]);
        (*stream)->pull(out, frames);
        if (Status status = writer->write(out, static_cast<std::size_t>(frames)); !status.ok()) return fail(status);
        float loudest = 0.0f;
        for (int i = 0; i < frames; ++i)
            loudest = std::max(
                {loudest, std::fabs(left[static_cast<std::size_t>(i)]), std::fabs(right[static_cast<std::size_t>(i)])});
        peak = std::max(peak, static_cast<double>(loudest));
        quiet = decibels(loudest) < k_tail_floor_db ? quiet + frames : 0;
        frame += frames;
        progress.update(static_cast<double>(frame));
    }
    const double wall = seconds_now() - begin;
    progress.finish();
    if (Status status = writer->close(); !status.ok()) return fail(status);
    if (Status status = plot_output(options.output); !status.ok()) return fail(status);

    const double seconds = static_cast<double>(frame) / options.rate;
    if (options.json)
        fmt::print(options.output.path == "-" ? stderr : stdout, "{}\n",
                   nlohmann::json({{"phrase", options.text},
                                   {"output", options.output.path},
                                   {"patch", options.patch},
                                   {"chords", phrase->steps().size()},
                                   {"audio_seconds", seconds},
                                   {"wall_seconds", wall},
                                   {"times_real_time", seconds / wall},
                                   {"peak_db", decibels(peak)},
                                   {"seed", options.style.seed},
                                   {"backend", (*engine)->backend()}})
                       .dump());
    else if (!options.quiet)
        tell("{}: {:.1f} s of sound, {} chords on {}, peak {}, seed {}, {:.0f} times real time\n", options.output.path,
             seconds, phrase->steps().size(), patch->name, level_text(peak), options.style.seed, seconds / wall);
    return exit_ok;
}

} // namespace

Command add_phrase(CLI::App& app) {
    CLI::App* sub = app.add_subcommand("phrase", "Renders chords by name, voiced, strummed, humanised");
    auto options = std::make_shared<Options>();
    PhraseStyle& style = options->style;
    sub->add_option("CHORDS", options->text,
                    "\"Am9 | Fmaj7 | C/G | G6sus4\": bars between |, Am7:2 takes 2 beats, - rests")
        ->required();
    add_output_options(*sub, options->output);
    option(*sub, "--patch", options->patch, "Factory patch or patch file");
    option(*sub, "--tempo", style.tempo, "Beats a minute");
    option(*sub, "--voicing", options->voicing, "open, close or drop2");
    option(*sub, "--notes", style.voices, "Notes above the bass, 2 to 8");
    option(*sub, "--strum", style.strum_seconds, "Seconds from note to note; negative: downwards");
    option(*sub, "--velocity", style.velocity, "0 to 1");
    option(*sub, "--humanise", style.humanise, "0 (none) to 1");
    option(*sub, "--seed", style.seed, "Of humanising, noise and drift")->check(CLI::NonNegativeNumber);
    option(*sub, "--seconds", options->seconds, "Length, 0: the phrase and its tail");
    option(*sub, "--rate", options->rate, "Sample rate in Hz");
    option(*sub, "--threads", options->threads, "Threads that render, 0: one a core");
    sub->add_flag("--json", options->json, "Print the result as one JSON object");
    sub->add_flag("--quiet", options->quiet, "No progress, no summary");
    return {sub, [options] { return run(*options); }};
}

} // namespace tutti::cli
