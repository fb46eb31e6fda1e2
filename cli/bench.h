// SPDX-License-Identifier: MIT
// The benchmarks of `tutti bench`: each registers its options and runs.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include <tutti/engine.h>
#include <tutti/patch.h>

#include "cli/command.h"

namespace tutti::cli {

Command add_bench_voices(CLI::App& app);
Command add_bench_latency(CLI::App& app);
Command add_bench_alias(CLI::App& app);
Command add_bench_streams(CLI::App& app);
Command add_bench_marks(CLI::App& app);
Command add_bench_trace(CLI::App& app);
Command add_bench_mel(CLI::App& app); // this and the next where the models are built
Command add_bench_transcribe(CLI::App& app);
Command add_bench_cancel(CLI::App& app);

// Work W of the comparison with other synths: voice i is a saw at 55 x 2^((i mod 60) / 12) Hz through a low-pass of Q 3 at
// min(400 + 10 (i mod 400), 8000) Hz with an envelope of 10 ms, 200 ms, 0.7, 300 ms, held.
struct VoiceWork {
    std::string type = "subtractive";
    std::string quality = "eco";
    int voices = 4096;
    double rate = 48000.0;
    int channels = 1;
    bool cutoff_envelope = false; // envelope 2, shaped as envelope 1, moves the cutoff at ticks
    double retrigger = 0.0;       // seconds between two attacks of a voice, 0: held
};

inline constexpr int k_voices_per_part = 512;

// The patch of the work; other types play their defaults.
Result<Patch> work_patch(const VoiceWork& work);
int work_parts(const VoiceWork& work);
// Starts (or restarts) voice i on `frame`.
bool start_voice(Sender& sender, const VoiceWork& work, int voice, std::int64_t frame);
bool release_voice(Sender& sender, int voice, std::int64_t frame);

// {"p50":..., "p99":..., "p999":..., "max":...}
nlohmann::json percentiles(std::vector<double>& values);

// Prints `result` as JSON, or a line a key.
void print_result(const nlohmann::json& result, bool json);

} // namespace tutti::cli
