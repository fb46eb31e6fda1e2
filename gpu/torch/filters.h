// SPDX-License-Identifier: MIT
// The recurrences from frame to frame, which tensors over time cannot run by themselves: linear ones, so they can be solved in a
// few steps over all frames (`scan`), or run by a loop of our own over voices (`loop`), where the device is the CPU.
//
// Shapes: sound [tick, 16, voice], a value a tick [tick, 1, voice], a memory [voice].
#pragma once

#include <ATen/ATen.h>

namespace tutti::gpu::torch_filters {

// s = M s + b at each frame; M: [2][2] of [..., frame, voice], b: [2] of the same.
struct Affine {
    at::Tensor m00, m01, m10, m11, b0, b1;
};
// What all frames up to each along `dim` do together, by doubling: log2(frames) steps.
Affine scan(Affine step, int64_t dim);

// The state-variable filter of dsp/svf.h with its coefficients at every frame: `low` and `band`, twice the outputs. `i1`, `i2` [voice]
// go on. Made of tensor operations only; differentiable.
struct SvfOutput {
    at::Tensor low, band, i1, i2;
};
SvfOutput svf_scan(const at::Tensor& x, const at::Tensor& a1, const at::Tensor& a2, const at::Tensor& a3,
                   const at::Tensor& i1, const at::Tensor& i2);
// m = a m + g x; returns m at every frame, `memory` goes on. `a` and `g` [tick, 1, voice] or of one element.
at::Tensor pole_scan(const at::Tensor& x, const at::Tensor& a, const at::Tensor& g, at::Tensor& memory);

// The same on the CPU, in place on `x`; pointers are FP32, `tick` the distance between ticks and `voices` that between frames of x.
enum SvfKind : int { svf_low = 1, svf_band, svf_high, svf_notch };
struct SvfLoop {
    float* x;
    int ticks, voices;
    const float *a1, *a1_slope, *a2, *a2_slope, *a3, *a3_slope, *damping; // [tick][stride]
    int stride;
    float *i1, *i2;
    int kind;
};
void svf_loop(const SvfLoop& work);
struct PoleLoop {
    float* x;
    int ticks, voices;
    const float *a, *g;
    int stride;  // between ticks of a and g; 0: the same at all
    bool scalar; // the same for all voices
    float* memory;
};
void pole_loop(const PoleLoop& work);

} // namespace tutti::gpu::torch_filters
