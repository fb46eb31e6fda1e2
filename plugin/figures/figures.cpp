// SPDX-License-Identifier: MIT
// Measures the plugin without a host:
//
//   tutti_plugin_figures first     instance creation to the first sound at -40 dBFS or louder
//   tutti_plugin_figures batch     32 instances in `ahead` with 8 voices each against one with 256, at 64 frames, interleaved pairs;
//                                  and streams of the engine alone beside them
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

constexpr int k_frames = 64;
constexpr double k_second = 48000.0;

// What plays a block: an instance of the plugin, or a stream of the engine alone with the same patch and notes.
struct Player {
    std::unique_ptr<Instance> instance;
    std::shared_ptr<Stream> stream;
    Sender sender;

    void play(float* const* out, std::span<const BlockEvent> keys) {
        if (instance != nullptr) {
            instance->process(out, 2, k_frames, keys, nullptr);
            return;
        }
        for (const BlockEvent& key : keys)
            sender.post(Event::note_on(0, 0, key.key, key.value, key.note_id));
        stream->pull(out, k_frames);
    }
    int voices() const { return instance != nullptr ? instance->stats().voices : stream->stats().voices; }
};

bool open(Player& player, Engine* engine, int voices) {
    if (engine == nullptr) {
        player.instance = std::make_unique<Instance>();
        Settings settings;
        settings.mode = Mode::ahead;
        settings.look_ahead_blocks = 8;
        return player.instance->set_settings(settings) && player.instance->load_preset(shape(voices), "") &&
               player.instance->prepare(k_second, k_frames);
    }
    StreamConfig config;
    config.sample_rate = k_second;
    config.mode = Mode::ahead;
    config.look_ahead_blocks = 8;
    config.max_frames = k_frames;
    Result<std::shared_ptr<Stream>> stream = engine->open(config);
    if (!stream || !stream.value()->set_patch(0, shape(voices))) return false;
    Result<Sender> sender = stream.value()->make_sender();
    if (!sender) return false;
    player.stream = std::move(stream).value();
    player.sender = std::move(sender).value();
    return true;
}

struct Spent {
    double all = -1.0;  // of every thread, seconds
    double calls = 0.0; // within the calls, on the clock
};

// At the speed of sound, for `blocks` blocks of 64 frames of `count` players that hold `voices` notes each.
Spent run(int count, int voices, int blocks, bool plugins) {
    std::unique_ptr<Engine> engine;
    if (!plugins) {
        Result<std::unique_ptr<Engine>> made = Engine::create();
        if (!made) return {};
        engine = std::move(made).value();
    }
    std::vector<Player> players(static_cast<std::size_t>(count));
    for (Player& player : players)
        if (!open(player, engine.get(), voices)) return {};
    std::vector<float> left(k_frames), right(k_frames);
    float* out[2] = {left.data(), right.data()};
    std::vector<BlockEvent> keys;
    for (int v = 0; v < voices; ++v)
        keys.push_back(BlockEvent::note(BlockEvent::Kind::note_on, 0, 0, 36 + v % 60, 0.6, v + 1));
    for (Player& player : players)
        player.play(out, keys);
    const auto period = std::chrono::nanoseconds(k_frames * 1'000'000'000LL / 48000);
    auto due = std::chrono::steady_clock::now();
    double calls = 0.0;
    const auto play = [&](int count_of_blocks) {
        for (int block = 0; block < count_of_blocks; ++block) {
            std::this_thread::sleep_until(due += period);
            const double from = seconds();
            for (Player& player : players)
                player.play(out, {});
            calls += seconds() - from;
        }
    };
    play(200);
    int sounding = 0;
    for (const Player& player : players)
        sounding += player.voices();
    const double begin = processor_seconds();
    calls = 0.0;
    play(blocks);
    const Spent spent{processor_seconds() - begin, calls};
    if (sounding != count * voices) std::printf("  only %d of %d voices sound\n", sounding, count * voices);
    return spent;
}

int batch() {
    constexpr int k_blocks = 1500; // two seconds
    const double sound = k_blocks * k_frames / k_second;
    double plugin_ratio = 0.0;
    for (const bool plugins : {false, true}) {
        std::vector<double> ratios, many, one, calls;
        for (int pair = 0; pair < 7; ++pair) {
            const Spent b = run(1, 256, k_blocks, plugins), a = run(32, 8, k_blocks, plugins);
            if (a.all < 0.0 || b.all <= 0.0) return 1;
            many.push_back(a.all);
            one.push_back(b.all);
            calls.push_back(1e9 * a.calls / (32.0 * k_blocks));
            ratios.push_back(a.all / b.all);
        }
        std::sort(ratios.begin(), ratios.end());
        std::printf(
            "%s, ahead, 64 frames, one patch shape, no effects: 32 x 8 voices %.1f %% of a core, 1 x 256 voices "
            "%.1f %%; ratio %.3f (%.3f to %.3f of %zu pairs%s); a call takes %.0f ns\n",
            plugins ? "instances" : "streams of the engine alone", 100.0 * median(many) / sound,
            100.0 * median(one) / sound, ratios[ratios.size() / 2], ratios.front(), ratios.back(), ratios.size(),
            plugins ? "; bar: 1.15" : "", median(calls));
        plugin_ratio = ratios[ratios.size() / 2];
    }
    return plugin_ratio <= 1.15 ? 0 : 2;
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
