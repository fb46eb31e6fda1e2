// SPDX-License-Identifier: MIT
// tutti bench voices | latency | alias | streams | marks | trace | mel | transcribe
#include "cli/bench.h"
#include "cli/bench_generate.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include <fmt/format.h>

#include "cli/statistics.h"

namespace tutti::cli {

namespace {
constexpr double k_cutoff_octaves = 5.0; // what a full timbre adds to the cutoff
constexpr double k_lowest_cutoff = 400.0;
} // namespace

Result<Patch> work_patch(const VoiceWork& work) {
    Patch patch;
    patch.name = "Work W";
    patch.voice = work.type;
    patch.voices = k_voices_per_part;
    if (work.quality == "eco")
        patch.quality = Quality::eco;
    else if (work.quality == "standard")
        patch.quality = Quality::standard;
    else if (work.quality == "ultra")
        patch.quality = Quality::ultra;
    else
        return Status(Code::invalid_argument, fmt::format("quality {} is unknown", work.quality),
                      "nothing was measured", "use eco, standard or ultra");
    // Quiet enough for any number of voices, so that the limiter has nothing to do.
    patch.gain_db = 20.0 * std::log10(0.5 / work.voices);
    if (work.type == "subtractive") {
        // Q is 2^(6 resonance - 0.5). The cutoff follows each note's timbre, which moves nothing once the note has begun.
        patch.parameters = {{"filter_type", 1},
                            {"cutoff", k_lowest_cutoff},
                            {"resonance", 0.3475},
                            {"filter_key", 0},
                            {"env1_attack", 0.010},
                            {"env1_decay", 0.200},
                            {"env1_sustain", 0.7},
                            {"env1_release", 0.300},
                            {"env2_attack", 0.010},
                            {"env2_decay", 0.200},
                            {"env2_sustain", 0.7},
                            {"env2_release", 0.300},
                            {"filter_env", work.cutoff_envelope ? 2.0 : 0.0}};
        patch.routes = {{"timbre", "cutoff", k_cutoff_octaves}};
    }
    return patch;
}

int work_parts(const VoiceWork& work) {
    return std::max(1, (work.voices + k_voices_per_part - 1) / k_voices_per_part);
}

bool start_voice(Sender& sender, const VoiceWork& work, int voice, std::int64_t frame) {
    const int part = voice / k_voices_per_part;
    const int key = 33 + voice % 60; // 55 Hz and up
    if (!sender.post(Event::note_on(frame, part, key, 1.0, voice))) return false;
    if (work.type != "subtractive") return true;
    const double cutoff = std::min(k_lowest_cutoff + 10.0 * (voice % 400), 8000.0);
    const double timbre = std::log2(cutoff / k_lowest_cutoff) / k_cutoff_octaves;
    return sender.post(Event::expression(frame, part, key, voice, NoteExpression::timbre, timbre));
}

bool release_voice(Sender& sender, int voice, std::int64_t frame) {
    return sender.post(Event::note_off(frame, voice / k_voices_per_part, 33 + voice % 60, 0.5, voice));
}

nlohmann::json percentiles(std::vector<double>& values) {
    const double p50 = percentile(values, 0.5);
    return {{"p50", p50},
            {"p99", percentile(values, 0.99)},
            {"p999", percentile(values, 0.999)},
            {"max", values.empty() ? 0.0 : values.back()}};
}

void print_result(const nlohmann::json& result, bool json) {
    if (json) {
        fmt::print("{}\n", result.dump());
        return;
    }
    for (const auto& [key, value] : result.items())
        fmt::print("{:<24} {}\n", key, value.is_string() ? value.get<std::string>() : value.dump());
}

Command add_bench(CLI::App& app) {
    CLI::App* sub =
        app.add_subcommand("bench", "Measure this machine: voices, latency, alias, streams, marks, trace, models");
    sub->require_subcommand(1);
    std::vector<Command> commands = {add_bench_voices(*sub),  add_bench_latency(*sub), add_bench_alias(*sub),
                                     add_bench_streams(*sub), add_bench_marks(*sub),   add_bench_trace(*sub)};
#if defined(TUTTI_WITH_MODELS)
    commands.push_back(add_bench_mel(*sub));
    commands.push_back(add_bench_transcribe(*sub));
    commands.push_back(add_bench_generate(*sub));
    commands.push_back(add_bench_cancel(*sub));
#endif
    auto trace = std::make_shared<std::string>();
    for (const Command& command : commands)
        if (command.app->get_name() != "trace") trace_option(*command.app, *trace);
    return {sub, [commands, trace] {
                for (const Command& command : commands)
                    if (command.app->parsed()) return traced(*trace, false, command.run);
                return static_cast<int>(exit_usage);
            }};
}

} // namespace tutti::cli
