// SPDX-License-Identifier: MIT
// Three moving delays a side: width and slow beating.
#pragma once

#include "engine/effects/effect.h"

namespace tutti::engine {

// Taps a third of a cycle apart, delay + depth sin: a tap's pitch moves by 1200 log2(1 +- 2 pi rate depth) cents. The right
// side's cycle runs up to a sixth ahead (spread). Reads with Lagrange's cubic; feedback makes a flanger of it.
const EffectType& chorus_type() noexcept;

namespace chorus {
enum : int { rate, depth, delay, feedback, spread, mix, parameter_count };
}

} // namespace tutti::engine
