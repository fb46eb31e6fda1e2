// SPDX-License-Identifier: MIT
#include "engine/effects/limiter.h"

#include <cmath>

namespace tutti::engine {
namespace {

constexpr float k_threshold = 0.89125094f; // -1 dBFS
constexpr float k_rest = 1e-5f;            // a gain this near to 1 is 1: 0.0001 dB

constexpr Parameter k_parameters[limiter::parameter_count] = {
    {"active", "Active", "Limiter", Unit::toggle, 0.0f, 1.0f, 1.0f},
    {"release", "Release", "Limiter", Unit::seconds, 0.01f, 1.0f, 0.1f, Curve::exponential, 0.05f},
};

class Limiter final : public Effect {
public:
    Limiter() : Effect(limiter_type()) {}

    std::int64_t tail_frames() const noexcept override { return 0; }
    bool silent() const noexcept override { return m_gain == 1.0f && m_quiet.frames() > 0; }

private:
    Status allocate() override { return {}; }

    void clear() noexcept override {
        m_gain = 1.0f;
        m_quiet.clear();
    }

    void tick(bool) noexcept override {
        m_quiet.tick();
        if (moved(bit(limiter::release)))
            m_recovery = 1.0f - std::exp(-1.0f / (value(limiter::release) * static_cast<float>(sample_rate())));
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
            m_gain = 1.0f;
            return;
        }
        if (m_gain == 1.0f && peak <= k_threshold) return;
        for (int k = 0; k < count; ++k) {
            const float level = greater_of(magnitude(left[k]), magnitude(right[k]));
            m_gain += m_recovery * (1.0f - m_gain);
            if (1.0f - m_gain < k_rest) m_gain = 1.0f;
            if (level > k_threshold) {
                const float over = (level - k_threshold) / (1.0f - k_threshold);
                const float wanted = k_threshold + (1.0f - k_threshold) * (over / (1.0f + over));
                m_gain = lesser_of(m_gain, wanted / level);
            }
            left[k] = lesser_of(greater_of(left[k] * m_gain, -1.0f), 1.0f);
            right[k] = lesser_of(greater_of(right[k] * m_gain, -1.0f), 1.0f);
        }
    }

    QuietCounter m_quiet;
    float m_gain = 1.0f;
    float m_recovery = 0.0f; // of the distance to 1, a frame
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
