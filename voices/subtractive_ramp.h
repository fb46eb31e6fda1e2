// SPDX-License-Identifier: MIT
// What modules pass on: some frames of sound, and quantities of a row that run linearly from tick to tick.
#pragma once

#include "voices/subtractive_parameters.h"

namespace tutti {
namespace voices {
inline namespace TUTTI_ISA_SPACE {
namespace subtractive_kernel {

using namespace subtractive;

template <class F>
struct Frames {
    F at[k_tick_frames];
};

// A pair "value, slope" of a row, carried through some frames.
template <class F>
struct Ramp {
    F value, slope;
    TUTTI_INLINE Ramp(Slots<F> v, int at) : value(v.get(at)), slope(v.get(at + k_slopes)) {}
    TUTTI_INLINE F next() {
        value = value + slope;
        return value;
    }
};
template <class F>
struct IntegerRamp {
    UintOf<F> value, slope;
    TUTTI_INLINE IntegerRamp(Slots<F> v, int at) : value(v.bits(at)), slope(v.bits(at + k_slopes)) {}
    TUTTI_INLINE UintOf<F> next() {
        value = value + slope;
        return value;
    }
};

} // namespace subtractive_kernel
} // namespace TUTTI_ISA_SPACE
} // namespace voices
} // namespace tutti
