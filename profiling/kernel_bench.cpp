// SPDX-License-Identifier: MIT
// Voices a core of the CPU backend alone: banks of rows driven by hand, no events, no mixer. JSON, one line a run.
//
// Work W of the comparison: voice i at 55 * 2^((i mod 60)/12) Hz, cutoff min(400 + 10 (i mod 400), 8000) Hz, Q 3, held.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

#include "engine/cpu/backend.h"
#include "profiling/bank_harness.h"

using namespace tutti::harness;

namespace {

double seconds_now(bool wall) {
    if (!wall) return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

int usage() {
    std::fprintf(
        stderr,
        "usage: kernel_bench [--voices N] [--seconds S] [--threads T] [--isa NAME] [--quality 0|1|2] [--streams N]\n"
        "                    [--channels 1|2] [--repeat N] [--set ID=VALUE]... [--sweep] [--retrigger SECONDS] "
        "[--vibrato]\n");
    return 2;
}

} // namespace

int main(int count, char** values) {
    int voices = 4096, threads = 1, quality = 0, streams = 1, channels = 1, repeat = 5;
    double seconds = 1.0, retrigger = 0.0;
    bool sweep = false, vibrato = false;
    std::string isa_wanted;
    PatchValues patch;
    patch.set("resonance", std::log2(3.0 * std::sqrt(2.0)) / 6.0).set("filter_key", 0.0);
    for (int i = 1; i < count; ++i) {
        const std::string option = values[i];
        const bool more = i + 1 < count;
        if (option == "--sweep") {
            sweep = true;
        } else if (option == "--vibrato") {
            vibrato = true;
        } else if (!more) {
            return usage();
        } else if (option == "--voices") {
            voices = std::atoi(values[++i]);
        } else if (option == "--seconds") {
            seconds = std::atof(values[++i]);
        } else if (option == "--threads") {
            threads = std::atoi(values[++i]);
        } else if (option == "--isa") {
            isa_wanted = values[++i];
        } else if (option == "--quality") {
            quality = std::atoi(values[++i]);
        } else if (option == "--streams") {
            streams = std::atoi(values[++i]);
        } else if (option == "--channels") {
            channels = std::atoi(values[++i]);
        } else if (option == "--repeat") {
            repeat = std::atoi(values[++i]);
        } else if (option == "--retrigger") {
            retrigger = std::atof(values[++i]);
        } else if (option == "--set") {
            const std::string pair = values[++i];
            const auto equals = pair.find('=');
            patch.set(pair.substr(0, equals), std::atof(pair.c_str() + equals + 1));
        } else {
            return usage();
        }
    }
    Isa isa = best_isa();
    for (const Isa each : {Isa::scalar, Isa::sse2, Isa::avx2, Isa::avx512, Isa::neon})
        if (isa_wanted == isa_name(each)) isa = each;
    // The cutoff differs from voice to voice by the note's own random draw: a route, not a table.
    patch.set("cutoff", 1800.0).route(v::source_random, "cutoff", 2.2);
    if (sweep) patch.set("filter_env", 3.0);
    if (vibrato) patch.route(v::source_lfo1, "pitch", 0.3);

    std::vector<double> results;
    std::string name;
    double check = 0.0;
    for (int r = 0; r < repeat; ++r) {
        auto backend = make_cpu_backend(threads, isa);
        name = isa_name(isa);
        std::vector<std::unique_ptr<TestBank>> banks;
        const int each = voices / streams;
        const int blocks = static_cast<int>(seconds * 48000.0 / 64.0);
        const int warm = 16;
        for (int s = 0; s < streams; ++s) {
            banks.push_back(std::make_unique<TestBank>(patch, each, 48000.0, quality, channels));
            struct Start {
                std::int64_t frame;
                int slot;
            };
            std::vector<Start> starts;
            for (int i = 0; i < each; ++i)
                starts.push_back({0, i});
            if (retrigger > 0.0)
                for (std::int64_t at = 64; at < std::int64_t(blocks + warm) * 64;
                     at += std::int64_t(retrigger * 48000.0))
                    for (int i = 0; i < each; ++i)
                        starts.push_back({at + std::int64_t(retrigger * 48000.0 * i / each), i});
            std::stable_sort(starts.begin(), starts.end(),
                             [](const Start& a, const Start& b) { return a.frame < b.frame; });
            for (const Start& start : starts) {
                const int i = start.slot + s * each;
                Note note;
                note.pitch = 33.0f + static_cast<float>(i % 60);
                note.random = static_cast<float>(std::log2(std::min(400.0 + 10.0 * (i % 400), 8000.0) / 1800.0) / 2.2);
                note.seed = static_cast<std::uint32_t>(i);
                note.gain = 0.5f / static_cast<float>(voices);
                note.envelopes[0] = Line::fall(1.0f, 0.7f, 150.0);
                note.envelopes[1] = Line::fall(1.0f, 0.2f, 3000.0);
                banks.back()->start(start.frame, start.slot, note);
            }
        }
        std::vector<BankStep> steps(static_cast<std::size_t>(streams));
        double begin = 0.0;
        for (int b = 0; b < blocks + warm; ++b) {
            if (b == warm) begin = seconds_now(threads > 1);
            for (int s = 0; s < streams; ++s)
                steps[static_cast<std::size_t>(s)] = banks[static_cast<std::size_t>(s)]->step(std::int64_t(b) * 64, 64);
            backend->render(steps.data(), streams, threads);
            check += static_cast<double>(banks[0]->bus(0)[13]);
        }
        const double spent = seconds_now(threads > 1) - begin;
        results.push_back(static_cast<double>(each * streams) * blocks * 64.0 / 48000.0 / spent);
    }
    std::sort(results.begin(), results.end());
    const double median = results[results.size() / 2];
    std::printf(
        "{\"isa\": \"%s\", \"voices\": %d, \"streams\": %d, \"threads\": %d, \"quality\": %d, \"channels\": %d, "
        "\"realtime_voices\": %.0f, \"best\": %.0f, \"ns_per_voice_sample\": %.4f, \"check\": %.9g}\n",
        name.c_str(), voices, streams, threads, quality, channels, median, results.back(), 1e9 / (median * 48000.0),
        check);
    return 0;
}
