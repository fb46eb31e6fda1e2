// SPDX-License-Identifier: MIT
// The CPU backend: every bank of every stream in one go, lanes across voices, one thread or several, the same bits.
#pragma once

#include <memory>

#include <tutti/status.h>

#include "engine/backend.h"
#include "engine/cpu/isa.h"

namespace tutti::engine {

// `threads` that render() may use, the caller included. Errors: unsupported (TUTTI_ISA). [control]
Result<std::unique_ptr<Backend>> make_cpu_backend(int threads = 1);
// For one instruction set, which must be supported. [control]
std::unique_ptr<Backend> make_cpu_backend(int threads, Isa isa);

} // namespace tutti::engine
