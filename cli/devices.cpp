// SPDX-License-Identifier: MIT
// tutti devices: what this machine can play on, listen to and compute with.
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <tutti/engine.h>

#include "cli/command.h"
#include "engine/cpu/isa.h"
#include "gpu/discovery.h"
#include "io/audio_device.h"
#include "io/midi_port.h"

namespace tutti::cli {

namespace {

struct Options {
    bool json = false;
    bool rates = false;
    bool verbose = false;
};

int run(const Options& options) {
    const auto outputs = io::list_output_devices(options.rates);
    const auto inputs = io::list_midi_inputs(), midi_outputs = io::list_midi_outputs();
    nlohmann::json devices = nlohmann::json::array();
    for (const io::AudioDevice& each : outputs)
        devices.push_back({{"number", each.number},
                           {"name", each.name},
                           {"api", each.api},
                           {"channels", each.channels},
                           {"default_rate", each.default_rate},
                           {"latency_ms", each.low_latency_seconds * 1000.0},
                           {"default", each.is_default},
                           {"rates", each.rates}});
    nlohmann::json sets = nlohmann::json::array();
    for (const engine::Isa isa :
         {engine::Isa::scalar, engine::Isa::sse2, engine::Isa::avx2, engine::Isa::avx512, engine::Isa::neon})
        if (engine::isa_supported(isa)) sets.push_back(engine::isa_name(isa));
    const auto engine = Engine::create({.threads = 1});
    const std::string backend = engine.ok() ? (*engine)->backend() : engine.status().message();
    const gpu::Discovery compute =
        gpu::discover(gpu::read_settings([](const char* name) { return std::getenv(name); }));
    nlohmann::json kinds = nlohmann::json::array({"cpu"});
    for (const gpu::DeviceInfo& each : compute.devices)
        kinds.push_back(each.kind + " " + std::to_string(each.index) + ": " + each.name);
    if (options.json) {
        fmt::print("{}\n", nlohmann::json({{"audio", devices},
                                           {"midi_inputs", inputs},
                                           {"midi_outputs", midi_outputs},
                                           {"instruction_sets", sets},
                                           {"backend", backend},
                                           {"compute", kinds},
                                           {"render_thread", compute.chosen},
                                           {"render_thread_reason", compute.reason}})
                               .dump());
        return exit_ok;
    }
    fmt::print("Audio outputs\n");
    if (outputs.empty()) fmt::print("  none: `tutti play --null` plays without one, `tutti render` writes a file\n");
    for (const io::AudioDevice& each : outputs) {
        fmt::print("  {}{} {} ({}), {} channels, {:g} Hz, {:.1f} ms\n", each.is_default ? '*' : ' ', each.number,
                   each.name, each.api, each.channels, each.default_rate, each.low_latency_seconds * 1000.0);
        if (options.rates) fmt::print("      takes {} Hz\n", fmt::join(each.rates, ", "));
    }
    for (const auto& [title, ports] : {std::pair("inputs", &inputs), std::pair("outputs", &midi_outputs)}) {
        fmt::print("MIDI {}\n", title);
        if (ports->empty()) fmt::print("  none\n");
        for (std::size_t i = 0; i < ports->size(); ++i)
            fmt::print("    {} {}\n", i, (*ports)[i]);
    }
    fmt::print("Compute\n  instruction sets:");
    for (const auto& set : sets)
        fmt::print(" {}", set.get<std::string>());
    fmt::print("\n  backend: {}\n", backend);
    for (const std::string& warning : compute.settings.warnings)
        fmt::print(stderr, "tutti: {}\n", warning);
    for (const gpu::DeviceInfo& each : compute.devices)
        fmt::print("  {} {}: {}, compute capability {}.{}, {} multiprocessors, {} MB, driver {}\n", each.kind,
                   each.index, each.name, each.major, each.minor, each.multiprocessors, each.memory >> 20, each.driver);
    if (!options.verbose) return exit_ok;
    fmt::print("  render threads: {} ({}); optimisation level {}\n", compute.chosen, compute.reason,
               compute.settings.level);
    for (const gpu::Applied& each : compute.applied)
        fmt::print("    {}: {} ({})\n", each.setting, each.value, each.reason);
    return exit_ok;
}

} // namespace

Command add_devices(CLI::App& app) {
    CLI::App* sub = app.add_subcommand("devices", "Audio devices, MIDI ports, instruction sets, compute devices");
    auto options = std::make_shared<Options>();
    sub->add_flag("--rates", options->rates, "Also ask each device which rates it takes (opens it)");
    sub->add_flag("-v,--verbose", options->verbose, "Also say which device renders, why, and what was set for it");
    sub->add_flag("--json", options->json, "Print one JSON object");
    return {sub, [options] { return run(*options); }};
}

} // namespace tutti::cli
