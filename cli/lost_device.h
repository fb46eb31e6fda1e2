// SPDX-License-Identifier: MIT
// A device that has gone may come back: unplugged and plugged in again, a sound server that is started anew.
#pragma once

#include <functional>
#include <optional>

#include "io/audio_device.h"

namespace tutti::cli {

struct ReturnOptions {
    double seconds = 0.0;       // to wait at most
    std::function<bool()> stop; // asked often, may wait a little: the user would wait no longer
};

// Opens the device of that name and system as soon as it is there again, at whatever rate it then runs; nothing where it has
// not come. Whatever else speaks to the same sound server has been closed before. [control]
std::optional<io::AudioOutput> wait_for_return(const io::AudioDevice& lost, io::OutputConfig config,
                                               io::OutputCallback callback, void* user, const ReturnOptions& options);

} // namespace tutti::cli
