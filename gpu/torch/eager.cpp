// SPDX-License-Identifier: MIT
// What the torch backend is measured against: the same saw through the same low-pass, written as a loop over samples in which
// every operation is a tensor of all voices.
#include <chrono>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

#include "gpu/torch/session.h"

namespace tutti::gpu {

double eager_seconds(int voices, int frames, int threads) {
    at::set_num_threads(threads);
    const c10::InferenceMode inference(true);
    using at::Tensor;
    const auto floats = at::TensorOptions().dtype(at::kFloat);
    const Tensor increment = at::arange(1, voices + 1, floats.dtype(at::kInt)) * 200000 + 8000000;
    Tensor phase = increment * 977;
    const Tensor slope = 115.661056 / increment.to(at::kFloat), offset = 2 * 115.661056 - slope * 2147483648.0;
    const Tensor a1 = at::full({voices}, 0.75, floats), a2 = at::full({voices}, 0.35, floats),
                 a3 = at::full({voices}, 0.07, floats);
    Tensor i1 = at::zeros({voices}, floats), i2 = i1, gain = at::full({voices}, 1e-12, floats);
    const Tensor gain_slope = at::full({voices}, 1e-15, floats);
    Tensor out = at::zeros({frames}, floats);
    const auto begin = std::chrono::steady_clock::now();
    for (int n = 0; n < frames; ++n) {
        phase = phase + increment;
        const Tensor s = phase.to(at::kFloat);
        const Tensor linear = at::addcmul(offset, slope, s.abs());
        const Tensor outer = linear.clamp_min(0), inner = (linear - 115.661056).clamp_min(0);
        const Tensor a = outer * outer, b = inner * inner;
        const Tensor x = s - (a - 2 * b) * at::copysign(a + 2 * b, s);
        const Tensor d = x - i2;
        const Tensor n1 = at::addcmul(a1 * i1, a2, d);
        const Tensor n2 = at::addcmul(at::addcmul(i2, a2, i1), a3, d);
        const Tensor low = i2 + n2;
        i1 = n1;
        i2 = n2;
        gain = gain + gain_slope;
        Tensor to = out.select(0, n);
        at::sum_out(to, low * gain, at::IntArrayRef{0});
    }
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

} // namespace tutti::gpu
