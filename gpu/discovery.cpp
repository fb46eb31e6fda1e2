// SPDX-License-Identifier: MIT
#include "gpu/discovery.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "engine/stream/hooks.h"
#include "gpu/cuda/device.h"
#include "gpu/cuda/images.h"

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
    if (backend == "auto" || backend == "cpu" || backend == "cuda")
        settings.backend = backend;
    else if (backend == "torch" || backend == "metal")
        settings.warnings.push_back(std::string(name) + "=" + backend +
                                    ": this build has no such backend; taken: auto");
    else if (!backend.empty())
        warn(name, backend, "auto, cpu, cuda", "auto");
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
    if (level == "0" || level == "1")
        settings.level = level[0] - '0';
    else if (level == "2")
        settings.warnings.push_back(std::string(name) + "=2: this build does not measure by itself yet; taken: 1");
    else if (!level.empty())
        warn(name, level, "0, 1, 2", "1");
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

Discovery discover(const Settings& settings) {
    Discovery found;
    found.settings = settings;
    if (settings.backend == "cpu") {
        found.reason = "asked for";
        return found;
    }
    std::string why;
    found.devices = list_cuda_devices(why);
    int programs = 0;
    cuda_images(programs);
    if (found.devices.empty()) {
        found.reason = why;
    } else if (programs == 0) {
        found.reason = "this build carries no CUDA programs (TUTTI_BUILD_CUDA)";
    } else {
        const DeviceInfo& device = found.devices.front();
        found.chosen = "cuda " + std::to_string(device.index);
        found.reason = settings.backend == "cuda" ? "asked for" : "a device and its programs are there";
        found.config = settings_for(device, settings.level, found.applied);
    }
    if (settings.backend == "cuda" && found.chosen == "cpu") found.reason = "cuda was asked for, but " + found.reason;
    return found;
}

void install() {
    engine::set_render_device([](std::unique_ptr<engine::Backend> cpu) -> std::unique_ptr<engine::Backend> {
        const Discovery found = discover(read_settings([](const char* name) { return std::getenv(name); }));
        for (const std::string& warning : found.settings.warnings)
            std::fprintf(stderr, "tutti: %s\n", warning.c_str());
        if (found.chosen == "cpu") return cpu;
        auto device = open_cuda_device(found.devices.front().index);
        if (!device) {
            std::fprintf(stderr, "tutti: %s\n", device.status().message().c_str());
            return cpu;
        }
        // The stand-by is given away; where the device then refuses, a CPU backend is made anew by who asked.
        auto made = DeviceBackend::make(std::move(*device), std::move(cpu), found.config);
        if (made) return std::move(*made);
        std::fprintf(stderr, "tutti: %s\n", made.status().message().c_str());
        return nullptr;
    });
}

} // namespace tutti::gpu
