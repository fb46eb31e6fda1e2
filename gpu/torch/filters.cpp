// SPDX-License-Identifier: MIT
#include "gpu/torch/filters.h"

// One binary for every x86 machine: the loader picks the copy.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define TUTTI_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define TUTTI_CLONES
#endif

namespace tutti::gpu::torch_filters {

namespace {

constexpr int k_frames = 16;
constexpr int k_group = 64; // voices whose state stays in the first-level cache

at::Tensor shifted(const at::Tensor& x, int64_t dim, int64_t by) {
    return x.narrow(dim, 0, x.size(dim) - by);
}
at::Tensor tail(const at::Tensor& x, int64_t dim, int64_t by) {
    return x.narrow(dim, by, x.size(dim) - by);
}
at::Tensor joined(const at::Tensor& head, const at::Tensor& rest, int64_t dim, int64_t by) {
    return at::cat({head.narrow(dim, 0, by), rest}, dim);
}

// later after earlier.
Affine after(const Affine& l, const Affine& e) {
    return {l.m00 * e.m00 + l.m01 * e.m10, l.m00 * e.m01 + l.m01 * e.m11,      l.m10 * e.m00 + l.m11 * e.m10,
            l.m10 * e.m01 + l.m11 * e.m11, l.m00 * e.b0 + l.m01 * e.b1 + l.b0, l.m10 * e.b0 + l.m11 * e.b1 + l.b1};
}
template <class Each>
Affine each(const Affine& a, Each make) {
    return {make(a.m00), make(a.m01), make(a.m10), make(a.m11), make(a.b0), make(a.b1)};
}

template <int kind>
TUTTI_CLONES void svf_frames(const SvfLoop& w) {
    for (int first = 0; first < w.voices; first += k_group) {
        const int n = w.voices - first < k_group ? w.voices - first : k_group;
        float s1[k_group], s2[k_group], c1[k_group], c2[k_group], c3[k_group], d1[k_group], d2[k_group], d3[k_group],
            k[k_group];
        for (int v = 0; v < n; ++v) {
            s1[v] = w.i1[first + v];
            s2[v] = w.i2[first + v];
        }
        for (int t = 0; t < w.ticks; ++t) {
            const int at = t * w.stride + first;
            for (int v = 0; v < n; ++v) {
                c1[v] = w.a1[at + v];
                c2[v] = w.a2[at + v];
                c3[v] = w.a3[at + v];
                d1[v] = w.a1_slope[at + v];
                d2[v] = w.a2_slope[at + v];
                d3[v] = w.a3_slope[at + v];
                k[v] = w.damping[at + v];
            }
            for (int f = 0; f < k_frames; ++f) {
                float* const x = w.x + (t * k_frames + f) * w.voices + first;
                for (int v = 0; v < n; ++v) {
                    c1[v] += d1[v];
                    c2[v] += d2[v];
                    c3[v] += d3[v];
                    const float in = x[v], d = in - s2[v];
                    const float n1 = c1[v] * s1[v] + c2[v] * d, n2 = s2[v] + c2[v] * s1[v] + c3[v] * d;
                    const float low = s2[v] + n2, band = s1[v] + n1;
                    s1[v] = n1;
                    s2[v] = n2;
                    const float high = 2.0f * in - low - k[v] * band;
                    x[v] = kind == svf_low    ? low
                           : kind == svf_band ? k[v] * band
                           : kind == svf_high ? high
                                              : high + low;
                }
            }
        }
        for (int v = 0; v < n; ++v) {
            w.i1[first + v] = s1[v];
            w.i2[first + v] = s2[v];
        }
    }
}

TUTTI_CLONES void pole_frames(const PoleLoop& w) {
    for (int first = 0; first < w.voices; first += k_group) {
        const int n = w.voices - first < k_group ? w.voices - first : k_group;
        float m[k_group], a[k_group], g[k_group];
        for (int v = 0; v < n; ++v)
            m[v] = w.memory[first + v];
        for (int t = 0; t < w.ticks; ++t) {
            for (int v = 0; v < n; ++v) {
                a[v] = w.a[t * w.stride + (w.scalar ? 0 : first + v)];
                g[v] = w.g[t * w.stride + (w.scalar ? 0 : first + v)];
            }
            for (int f = 0; f < k_frames; ++f) {
                float* const x = w.x + (t * k_frames + f) * w.voices + first;
                for (int v = 0; v < n; ++v) {
                    m[v] = a[v] * m[v] + g[v] * x[v];
                    x[v] = m[v];
                }
            }
        }
        for (int v = 0; v < n; ++v)
            w.memory[first + v] = m[v];
    }
}

} // namespace

Affine scan(Affine step, int64_t dim) {
    for (int64_t by = 1; by < step.m00.size(dim); by *= 2) {
        const Affine late = each(step, [&](const at::Tensor& x) { return tail(x, dim, by); });
        const Affine early = each(step, [&](const at::Tensor& x) { return shifted(x, dim, by); });
        const Affine both = after(late, early);
        step = {joined(step.m00, both.m00, dim, by), joined(step.m01, both.m01, dim, by),
                joined(step.m10, both.m10, dim, by), joined(step.m11, both.m11, dim, by),
                joined(step.b0, both.b0, dim, by),   joined(step.b1, both.b1, dim, by)};
    }
    return step;
}

SvfOutput svf_scan(const at::Tensor& x, const at::Tensor& a1, const at::Tensor& a2, const at::Tensor& a3,
                   const at::Tensor& i1, const at::Tensor& i2) {
    // n1 = a1 s1 - a2 s2 + a2 x; n2 = a2 s1 + (1 - a3) s2 + a3 x.
    const Affine tick = scan({a1, -a2, a2, 1 - a3, a2 * x, a3 * x}, 1);
    // The ticks' ends after one another, by the same doubling.
    const Affine whole = scan(each(tick, [](const at::Tensor& all) { return all.select(1, all.size(1) - 1); }), 0);
    const at::Tensor end1 = whole.m00 * i1 + whole.m01 * i2 + whole.b0,
                     end2 = whole.m10 * i1 + whole.m11 * i2 + whole.b1;
    const int64_t ticks = end1.size(0);
    const at::Tensor begin1 = at::cat({i1.unsqueeze(0), end1.narrow(0, 0, ticks - 1)}, 0).unsqueeze(1);
    const at::Tensor begin2 = at::cat({i2.unsqueeze(0), end2.narrow(0, 0, ticks - 1)}, 0).unsqueeze(1);
    const at::Tensor s1 = tick.m00 * begin1 + tick.m01 * begin2 + tick.b0,
                     s2 = tick.m10 * begin1 + tick.m11 * begin2 + tick.b1;
    const int64_t frames = s1.size(1);
    const at::Tensor before1 = at::cat({begin1, s1.narrow(1, 0, frames - 1)}, 1),
                     before2 = at::cat({begin2, s2.narrow(1, 0, frames - 1)}, 1);
    return {before2 + s2, before1 + s1, end1.select(0, ticks - 1), end2.select(0, ticks - 1)};
}

at::Tensor pole_scan(const at::Tensor& x, const at::Tensor& a, const at::Tensor& g, at::Tensor& memory) {
    at::Tensor m = a.expand_as(x).contiguous(), b = g * x;
    const auto doubled = [](at::Tensor& power, at::Tensor& sum, int64_t dim) {
        for (int64_t by = 1; by < power.size(dim); by *= 2) {
            const at::Tensor late = tail(power, dim, by);
            const at::Tensor new_sum = late * shifted(sum, dim, by) + tail(sum, dim, by);
            const at::Tensor new_power = late * shifted(power, dim, by);
            sum = joined(sum, new_sum, dim, by);
            power = joined(power, new_power, dim, by);
        }
    };
    doubled(m, b, 1);
    at::Tensor m_tick = m.select(1, m.size(1) - 1), b_tick = b.select(1, b.size(1) - 1);
    doubled(m_tick, b_tick, 0);
    const at::Tensor end = m_tick * memory + b_tick;
    const int64_t ticks = end.size(0);
    const at::Tensor begin = at::cat({memory.unsqueeze(0), end.narrow(0, 0, ticks - 1)}, 0).unsqueeze(1);
    const at::Tensor out = m * begin + b;
    memory = end.select(0, ticks - 1);
    return out;
}

void svf_loop(const SvfLoop& work) {
    switch (work.kind) {
    case svf_low:
        return svf_frames<svf_low>(work);
    case svf_band:
        return svf_frames<svf_band>(work);
    case svf_high:
        return svf_frames<svf_high>(work);
    default:
        return svf_frames<svf_notch>(work);
    }
}
void pole_loop(const PoleLoop& work) {
    pole_frames(work);
}

} // namespace tutti::gpu::torch_filters
