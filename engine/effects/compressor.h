// SPDX-License-Identifier: MIT
// A feed-forward compressor: both channels by the louder one.
#pragma once

#include "engine/effects/effect.h"

namespace tutti::engine {

// D. Giannoulis, M. Massberg, J. Reiss, "Digital Dynamic Range Compressor Design - A Tutorial and Analysis", JAES 60(6) 2012:
// peak level in dB, the quadratic soft knee (eq. 4), the smooth decoupled detector on the gain reduction (eq. 17).
// `attack` and `release` are the times to 63 % of a change. No look-ahead, no latency.
const EffectType& compressor_type() noexcept;

namespace compressor {
enum : int { threshold, ratio, knee, attack, release, make_up, mix, parameter_count };
}

} // namespace tutti::engine
