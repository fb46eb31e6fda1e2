// SPDX-License-Identifier: MIT
// What the engine is built from: where voice types and backends come from. Tests put their own here.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include <tutti/engine.h>

#include "engine/backend.h"

namespace tutti::engine {

struct Hooks {
    // nullptr: no such voice type. [control]
    std::function<const voices::VoiceType*(std::string_view id)> find_voice_type;
    // One a stream, for its puller, and one for the render thread; `threads` that it may use, the caller included.
    // Errors: unsupported. [control]
    std::function<Result<std::unique_ptr<Backend>>(const EngineConfig& config, int threads)> make_backend;
    // The render thread is not started; a test calls render_once().
    bool manual = false;
};

// The voice types and the backend of this build. [control]
Hooks default_hooks();
Result<std::unique_ptr<Engine>> create_engine(const EngineConfig& config, Hooks hooks);
// One pass of the render thread, for tests with Hooks::manual; true where something was rendered.
bool render_once(Engine& engine);

} // namespace tutti::engine
