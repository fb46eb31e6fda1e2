// SPDX-License-Identifier: MIT
// How long the codec takes, in seconds and in parts of what this machine's own product can do.
#pragma once

#include <cstdint>
#include <filesystem>

#include <models/heartcodec/codec.h>

namespace tutti::models {

struct CodecBench {
    double load_seconds = 0.0;
    double touch_seconds = 0.0; // a short pass before the others: every page of the weights is there from then on
    int windows = 0;            // solved and decoded
    int latents = 0;            // of a window
    double solve_seconds = 0.0, decode_seconds = 0.0;
    double solve_cpu_seconds = 0.0,
           decode_cpu_seconds = 0.0; // of the process: for a machine that is busy with other things
    double solve_flop = 0.0, decode_flop = 0.0;
    double audio_seconds = 0.0;
    double product_rate = 0.0; // FLOP a second of one product of 1488 x 1536 x 1536, the best of several
    std::size_t work_bytes = 0;
    double rms = 0.0, peak = 0.0; // of the sound, so that a network that gives nothing is seen
    std::uint64_t checksum = 0;   // FNV-1a of the sound

    double flop_rate() const noexcept { return (solve_flop + decode_flop) / (solve_seconds + decode_seconds); }
    double times_real_time() const noexcept { return audio_seconds / (solve_seconds + decode_seconds); }
    double fraction() const noexcept { return flop_rate() / product_rate; } // of the machine's own product
};

// Solves and decodes `windows` whole windows of codes made up from the seed, each with the last one's context. Errors: those of
// loading and of the schedule; cancelled. [worker]
Result<CodecBench> bench_codec(HeartCodec& codec, const CodecOptions& options, int windows, int threads);
// Loads first. [worker]
Result<CodecBench> bench_codec(const std::filesystem::path& folder, const CodecOptions& options, int windows,
                               int threads);

// FLOP a second of FP32 products on so many threads. [worker]
double measured_product_rate(int threads);

} // namespace tutti::models
