// SPDX-License-Identifier: MIT
// The engine that all instances of a process share: made by the first that is prepared, gone with the last.
#pragma once

#include <memory>

#include <tutti/engine.h>

namespace tutti::plugin {

// Errors: those of Engine::create. [control]
Result<std::shared_ptr<Engine>> shared_engine();

} // namespace tutti::plugin
