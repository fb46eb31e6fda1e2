// SPDX-License-Identifier: MIT
// The body of an instruction set's unit for one voice type that a program brings along: what kernels.inl is for the registry's.
// cmake/TuttiVoice.cmake makes the unit, and defines TUTTI_ISA_SPACE, TUTTI_VOICE_HEADER, _KERNEL and _FUNCTION.
#define TUTTI_COMPILER_INLINES
#include "engine/cpu/chunk.h"
#include TUTTI_VOICE_HEADER

namespace tutti::engine {
inline namespace TUTTI_ISA_SPACE {
namespace {
#ifdef TUTTI_KERNEL_LANES
using AddedLanes = TUTTI_KERNEL_LANES;
#else
using AddedLanes = dsp::NativeLanes;
#endif
constexpr Kernel k_added = kernel_of<TUTTI_VOICE_KERNEL, AddedLanes>();
} // namespace
} // namespace TUTTI_ISA_SPACE

const Kernel* TUTTI_VOICE_FUNCTION() noexcept;
const Kernel* TUTTI_VOICE_FUNCTION() noexcept {
    return &k_added;
}
} // namespace tutti::engine
