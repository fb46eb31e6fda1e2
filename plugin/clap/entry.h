// SPDX-License-Identifier: MIT
// What the parts of the CLAP plugin ask each other for.
#pragma once

#include <clap/plugin.h>

namespace tutti::clap {

// The table of an extension, null: there is none. [any]
const void* extension(const char* id) noexcept;

} // namespace tutti::clap
