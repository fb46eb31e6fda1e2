// SPDX-License-Identifier: MIT
// tutti soak: hours of everything, on the wall clock or as fast as it goes, and a verdict.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/soak_world.h"
#include "engine/core/process.h"
#include "io/chart.h"

namespace tutti::cli {

namespace {

constexpr double k_most_growth_mb = 10.0;
constexpr double k_sample_seconds = 5.0;
constexpr double k_settle_seconds = 60.0;

struct Sample {
    double minutes = 0.0, memory_mb = 0.0;
    EngineStats stats;
};

double megabytes() {
    return static_cast<double>(engine::resident_bytes()) / 1e6;
}

// With every stream closed and what is free given back to the system: what is left over is what was forgotten.
double quiet_megabytes(SoakWorld& world) {
    world.close_streams();
#if defined(__GLIBC__)
    malloc_trim(0);
#endif
    return megabytes();
}

Status draw(const std::string& png, const std::vector<Sample>& samples, const std::string& title) {
    io::ChartLine memory{"resident", {}, false}, half{"p50", {}, false}, most{"p99", {}, false};
    io::ChartLine tail{"audio threads p99.9", {}, false}, late{"late blocks", {}, false};
    for (const Sample& sample : samples) {
        memory.points.emplace_back(sample.minutes, sample.memory_mb);
        half.points.emplace_back(sample.minutes, 100.0 * sample.stats.load.p50);
        most.points.emplace_back(sample.minutes, 100.0 * sample.stats.load.p99);
        tail.points.emplace_back(sample.minutes, 100.0 * sample.stats.audio_load.p999);
        late.points.emplace_back(sample.minutes, static_cast<double>(sample.stats.underruns));
    }
    io::Chart chart;
    chart.title = title;
    chart.x_title = "minutes";
    chart.height = 1000;
    chart.panels = {{"memory, MB", {memory}, {}},
                    {"load of rendering, % of real time", {half, most}, {}},
                    {"tail latency, % of the block's time", {tail}, {}},
                    {"late blocks", {late}, {}}};
    return io::draw_chart(png, chart);
}

int run(const SoakOptions& options) {
    const bool wall = options.minutes > 0.0;
    if (wall == (options.hours > 0.0) || options.fake_clock == wall)
        return fail(Status(Code::invalid_argument, "a soak takes --minutes N, or --hours N with --fake-clock",
                           "nothing was done", "for example: tutti soak --hours 8 --fake-clock"));
    const double length = wall ? options.minutes * 60.0 : options.hours * 3600.0;
    auto created = SoakWorld::create(options);
    if (!created.ok()) return fail(created.status());
    SoakWorld& world = **created;
    catch_interrupts();
    const int threads = thread_count(), files = open_files();
    const double begin = seconds_now();
    std::vector<Sample> samples;
    double seconds = 0.0, next_sample = 0.0, next_line = 60.0;
    // The first tenth warms up: caches, the allocator's arenas.
    double warm = std::min(600.0, 0.1 * length), quiet = quiet_megabytes(world);
    while (seconds < length && !g_interrupted) {
        if (Status status = world.live(); !status.ok()) return fail(status);
        seconds += 0.1;
        if (warm > 0.0 && seconds >= warm) {
            quiet = quiet_megabytes(world);
            warm = 0.0;
        }
        if (wall) {
            const double ahead = begin + seconds - seconds_now();
            if (ahead > 0.0) std::this_thread::sleep_for(std::chrono::duration<double>(ahead));
        }
        if (seconds < next_sample && seconds < length) continue;
        next_sample = seconds + std::min(k_sample_seconds, length / 100.0);
        samples.push_back({seconds / 60.0, megabytes(), world.engine().stats()});
        if (options.quiet || seconds < next_line) continue;
        // A line a minute, of the clock that the user waits by.
        next_line =
            wall ? next_line + 60.0 : seconds + std::max(60.0, 60.0 * seconds / std::max(1.0, seconds_now() - begin));
        const Sample& now = samples.back();
        fmt::print(stderr,
                   "{:7.1f} min: {} streams, {} voices, {:.1f} MB ({:+.1f}), load {:.1f} % p99 {:.1f} %, {} late, {} "
                   "threads, {} files\n",
                   now.minutes, now.stats.streams, now.stats.voices, now.memory_mb,
                   now.memory_mb - samples.front().memory_mb, 100.0 * now.stats.load.p50, 100.0 * now.stats.load.p99,
                   now.stats.underruns, thread_count(), open_files());
    }
    const bool interrupted = g_interrupted;
    const double spent = seconds_now() - begin;
    const bool silent = world.settle(k_settle_seconds);
    const EngineStats stats = world.engine().stats();
    const int threads_after = thread_count(), files_after = open_files();
    const double growth = std::max(0.0, quiet_megabytes(world) - quiet);

    std::string verdict = "pass";
    const auto fault = [&](bool there, const std::string& words) {
        if (there) verdict = (verdict == "pass" ? "fail: " : verdict + "; ") + words;
    };
    fault(growth >= k_most_growth_mb, fmt::format("memory grew by {:.1f} MB", growth));
    fault(stats.underruns > 0, fmt::format("{} late blocks", stats.underruns));
    fault(threads_after > threads, fmt::format("{} threads more than at the beginning", threads_after - threads));
    fault(files_after > files, fmt::format("{} open files more than at the beginning", files_after - files));
    fault(world.broken() > 0, fmt::format("{} samples were not finite", world.broken()));
    fault(stats.muted_voices > 0, fmt::format("{} voices were not finite", stats.muted_voices));
    fault(!silent, "voices sounded on after every note was let go");
    if (!options.plot.empty() && !samples.empty())
        if (Status status = draw(options.plot, samples, fmt::format("tutti soak, seed {}: {}", options.seed, verdict));
            !status.ok())
            return fail(status);
    const nlohmann::json result = {{"verdict", verdict},
                                   {"interrupted", interrupted},
                                   {"audio_minutes", seconds / 60.0},
                                   {"wall_seconds", spent},
                                   {"times_real_time", seconds / std::max(1e-9, spent)},
                                   {"memory_growth_mb", growth},
                                   {"memory_mb", megabytes()},
                                   {"underruns", stats.underruns},
                                   {"threads", {threads, threads_after}},
                                   {"fds", {files, files_after}},
                                   {"notes", world.notes()},
                                   {"streams_opened", world.opened()},
                                   {"stolen_voices", stats.stolen_voices},
                                   {"shed_voices", stats.shed_voices},
                                   {"late_events", stats.late_events},
                                   {"dropped_events", stats.dropped_events},
                                   {"stalls", stats.stalls},
                                   {"load_p50", stats.load.p50},
                                   {"load_p99", stats.load.p99},
                                   {"audio_load_p999", stats.audio_load.p999},
                                   {"seed", options.seed},
                                   {"backend", stats.backend}};
    if (options.json)
        fmt::print("{}\n", result.dump());
    else
        fmt::print(
            "{}: {:.1f} minutes of sound in {:.1f} s, {} notes, {} streams, memory {:+.1f} MB, {} late blocks{}\n",
            verdict, seconds / 60.0, spent, world.notes(), world.opened(), growth, stats.underruns,
            interrupted ? ", interrupted" : "");
    if (verdict != "pass") return exit_failed;
    return interrupted ? exit_interrupted : exit_ok;
}

} // namespace

Command add_soak(CLI::App& app) {
    CLI::App* sub =
        app.add_subcommand("soak", "Hours of random patches, notes, streams, clips and jobs, and a verdict");
    auto options = std::make_shared<SoakOptions>();
    auto trace = std::make_shared<std::string>();
    sub->add_option("--minutes", options->minutes, "Run so long by the wall clock, paced as a device would");
    sub->add_option("--hours", options->hours, "Hours of sound; with --fake-clock");
    sub->add_flag("--fake-clock", options->fake_clock, "As fast as it goes");
    option(*sub, "--seed", options->seed, "Of all that is random");
    option(*sub, "--rate", options->rate, "Sample rate in Hz");
    sub->add_option("--plot", options->plot, "Draw memory, load and tail latency to this PNG");
    sub->add_option("--plant-leak", options->leak_bytes, "Leak so many bytes a note")->group("");
    sub->add_option("--plant", options->plant, "Leave a \"thread\" or a \"file\" behind")->group("");
    sub->add_flag("--json", options->json, "Print the result as one JSON object");
    sub->add_flag("--quiet", options->quiet, "No line a minute");
    trace_option(*sub, *trace);
    return {sub, [options, trace] { return traced(*trace, options->quiet, [options] { return run(*options); }); }};
}

} // namespace tutti::cli
