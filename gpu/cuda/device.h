// SPDX-License-Identifier: MIT
// CUDA devices by the driver's own interface, loaded at run time: the same program starts where there is no driver.
#pragma once

#include <memory>
#include <vector>

#include <tutti/status.h>

#include "gpu/device/device.h"

namespace tutti::gpu {

// Empty where there is no driver or no device; `why` says which. [control]
std::vector<DeviceInfo> list_cuda_devices(std::string& why);
// Errors: unsupported (no driver, no program for the device). [control]
Result<std::unique_ptr<Device>> open_cuda_device(int index);

} // namespace tutti::gpu
