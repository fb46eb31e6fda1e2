// SPDX-License-Identifier: MIT
#include "io/spectrum.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <kissfft/kiss_fft.h>

namespace tutti::io {

namespace {

// Where one transform hands over to the next, and over how many octaves.
constexpr double k_handover_hz[] = {400.0, 3200.0};
constexpr double k_handover_octaves = 2.0;
constexpr double k_window_seconds[] = {16384.0 / 48000.0, 4096.0 / 48000.0, 1024.0 / 48000.0};
constexpr std::size_t k_most_looks = 8; // at one column, by one transform

std::size_t power_of_two(double frames) {
    std::size_t size = 64;
    while (static_cast<double>(size) * std::numbers::sqrt2 < frames)
        size *= 2;
    return size;
}

} // namespace

struct Spectrum::Transform {
    std::size_t size;
    kiss_fft_cfg plan;
    std::vector<float>
        window; // four-term Blackman-Harris (Harris 1978): side lobes below -92 dB, under the picture's floor
    std::vector<kiss_fft_cpx> in, out;
    std::vector<float> power; // of bins 0..size/2
    std::int64_t due = 0;     // the frame from which on `power` is stale

    explicit Transform(std::size_t frames)
        : size(frames), plan(kiss_fft_alloc(static_cast<int>(frames), 0, nullptr, nullptr)), window(frames), in(frames),
          out(frames), power(frames / 2 + 2) {
        double sum = 0.0;
        for (std::size_t i = 0; i < size; ++i) {
            const double x = 2.0 * std::numbers::pi * (static_cast<double>(i) + 0.5) / static_cast<double>(size);
            const double value =
                0.35875 - 0.48829 * std::cos(x) + 0.14128 * std::cos(2.0 * x) - 0.01168 * std::cos(3.0 * x);
            window[i] = static_cast<float>(value);
            sum += value;
        }
        for (float& value : window)
            value = static_cast<float>(value * 2.0 / sum); // a sine's two halves
    }
    ~Transform() { kiss_fft_free(plan); }
    Transform(const Transform&) = delete;
    Transform& operator=(const Transform&) = delete;

    // Adds the power of the stretch that begins at `signal`.
    void look(const std::complex<float>* signal, float share) {
        for (std::size_t i = 0; i < size; ++i)
            in[i] = {signal[i].real() * window[i], signal[i].imag() * window[i]};
        kiss_fft(plan, in.data(), out.data());
        // With X of left + i right, |L|^2 + |R|^2 at a bin is half of |X|^2 at it and at its mirror.
        for (std::size_t bin = 0; bin <= size / 2; ++bin) {
            const kiss_fft_cpx a = out[bin];
            const kiss_fft_cpx b = out[bin == 0 ? 0 : size - bin];
            power[bin] += share * 0.25f * (a.r * a.r + a.i * a.i + b.r * b.r + b.i * b.i);
        }
    }
    // The largest power between two places on the bins. Between bins stands a parabola through three of them, in decibels: the
    // window's main lobe is one within 0.05 dB.
    float largest(double low, double high) const {
        const std::size_t last = size / 2;
        const auto at = [&](double place) {
            const auto middle = static_cast<std::size_t>(std::clamp(place + 0.5, 1.0, static_cast<double>(last - 1)));
            const auto x = static_cast<float>(std::clamp(place - static_cast<double>(middle), -1.0, 1.0));
            const float a = std::log(power[middle - 1] + 1e-20f);
            const float b = std::log(power[middle] + 1e-20f);
            const float c = std::log(power[middle + 1] + 1e-20f);
            const float value = b + 0.5f * (c - a) * x + 0.5f * (a - 2.0f * b + c) * x * x;
            return std::exp(std::min(value, std::max({a, b, c}) + 0.23f)); // a lobe rises at most 1 dB above its bins
        };
        float found = std::max({at(low), at((low + high) / 2.0), at(high)});
        std::size_t best = 0;
        for (auto bin = static_cast<std::size_t>(std::ceil(std::max(low, 1.0)));
             bin < last && static_cast<double>(bin) <= high; ++bin)
            if (power[bin] > found) {
                found = power[bin];
                best = bin;
            }
        if (best == 0 || power[best - 1] > found || power[best + 1] > found) return found;
        const float a = std::log(power[best - 1] + 1e-20f);
        const float c = std::log(power[best + 1] + 1e-20f);
        const float bend = a - 2.0f * std::log(found + 1e-20f) + c;
        return bend < 0.0f ? found * std::exp(std::min(-(a - c) * (a - c) / (8.0f * bend), 0.23f)) : found;
    }
};

Spectrum::Spectrum(double sample_rate, double lowest_hz, double highest_hz, int rows)
    : m_lowest_hz(lowest_hz), m_ratio(std::pow(highest_hz / lowest_hz, 1.0 / rows)),
      m_rows(static_cast<std::size_t>(rows)) {
    for (double seconds : k_window_seconds)
        m_transforms.push_back(std::make_unique<Transform>(power_of_two(seconds * sample_rate)));
    for (int i = 0; i < rows; ++i) {
        Row& row = m_rows[static_cast<std::size_t>(i)];
        const double low = lowest_hz * std::pow(m_ratio, i);
        for (std::size_t t = 0; t < 3; ++t) {
            const double bins = static_cast<double>(m_transforms[t]->size) / sample_rate;
            row.low_bin[t] = low * bins;
            row.high_bin[t] = low * m_ratio * bins;
        }
        const auto past = [&](double handover_hz) {
            const double octaves = std::log2(row_hz(i) / handover_hz) / k_handover_octaves + 0.5;
            const double x = std::clamp(octaves, 0.0, 1.0);
            return static_cast<float>(x * x * (3.0 - 2.0 * x));
        };
        row.share[2] = past(k_handover_hz[1]);
        row.share[1] = past(k_handover_hz[0]) * (1.0f - row.share[2]);
        row.share[0] = 1.0f - row.share[1] - row.share[2];
    }
}

Spectrum::~Spectrum() = default;

double Spectrum::row_hz(int row) const noexcept {
    return m_lowest_hz * std::pow(m_ratio, row + 0.5);
}

std::size_t Spectrum::reach(std::size_t hop) const noexcept {
    return m_transforms[0]->size / 2 + hop / 2 + 1;
}

void Spectrum::power(std::span<const std::complex<float>> signal, std::size_t centre, std::size_t hop,
                     std::int64_t frame, std::span<float> out) {
    for (auto& transform : m_transforms) {
        if (frame < transform->due) continue;
        // A long window sees nothing new within a sixteenth of its length.
        transform->due = frame + static_cast<std::int64_t>(transform->size / 16);
        std::fill(transform->power.begin(), transform->power.end(), 0.0f);
        // A short window needs several looks to see all of a long hop.
        const std::size_t looks = std::clamp<std::size_t>(2 * hop / transform->size, 1, k_most_looks);
        for (std::size_t look = 0; look < looks; ++look) {
            const std::size_t middle = centre - hop / 2 + hop * (2 * look + 1) / (2 * looks);
            transform->look(signal.data() + middle - transform->size / 2, 1.0f / static_cast<float>(looks));
        }
    }
    for (std::size_t i = 0; i < m_rows.size(); ++i) {
        const Row& row = m_rows[i];
        out[i] = 0.0f;
        for (std::size_t t = 0; t < 3; ++t)
            if (row.share[t] > 0.0f) out[i] += row.share[t] * m_transforms[t]->largest(row.low_bin[t], row.high_bin[t]);
    }
}

} // namespace tutti::io
