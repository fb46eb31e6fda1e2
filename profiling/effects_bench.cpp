// SPDX-License-Identifier: MIT
// What each effect costs: user CPU time a block of stereo frames, one JSON object on standard output.
//
//     bench_effects [--rate HZ] [--block FRAMES] [--seconds S] [--repeats N]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

#include "engine/effects/chain.h"

namespace {

using namespace tutti;
using namespace tutti::engine;

// std::clock counts this process's CPU time: another program on the core does not lengthen it.
double cpu_seconds() {
    return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

struct Case {
    std::string name;
    std::vector<PatchEffect> effects;
};

// Noise at -20 dBFS, so that nothing sleeps and the compressor works.
double run_once(EffectChain& chain, double rate, int block, double seconds) {
    std::vector<float> left(static_cast<std::size_t>(block)), right(left);
    const auto blocks = static_cast<std::int64_t>(seconds * rate / block);
    std::uint32_t noise = 1;
    std::int64_t clock = 0;
    double spent = 0.0;
    constexpr int k_batch = 256; // blocks between two looks at the clock
    std::vector<float> input(static_cast<std::size_t>(block) * 2);
    for (float& x : input) {
        noise = noise * 1664525u + 1013904223u;
        x = 0.1f * (static_cast<float>(noise >> 8) / 8388608.0f - 1.0f);
    }
    for (std::int64_t done = 0; done < blocks; done += k_batch) {
        const double begin = cpu_seconds();
        for (int i = 0; i < k_batch; ++i) {
            std::copy(input.begin(), input.begin() + block, left.begin());
            std::copy(input.begin() + block, input.end(), right.begin());
            float* const io[2] = {left.data(), right.data()};
            chain.render(io, block, clock);
            clock += block;
        }
        spent += cpu_seconds() - begin;
    }
    return spent / (static_cast<double>((blocks + k_batch - 1) / k_batch) * k_batch);
}

} // namespace

int main(int argc, char** argv) {
    double rate = 48000.0;
    int block = 64;
    double seconds = 20.0;
    int repeats = 9;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (std::strcmp(argv[i], "--rate") == 0) rate = std::atof(argv[i + 1]);
        if (std::strcmp(argv[i], "--block") == 0) block = std::atoi(argv[i + 1]);
        if (std::strcmp(argv[i], "--seconds") == 0) seconds = std::atof(argv[i + 1]);
        if (std::strcmp(argv[i], "--repeats") == 0) repeats = std::atoi(argv[i + 1]);
    }
    if (block < 1 || repeats < 1 || !(seconds > 0.0)) {
        std::fprintf(stderr, "usage: bench_effects [--rate HZ] [--block FRAMES] [--seconds S] [--repeats N]\n");
        return 2;
    }
    std::vector<Case> cases = {{"none (copy only)", {}}};
    for (const EffectType& type : effect_types()) {
        PatchEffect effect{type.id, {}, true};
        // At 0 dB the equaliser would cost nothing: two bands and a cut are a usual setting.
        if (effect.type == "equalizer")
            effect.parameters = {{"low-cut", 40.0}, {"low-gain", 3.0}, {"peak1-gain", -3.0}};
        cases.push_back({type.id, {effect}});
    }
    cases.push_back({"chorus+delay+reverb", {{"chorus", {}, true}, {"delay", {}, true}, {"reverb", {}, true}}});

    std::vector<std::vector<double>> samples(cases.size());
    for (int repeat = 0; repeat < repeats; ++repeat) // interleaved: a noisy minute falls on all of them
        for (std::size_t i = 0; i < cases.size(); ++i) {
            auto chain = EffectChain::create(cases[i].effects, rate, 2);
            if (!chain) {
                std::fprintf(stderr, "%s\n", chain.status().message().c_str());
                return 1;
            }
            samples[i].push_back(run_once(*chain.value(), rate, block, seconds));
        }
    std::printf("{\n  \"rate\": %g, \"block\": %d, \"seconds\": %g, \"repeats\": %d,\n  \"effects\": [\n", rate, block,
                seconds, repeats);
    for (std::size_t i = 0; i < cases.size(); ++i) {
        auto& times = samples[i];
        std::sort(times.begin(), times.end());
        const double median = times[times.size() / 2];
        std::printf(
            "    {\"name\": \"%s\", \"block_us\": {\"median\": %.3f, \"min\": %.3f, \"max\": %.3f}, \"core_percent\": "
            "%.4f}%s\n",
            cases[i].name.c_str(), median * 1e6, times.front() * 1e6, times.back() * 1e6, 100.0 * median * rate / block,
            i + 1 < cases.size() ? "," : "");
    }
    std::printf("  ]\n}\n");
    return 0;
}
