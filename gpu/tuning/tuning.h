// SPDX-License-Identifier: MIT
// TUTTI_OPTIMIZATION=2: settings that this machine was measured to be faster with, kept in the user's cache for each device, driver
// and version.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <tutti/status.h>

#include "engine/backend.h"
#include "gpu/backend/device_backend.h"

namespace tutti::gpu {

struct Tuning {
    int graphs = 1;           // of a device: replayed, or launched one by one
    int crossover_voices = 0; // fewer stay on the CPU
    int threads = 0;          // of the CPU backend; 0: as many as the engine gives
    int look_ahead_blocks =
        0; // render blocks, of live streams; 0: not measured. Advice: a stream's latency is its owner's
    std::vector<std::pair<std::string, std::string>> reasons; // setting, how it was found
};

// $XDG_CACHE_HOME/tutti, else ~/.cache/tutti (Windows: %LOCALAPPDATA%/tutti); empty where there is no home. [any]
std::filesystem::path cache_folder(const std::function<const char*(const char*)>& get);
// What a tuning holds for: device, driver, this version, the processor's instruction set and cores. [any]
std::string tuning_key(const DeviceInfo* device);

// Errors: file_not_found (none yet), malformed (broken, or for another key). [control]
Result<Tuning> load_tuning(const std::filesystem::path& folder, const std::string& key);
// Under another name first, then moved: who reads meanwhile sees the old one or the new one. Errors: file_unwritable. [control]
Status save_tuning(const std::filesystem::path& folder, const std::string& key, const Tuning& tuning);

// A new backend on the device, graphs or not; null: the device failed.
using MakeDevice = std::function<std::unique_ptr<engine::Backend>(const BackendConfig& config)>;
// Takes a second or two: each figure by pairs. Without a device the CPU's settings alone. [control]
Tuning measure_tuning(const MakeDevice& make_device, const BackendConfig& config, int cores);

// A device with settings that were measured: where it was lost by the time that it goes, the cache takes the defaults back, and says
// why. What it measured of the CPU stays. [control]
std::unique_ptr<engine::Backend> revert_on_loss(std::unique_ptr<DeviceBackend> device, std::filesystem::path folder,
                                                std::string key);

// Renders by another backend on at most `threads`. [control]
std::unique_ptr<engine::Backend> cap_threads(std::unique_ptr<engine::Backend> backend, int threads);

} // namespace tutti::gpu
