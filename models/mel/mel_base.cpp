// SPDX-License-Identifier: MIT
#define TUTTI_KERNEL_ISA base
#include <models/nn/lanes.h>

#include <dsp/mel/mel_kernel.inl>
#include <models/mel/mel_kernels.h>

namespace tutti::dsp {
MelKernel mel_kernel_base() noexcept {
    return models::isa_base::mel_frames;
}
} // namespace tutti::dsp
