// SPDX-License-Identifier: MIT
// Which device renders: what the environment asks for, what is there, what was chosen, each with its reason.
//
// TUTTI_BACKEND=auto|cpu|cuda (also read: GPU_BACKEND, USE_CUDA=0|1) and TUTTI_OPTIMIZATION=0|1 (also: OPTIMIZATION_LEVEL).
// A value that means nothing is one warning and the default. Looking takes milliseconds and loads nothing but the driver.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/backend.h"
#include "gpu/backend/device_backend.h"

namespace tutti::gpu {

struct Applied {
    std::string setting, value, reason;
};
struct Settings {
    std::string backend = "auto";
    int level = 1;
    std::vector<std::string> warnings;
};
// `get` is std::getenv, or a test's own. [control]
Settings read_settings(const std::function<const char*(const char*)>& get);

struct Discovery {
    Settings settings;
    std::vector<DeviceInfo> devices;
    std::string chosen = "cpu"; // "cpu", or "cuda 0"
    std::string reason;
    BackendConfig config; // for the chosen device
    std::vector<Applied> applied;
};
Discovery discover(const Settings& settings); // [control]
// Level 0: what is always safe. Level 1: from what the device says of itself. Says what it applied. [control]
BackendConfig settings_for(const DeviceInfo& device, int level, std::vector<Applied>& applied);

// From now on the engines' render threads use the device that discover() chooses, the CPU backend standing by. [control]
void install();

} // namespace tutti::gpu
