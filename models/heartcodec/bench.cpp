// SPDX-License-Identifier: MIT
#include <models/heartcodec/bench.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <ctime>

#include <models/nn/linear.h>
#include <models/nn/philox.h>

namespace tutti::models {
namespace {

double seconds_now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double cpu_now() {
    return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

} // namespace

double measured_product_rate(int threads) {
    constexpr int k_rows = 1488, k_width = 1536;
    Runner runner(threads);
    std::vector<float> a(static_cast<std::size_t>(k_rows) * k_width), w(static_cast<std::size_t>(k_width) * k_width);
    for (auto* values : {&a, &w})
        for (std::size_t i = 0; i < values->size(); ++i)
            (*values)[i] = static_cast<float>(
                               static_cast<std::int32_t>(philox4x32({static_cast<std::uint32_t>(i), 0, 0, 0}, 1)[0])) *
                           0x1p-31f;
    const Linear linear = make_linear(runner.kernels(), Compute::fp32, w.data(), {}, k_width, k_width);
    std::vector<float> c(static_cast<std::size_t>(k_rows) * k_width);
    double best = 1e9;
    for (int round = 0; round < 8; ++round) {
        const double begin = seconds_now();
        runner.multiply(a.data(), k_width, k_rows, linear, c.data(), k_width);
        best = std::min(best, seconds_now() - begin);
    }
    return 2.0 * k_rows * k_width * k_width / best;
}

Result<CodecBench> bench_codec(HeartCodec& codec, const CodecOptions& options, int windows, int threads) {
    const HeartCodecConfig& c = codec.config();
    const auto schedule = CodecSchedule::make(options, c);
    if (!schedule) return schedule.status();
    codec.set_threads(threads);
    CodecBench bench;
    bench.product_rate = measured_product_rate(threads);
    bench.latents = 2 * schedule->window(0).codes;
    double mark = seconds_now();
    std::vector<float> few(static_cast<std::size_t>(8 * c.input_width)),
        velocity(static_cast<std::size_t>(8 * c.latent_width));
    codec.estimate(few, 1, 0.0f, velocity);
    bench.touch_seconds = seconds_now() - mark;
    const HeartCodec::Work work = codec.work(options);
    std::uint64_t hash = 14695981039346656037ull;
    double square = 0.0;
    std::int64_t samples = 0;
    double cpu_mark = 0.0;
    CodecOptions timed = options;
    timed.progress = [&](const CodecProgress& progress) {
        const bool decoding = progress.stage[0] == 'd';
        const double now = seconds_now();
        (decoding ? bench.decode_seconds : bench.solve_seconds) += now - mark;
        const double cpu = cpu_now();
        (decoding ? bench.decode_cpu_seconds : bench.solve_cpu_seconds) += cpu - cpu_mark;
        mark = now;
        cpu_mark = cpu;
        if (options.progress) options.progress(progress);
    };
    auto stream = CodecStream::make(codec, timed, [&](std::span<const float> left, std::span<const float> right) {
        for (const auto side : {left, right})
            for (const float x : side) {
                square += static_cast<double>(x) * x;
                bench.peak = std::max(bench.peak, std::abs(static_cast<double>(x)));
                for (int shift = 0; shift < 32; shift += 8)
                    hash = (hash ^ (std::bit_cast<std::uint32_t>(x) >> shift & 255u)) * 1099511628211ull;
            }
        samples += static_cast<std::int64_t>(left.size());
        return Status();
    });
    if (!stream) return stream.status();
    const CodecSchedule::Window last = schedule->window(windows - 1);
    std::vector<std::int32_t> codes(static_cast<std::size_t>(last.first + last.codes) *
                                    static_cast<std::size_t>(c.codebooks));
    for (std::size_t i = 0; i < codes.size(); ++i)
        codes[i] = static_cast<std::int32_t>(philox4x32({static_cast<std::uint32_t>(i), 0, 0, 0}, options.seed)[0] %
                                             static_cast<std::uint32_t>(c.codebook_size));
    mark = seconds_now();
    cpu_mark = cpu_now();
    if (Status status = stream->push(codes); !status) return status;
    if (Status status = stream->finish(); !status) return status;
    bench.windows = stream->windows();
    bench.solve_flop = work.solve * bench.windows;
    bench.decode_flop = work.decode * bench.windows;
    // A window adds its hop; that of the first alone is its whole.
    bench.audio_seconds = static_cast<double>(samples) / c.sample_rate;
    bench.work_bytes = codec.work_bytes(options);
    bench.rms = std::sqrt(square / static_cast<double>(std::max<std::int64_t>(1, 2 * samples)));
    bench.checksum = hash;
    return bench;
}

Result<CodecBench> bench_codec(const std::filesystem::path& folder, const CodecOptions& options, int windows,
                               int threads) {
    const double begin = seconds_now();
    auto codec = HeartCodec::open(folder, threads);
    if (!codec) return codec.status();
    const double loaded = seconds_now() - begin;
    auto bench = bench_codec(*codec, options, windows, threads);
    if (bench) bench->load_seconds = loaded;
    return bench;
}

} // namespace tutti::models
