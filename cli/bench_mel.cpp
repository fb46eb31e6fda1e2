// SPDX-License-Identifier: MIT
// tutti bench mel: log-mel frames of 16 kHz sound, hop 160, to log10; every value is written.
#include <memory>

#include <fmt/format.h>

#include "cli/bench.h"
#include "cli/bench_models.h"
#include <models/mel/mel.h>

namespace tutti::cli {

namespace {

struct Options {
    std::int64_t frames = 628163; // 1 h 44 m 42 s
    int bins = 80;
    int threads = 1;
    int chunk = 0;
    int rounds = 1;
    bool json = false;
};

int run(const Options& o) {
    const auto config = models::MelConfig::whisper(o.bins);
    const std::int64_t samples = (o.frames - 1) * config.hop;
    const std::vector<float> signal = test_signal(samples);
    nlohmann::json result;
    double best = 1e9, best_cpu = 1e9;
    std::string sum;
    std::int64_t frames = 0;
    for (int round = 0; round < o.rounds; ++round) {
        const double begin = seconds_now(), cpu = cpu_seconds_now();
        std::vector<float> rows;
        std::unique_ptr<float[]> whole; // plain memory: large pages made afresh took up to three times as long
        std::span<const float> all;
        if (o.chunk == 0) {
            const auto count =
                static_cast<std::size_t>(models::mel_frame_count(config, samples)) * static_cast<std::size_t>(o.bins);
            whole = std::make_unique_for_overwrite<float[]>(count);
            const std::span<float> out(whole.get(), count);
            if (Status status = models::mel_rows_into(config, signal, out, o.threads); !status) return fail(status);
            all = out;
        } else {
            auto stream = models::MelStream::create(config);
            if (!stream) return fail(stream.status());
            rows.reserve(static_cast<std::size_t>(o.frames) * static_cast<std::size_t>(o.bins));
            const auto piece = static_cast<std::size_t>(o.chunk) * static_cast<std::size_t>(config.hop);
            for (std::size_t at = 0; at < signal.size(); at += piece)
                stream->push(std::span(signal).subspan(at, std::min(piece, signal.size() - at)), rows);
            stream->finish(rows);
            all = rows;
        }
        best = std::min(best, seconds_now() - begin);
        best_cpu = std::min(best_cpu, cpu_seconds_now() - cpu);
        frames = static_cast<std::int64_t>(all.size()) / o.bins;
        if (round == 0) sum = checksum(all.data(), all.size_bytes());
    }
    result["wall_seconds"] = best;
    result["cpu_seconds"] = best_cpu;
    result["frames"] = frames;
    result["bins"] = o.bins;
    result["threads"] = o.threads;
    result["chunk_frames"] = o.chunk;
    result["times_real_time"] = static_cast<double>(frames) * 0.01 / best;
    // A real transform of 400 points counted as 2.5 n log2 n, the filters' 391 weights twice, as FLOP.
    const double flop = static_cast<double>(frames) * (2.5 * 400 * 8.64 + 2 * 391 + 3 * 201 + 400);
    result["gflop"] = flop / 1e9;
    const double bytes = static_cast<double>(samples) * 4 + static_cast<double>(frames) * o.bins * 4;
    result["bytes"] = bytes;
    result["of_read_bandwidth"] = bytes / best / read_bandwidth(o.threads);
    result["kernel"] = models::mel_kernel_name();
    result["checksum"] = sum;
    print_result(result, o.json);
    return exit_ok;
}

} // namespace

Command add_bench_mel(CLI::App& app) {
    CLI::App* sub = app.add_subcommand("mel", "Log-mel features: frames a second");
    auto options = std::make_shared<Options>();
    option(*sub, "--frames", options->frames, "Frames of 10 ms")->check(CLI::Range(1, 100000000));
    option(*sub, "--bins", options->bins, "Mel bands")->check(CLI::Range(1, 512));
    option(*sub, "--threads", options->threads, "Threads")->check(CLI::Range(1, 256));
    option(*sub, "--chunk", options->chunk, "Frames a push of the streamed form; 0: all at once")
        ->check(CLI::Range(0, 1000000));
    option(*sub, "--rounds", options->rounds, "Times it is run; the fastest counts")->check(CLI::Range(1, 1000));
    sub->add_flag("--json", options->json, "Print JSON");
    return {sub, [options] { return run(*options); }};
}

} // namespace tutti::cli
