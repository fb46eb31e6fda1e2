// SPDX-License-Identifier: MIT
// Which device renders: what the environment asks for, what is there, what was chosen, each with its reason.
//
// TUTTI_BACKEND=auto|cpu|cuda|torch|metal (also read: GPU_BACKEND, USE_CUDA=0|1), TUTTI_TORCH_DEVICE=cpu|cuda|mps|xpu, and
// TUTTI_OPTIMIZATION=0|1|2 (also: OPTIMIZATION_LEVEL). A value that means nothing is one warning and the default. Looking takes
// milliseconds and loads nothing but the driver: `auto` never chooses torch. Level 2 measures once, some seconds, then reads its cache.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/backend.h"
#include "gpu/backend/device_backend.h"
#include "gpu/tuning/tuning.h"

namespace tutti::gpu {

struct Applied {
    std::string setting, value, reason;
};
struct Settings {
    std::string backend = "auto";
    std::string torch_device = "cpu";
    int level = 1;
    std::filesystem::path cache; // of level 2
    std::vector<std::string> warnings;
};
// `get` is std::getenv, or a test's own. [control]
Settings read_settings(const std::function<const char*(const char*)>& get);

struct Discovery {
    Settings settings;
    std::vector<DeviceInfo> devices;
    std::string chosen = "cpu"; // "cpu", "cuda 0", "torch cpu"
    std::string reason;
    BackendConfig config; // for the chosen device
    int cpu_threads = 0;  // that the CPU backend uses at most; 0: as many as the engine gives
    std::vector<Applied> applied;
};
Discovery discover(const Settings& settings); // [control]
// A device as it is found and opened: the machine's own, or a test's.
struct DeviceSource {
    std::vector<DeviceInfo> devices;
    std::string why; // there is none
    std::function<Result<std::unique_ptr<Device>>(int index)> open;
};
Discovery discover(const Settings& settings, const DeviceSource& source); // [control]
// What discover() chose, before or in place of `cpu`; null: the device refused, a CPU backend is to be made anew. Says on standard
// error what did not work. [control]
std::unique_ptr<engine::Backend> make_chosen(const Discovery& found, std::unique_ptr<engine::Backend> cpu);
// Level 0: what is always safe. Level 1: from what the device says of itself. Says what it applied. [control]
BackendConfig settings_for(const DeviceInfo& device, int level, std::vector<Applied>& applied);

// From now on the engines' render threads use the device that discover() chooses, the CPU backend standing by. [control]
void install();

} // namespace tutti::gpu
