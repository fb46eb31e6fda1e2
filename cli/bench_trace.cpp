// SPDX-License-Identifier: MIT
// tutti bench trace: what the recorder costs while it is on, by CPU time in interleaved pairs.
#include <algorithm>
#include <memory>
#include <vector>

#include <fmt/format.h>

#include <tutti/trace.h>

#include "cli/bench.h"
#include "cli/statistics.h"

namespace tutti::cli {

namespace {

struct Options {
    int notes = 32;
    double seconds = 2.0;
    int pairs = 21;
    bool json = false;
};

// CPU seconds of `seconds` of sound: of the whole process, the collector's among them, and of the thread that plays.
struct Spent {
    double all = 0.0, own = 0.0;
};
Spent render(Stream& stream, double seconds) {
    std::vector<float> left(256), right(256);
    float* out[2] = {left.data(), right.data()};
    const double begin = cpu_seconds_now(), own = thread_cpu_seconds_now();
    for (auto frames = static_cast<std::int64_t>(seconds * stream.sample_rate()); frames > 0; frames -= 256)
        stream.pull(out, 256);
    return {cpu_seconds_now() - begin, thread_cpu_seconds_now() - own};
}

int run(const Options& options) {
    if (options.notes < 1 || options.notes > 512 || options.pairs < 1 || !(options.seconds > 0.0))
        return fail(Status(Code::out_of_range, "--notes, --pairs or --seconds is out of range", "nothing was measured",
                           "use 1 to 512 notes, at least one pair, more than no seconds"));
    auto engine = Engine::create({.threads = 1});
    if (!engine.ok()) return fail(engine.status());
    StreamConfig config;
    config.parts = 4;
    auto stream = (*engine)->open(config);
    if (!stream.ok()) return fail(stream.status());
    Patch patch;
    patch.voices = 512;
    patch.effects = {{"chorus", {}, true}, {"reverb", {}, true}};
    for (int part = 0; part < 4; ++part)
        if (Status status = (*stream)->set_patch(part, patch, 0); !status.ok()) return fail(status);
    auto sender = (*stream)->make_sender();
    if (!sender.ok()) return fail(sender.status());
    for (int note = 0; note < options.notes; ++note)
        sender->post(Event::note_on(0, note % 4, 30 + note % 60, 0.7, note));
    render(**stream, 0.5);
    std::vector<double> ratio, own_ratio, plain;
    trace::Summary told;
    for (int pair = 0; pair < options.pairs; ++pair) {
        Spent seconds[2];
        for (int k = 0; k < 2; ++k) {
            const int traced = (pair + k) % 2; // the order changes from pair to pair
            if (traced)
                if (Status status = trace::start(); !status.ok()) return fail(status);
            seconds[traced] = render(**stream, options.seconds);
            if (!traced) continue;
            const auto stopped = trace::stop({});
            if (!stopped.ok()) return fail(stopped.status());
            told = *stopped;
        }
        ratio.push_back(seconds[1].all / seconds[0].all);
        own_ratio.push_back(seconds[1].own / seconds[0].own);
        plain.push_back(seconds[0].own / options.seconds);
    }
    print_result({{"cost_percent", 100.0 * (median(ratio) - 1.0)},
                  {"cost_percent_interval",
                   {100.0 * (median_interval(ratio).low - 1.0), 100.0 * (median_interval(ratio).high - 1.0)}},
                  {"cost_percent_min", 100.0 * (*std::min_element(ratio.begin(), ratio.end()) - 1.0)},
                  {"cost_percent_max", 100.0 * (*std::max_element(ratio.begin(), ratio.end()) - 1.0)},
                  {"player_cost_percent", 100.0 * (median(own_ratio) - 1.0)},
                  {"player_cost_percent_interval",
                   {100.0 * (median_interval(own_ratio).low - 1.0), 100.0 * (median_interval(own_ratio).high - 1.0)}},
                  {"untraced_load_percent", 100.0 * median(plain)},
                  {"events_per_second", static_cast<double>(told.events) / options.seconds},
                  {"dropped", told.dropped},
                  {"notes", options.notes},
                  {"pairs", options.pairs},
                  {"backend", (*engine)->backend()}},
                 options.json);
    return exit_ok;
}

} // namespace

Command add_bench_trace(CLI::App& app) {
    CLI::App* sub =
        app.add_subcommand("trace", "What --trace costs: four parts with chorus and reverb, traced and not");
    auto options = std::make_shared<Options>();
    option(*sub, "--notes", options->notes, "Notes held");
    option(*sub, "--seconds", options->seconds, "Seconds of sound a measurement");
    option(*sub, "--pairs", options->pairs, "Interleaved pairs");
    sub->add_flag("--json", options->json, "Print one JSON object");
    return {sub, [options] { return run(*options); }};
}

} // namespace tutti::cli
