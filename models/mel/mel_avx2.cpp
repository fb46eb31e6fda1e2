// SPDX-License-Identifier: MIT
#define TUTTI_KERNEL_ISA avx2
#include <models/nn/lanes.h>

#include <dsp/mel/mel_kernel.inl>
#include <models/mel/mel_kernels.h>

namespace tutti::dsp {
MelKernel mel_kernel_avx2() noexcept {
    return models::isa_avx2::mel_frames;
}
} // namespace tutti::dsp
