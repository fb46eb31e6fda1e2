// SPDX-License-Identifier: MIT
// HeartCodec's decode: seconds of solver and decoder, FLOP and the fraction of this machine's own product, memory for activations,
// and how long after a cancel everything stands still. JSON on standard output.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <models/heartcodec/bench.h>
#include <models/heartcodec/gate.h>
#include <models/nn/isa.h>
#include <models/nn/philox.h>

namespace {

using namespace tutti;
using namespace tutti::models;

double seconds_now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// A line of /proc/self/status, MB; 0 where there is none.
double status_megabytes(const std::string& key) {
    std::ifstream in("/proc/self/status");
    for (std::string word; in >> word;)
        if (word == key + ":") {
            double kib = 0.0;
            in >> kib;
            return kib / 1024.0;
        }
    return 0.0;
}

// Milliseconds from a cancel at a random moment of a stage until the call is back.
std::vector<double> cancel_times(HeartCodec& codec, const CodecOptions& options, const char* stage, int trials,
                                 double longest) {
    const auto schedule = CodecSchedule::make(options, codec.config());
    std::vector<double> times;
    for (int i = 0; i < trials; ++i) {
        CodecOptions with = options;
        with.token = CancelToken();
        const double share =
            static_cast<double>(philox4x32({static_cast<std::uint32_t>(i), 7, 0, 0}, options.seed)[0]) * 0x1p-32;
        std::atomic<double> when{0.0};
        std::thread later;
        const bool decoding = stage[0] == 'd';
        bool begun = false;
        const auto begin = [&] {
            if (begun) return;
            begun = true;
            later = std::thread([&, share] {
                std::this_thread::sleep_for(std::chrono::duration<double>(share * longest));
                when = seconds_now();
                with.token.cancel();
            });
        };
        Status status;
        if (decoding) { // of latents as noise has them
            codec.set_token(with.token);
            std::vector<float> latents(static_cast<std::size_t>(2 * schedule->window(0).codes) * 256);
            const Noise noise(options.seed);
            for (std::size_t j = 0; j < latents.size(); ++j)
                latents[j] = noise.normal(NoisePurpose::latents, 0, 0, static_cast<std::uint32_t>(j));
            begin();
            status = codec.decode(latents, [](auto, auto) { return Status(); });
        } else {
            with.progress = [&](const CodecProgress&) { begin(); };
            auto stream = CodecStream::make(codec, with, [](auto, auto) { return Status(); });
            const std::vector<std::int32_t> codes(
                static_cast<std::size_t>(schedule->window(0).codes * codec.config().codebooks));
            status = stream->push(codes);
        }
        const double stopped = seconds_now();
        if (later.joinable()) later.join();
        if (status.code() == Code::cancelled) times.push_back(1000.0 * (stopped - when));
    }
    std::sort(times.begin(), times.end());
    return times;
}

// The solver's seconds, of the wall and of the process, without the decoder's.
int solve_alone(HeartCodec& codec, const CodecOptions& options, int threads) {
    const auto schedule = CodecSchedule::make(options, codec.config());
    if (!schedule) return 2;
    const int latents = 2 * schedule->window(0).codes, width = codec.config().condition_width;
    const Noise source(options.seed);
    std::vector<float> condition(static_cast<std::size_t>(latents) * static_cast<std::size_t>(width)),
        noise(static_cast<std::size_t>(latents) * 256);
    for (auto* values : {&condition, &noise})
        for (std::size_t i = 0; i < values->size(); ++i)
            (*values)[i] = source.normal(NoisePurpose::latents, 0, 0, static_cast<std::uint32_t>(i));
    std::vector<float> few(static_cast<std::size_t>(8 * codec.config().input_width)), velocity(8 * 256);
    codec.estimate(few, 1, 0.0f, velocity); // every page of the weights is there from here on
    const double begin = seconds_now();
    const std::clock_t cpu = std::clock();
    const auto solved = codec.solve(condition, {}, noise, options, latents);
    const double seconds = seconds_now() - begin,
                 cpu_seconds = static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC,
                 flop = codec.work(options).solve;
    std::printf(
        "{\"isa\": \"%s\", \"threads\": %d, \"latents\": %d, \"steps\": %d, \"solve_seconds\": %.4f, "
        "\"solve_cpu_seconds\": %.4f, \"solve_gflop\": %.1f, \"solve_gflop_a_cpu_second\": %.1f, \"first\": %.6f}\n",
        isa_name(best_isa()), threads, latents, options.steps, seconds, cpu_seconds, flop * 1e-9,
        flop / cpu_seconds * 1e-9, static_cast<double>(solved.at(0)));
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    std::string model;
    CodecOptions options;
    options.seed = 1;
    int threads = 2, windows = 1, cancels = 0, gate = 0;
    bool solve_only = false;
    double longest = 2.0;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string key = argv[i];
        if (key == "--model")
            model = argv[i + 1];
        else if (key == "--threads")
            threads = std::atoi(argv[i + 1]);
        else if (key == "--steps")
            options.steps = std::atoi(argv[i + 1]);
        else if (key == "--guidance")
            options.guidance = static_cast<float>(std::atof(argv[i + 1]));
        else if (key == "--windows")
            windows = std::atoi(argv[i + 1]);
        else if (key == "--seconds")
            options.window_seconds = std::atof(argv[i + 1]);
        else if (key == "--cancels")
            cancels = std::atoi(argv[i + 1]);
        else if (key == "--solve-only")
            solve_only = std::atoi(argv[i + 1]) != 0;
        else if (key == "--gate")
            gate = std::atoi(argv[i + 1]);
        else if (key == "--cancel-within")
            longest = std::atof(argv[i + 1]);
        else
            model.clear();
    }
    if (model.empty() || threads < 1) {
        std::fprintf(stderr,
                     "usage: bench_codec --model DIR [--threads 2] [--steps 10] [--guidance 1.25] [--windows 1] "
                     "[--seconds 29.76] [--solve-only 1] [--cancels N [--cancel-within SECONDS]] [--gate LATENTS]\n");
        return 2;
    }
    if (gate > 0) {
        const auto result = gate_codec(model, threads, gate);
        if (!result) {
            std::fprintf(stderr, "%s\n", result.status().message().c_str());
            return 1;
        }
        std::printf("{\"int8_weights_relative_rms\": %.5f, \"bar\": %.5f, \"opens\": %s}\n", result->relative_rms,
                    CodecGate::k_bar, result->opens() ? "true" : "false");
        return 0;
    }
    const double begin = seconds_now();
    auto codec = HeartCodec::open(model, threads);
    if (!codec) {
        std::fprintf(stderr, "%s\n", codec.status().message().c_str());
        return 1;
    }
    const double loaded = seconds_now() - begin;
    if (cancels > 0) {
        std::printf("{\"threads\": %d", threads);
        for (const char* stage : {"solve", "decode"}) {
            const auto times = cancel_times(*codec, options, stage, cancels, longest);
            if (times.empty())
                std::printf(", \"%s_cancelled\": 0", stage);
            else
                std::printf(", \"%s_cancelled\": %zu, \"%s_median_ms\": %.2f, \"%s_worst_ms\": %.2f", stage,
                            times.size(), stage, times[times.size() / 2], stage, times.back());
        }
        std::printf("}\n");
        return 0;
    }
    if (solve_only) return solve_alone(*codec, options, threads);
    const double before = status_megabytes("RssAnon");
    double most = 0.0;
    options.progress = [&](const CodecProgress&) { most = std::max(most, status_megabytes("RssAnon")); };
    const auto bench = bench_codec(*codec, options, windows, threads);
    if (!bench) {
        std::fprintf(stderr, "%s\n", bench.status().message().c_str());
        return 1;
    }
    std::printf(
        "{\"isa\": \"%s\", \"threads\": %d, \"windows\": %d, \"latents\": %d, \"steps\": %d, \"load_seconds\": %.3f, "
        "\"touch_seconds\": %.3f, \"solve_cpu_seconds\": %.4f, \"decode_cpu_seconds\": %.4f, "
        "\"solve_seconds\": %.4f, \"decode_seconds\": %.4f, \"solve_gflop\": %.1f, \"decode_gflop\": %.1f, "
        "\"solve_gflops\": %.1f, \"decode_gflops\": %.1f, \"product_gflops\": %.1f, \"fraction_of_product\": %.3f, "
        "\"codec_times_real_time\": %.4f, \"weights_anon_mb\": %.0f, \"activations_anon_mb\": %.0f, \"work_mb\": %.0f, "
        "\"peak_mb\": %.0f, \"rms\": %.4f, \"peak\": %.4f, \"checksum\": \"%016llx\"}\n",
        isa_name(best_isa()), threads, bench->windows, bench->latents, options.steps, loaded, bench->touch_seconds,
        bench->solve_cpu_seconds, bench->decode_cpu_seconds, bench->solve_seconds, bench->decode_seconds,
        bench->solve_flop * 1e-9, bench->decode_flop * 1e-9, bench->solve_flop / bench->solve_seconds * 1e-9,
        bench->decode_flop / bench->decode_seconds * 1e-9, bench->product_rate * 1e-9, bench->fraction(),
        bench->times_real_time(), before, most - before, static_cast<double>(bench->work_bytes) / 1048576.0,
        status_megabytes("VmHWM"), bench->rms, bench->peak, static_cast<unsigned long long>(bench->checksum));
    return 0;
}
