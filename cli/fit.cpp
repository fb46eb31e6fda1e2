// SPDX-License-Identifier: MIT
// tutti fit TARGET.wav --patch START -o FITTED.json: moves a patch's parameters until it sounds like a recording of one note.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/patch_name.h"
#include "gpu/torch/library.h"
#include "io/audio_file.h"
#include "voices/registry.h"

namespace tutti::cli {

namespace {

constexpr double k_most_seconds = 10.0;
constexpr const char* k_usual = "cutoff,resonance,filter_env,level,env1_attack,env1_decay,env1_sustain,env1_release,"
                                "env2_attack,env2_decay,env2_sustain,env2_release";

struct Options {
    std::string target;
    std::string patch = "synth-pluck";
    std::string output;
    std::string parameters = k_usual;
    double note = 60.0;
    double velocity = 0.8;
    double gate = 0.0;
    int steps = 300;
    bool json = false;
    bool quiet = false;
};

Result<std::vector<int>> chosen(const voices::VoiceType& type, const std::string& names) {
    std::vector<int> indices;
    for (std::size_t at = 0; at <= names.size();) {
        const std::size_t end = std::min(names.find(',', at), names.size());
        const std::string name = names.substr(at, end - at);
        at = end + 1;
        const auto* const found = std::find_if(type.parameters, type.parameters + type.parameter_count,
                                               [&](const Parameter& p) { return name == p.id; });
        const bool known = found != type.parameters + type.parameter_count;
        // What no gradient leads to: choices, and what shifts a pitch.
        const std::vector<std::string> able = {"cutoff",   "resonance", "filter_env", "filter_key", "level",
                                               "velocity", "pan",       "osc1_level", "osc2_level", "sub_level"};
        const bool can =
            known && (name.rfind("env", 0) == 0 || std::find(able.begin(), able.end(), name) != able.end());
        if (!can)
            return Status(Code::invalid_argument,
                          fmt::format("--parameters {}: {}", name, known ? "it cannot be fitted" : "there is none"),
                          "nothing was fitted", fmt::format("name some of {},env1_curve,env2_curve", k_usual));
        indices.push_back(static_cast<int>(found - type.parameters));
    }
    return indices;
}

int note_step(void* progress, int step, double) {
    static_cast<Progress*>(progress)->update(static_cast<double>(step));
    return g_interrupted ? 1 : 0;
}

int run(const Options& options) {
    const char* const nothing = "nothing was fitted";
    for (const Status& status : {check_range("--note", options.note, 0.0, 127.0, nothing),
                                 check_range("--velocity", options.velocity, 0.0, 1.0, nothing),
                                 check_range("--gate", options.gate, 0.0, k_most_seconds, nothing),
                                 check_range("--steps", options.steps, 1.0, 100000.0, nothing)})
        if (!status.ok()) return fail(status);
    auto patch = find_patch(options.patch);
    if (!patch.ok()) return fail(patch.status());
    const voices::VoiceType* const type = voices::find_voice_type(patch->voice);
    if (type == nullptr || patch->voice != "subtractive")
        return fail(Status(Code::unsupported, fmt::format("{} is a patch of '{}'", options.patch, patch->voice),
                           nothing, "start from a patch of 'subtractive': tutti patches"));
    const auto free = chosen(*type, options.parameters);
    if (!free.ok()) return fail(free.status());
    const auto sound = io::load_audio(options.target);
    if (!sound.ok()) return fail(sound.status());
    const auto library = gpu::torch_library();
    if (!library.ok()) return fail(library.status());

    // Both sides' mean, at the level in front of the patch's gain.
    const auto frames =
        static_cast<int>(std::min<double>(static_cast<double>(sound->frames()), k_most_seconds * sound->sample_rate));
    const double gain =
        std::pow(10.0, -patch->gain_db / 20.0) / static_cast<double>(std::max<std::size_t>(sound->channels.size(), 1));
    std::vector<float> mono(static_cast<std::size_t>(frames), 0.0f);
    for (const std::vector<float>& side : sound->channels)
        for (std::size_t i = 0; i < mono.size(); ++i)
            mono[i] += static_cast<float>(gain) * side[i];
    std::vector<float> start, fitted(static_cast<std::size_t>(type->parameter_count));
    for (int i = 0; i < type->parameter_count; ++i) {
        const auto given = patch->parameters.find(type->parameters[i].id);
        start.push_back(given == patch->parameters.end() ? type->parameters[i].fallback
                                                         : static_cast<float>(given->second));
    }
    catch_interrupts();
    Progress progress("fit", static_cast<double>(options.steps), options.quiet);
    gpu::TorchFit fit;
    fit.target = mono.data();
    fit.frames = frames;
    fit.rate = sound->sample_rate;
    fit.start = start.data();
    fit.free = free->data();
    fit.free_count = static_cast<int>(free->size());
    fit.key = static_cast<float>(options.note);
    fit.velocity = static_cast<float>(options.velocity);
    fit.gate_seconds = options.gate > 0.0 ? options.gate : 0.5 * frames / sound->sample_rate;
    fit.steps = options.steps;
    fit.progress = note_step;
    fit.context = &progress;
    fit.fitted = fitted.data();
    char why[256] = "";
    const double begin = seconds_now();
    const int failed = (*library)->fit(&fit, why, sizeof why);
    progress.finish();
    if (g_interrupted)
        return fail(Status(Code::cancelled, "interrupted", "the patch was not written", "run the command again"));
    if (failed != 0)
        return fail(Status(Code::unsupported, why, nothing, "start from another patch, or give a longer sound"));
    for (const int index : *free)
        patch->parameters[type->parameters[index].id] = static_cast<double>(fitted[static_cast<std::size_t>(index)]);
    // Under another name first: no half file.
    const std::string half = options.output + ".part";
    std::ofstream file(half, std::ios::binary);
    file << patch->to_json();
    file.close();
    std::error_code error;
    if (file) std::filesystem::rename(half, options.output, error);
    if (!file || error) {
        std::filesystem::remove(half, error);
        return fail(Status(Code::file_unwritable, options.output + " cannot be written",
                           "the patch was fitted, but is lost", "name a place that can be written to"));
    }
    if (options.json) {
        nlohmann::json values;
        for (const int index : *free)
            values[type->parameters[index].id] = {start[static_cast<std::size_t>(index)],
                                                  fitted[static_cast<std::size_t>(index)]};
        fmt::print("{}\n", nlohmann::json({{"output", options.output},
                                           {"loss", {fit.first_loss, fit.last_loss}},
                                           {"steps", options.steps},
                                           {"seconds", seconds_now() - begin},
                                           {"parameters", values}})
                               .dump());
    } else if (!options.quiet) {
        tell("{}: loss {:.4f} -> {:.4f} in {} steps, {:.1f} s\n", options.output, fit.first_loss, fit.last_loss,
             options.steps, seconds_now() - begin);
        for (const int index : *free)
            tell("  {:14} {:10.4g} -> {:.4g}\n", type->parameters[index].id, start[static_cast<std::size_t>(index)],
                 fitted[static_cast<std::size_t>(index)]);
        for (const char* const left_out :
             {patch->routes.empty() ? "" : "modulation routes", patch->effects.empty() ? "" : "effects",
              patch->room_send + patch->hall_send > 0.0 ? "sends" : ""})
            if (*left_out != '\0')
                tell("tutti: {} of {} are not part of the fit; they stay in the patch as they are\n", left_out,
                     options.patch);
    }
    return exit_ok;
}

} // namespace

Command add_fit(CLI::App& app) {
    CLI::App* sub =
        app.add_subcommand("fit", "Moves a patch's parameters until it sounds like a recording of one note");
    auto options = std::make_shared<Options>();
    sub->add_option("TARGET", options->target, "Sound file of one note, from its beginning; at most 10 s are used")
        ->required();
    option(*sub, "--patch", options->patch, "Factory patch or patch file of type subtractive to start from");
    sub->add_option("-o,--output", options->output, "Patch file to write")->required();
    option(*sub, "--note", options->note, "The note's key, 0 to 127, fractions too");
    option(*sub, "--velocity", options->velocity, "0 to 1");
    option(*sub, "--gate", options->gate, "Seconds from the note's begin to its release, 0: half of the sound");
    option(*sub, "--parameters", options->parameters, "What may move, by name, commas between");
    option(*sub, "--steps", options->steps, "Of the descent");
    sub->add_flag("--json", options->json, "Print the result as one JSON object");
    sub->add_flag("--quiet", options->quiet, "No progress, no summary");
    return {sub, [options] { return run(*options); }};
}

} // namespace tutti::cli
