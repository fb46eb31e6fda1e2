// SPDX-License-Identifier: MIT
// One instruction set's kernels. The including file names TUTTI_ISA_SPACE and TUTTI_EFFECT_KERNELS.
#include "engine/effects/chorus_kernel.h"
#include "engine/effects/reverb_kernel.h"
#include "engine/effects/saturation_kernel.h"

namespace tutti::engine {

const EffectKernels TUTTI_EFFECT_KERNELS = {render_chorus, ReverbKernel::render, render_saturation};

} // namespace tutti::engine
