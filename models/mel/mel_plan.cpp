// SPDX-License-Identifier: MIT
#include <dsp/mel/mel_plan.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tutti::dsp {
namespace {
constexpr double k_two_pi = 2.0 * std::numbers::pi;
const double k_log_step = std::log(6.4) / 27.0; // Slaney: 27 steps from 1 kHz to 6.4 kHz
} // namespace

double hz_to_mel(double hz) noexcept {
    return hz < 1000.0 ? 3.0 * hz / 200.0 : 15.0 + std::log(hz / 1000.0) / k_log_step;
}
double mel_to_hz(double mel) noexcept {
    return mel < 15.0 ? 200.0 * mel / 3.0 : 1000.0 * std::exp((mel - 15.0) * k_log_step);
}

std::vector<float> mel_filters(double sample_rate, int n_fft, int mels, double fmin, double fmax) {
    const int bins = n_fft / 2 + 1;
    std::vector<double> edges(static_cast<std::size_t>(mels) + 2);
    const double low = hz_to_mel(fmin);
    const double high = hz_to_mel(fmax);
    for (int i = 0; i < mels + 2; ++i)
        edges[static_cast<std::size_t>(i)] = mel_to_hz(low + (high - low) * i / (mels + 1));
    std::vector<float> filters(static_cast<std::size_t>(bins) * static_cast<std::size_t>(mels));
    for (int bin = 0; bin < bins; ++bin) {
        const double f = bin * sample_rate / n_fft;
        for (int m = 0; m < mels; ++m) {
            const double* e = &edges[static_cast<std::size_t>(m)];
            const double weight = std::max(0.0, std::min((f - e[0]) / (e[1] - e[0]), (e[2] - f) / (e[2] - e[1])));
            filters[static_cast<std::size_t>(bin) * static_cast<std::size_t>(mels) + static_cast<std::size_t>(m)] =
                static_cast<float>(weight * 2.0 / (e[2] - e[0]));
        }
    }
    return filters;
}

std::size_t MelPlan::scratch_floats() const noexcept {
    const auto lanes = static_cast<std::size_t>(k_mel_lanes);
    return static_cast<std::size_t>(hop) * static_cast<std::size_t>(columns()) + // transposed signal
           4 * lanes * static_cast<std::size_t>(n_fft / 2) +                     // two complex buffers
           lanes * static_cast<std::size_t>(bins()) +                            // power
           lanes * static_cast<std::size_t>(mels);
}

MelPlan make_mel_plan(double sample_rate, int n_fft, int hop, int mels, double fmin, double fmax, MelOutput output) {
    MelPlan plan;
    plan.n_fft = n_fft;
    plan.hop = hop;
    plan.mels = mels;
    plan.output = output;
    for (int i = 0; i < n_fft; ++i)
        plan.window.push_back(static_cast<float>(0.5 - 0.5 * std::cos(k_two_pi * i / n_fft)));

    std::vector<int> factors;
    int left = n_fft / 2;
    for (int radix : {8, 5, 4, 3, 2})
        while (left % radix == 0) {
            factors.push_back(radix);
            left /= radix;
        }
    for (int radix = 7; left > 1; radix += 2)
        while (left % radix == 0) {
            factors.push_back(radix);
            left /= radix;
        }
    int length = n_fft / 2;
    int stride = 1;
    for (int radix : factors) {
        FftStep step;
        step.radix = radix;
        step.rest = length / radix;
        step.stride = stride;
        for (int k = 0; k < step.rest; ++k)
            for (int j = 1; j < radix; ++j) {
                // The product is reduced before the angle is taken, so that long transforms keep their accuracy.
                const double angle =
                    -k_two_pi * static_cast<double>((static_cast<std::int64_t>(j) * k) % length) / length;
                step.cosines.push_back(static_cast<float>(std::cos(angle)));
                step.sines.push_back(static_cast<float>(std::sin(angle)));
            }
        for (int j = 0; j < radix; ++j) {
            step.root_cosines.push_back(static_cast<float>(std::cos(-k_two_pi * j / radix)));
            step.root_sines.push_back(static_cast<float>(std::sin(-k_two_pi * j / radix)));
        }
        plan.steps.push_back(std::move(step));
        length /= radix;
        stride *= radix;
    }
    for (int k = 0; k <= n_fft / 4; ++k) {
        plan.untangle_cosines.push_back(static_cast<float>(std::cos(-k_two_pi * k / n_fft)));
        plan.untangle_sines.push_back(static_cast<float>(std::sin(-k_two_pi * k / n_fft)));
    }

    const std::vector<float> filters = mel_filters(sample_rate, n_fft, mels, fmin, fmax);
    for (int m = 0; m < mels; ++m) {
        int begin = plan.bins();
        int end = 0;
        const auto weight = [&](int bin) {
            return filters[static_cast<std::size_t>(bin) * static_cast<std::size_t>(mels) +
                           static_cast<std::size_t>(m)];
        };
        for (int bin = 0; bin < plan.bins(); ++bin)
            if (weight(bin) != 0.0f) {
                begin = std::min(begin, bin);
                end = bin + 1;
            }
        begin = std::min(begin, end);
        plan.filter_begin.push_back(begin);
        plan.filter_end.push_back(end);
        plan.filter_offset.push_back(static_cast<int>(plan.filter_weights.size()));
        for (int bin = begin; bin < end; ++bin)
            plan.filter_weights.push_back(weight(bin));
    }
    return plan;
}

} // namespace tutti::dsp
