// SPDX-License-Identifier: MIT
// The body of an instruction set's translation unit; TUTTI_ISA_SPACE and TUTTI_KERNELS (the function's name) are defined.
#define TUTTI_COMPILER_INLINES
#include "engine/cpu/chunk.h"
#include "voices/ambient_pad_kernel.h"
#include "voices/drum_kernel.h"
#include "voices/fm_kernel.h"
#include "voices/subtractive_kernel.h"
#include "voices/torchsynth_voice_kernel.h"

namespace tutti::engine {
inline namespace TUTTI_ISA_SPACE {
namespace {
#ifdef TUTTI_KERNEL_LANES
using KernelLanes = TUTTI_KERNEL_LANES;
#else
using KernelLanes = dsp::NativeLanes;
#endif
// In the order of the registry.
constexpr KernelTable k_table = {{kernel_of<voices::Subtractive, KernelLanes>(), kernel_of<voices::Fm, KernelLanes>(),
                                  kernel_of<voices::AmbientPad, KernelLanes>(), kernel_of<voices::Drum, KernelLanes>(),
                                  kernel_of<voices::TorchsynthVoice, KernelLanes>()}};
} // namespace
} // namespace TUTTI_ISA_SPACE

const KernelTable* TUTTI_KERNELS() noexcept {
    return &k_table;
}
} // namespace tutti::engine
