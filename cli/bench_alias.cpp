// SPDX-License-Identifier: MIT
// tutti bench alias: how much of each oscillator's sound is alias, in each tier of quality.
#include <array>
#include <cmath>
#include <memory>
#include <vector>

#include <fmt/format.h>

#include "cli/bench.h"
#include "io/alias.h"

namespace tutti::cli {

namespace {

struct Options {
    double rate = 48000.0;
    bool json = false;
};

// With `sync` oscillator 2 at 1.374 times the pitch, begun anew with each cycle: the harmonics are still the key's.
struct Case {
    const char* name;
    int wave;
    bool sync;
};
constexpr std::array<Case, 6> k_cases = {{{"saw", 0, false},
                                          {"pulse", 1, false},
                                          {"triangle", 2, false},
                                          {"sync saw", 0, true},
                                          {"sync pulse", 1, true},
                                          {"sync triangle", 2, true}}};
constexpr std::array<const char*, 3> k_tiers = {"eco", "standard", "ultra"};
constexpr std::array<int, 3> k_keys = {69, 87, 108}; // 440, 1244.5 and 4186.0 Hz

// One held note of a bare oscillator through the whole engine, from half a second on.
Result<std::vector<float>> oscillator(Engine& engine, const Case& which, int tier, int key, double rate) {
    StreamConfig config;
    config.sample_rate = rate;
    config.channels = 1;
    config.mode = Mode::offline;
    config.parts = 1;
    config.limiter = false;
    auto stream = engine.open(config);
    if (!stream.ok()) return stream.status();
    Patch patch;
    patch.quality = static_cast<Quality>(tier);
    patch.parameters = {{"filter_type", 0}, {"env1_attack", 0.001}, {"env1_sustain", 1.0}};
    if (which.sync)
        patch.parameters.insert(
            {{"osc_sync", 1}, {"osc1_level", 0}, {"osc2_level", 1}, {"osc2_semitone", 5}, {"osc2_fine", 50}});
    patch.parameters[which.sync ? "osc2_wave" : "osc1_wave"] = which.wave;
    if (Status status = (*stream)->set_patch(0, patch, 0); !status.ok()) return status;
    auto sender = (*stream)->make_sender();
    if (!sender.ok()) return sender.status();
    sender->post(Event::note_on(0, 0, key, 1.0));
    std::vector<float> sound(static_cast<std::size_t>(rate / 2) + io::k_alias_frames);
    for (std::size_t at = 0; at < sound.size(); at += 4096) {
        float* out[1] = {sound.data() + at};
        (*stream)->pull(out, static_cast<int>(std::min<std::size_t>(4096, sound.size() - at)));
    }
    sound.erase(sound.begin(), sound.end() - io::k_alias_frames);
    return sound;
}

int run(const Options& options) {
    auto engine = Engine::create({.threads = 1});
    if (!engine.ok()) return fail(engine.status());
    nlohmann::json rows = nlohmann::json::array();
    if (!options.json)
        fmt::print("{:<14} {:<10} {:>8} {:>10} {:>10}\n", "oscillator", "quality", "Hz", "worst dB", "below dB");
    for (const Case& which : k_cases)
        for (int tier = 0; tier < 3; ++tier)
            for (const int key : k_keys) {
                const double hz = 440.0 * std::exp2((key - 69) / 12.0);
                if (hz > options.rate / 4.0) continue;
                const auto sound = oscillator(**engine, which, tier, key, options.rate);
                if (!sound.ok()) return fail(sound.status());
                const io::AliasLevel level = io::measure_alias(*sound, options.rate, hz);
                const char* quality = k_tiers[static_cast<std::size_t>(tier)];
                rows.push_back({{"oscillator", which.name},
                                {"quality", quality},
                                {"hz", level.hz},
                                {"worst_db", level.worst_db},
                                {"below_db", level.below_db}});
                if (!options.json)
                    fmt::print("{:<14} {:<10} {:8.1f} {:10.1f} {:10.1f}\n", which.name, quality, level.hz,
                               level.worst_db, level.below_db);
            }
    if (options.json)
        fmt::print("{}\n",
                   nlohmann::json({{"rate", options.rate}, {"backend", (*engine)->backend()}, {"rows", rows}}).dump());
    return exit_ok;
}

} // namespace

Command add_bench_alias(CLI::App& app) {
    CLI::App* sub = app.add_subcommand("alias", "Alias of every oscillator and quality at three pitches");
    auto options = std::make_shared<Options>();
    option(*sub, "--rate", options->rate, "Sample rate in Hz");
    sub->add_flag("--json", options->json, "Print one JSON object");
    return {sub, [options] { return run(*options); }};
}

} // namespace tutti::cli
