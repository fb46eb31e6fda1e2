// SPDX-License-Identifier: MIT
// The mel kernel of each instruction set.
#pragma once

#include <dsp/mel/mel_plan.h>
#include <models/nn/isa.h>

namespace tutti::dsp {

using MelKernel = void (*)(const MelPlan&, const float* samples, int count, float* out, float* scratch);

MelKernel mel_kernel_base() noexcept;
MelKernel mel_kernel_avx2() noexcept;
MelKernel mel_kernel_avx512() noexcept;

inline MelKernel mel_kernel_for(models::Isa isa) noexcept {
#if defined(TUTTI_MODELS_X86)
    if (isa == models::Isa::avx512) return mel_kernel_avx512();
    if (isa == models::Isa::avx2) return mel_kernel_avx2();
#endif
    (void)isa;
    return mel_kernel_base();
}

} // namespace tutti::dsp
