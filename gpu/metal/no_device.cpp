// SPDX-License-Identifier: MIT
#include "gpu/metal/device.h"

namespace tutti::gpu {

std::vector<DeviceInfo> list_metal_devices(std::string& why) {
    why = "Metal is Apple's alone";
    return {};
}
Result<std::unique_ptr<Device>> open_metal_device(int) {
    return Status(Code::unsupported, "Metal is Apple's alone", "voices are rendered on the CPU",
                  "see: tutti devices -v");
}

} // namespace tutti::gpu
