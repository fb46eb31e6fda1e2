// SPDX-License-Identifier: MIT
// Measures the plugin without a host:
//
//   tutti_plugin_figures first     instance creation to the first sound at -40 dBFS or louder
//   tutti_plugin_figures batch     32 instances in `ahead` with 8 voices each against one with 256, at 64 frames, interleaved pairs
//   tutti_plugin_figures search    a search among 5,000 presets
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "plugin/core/instance.h"
#include "plugin/core/library.h"

using namespace tutti;
using namespace tutti::plugin;

namespace {

double seconds() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Of every thread of the process: what the machine has spent.
double processor_seconds() {
    return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

int first_sound() {
    std::vector<double> times;
    for (int round = 0; round < 21; ++round) {
        const double begin = seconds();
        Instance instance;
        if (!instance.prepare(48000.0, 64)) return 1;
        std::vector<float> left(64), right(64);
        float* out[2] = {left.data(), right.data()};
        const BlockEvent key = BlockEvent::midi(0, 0x90, 60, 100);
        double sum = 0.0;
        int frames = 0;
        // Rendering is faster than sounding: what a player waits for is the making, and the frames until it is loud.
        while (frames < 48000) {
            instance.process(out, 2, 64,
                             frames == 0 ? std::span<const BlockEvent>(&key, 1) : std::span<const BlockEvent>(),
                             nullptr);
            frames += 64;
            sum = 0.0;
            for (const float x : left)
                sum += static_cast<double>(x) * static_cast<double>(x);
            if (10.0 * std::log10(sum / 64.0 + 1e-20) >= -40.0) break;
        }
        times.push_back(1000.0 * (seconds() - begin + frames / 48000.0));
    }
    std::sort(times.begin(), times.end());
    std::printf(
        "creation to first sound at -40 dBFS: first %.1f ms, median %.1f ms, worst of %zu %.1f ms (bar: 50 ms)\n",
        times[0], times[times.size() / 2], times.size(), times.back());
    return times.back() < 50.0 ? 0 : 2;
}

Patch shape(int voices) {
    Patch patch; // a saw through the filter
    patch.voices = voices;
    return patch;
}

// Processor time, at the speed of sound, for `blocks` blocks of 64 frames of `count` instances that hold `voices` notes each.
double run(int count, int voices, int blocks) {
    std::vector<std::unique_ptr<Instance>> instances;
    for (int i = 0; i < count; ++i) {
        auto instance = std::make_unique<Instance>();
        Settings settings;
        settings.mode = Mode::ahead;
        settings.look_ahead_blocks = 8;
        if (!instance->set_settings(settings) || !instance->load_preset(shape(voices), "") ||
            !instance->prepare(48000.0, 64))
            return -1.0;
        instances.push_back(std::move(instance));
    }
    std::vector<float> left(64), right(64);
    float* out[2] = {left.data(), right.data()};
    std::vector<BlockEvent> keys;
    for (int v = 0; v < voices; ++v)
        keys.push_back(BlockEvent::note(BlockEvent::Kind::note_on, 0, 0, 36 + v % 60, 0.6, v + 1));
    for (const auto& instance : instances)
        instance->process(out, 2, 64, keys, nullptr);
    const auto period = std::chrono::nanoseconds(64 * 1'000'000'000LL / 48000);
    auto due = std::chrono::steady_clock::now();
    const auto play = [&](int count_of_blocks) {
        for (int block = 0; block < count_of_blocks; ++block) {
            std::this_thread::sleep_until(due += period);
            for (const auto& instance : instances)
                instance->process(out, 2, 64, {}, nullptr);
        }
    };
    play(200);
    int sounding = 0;
    for (const auto& instance : instances)
        sounding += instance->stats().voices;
    const double begin = processor_seconds();
    play(blocks);
    const double spent = processor_seconds() - begin;
    if (sounding != count * voices) std::printf("  only %d of %d voices sound\n", sounding, count * voices);
    return spent;
}

int batch() {
    std::vector<double> ratios, many, one;
    constexpr int k_blocks = 1500; // two seconds
    for (int pair = 0; pair < 7; ++pair) {
        const double b = run(1, 256, k_blocks), a = run(32, 8, k_blocks);
        if (a < 0.0 || b <= 0.0) return 1;
        many.push_back(a);
        one.push_back(b);
        ratios.push_back(a / b);
    }
    std::sort(ratios.begin(), ratios.end());
    const double sound = k_blocks * 64 / 48000.0;
    std::printf("ahead, 64 frames, one patch shape, no effects: 32 x 8 voices %.1f %% of a core, 1 x 256 voices %.1f "
                "%%; ratio %.3f "
                "(%.3f to %.3f of %zu pairs; bar: 1.15)\n",
                100.0 * median(many) / sound, 100.0 * median(one) / sound, ratios[ratios.size() / 2], ratios.front(),
                ratios.back(), ratios.size());
    return ratios[ratios.size() / 2] <= 1.15 ? 0 : 2;
}

int search() {
    namespace fs = std::filesystem;
    const fs::path folder = fs::temp_directory_path() / "tutti-plugin-figures";
    fs::remove_all(folder);
    fs::create_directories(folder);
    Patch patch = *Patch::factory("warm-pad");
    for (int i = 0; i < 5000; ++i) {
        patch.name = "Preset " + std::to_string(i);
        patch.tags = {"tag" + std::to_string(i % 100), "soft"};
        std::ofstream(folder / (std::to_string(i) + ".json")) << patch.to_json();
    }
    PresetLibrary library(folder);
    const double begin = seconds();
    library.refresh();
    const double read = seconds() - begin;
    std::vector<double> times;
    std::size_t found = 0;
    for (int round = 0; round < 101; ++round) {
        const double from = seconds();
        PresetQuery query;
        query.text = round % 2 == 0 ? "soft tag" + std::to_string(round) : "preset";
        found += library.search(query).size();
        times.push_back(1000.0 * (seconds() - from));
    }
    fs::remove_all(folder);
    std::sort(times.begin(), times.end());
    std::printf("search among %zu presets: median %.2f ms, worst of %zu %.2f ms (bar: 10 ms); reading them all, in the "
                "background: %.2f s\n",
                library.list()->size(), times[times.size() / 2], times.size(), times.back(), read);
    return found > 0 && times.back() < 10.0 ? 0 : 2;
}

} // namespace

int main(int count, char** words) {
    const std::string what = count == 2 ? words[1] : "";
    if (what == "first") return first_sound();
    if (what == "batch") return batch();
    if (what == "search") return search();
    std::fputs("usage: tutti_plugin_figures first|batch|search\n", stderr);
    return 64;
}
