// SPDX-License-Identifier: MIT
// Apple's GPUs through Metal. Elsewhere there are none (no_device.cpp).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <tutti/status.h>

#include "gpu/device/device.h"

namespace tutti::gpu {

// Empty where there is no device with unified memory and Metal 3; `why` says which. [control]
std::vector<DeviceInfo> list_metal_devices(std::string& why);
// Compiles the device program, which takes seconds. Errors: unsupported (no device, Metal's compiler refused). [control]
Result<std::unique_ptr<Device>> open_metal_device(int index);
// The device program's text; made at build time by gpu/metal/source.cpp. [any]
const char* metal_source() noexcept;

} // namespace tutti::gpu
