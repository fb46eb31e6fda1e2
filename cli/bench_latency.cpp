// SPDX-License-Identifier: MIT
// tutti bench latency: what a pull costs the audio thread in `ahead` mode, and what a block costs in `inline` mode.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <memory>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "cli/bench.h"
#include "io/chart.h"

namespace tutti::cli {

namespace {

struct Options {
    int voices = 16;
    int frames = 64;
    double rate = 48000.0;
    double seconds = 5.0;
    std::string patch = "default";
    std::string plot;
    bool json = false;
};

// A stream of `mode` that holds `voices` notes of the patch.
struct Session {
    std::shared_ptr<Stream> stream;
    Sender sender;
};

Result<Session> begin(Engine& engine, const Options& options, const Patch& patch, Mode mode) {
    StreamConfig config;
    config.sample_rate = options.rate;
    config.mode = mode;
    config.max_frames = options.frames;
    auto stream = engine.open(config);
    if (!stream.ok()) return stream.status();
    Session session{std::move(stream).value(), {}};
    if (Status status = session.stream->set_patch(0, patch, 0); !status.ok()) return status;
    auto sender = session.stream->make_sender();
    if (!sender.ok()) return sender.status();
    session.sender = std::move(sender).value();
    for (int voice = 0; voice < options.voices; ++voice)
        session.sender.post(Event::note_on(0, 0, 36 + 3 * voice % 60, 0.7, voice));
    return session;
}

using Clock = std::chrono::steady_clock;

// Pulls for `seconds`, one block each period as a device would, and returns what each pull took in nanoseconds.
std::vector<double> paced_pulls(Stream& stream, const Options& options) {
    std::vector<float> left(static_cast<std::size_t>(options.frames)), right(left.size());
    float* out[2] = {left.data(), right.data()};
    const auto period = std::chrono::duration<double>(options.frames / options.rate);
    const auto blocks = static_cast<std::size_t>(options.seconds * options.rate / options.frames);
    std::vector<double> taken;
    taken.reserve(blocks);
    auto due = Clock::now();
    for (std::size_t block = 0; block < blocks + 200; ++block) {
        due += std::chrono::duration_cast<Clock::duration>(period);
        std::this_thread::sleep_until(due);
        const auto begin = Clock::now();
        stream.pull(out, options.frames);
        const auto end = Clock::now();
        if (block >= 200) taken.push_back(std::chrono::duration<double, std::nano>(end - begin).count());
    }
    return taken;
}

// How often each duration came, as parts of the period; sixteen bars a doubling.
io::ChartLine histogram(const char* name, const std::vector<double>& values, double period) {
    io::ChartLine line{name, {}, true};
    std::map<int, int> count;
    for (const double value : values)
        ++count[static_cast<int>(std::floor(16.0 * std::log2(std::max(value / period, 1e-9))))];
    for (const auto& [bin, times] : count)
        line.points.emplace_back(100.0 * std::exp2((bin + 0.5) / 16.0), std::log10(1.0 + times));
    return line;
}

int run(const Options& options) {
    if (options.frames < 1 || options.frames > 8192)
        return fail(Status(Code::out_of_range, fmt::format("--frames {} is out of range", options.frames),
                           "nothing was measured", "use 1 to 8192"));
    Patch patch; // the default patch, with effects as a player would have them
    patch.effects = {{"chorus", {}, true}, {"reverb", {}, true}};
    if (options.patch != "default") {
        Result<Patch> named = Patch::factory(options.patch);
        if (!named.ok()) return fail(named.status());
        patch = *named;
    }
    auto engine = Engine::create();
    if (!engine.ok()) return fail(engine.status());

    auto ahead = begin(**engine, options, patch, Mode::ahead);
    if (!ahead.ok()) return fail(ahead.status());
    std::vector<double> pull_ns = paced_pulls(*ahead->stream, options);
    const StreamStats stats = ahead->stream->stats();
    const int latency = ahead->stream->latency_frames();
    *ahead = {};

    auto own = begin(**engine, options, patch, Mode::inline_);
    if (!own.ok()) return fail(own.status());
    std::vector<double> block_us = paced_pulls(*own->stream, options);
    for (double& each : block_us)
        each /= 1000.0;

    const double period_us = 1e6 * options.frames / options.rate;
    nlohmann::json result = {
        {"voices", options.voices},         {"frames", options.frames},          {"rate", options.rate},
        {"pull_ns", percentiles(pull_ns)},  {"block_us", percentiles(block_us)}, {"period_us", period_us},
        {"late_blocks", stats.late_blocks}, {"latency_frames", latency},         {"backend", (*engine)->backend()}};
    result["inline_load_p50"] = result["block_us"]["p50"].get<double>() / period_us;
    const double ahead_p999 = result["pull_ns"]["p999"].get<double>() / (10.0 * period_us);
    const double inline_p999 = 100.0 * result["block_us"]["p999"].get<double>() / period_us;
    result["ahead_p999_percent"] = ahead_p999; // of the period
    result["inline_p999_percent"] = inline_p999;
    if (!options.plot.empty()) {
        io::Chart chart;
        chart.title = fmt::format("Audio-thread work, {} voices, blocks of {} at {:g} Hz, {}", options.voices,
                                  options.frames, options.rate, (*engine)->backend());
        chart.x_title = "% of the block's time";
        chart.x_logarithmic = true;
        chart.panels = {{"ahead: pulls, log10(1 + count)",
                         {histogram("pull", pull_ns, 1000.0 * period_us)},
                         {{ahead_p999, fmt::format("p99.9 {:.2f} %", ahead_p999)}, {1.0, "bound 1 %"}}},
                        {"inline: pulls, log10(1 + count)",
                         {histogram("pull", block_us, period_us)},
                         {{inline_p999, fmt::format("p99.9 {:.2f} %", inline_p999)}, {5.0, "bound 5 %"}}}};
        if (Status status = io::draw_chart(options.plot, chart); !status.ok()) return fail(status);
    }
    print_result(result, options.json);
    return exit_ok;
}

} // namespace

Command add_bench_latency(CLI::App& app) {
    CLI::App* sub =
        app.add_subcommand("latency", "The audio thread's work: a pull in ahead mode, a block in inline mode");
    auto options = std::make_shared<Options>();
    option(*sub, "--voices", options->voices, "Notes held");
    option(*sub, "--frames", options->frames, "Frames a pull");
    option(*sub, "--rate", options->rate, "Sample rate in Hz");
    option(*sub, "--seconds", options->seconds, "Seconds each mode is measured");
    option(*sub, "--patch", options->patch, "Factory patch; default: Init with chorus and reverb");
    sub->add_option("--plot", options->plot, "Draw both histograms to this PNG");
    sub->add_flag("--json", options->json, "Print one JSON object");
    return {sub, [options] { return run(*options); }};
}

} // namespace tutti::cli
