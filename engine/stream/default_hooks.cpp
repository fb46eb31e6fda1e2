// SPDX-License-Identifier: MIT
#include "engine/stream/hooks.h"

namespace tutti::engine {

Hooks default_hooks() {
    Hooks hooks;
    hooks.find_voice_type = [](std::string_view) -> const voices::VoiceType* { return nullptr; };
    hooks.make_backend = [](const EngineConfig& config) -> Result<std::unique_ptr<Backend>> {
        return Status(Code::unsupported, "this build has no backend '" + config.backend + "'",
                      "nothing can be rendered", "build it with engine/cpu");
    };
    return hooks;
}

} // namespace tutti::engine
