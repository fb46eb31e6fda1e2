// SPDX-License-Identifier: MIT
#include "engine/effects/compressor.h"

#include <cmath>

#include "engine/effects/polynomials.h"

namespace tutti::engine {
namespace {

using namespace compressor;

constexpr float k_decibels = 6.02059991f; // a factor of two
constexpr float k_faintest = 1e-7f;       // -140 dBFS: log2 of silence
constexpr float k_rest_decibels = 0.001f; // a reduction below this is none

constexpr Parameter k_parameters[parameter_count] = {
    {"threshold", "Threshold", "Curve", Unit::decibels, -60.0f, 0.0f, -20.0f, Curve::linear, 0.03f, nullptr, 0, true},
    {"ratio", "Ratio", "Curve", Unit::ratio, 1.0f, 20.0f, 2.5f, Curve::exponential, 0.03f, nullptr, 0, true},
    {"knee", "Knee", "Curve", Unit::decibels, 0.0f, 24.0f, 8.0f, Curve::linear, 0.03f},
    {"attack", "Attack", "Time", Unit::seconds, 0.0001f, 0.2f, 0.012f, Curve::exponential, 0.03f},
    {"release", "Release", "Time", Unit::seconds, 0.01f, 2.0f, 0.16f, Curve::exponential, 0.03f},
    {"make-up", "Make-up", "Level", Unit::decibels, 0.0f, 30.0f, 4.0f, Curve::linear, 0.03f, nullptr, 0, true},
    {"mix", "Mix", "Level", Unit::percent, 0.0f, 1.0f, 1.0f, Curve::linear, 0.03f, nullptr, 0, true},
};

class Compressor final : public Effect {
public:
    Compressor() : Effect(compressor_type()) {}

    bool silent() const noexcept override {
        return m_quiet.frames() > 0 && m_held < k_rest_decibels && m_reduction < k_rest_decibels;
    }

private:
    Status allocate() override { return {}; }

    void clear() noexcept override {
        m_held = m_reduction = 0.0f;
        m_quiet.clear();
    }

    void tick(bool jump) noexcept override {
        m_quiet.tick();
        m_threshold.move(value(threshold), jump);
        m_knee.move(greater_of(value(knee), 0.01f), jump);
        m_slope.move(1.0f - 1.0f / value(ratio), jump);
        m_make_up.move(value(make_up) * (1.0f / k_decibels), jump);
        m_mix.move(value(mix), jump);
        if (moved(bit(attack))) m_attack = keep(value(attack));
        if (moved(bit(release))) m_release = keep(value(release));
    }

    float keep(float seconds) const noexcept { return static_cast<float>(std::exp(-1.0 / (seconds * sample_rate()))); }

    void process(float* left, float* right, int begin, int end) noexcept override {
        float* io[2] = {left - begin, right - begin};
        alignas(16) float gain[k_tick_frames];
        Peak loudest;
        for_frames(begin, end, [&](auto lane, int k) {
            using F = decltype(lane);
            const F peak = greater_of(magnitude(load<F>(io[0] + k)), magnitude(load<F>(io[1] + k)));
            loudest.note(peak);
            const F level = splat<F>(k_decibels) * log2_poly(greater_of(peak, splat<F>(k_faintest)));
            const F over = level - ramp_at<F>(m_threshold, k);
            const F width = ramp_at<F>(m_knee, k);
            const F half = splat<F>(0.5f) * width;
            const F zero = splat<F>(0.0f);
            const F bent = lesser_of(greater_of(over + half, zero), width);
            const F wanted = ramp_at<F>(m_slope, k) * (bent * bent / (width + width) + greater_of(over - half, zero));
            store(gain + k, wanted);
        });
        m_quiet.note(loudest);
        for (int k = begin; k < end; ++k) {
            m_held = greater_of(gain[k], m_release * m_held + (1.0f - m_release) * gain[k]);
            m_reduction = m_attack * m_reduction + (1.0f - m_attack) * m_held;
            gain[k] = m_reduction;
        }
        for_frames(begin, end, [&](auto lane, int k) {
            using F = decltype(lane);
            const F factor = exp2_poly(ramp_at<F>(m_make_up, k) - load<F>(gain + k) * splat<F>(1.0f / k_decibels));
            const F blend = ramp_at<F>(m_mix, k);
            const F total = blend * factor + (splat<F>(1.0f) - blend);
            for (float* channel : io)
                store(channel + k, load<F>(channel + k) * total);
        });
    }

    Ramp m_threshold, m_knee, m_slope, m_make_up, m_mix;
    float m_attack = 0.0f;    // kept of the old value, a frame
    float m_release = 0.0f;   // the same
    float m_held = 0.0f;      // dB of reduction: rises at once, falls by the release
    float m_reduction = 0.0f; // dB: the same after the attack
    QuietCounter m_quiet;
};

std::unique_ptr<Effect> create() {
    return std::make_unique<Compressor>();
}

} // namespace

const EffectType& compressor_type() noexcept {
    static constexpr EffectType k_type = {
        "compressor", "Compressor",    "Feed-forward, soft knee, both channels by the louder one.",
        k_parameters, parameter_count, create};
    return k_type;
}

} // namespace tutti::engine
