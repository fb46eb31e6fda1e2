// SPDX-License-Identifier: MIT
// What the engine is built from: where voice types and backends come from. Tests put their own here.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include <tutti/engine.h>

#include "engine/backend.h"
#include "engine/stream/clock.h"

namespace tutti::engine {

struct Hooks {
    // nullptr: no such voice type. [control]
    std::function<const voices::VoiceType*(std::string_view id)> find_voice_type;
    // One a stream, for its puller, and one for the render thread; `threads` that it may use, the caller included.
    // Errors: unsupported. [control]
    std::function<Result<std::unique_ptr<Backend>>(const EngineConfig& config, int threads)> make_backend;
    // May put a device before the render thread's CPU backend; null: it could not, and the CPU backend is made anew. [control]
    std::function<std::unique_ptr<Backend>(std::unique_ptr<Backend> cpu)> add_device;
    // The render thread is not started; a test calls render_once().
    bool manual = false;
    // Takes over where the render thread's backend is lost; empty: none does, as for backends that cannot be lost. [control]
    std::function<std::unique_ptr<Backend>(int threads)> make_fallback;
    // Tests: the time in nanoseconds, and what the render thread does before each pass.
    std::int64_t (*clock)() noexcept = nullptr;
    std::function<void()> before_pass;
};

inline std::int64_t now_ns(const Hooks& hooks) noexcept {
    return hooks.clock != nullptr ? hooks.clock() : monotonic_ns();
}

// The voice types and the backend of this build. [control]
Hooks default_hooks();
// What default_hooks() gives as add_device from then on: a room that knows devices calls it once, before engines are made. [control]
void set_render_device(std::function<std::unique_ptr<Backend>(std::unique_ptr<Backend> cpu)> add_device);
Result<std::unique_ptr<Engine>> create_engine(const EngineConfig& config, Hooks hooks);
// One pass of the render thread, for tests with Hooks::manual; true where something was rendered.
bool render_once(Engine& engine);

} // namespace tutti::engine
