// SPDX-License-Identifier: MIT
// What the system says of this process.
#pragma once

#include <cstdint>

namespace tutti::engine {

// Memory in use by the process, in bytes; 0 where the system does not tell. Asks the system. [control]
std::int64_t resident_bytes() noexcept;

} // namespace tutti::engine
