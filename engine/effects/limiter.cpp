// SPDX-License-Identifier: MIT
#include "engine/effects/limiter.h"

#include <cmath>

namespace tutti::engine {
namespace {

constexpr float k_threshold = 0.89125094f; // -1 dBFS
constexpr float k_rest = 1e-5f;            // a reduction below it is none: 0.0001 dB

constexpr Parameter k_parameters[limiter::parameter_count] = {
    {"active", "Active", "Limiter", Unit::toggle, 0.0f, 1.0f, 1.0f},
    {"release", "Release", "Limiter", Unit::seconds, 0.01f, 1.0f, 0.1f, Curve::exponential, 0.05f},
};

class Limiter final : public Effect {
public:
    Limiter() : Effect(limiter_type()) {}

    std::int64_t tail_frames() const noexcept override { return 0; }
    bool silent() const noexcept override { return m_reduction == 0.0f && m_quiet.frames() > 0; }

private:
    bool lets_through(float peak) const noexcept override { return m_reduction == 0.0f && peak <= k_threshold; }
    Status allocate() override { return {}; }

    void clear() noexcept override {
        m_reduction = 0.0f;
        m_quiet.clear();
    }

    void tick(bool) noexcept override {
        m_quiet.tick();
        if (moved(bit(limiter::release)))
            m_keep = static_cast<float>(std::exp(-1.0 / (value(limiter::release) * sample_rate())));
    }

    void process(float* left, float* right, int begin, int end) noexcept override {
        const int count = end - begin;
        Peak noted;
        for_frames(0, count, [&](auto lane, int k) {
            using F = decltype(lane);
            noted.note(greater_of(magnitude(load<F>(left + k)), magnitude(load<F>(right + k))));
        });
        m_quiet.note(noted);
        const float peak = noted.value();
        // Switched off or nothing to do: the same as the loop below, frame by frame.
        if (choice(limiter::active) == 0) {
            m_reduction = 0.0f;
            return;
        }
        if (m_reduction == 0.0f && peak <= k_threshold) return;
        for (int k = 0; k < count; ++k) {
            const float level = greater_of(magnitude(left[k]), magnitude(right[k]));
            m_reduction *= m_keep; // 1 - gain: the gain itself would stop short of 1 by rounding
            if (m_reduction < k_rest) m_reduction = 0.0f;
            if (level > k_threshold) {
                const float over = (level - k_threshold) / (1.0f - k_threshold);
                const float wanted = k_threshold + (1.0f - k_threshold) * (over / (1.0f + over));
                m_reduction = greater_of(m_reduction, 1.0f - wanted / level);
            }
            const float gain = 1.0f - m_reduction;
            left[k] = lesser_of(greater_of(left[k] * gain, -1.0f), 1.0f);
            right[k] = lesser_of(greater_of(right[k] * gain, -1.0f), 1.0f);
        }
    }

    QuietCounter m_quiet;
    float m_reduction = 0.0f; // 1 - gain
    float m_keep = 0.0f;      // of it, a frame
};

std::unique_ptr<Effect> create() {
    return std::make_unique<Limiter>();
}

} // namespace

const EffectType& limiter_type() noexcept {
    static constexpr EffectType k_type = {
        "limiter", "Limiter", "Keeps a stream at or below 0 dBFS; always last.", k_parameters, limiter::parameter_count,
        create};
    return k_type;
}

} // namespace tutti::engine
