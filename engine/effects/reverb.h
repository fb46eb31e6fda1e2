// SPDX-License-Identifier: MIT
// A feedback-delay-network reverb of sixteen lines: dense and smooth, for pads and halls.
#pragma once

#include "engine/effects/effect.h"

namespace tutti::engine {

// Pre-delay, low cut, four allpass diffusers a side (Schroeder 1962), then sixteen moving delays mixed by a Hadamard matrix
// (Jot and Chaigne 1991, "Digital delay networks for designing artificial reverberators"; Rocchesso and Smith 1997). Each
// line's loss gives the same decay for every line: -60 dB after `decay` seconds below `damping`, after decay * high-decay
// above it (a first-order shelf). The lines wander by fractions of a millisecond, which keeps the tail free of ringing
// tones; `size` stretches them and glides. White noise comes out as loud as it went in, whatever the decay.
const EffectType& reverb_type() noexcept;

namespace reverb {
enum : int { decay, size, pre_delay, high_decay, damping, low_cut, diffusion, modulation, width, mix, parameter_count };
}

} // namespace tutti::engine
