// SPDX-License-Identifier: MIT
// A device against the scalar reference, and how many voices it holds. One JSON line a subject.
//
//     bench_gpu DEVICE check           every voice type, 3,000 frames: the largest difference from the reference
//     bench_gpu DEVICE voices N SECONDS [TIMES]   N subtractive voices, a block of 64 at 48 kHz every 1.333 ms: percentiles; every
//                                      block's milliseconds into the file TIMES
//     bench_gpu DEVICE overhead N      a graph's replay against launches one by one
//     bench_gpu auto                   what TUTTI_BACKEND chooses here, milliseconds until it is chosen and until its first block
//     bench_gpu simulated stall        a stall of 10 ms at four blocks of look-ahead: late blocks (real time)
// DEVICE: simulated, or cuda. Exit code 3 where there is no such device.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "engine/cpu/backend.h"
#include "engine/stream/hooks.h"
#include "gpu/backend/device_backend.h"
#include "gpu/cuda/device.h"
#include "gpu/discovery.h"
#include "gpu/simulated/device.h"
#include "gpu/tuning/load.h"
#include "voices/registry.h"

using namespace tutti;
using Clock = std::chrono::steady_clock;

namespace {

Result<std::unique_ptr<gpu::Device>> open_device(const std::string& name) {
    if (name == "simulated") return gpu::make_simulated_device();
    return gpu::open_cuda_device(0);
}

std::vector<float> play(engine::Hooks hooks, const char* voice) {
    auto engine = engine::create_engine({.threads = 1}, std::move(hooks)).value();
    auto stream = engine->open({.mode = Mode::offline, .parts = 1, .limiter = false}).value();
    Patch patch;
    patch.voice = voice;
    if (!stream->set_patch(0, patch, 0)) return {};
    auto sender = stream->make_sender().value();
    for (int i = 0; i < 8; ++i)
        sender.post(Event::note_on(37 * i, 0, 36 + 5 * i, 0.7));
    std::vector<float> left(3000), right(3000);
    float* out[] = {left.data(), right.data()};
    stream->pull(out, 3000);
    return left;
}

int check(const std::string& name) {
    int bad = 0;
    for (const voices::VoiceType* type : voices::k_voice_types) {
        engine::Hooks hooks = engine::default_hooks();
        hooks.make_backend = [](const EngineConfig&, int) -> Result<std::unique_ptr<engine::Backend>> {
            return engine::make_cpu_backend(1, engine::Isa::scalar);
        };
        const auto reference = play(hooks, type->id);
        hooks.make_backend = [&](const EngineConfig&, int) -> Result<std::unique_ptr<engine::Backend>> {
            auto device = open_device(name);
            if (!device) return device.status();
            gpu::BackendConfig config;
            config.budget_us = 5e6;
            auto made =
                gpu::DeviceBackend::make(std::move(*device), engine::make_cpu_backend(1, engine::Isa::scalar), config);
            if (!made) return made.status();
            return std::unique_ptr<engine::Backend>(std::move(*made));
        };
        const auto own = play(hooks, type->id);
        double largest = 0.0, peak = 0.0;
        for (std::size_t i = 0; i < reference.size() && i < own.size(); ++i) {
            largest = std::max(largest, std::fabs(static_cast<double>(own[i]) - reference[i]));
            peak = std::max(peak, std::fabs(static_cast<double>(reference[i])));
        }
        const bool same = own == reference;
        bad += own.size() == reference.size() && largest <= 1e-5 * peak ? 0 : 1;
        std::printf("{\"bench\": \"against_reference\", \"device\": \"%s\", \"voice\": \"%s\", \"same_bits\": %s, "
                    "\"difference_db\": %.1f}\n",
                    name.c_str(), type->id, same ? "true" : "false",
                    20.0 * std::log10(largest / std::max(peak, 1e-9) + 1e-12));
    }
    return bad == 0 ? 0 : 1;
}

int hold(const std::string& name, int count, double seconds, const std::string& trace_file) {
    auto device = open_device(name);
    if (!device) return std::printf("%s\n", device.status().message().c_str()), 3;
    gpu::VoiceLoad load(count);
    gpu::BackendConfig config;
    config.rows = load.rows();
    config.banks = 4;
    config.mirror_voices = 0;
    config.budget_us = 1e6;
    auto made = gpu::DeviceBackend::make(std::move(*device), engine::make_cpu_backend(1, engine::best_isa()), config);
    if (!made) return std::printf("%s\n", made.status().message().c_str()), 3;
    load.begin(**made, 1);
    for (int i = 0; i < 100; ++i)
        load.step(**made, 1);
    std::vector<double> took;
    took.reserve(static_cast<std::size_t>(seconds * 800.0) + 16);
    const auto period = std::chrono::nanoseconds(1333333);
    const auto first = Clock::now();
    auto next = first;
    const auto end = next + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    while (next < end) {
        std::this_thread::sleep_until(next);
        const auto begin = Clock::now();
        load.step(**made, 1);
        took.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
        next += period;
        if (next < Clock::now()) next = Clock::now();
    }
    if (!trace_file.empty()) {
        std::FILE* const file = std::fopen(trace_file.c_str(), "w");
        if (file == nullptr) return std::fprintf(stderr, "cannot write %s\n", trace_file.c_str()), 1;
        for (const double each : took)
            std::fprintf(file, "%.4f\n", each);
        std::fclose(file);
    }
    std::sort(took.begin(), took.end());
    const auto at = [&](double share) {
        return took[std::min(took.size() - 1, static_cast<std::size_t>(share * static_cast<double>(took.size())))];
    };
    std::printf("{\"bench\": \"voices\", \"device\": \"%s\", \"voices\": %d, \"blocks\": %zu, \"p50_ms\": %.3f, "
                "\"p99_ms\": %.3f, "
                "\"p999_ms\": %.3f, \"worst_ms\": %.3f, \"lost\": %s}\n",
                name.c_str(), count, took.size(), at(0.5), at(0.99), at(0.999), took.back(),
                (*made)->stats().lost ? "true" : "false");
    return (*made)->stats().lost ? 1 : 0;
}

// Graphs against launches one by one, and two steps under way against one: seconds of the same blocks, by turns.
int overhead(const std::string& name, int count) {
    std::vector<double> ratios;
    std::unique_ptr<gpu::DeviceBackend> backend[2];
    for (int i = 0; i < 2; ++i) {
        auto device = open_device(name);
        if (!device) return std::printf("%s\n", device.status().message().c_str()), 3;
        gpu::BackendConfig config;
        config.rows = std::max(1, count / 16 + 1);
        config.banks = 4;
        config.mirror_voices = 0;
        config.budget_us = 1e6;
        config.graphs = i == 0;
        auto made =
            gpu::DeviceBackend::make(std::move(*device), engine::make_cpu_backend(1, engine::best_isa()), config);
        if (!made) return std::printf("%s\n", made.status().message().c_str()), 3;
        backend[i] = std::move(*made);
    }
    gpu::VoiceLoad load[2] = {gpu::VoiceLoad(count), gpu::VoiceLoad(count)};
    double seconds[2];
    for (int i = 0; i < 2; ++i)
        load[i].begin(*backend[i], 1);
    for (int pair = 0; pair < 15; ++pair) {
        for (int n = 0; n < 2; ++n) {
            const int i = (pair + n) % 2;
            const auto begin = Clock::now();
            for (int block = 0; block < 50; ++block)
                load[i].step(*backend[i], 1);
            seconds[i] = std::chrono::duration<double>(Clock::now() - begin).count();
        }
        ratios.push_back(seconds[0] / seconds[1]);
    }
    std::sort(ratios.begin(), ratios.end());
    std::printf(
        "{\"bench\": \"graph_against_launches\", \"device\": \"%s\", \"voices\": %d, \"ratio\": %.3f, \"from\": %.3f, "
        "\"to\": %.3f, \"block_ms\": %.4f}\n",
        name.c_str(), count, ratios[ratios.size() / 2], ratios.front(), ratios.back(), seconds[0] * 20.0);
    return 0;
}

// What a program pays that asks for nothing: discovery, then an engine and its first block of 64.
int choose() {
    const auto begin = Clock::now();
    const gpu::Discovery found = gpu::discover(gpu::read_settings([](const char* name) { return std::getenv(name); }));
    const double chosen = std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
    gpu::install();
    auto engine = engine::create_engine({}, engine::default_hooks()).value();
    auto stream = engine->open({.mode = Mode::ahead, .max_frames = 64, .parts = 1}).value();
    std::vector<float> left(64), right(64);
    float* out[] = {left.data(), right.data()};
    stream->pull(out, 64);
    const double first = std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
    bool torch = false;
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);)
        torch = torch || line.find("libtorch") != std::string::npos;
    std::printf(
        "{\"bench\": \"auto\", \"chosen\": \"%s\", \"chosen_ms\": %.2f, \"first_block_ms\": %.2f, \"libtorch\": %s}\n",
        found.chosen.c_str(), chosen, first, torch ? "true" : "false");
    return 0;
}

