// SPDX-License-Identifier: MIT
#include "plugin/core/shared_engine.h"

#include <mutex>

namespace tutti::plugin {

Result<std::shared_ptr<Engine>> shared_engine() {
    static std::mutex mutex;
    static std::weak_ptr<Engine> shared;
    const std::lock_guard lock(mutex);
    if (std::shared_ptr<Engine> engine = shared.lock()) return engine;
    Result<std::unique_ptr<Engine>> made = Engine::create();
    if (!made) return made.status();
    std::shared_ptr<Engine> engine = std::move(made).value();
    shared = engine;
    return engine;
}

} // namespace tutti::plugin
