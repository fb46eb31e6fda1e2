// SPDX-License-Identifier: MIT
// The torch backend on the CPU against a loop over samples on the same libtorch, the same saws through the same low-pass; its path of
// tensors alone; and our own CPU backend. One JSON line; medians of interleaved rounds.
//
//     bench_torch [VOICES] [THREADS] [ROUNDS]      default 1024 1 7
// Needs libtutti_torch (TUTTI_TORCH_LIBRARY, or beside this program); exit code 3 without it.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "engine/cpu/backend.h"
#include "gpu/torch/library.h"
#include "gpu/torch/torch_backend.h"
#include "gpu/tuning/load.h"

using namespace tutti;
using Clock = std::chrono::steady_clock;

namespace {

constexpr int k_blocks = 30;

double median(std::vector<double> x) {
    std::sort(x.begin(), x.end());
    return x[x.size() / 2];
}
double blocks_of(gpu::VoiceLoad& load, engine::Backend& backend, int threads) {
    const auto begin = Clock::now();
    for (int i = 0; i < k_blocks; ++i)
        load.step(backend, threads);
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

} // namespace

int main(int argc, char** argv) {
    const int voices = argc > 1 ? std::atoi(argv[1]) : 1024, threads = argc > 2 ? std::atoi(argv[2]) : 1;
    const int rounds = argc > 3 ? std::atoi(argv[3]) : 7;
    if (voices < 1 || threads < 1 || rounds < 1)
        return std::fprintf(stderr, "usage: bench_torch [VOICES] [THREADS] [ROUNDS]\n"), 2;
    const auto library = gpu::torch_library();
    if (!library) return std::fprintf(stderr, "%s\n", library.status().message().c_str()), 3;
    std::unique_ptr<gpu::TorchBackend> torch[2];
    for (int pure = 0; pure < 2; ++pure) {
        auto made = gpu::TorchBackend::make({.device = "cpu", .threads = threads, .pure = pure == 1},
                                            engine::make_cpu_backend(1, engine::best_isa()));
        if (!made) return std::fprintf(stderr, "%s\n", made.status().message().c_str()), 3;
        torch[pure] = std::move(*made);
    }
    auto cpu = engine::make_cpu_backend(threads, engine::best_isa());
    // Mono, as the loop is.
    gpu::VoiceLoad own(voices, 1), tensors(voices, 1), plain(voices, 1);
    own.begin(*torch[0], 1);
    tensors.begin(*torch[1], 1);
    plain.begin(*cpu, threads);
    std::vector<double> seconds[4], ratio, pure_ratio;
    for (int round = 0; round < rounds; ++round) {
        seconds[0].push_back(blocks_of(own, *torch[0], threads));
        seconds[1].push_back((*library)->eager_seconds(voices, 64 * k_blocks, threads));
        seconds[2].push_back(blocks_of(tensors, *torch[1], threads));
        seconds[3].push_back(blocks_of(plain, *cpu, threads));
        ratio.push_back(seconds[1].back() / seconds[0].back());
        pure_ratio.push_back(seconds[1].back() / seconds[2].back());
    }
    const auto block_ms = [&](int i) { return median(seconds[i]) * 1e3 / k_blocks; };
    std::printf("{\"bench\": \"torch\", \"libtorch\": \"%s\", \"voices\": %d, \"threads\": %d, \"block_ms\": %.3f, "
                "\"eager_block_ms\": %.3f, "
                "\"tensors_alone_block_ms\": %.3f, \"cpu_backend_block_ms\": %.3f, \"eager_over_ours\": %.2f, "
                "\"eager_over_ours_from\": %.2f, \"eager_over_ours_to\": %.2f, \"eager_over_tensors_alone\": %.2f}\n",
                (*library)->libtorch(), voices, threads, block_ms(0), block_ms(1), block_ms(2), block_ms(3),
                median(ratio), *std::min_element(ratio.begin(), ratio.end()),
                *std::max_element(ratio.begin(), ratio.end()), median(pure_ratio));
    return torch[0]->stats().lost || torch[1]->stats().lost ? 1 : 0;
}