// 1,000 voices on a device that stands still for 10 ms in every half a second, real time.
int stall() {
    engine::Hooks hooks = engine::default_hooks();
    hooks.add_device = [](std::unique_ptr<engine::Backend> cpu) -> std::unique_ptr<engine::Backend> {
        gpu::SimulatedOptions options;
        options.stall = [](std::int64_t launch) { return launch == 400 ? 10e3 : 0.0; };
        auto made = gpu::DeviceBackend::make(gpu::make_simulated_device(options), std::move(cpu), {});
        return made ? std::unique_ptr<engine::Backend>(std::move(*made)) : nullptr;
    };
    auto engine = engine::create_engine({}, hooks).value();
    auto stream =
        engine->open({.mode = Mode::ahead, .max_frames = 64, .look_ahead_blocks = 4, .parts = 2, .voices = 1000})
            .value();
    Patch patch;
    patch.voice = "subtractive";
    patch.voices = 500;
    for (int part = 0; part < 2; ++part)
        if (!stream->set_patch(part, patch, 0)) return 1;
    auto sender = stream->make_sender().value();
    for (int i = 0; i < 1000; ++i)
        sender.post(Event::note_on(i / 4, i % 2, 20 + i / 2 % 100, 0.3, i));
    std::vector<float> left(64), right(64);
    float* out[] = {left.data(), right.data()};
    auto next = Clock::now();
    for (int block = 0; block < 1500; ++block) {
        std::this_thread::sleep_until(next);
        stream->pull(out, 64);
        next += std::chrono::nanoseconds(1333333);
    }
    const StreamStats stats = stream->stats();
    std::printf("{\"bench\": \"stall\", \"voices\": %d, \"late_blocks\": %lld}\n", stats.voices,
                static_cast<long long>(stats.late_blocks));
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    const std::string device = argc > 1 ? argv[1] : "", what = argc > 2 ? argv[2] : "";
    if (device == "auto") return choose();
    if (device == "cuda") {
        std::string why;
        if (gpu::list_cuda_devices(why).empty()) return std::printf("%s: nothing was measured\n", why.c_str()), 3;
    }
    if (what == "check") return check(device);
    if (what == "voices" && argc > 4 && std::atoi(argv[3]) > 0)
        return hold(device, std::atoi(argv[3]), std::atof(argv[4]), argc > 5 ? argv[5] : "");
    if (what == "overhead" && argc > 3 && std::atoi(argv[3]) > 0) return overhead(device, std::atoi(argv[3]));
    if (what == "stall") return stall();
    return std::fprintf(
               stderr,
               "usage: bench_gpu auto | simulated|cuda check | voices N SECONDS [TIMES] | overhead N | stall\n"),
           2;
}
