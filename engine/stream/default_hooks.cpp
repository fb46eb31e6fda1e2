// SPDX-License-Identifier: MIT
#include <algorithm>
#include <string>
#include <thread>

#include "engine/core/voice_types.h"
#include "engine/cpu/backend.h"
#include "engine/stream/hooks.h"

namespace tutti::engine {

namespace {
std::function<std::unique_ptr<Backend>(std::unique_ptr<Backend>)>& render_device() {
    static std::function<std::unique_ptr<Backend>(std::unique_ptr<Backend>)> device;
    return device;
}
} // namespace

void set_render_device(std::function<std::unique_ptr<Backend>(std::unique_ptr<Backend>)> add_device) {
    render_device() = std::move(add_device);
}

Hooks default_hooks() {
    Hooks hooks;
    hooks.add_device = render_device();
    hooks.find_voice_type = [](std::string_view id) { return engine::find_voice_type(id); };
    hooks.make_backend = [](const EngineConfig& config, int threads) -> Result<std::unique_ptr<Backend>> {
        if (config.backend != "auto" && config.backend != "cpu")
            return Status(Code::unsupported, "this build has no backend '" + config.backend + "'",
                          "nothing can be rendered", "choose 'auto' or 'cpu'");
        return make_cpu_backend(threads);
    };
    return hooks;
}

} // namespace tutti::engine
