// SPDX-License-Identifier: MIT
#include "cli/bench_models.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <numeric>

#include <fmt/format.h>

#include "cli/command.h"
#include <models/nn/linear.h>

#if defined(__unix__) || defined(__APPLE__)
#include <sys/resource.h>
#endif

namespace tutti::cli {

double read_bandwidth(int threads) {
    models::Team team(threads);
    std::vector<std::uint64_t> memory(std::size_t{32} << 20); // 256 MiB
    std::iota(memory.begin(), memory.end(), std::uint64_t{1});
    std::vector<std::uint64_t> sums(static_cast<std::size_t>(threads) * 8);
    double best = 0.0;
    for (int round = 0; round < 5; ++round) {
        const double begin = seconds_now();
        team.run([&](int part, int parts) {
            const std::size_t from = memory.size() * static_cast<std::size_t>(part) / static_cast<std::size_t>(parts),
                              to = memory.size() * static_cast<std::size_t>(part + 1) / static_cast<std::size_t>(parts);
            std::uint64_t sum[8] = {};
            for (std::size_t i = from; i + 8 <= to; i += 8)
                for (std::size_t j = 0; j < 8; ++j)
                    sum[j] += memory[i + j];
            for (std::uint64_t one : sum)
                sums[static_cast<std::size_t>(part) * 8] += one;
        });
        best = std::max(best, static_cast<double>(memory.size() * 8) / (seconds_now() - begin));
    }
    // The sum is used, so that the reads are not left out.
    return sums[0] == 0 ? 0.0 : best;
}

double product_rate(models::Compute compute, int threads) {
    constexpr int k_rows = 1500, k_out = 2048, k_in = 512;
    models::Runner runner(threads);
    const std::vector<float> a = test_signal(k_rows * k_in), w = test_signal(k_out * k_in);
    const models::Linear linear = models::make_linear(runner.kernels(), compute, w.data(), {}, k_out, k_in);
    std::vector<float> c(static_cast<std::size_t>(k_rows) * k_out);
    double best = 1e9;
    for (int round = 0; round < 12; ++round) {
        const double begin = seconds_now();
        runner.multiply(a.data(), k_in, k_rows, linear, c.data(), k_out);
        best = std::min(best, seconds_now() - begin);
    }
    return 2.0 * k_rows * k_out * k_in / best;
}

double peak_megabytes() {
#if defined(__linux__)
    std::ifstream in("/proc/self/status");
    for (std::string key; in >> key;) {
        if (key == "VmHWM:") {
            double kib = 0.0;
            in >> kib;
            return kib / 1024.0;
        }
        in.ignore(4096, '\n');
    }
#elif defined(__APPLE__)
    rusage usage{};
    if (getrusage(RUSAGE_SELF, &usage) == 0) return static_cast<double>(usage.ru_maxrss) / 1048576.0;
#endif
    return 0.0;
}

std::string checksum(const void* data, std::size_t bytes) {
    std::uint64_t hash = 14695981039346656037ull;
    for (const auto* p = static_cast<const unsigned char*>(data); bytes > 0; ++p, --bytes)
        hash = (hash ^ *p) * 1099511628211ull;
    return fmt::format("{:016x}", hash);
}

std::vector<float> test_signal(std::int64_t samples) {
    std::vector<float> out(static_cast<std::size_t>(samples));
    std::uint32_t random = 1;
    double phase = 0.0;
    constexpr std::size_t k_made = 60 * 16000; // then over again: an hour of sines takes longer than what is measured
    for (std::size_t i = 0; i < std::min(out.size(), k_made); ++i) {
        random = random * 1664525u + 1013904223u;
        const double second = static_cast<double>(i) / 16000.0;
        phase += (150.0 + 100.0 * std::sin(0.7 * second)) / 16000.0;
        phase -= std::floor(phase);
        double x = 0.02 * (static_cast<double>(random >> 8) / 8388608.0 - 1.0);
        for (int h = 1; h <= 5; ++h)
            x += 0.2 / h * std::sin(6.283185307179586 * h * phase);
        out[i] = static_cast<float>(x * (0.6 + 0.4 * std::sin(3.0 * second)));
    }
    for (std::size_t at = k_made; at < out.size(); at += k_made)
        std::copy_n(out.begin(), std::min(k_made, out.size() - at), out.begin() + static_cast<std::ptrdiff_t>(at));
    return out;
}

bool parse_compute(const std::string& name, models::Compute& compute) {
    if (name == "fp32" || name == "float32")
        compute = models::Compute::fp32;
    else if (name == "bf16" || name == "bfloat16")
        compute = models::Compute::bf16;
    else if (name == "int8")
        compute = models::Compute::int8;
    else
        return false;
    return true;
}

} // namespace tutti::cli
