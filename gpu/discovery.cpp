// SPDX-License-Identifier: MIT
#include "gpu/discovery.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <thread>

#include "engine/cpu/backend.h"
#include "engine/stream/hooks.h"
#include "gpu/cuda/device.h"
#include "gpu/cuda/images.h"
#include "gpu/metal/device.h"
#include "gpu/torch/library.h"
#include "gpu/torch/torch_backend.h"

namespace tutti::gpu {

Settings read_settings(const std::function<const char*(const char*)>& get) {
    Settings settings;
    const auto first_of = [&](std::initializer_list<const char*> names, const char*& name) -> std::string {
        for (const char* each : names)
            if (const char* const value = get(each); value != nullptr && *value != '\0') {
                name = each;
                return value;
            }
        return {};
    };
    const auto warn = [&](const char* name, const std::string& value, const char* choices, const std::string& taken) {
        settings.warnings.push_back(std::string(name) + "=" + value + " is none of " + choices + "; taken: " + taken);
    };
    const char* name = "";
    const std::string backend = first_of({"TUTTI_BACKEND", "GPU_BACKEND"}, name);
    if (backend == "auto" || backend == "cpu" || backend == "cuda" || backend == "torch" || backend == "metal")
        settings.backend = backend;
    else if (!backend.empty())
        warn(name, backend, "auto, cpu, cuda, torch, metal", "auto");
    if (const char* const use = get("USE_CUDA"); backend.empty() && use != nullptr && *use != '\0') {
        const std::string_view value = use;
        if (value == "1")
            settings.backend = "cuda";
        else if (value == "0")
            settings.backend = "cpu";
        else
            warn("USE_CUDA", use, "0, 1", "auto");
    }
    const std::string level = first_of({"TUTTI_OPTIMIZATION", "OPTIMIZATION_LEVEL"}, name);
    if (level == "0" || level == "1" || level == "2")
        settings.level = level[0] - '0';
    else if (!level.empty())
        warn(name, level, "0, 1, 2", "1");
    const std::string torch = first_of({"TUTTI_TORCH_DEVICE"}, name);
    if (torch == "cpu" || torch == "cuda" || torch == "mps" || torch == "xpu")
        settings.torch_device = torch;
    else if (!torch.empty())
        warn(name, torch, "cpu, cuda, mps, xpu", "cpu");
    settings.cache = cache_folder(get);
    return settings;
}

BackendConfig settings_for(const DeviceInfo& device, int level, std::vector<Applied>& applied) {
    BackendConfig config;
    const auto note = [&](const char* setting, const std::string& value, const std::string& reason) {
        applied.push_back({setting, value, reason});
    };
    if (level == 0) {
        config.graphs = false;
        note("graph", "off", "level 0: launches one by one are always safe");
        note("rows", std::to_string(config.rows), "level 0: 16,384 voices, 11 MB a thousand");
        note("keep warm", "off", "level 0");
        return config;
    }
    note("graph", "on", "a replay costs one call where launches cost six");
    // A row of sixteen voices is some 12 KB of state; a sixteenth of the memory, up to a million voices.
    const std::size_t rows = device.memory / 16 / 12288;
    config.rows = static_cast<int>(std::clamp<std::size_t>(rows, 256, 65536));
    note("rows", std::to_string(config.rows),
         "a sixteenth of " + std::to_string(device.memory >> 20) + " MB of memory");
    config.keep_warm_ms = device.unified ? 0.0 : 4.0;
    note("keep warm", device.unified ? "off" : "4 ms",
         device.unified ? "the device shares the processor's memory and clocks" : "an idle card lowers its clocks");
    return config;
}

namespace {

// Level 2: what was measured here, now or before; a broken cache is one warning.
void tune(Discovery& found, const DeviceSource& source, const DeviceInfo* device) {
    const std::string key = tuning_key(device);
    auto known = load_tuning(found.settings.cache, key);
    if (!known) {
        if (known.status().code() != Code::file_not_found) found.settings.warnings.push_back(known.status().message());
        MakeDevice make;
        if (device != nullptr)
            make = [&source, index = device->index](const BackendConfig& config) -> std::unique_ptr<engine::Backend> {
                auto opened = source.open(index);
                if (!opened) return nullptr;
                BackendConfig small = config;
                small.rows = std::min(small.rows, 1024);
                small.budget_us = 1e6;
                auto made =
                    DeviceBackend::make(std::move(*opened), engine::make_cpu_backend(1, engine::best_isa()), small);
                return made ? std::unique_ptr<engine::Backend>(std::move(*made)) : nullptr;
            };
        const Tuning measured =
            measure_tuning(make, found.config, static_cast<int>(std::max(1u, std::thread::hardware_concurrency())));
        if (const Status saved = save_tuning(found.settings.cache, key, measured); !saved)
            found.settings.warnings.push_back(saved.message());
        known = measured;
    }
    const auto reason = [&](const char* setting) -> std::string {
        for (const auto& [name, text] : known->reasons)
            if (name == setting) return text;
        return "default";
    };
    found.cpu_threads = known->threads;
    found.applied.push_back(
        {"CPU threads", known->threads == 0 ? "all" : std::to_string(known->threads), reason("threads")});
    found.applied.push_back(
        {"look-ahead, advised", std::to_string(known->look_ahead_blocks) + " blocks", reason("look_ahead_blocks")});
    if (device == nullptr) return;
    found.config.graphs = known->graphs != 0;
    found.config.crossover_voices = known->crossover_voices;
    for (Applied& each : found.applied)
        if (each.setting == "graph") each = {"graph", known->graphs != 0 ? "on" : "off", reason("graphs")};
    found.applied.push_back(
        {"crossover", std::to_string(known->crossover_voices) + " voices", reason("crossover_voices")});
}

// A named backend's devices alone; else the first kind that is there.
DeviceSource own_devices(const std::string& backend) {
    DeviceSource source;
    source.devices = list_cuda_devices(source.why);
    source.open = open_cuda_device;
    if (backend == "metal" || (backend != "cuda" && source.devices.empty())) {
        std::string why;
        auto devices = list_metal_devices(why);
        if (!devices.empty() || backend == "metal") {
            source.devices = std::move(devices);
            source.why = why;
            source.open = open_metal_device;
            return source;
        }
    }
    int programs = 0;
    cuda_images(programs);
    if (!source.devices.empty() && programs == 0) {
        source.why =
            source.devices.front().name + " is there, but this build carries no CUDA programs (TUTTI_BUILD_CUDA)";
        source.open = nullptr;
    }
    return source;
}

} // namespace

Discovery discover(const Settings& settings) {
    if (settings.backend == "cpu" || settings.backend == "torch") return discover(settings, {});
    return discover(settings, own_devices(settings.backend));
}

Discovery discover(const Settings& settings, const DeviceSource& source) {
    Discovery found;
    found.settings = settings;
    const DeviceInfo* device = nullptr;
    if (settings.backend == "cpu") {
        found.reason = "asked for";
    } else if (settings.backend == "torch") {
        found.chosen = "torch " + settings.torch_device;
        found.reason = "asked for";
    } else {
        found.devices = source.devices;
        const bool named = settings.backend != "auto";
        if (source.devices.empty() || !source.open) {
            found.reason = source.why.empty() ? "no device was found" : source.why;
        } else if (named && settings.backend != source.devices.front().kind) {
            found.reason = "this machine has " + source.devices.front().kind + " only";
        } else {
            device = &found.devices.front();
            found.chosen = device->kind + " " + std::to_string(device->index);
            found.reason = named ? "asked for" : "a device and its programs are there";
            found.config = settings_for(*device, settings.level, found.applied);
        }
        if (named && device == nullptr) found.reason = settings.backend + " was asked for, but " + found.reason;
    }
    if (settings.level == 2) tune(found, source, device);
    return found;
}

std::unique_ptr<engine::Backend> make_chosen(const Discovery& found, std::unique_ptr<engine::Backend> cpu) {
    const auto complain = [](const Status& status) { std::fprintf(stderr, "tutti: %s\n", status.message().c_str()); };
    if (found.cpu_threads > 0) cpu = cap_threads(std::move(cpu), found.cpu_threads);
    if (found.chosen == "cpu") return cpu;
    if (found.chosen.rfind("torch", 0) == 0) {
        // A look first: the CPU backend is given away only to who can use it.
        if (const auto library = torch_library(); !library) {
            complain(library.status());
            return cpu;
        }
        auto made = TorchBackend::make({.device = found.settings.torch_device}, std::move(cpu));
        if (made) return std::move(*made);
        complain(made.status());
        return nullptr;
    }
    const DeviceSource source = own_devices(found.settings.backend);
    if (!source.open) return cpu;
    auto device = source.open(found.devices.front().index);
    if (!device) {
        complain(device.status());
        return cpu;
    }
    const DeviceInfo info = (*device)->info();
    auto made = DeviceBackend::make(std::move(*device), std::move(cpu), found.config);
    if (made && found.settings.level == 2)
        return revert_on_loss(std::move(*made), found.settings.cache, tuning_key(&info));
    if (made) return std::move(*made);
    complain(made.status());
    return nullptr;
}

void install() {
    engine::set_render_device([](std::unique_ptr<engine::Backend> cpu) -> std::unique_ptr<engine::Backend> {
        const Discovery found = discover(read_settings([](const char* name) { return std::getenv(name); }));
        for (const std::string& warning : found.settings.warnings)
            std::fprintf(stderr, "tutti: %s\n", warning.c_str());
        return make_chosen(found, std::move(cpu));
    });
}

} // namespace tutti::gpu
