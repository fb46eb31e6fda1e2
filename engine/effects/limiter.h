// SPDX-License-Identifier: MIT
// Safe for ears: nothing leaves above 0 dBFS. Always last on a stream.
#pragma once

#include "engine/effects/effect.h"

namespace tutti::engine {

// No look-ahead, no latency. The gain falls at once to what the present frame needs (both channels alike) and recovers
// exponentially; below -1 dBFS with the gain at rest every frame passes bit for bit. Above, a level a gives
// T + (1 - T) u / (1 + u), u = (a - T) / (1 - T), T = -1 dBFS: slope 1 at T, 0 dBFS at infinity.
const EffectType& limiter_type() noexcept;

namespace limiter {
enum : int { active, release, parameter_count };
}

} // namespace tutti::engine
