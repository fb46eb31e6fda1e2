// SPDX-License-Identifier: MIT
#include "cli/lost_device.h"

#include <chrono>
#include <string>
#include <thread>
#include <utility>

#include "cli/command.h"

namespace tutti::cli {

namespace {
constexpr double k_look_every_seconds = 0.5;
}

std::optional<io::AudioOutput> wait_for_return(const io::AudioDevice& lost, io::OutputConfig config,
                                               io::OutputCallback callback, void* user, const ReturnOptions& options) {
    const double end = seconds_now() + options.seconds;
    double next_look = 0.0;
    while (seconds_now() < end && !g_interrupted && !options.stop()) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        if (seconds_now() < next_look) continue;
        next_look = seconds_now() + k_look_every_seconds;
        for (const io::AudioDevice& device : io::list_output_devices()) {
            if (device.name != lost.name || device.api != lost.api) continue;
            config.device = std::to_string(device.number);
            config.sample_rate = 0.0;
            auto opened = io::AudioOutput::open(config, callback, user);
            if (opened.ok()) return std::move(opened).value();
        }
    }
    return std::nullopt;
}

} // namespace tutti::cli
