// SPDX-License-Identifier: MIT
#include "io/alias.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <memory>
#include <numbers>
#include <vector>

#include <kissfft/kiss_fft.h>

namespace tutti::io {

namespace {

constexpr double k_mask_bins = 6.0;

// Power of bins 0..size/2 of the windowed signal.
std::vector<double> power_of(std::span<const float> samples) {
    constexpr int n = k_alias_frames;
    std::vector<kiss_fft_cpx> in(n), out(n);
    for (int i = 0; i < n; ++i) {
        const double x = 2.0 * std::numbers::pi * i / n;
        const double window =
            0.35875 - 0.48829 * std::cos(x) + 0.14128 * std::cos(2.0 * x) - 0.01168 * std::cos(3.0 * x);
        in[static_cast<std::size_t>(i)] = {static_cast<float>(samples[static_cast<std::size_t>(i)] * window), 0.0f};
    }
    const std::unique_ptr<kiss_fft_state, void (*)(kiss_fft_state*)> plan(kiss_fft_alloc(n, 0, nullptr, nullptr),
                                                                          [](kiss_fft_state* p) { kiss_fft_free(p); });
    kiss_fft(plan.get(), in.data(), out.data());
    std::vector<double> power(n / 2 + 1);
    for (std::size_t i = 0; i < power.size(); ++i)
        power[i] = static_cast<double>(out[i].r) * out[i].r + static_cast<double>(out[i].i) * out[i].i + 1e-30;
    return power;
}

} // namespace

AliasLevel measure_alias(std::span<const float> samples, double sample_rate, double hz) {
    if (samples.size() < static_cast<std::size_t>(k_alias_frames)) return {};
    const std::vector<double> power = power_of(samples);
    const double bin_hz = sample_rate / k_alias_frames;
    // The fundamental: the largest bin near `hz`, refined by a parabola through the logarithms.
    const auto near = static_cast<std::size_t>(std::lround(hz / bin_hz));
    std::size_t top = near;
    for (std::size_t i = near > 8 ? near - 8 : 1; i <= near + 8 && i + 1 < power.size(); ++i)
        if (power[i] > power[top]) top = i;
    const double a = std::log(power[top - 1]), b = std::log(power[top]), c = std::log(power[top + 1]);
    const double centre = static_cast<double>(top) + 0.5 * (a - c) / (a - 2.0 * b + c);
    double worst = 1e-30, below = 1e-30;
    for (std::size_t i = 1; i < power.size(); ++i) {
        const double order = std::round(static_cast<double>(i) / centre);
        if (std::fabs(static_cast<double>(i) - order * centre) <= k_mask_bins) continue;
        worst = std::max(worst, power[i]);
        if (static_cast<double>(i) < centre) below = std::max(below, power[i]);
    }
    const auto relative = [&](double value) { return 10.0 * std::log10(value / power[top]); };
    return {centre * bin_hz, relative(worst), relative(below)};
}

} // namespace tutti::io
