// SPDX-License-Identifier: MIT
#include "engine/effects/chorus.h"

#include <algorithm>
#include <cmath>

#include "engine/effects/delay_line.h"
#include "engine/effects/kernels.h"
#include "engine/effects/polynomials.h"
#include "engine/effects/ring.h"

namespace tutti::engine {
namespace {

constexpr int k_taps = k_chorus_taps;
constexpr float k_shortest = 20.0f;         // frames: a tick is read before it is written
constexpr float k_tap_gain = 0.57735027f;   // three taps that do not agree: equal power
constexpr float k_longest_seconds = 0.040f; // delay + depth

constexpr Parameter k_parameters[chorus::parameter_count] = {
    {"rate", "Rate", "Chorus", Unit::hertz, 0.02f, 6.0f, 0.55f, Curve::exponential, 0.05f, nullptr, 0, true},
    {"depth", "Depth", "Chorus", Unit::seconds, 0.0f, 0.005f, 0.0016f, Curve::linear, 0.1f, nullptr, 0, true},
    {"delay", "Delay", "Chorus", Unit::seconds, 0.003f, 0.03f, 0.011f, Curve::exponential, 0.1f, nullptr, 0, true},
    {"feedback", "Feedback", "Chorus", Unit::percent, -0.9f, 0.9f, 0.0f, Curve::linear, 0.03f, nullptr, 0, true},
    {"spread", "Spread", "Chorus", Unit::percent, 0.0f, 1.0f, 1.0f, Curve::linear, 0.05f, nullptr, 0, true},
    {"mix", "Mix", "Chorus", Unit::percent, 0.0f, 1.0f, 0.5f, Curve::linear, 0.03f, nullptr, 0, true},
};

class Chorus final : public Effect {
public:
    Chorus() : Effect(chorus_type()) {}

    std::int64_t tail_frames() const noexcept override {
        const float feedback = std::fabs(parameter(chorus::feedback));
        const double once = (parameter(chorus::delay) + parameter(chorus::depth)) * sample_rate() + k_shortest;
        const double times = feedback > 0.01f ? std::ceil(std::log(1e-6) / std::log(feedback)) : 1.0;
        return static_cast<std::int64_t>(once * (times + 1.0));
    }
    bool silent() const noexcept override {
        return m_quiet.frames() > static_cast<std::int64_t>(k_longest_seconds * sample_rate()) + k_tick_frames;
    }

private:
    Status allocate() override {
        for (int side = 0; side < 2; ++side) {
            m_lines[side].allocate(static_cast<int>(k_longest_seconds * sample_rate()) + 32, 2 * side);
            m_state.line[side] = m_lines[side].ring();
        }
        return {};
    }

    void clear() noexcept override {
        for (DelayLine& line : m_lines)
            line.clear();
        m_quiet.clear();
        m_phase = 0.0f;
    }

    void tick(bool jump) noexcept override {
        m_quiet.tick();
        m_state.position += k_tick_frames;
        const auto rate = static_cast<float>(sample_rate());
        m_phase += value(chorus::rate) * (k_tick_frames / rate);
        m_phase -= towards_zero(m_phase);
        const float delay = value(chorus::delay) * rate;
        const float depth = value(chorus::depth) * rate;
        alignas(16) float targets[2][4]; // the fourth is not used
        for (int side = 0; side < 2; ++side) {
            const float phase = m_phase + static_cast<float>(side) * value(chorus::spread) / 6.0f;
            const Quad wave = sine_cycles(splat_quad(phase) + quad(0.0f, 1.0f / k_taps, 2.0f / k_taps, 0.0f));
            store(targets[side], greater_of(splat_quad(delay) + splat_quad(depth) * wave, splat_quad(k_shortest)));
            for (int tap = 0; tap < k_taps; ++tap)
                move(m_state.delay[side][tap], targets[side][tap], jump);
        }
        m_state.feedback.move(value(chorus::feedback), jump);
        m_state.dry.move(dry_gain(value(chorus::mix)), jump);
        m_state.wet.move(wet_gain(value(chorus::mix)) * k_tap_gain, jump);
    }

    void process(float* left, float* right, int begin, int end) noexcept override {
        m_quiet.note(m_kernels.chorus(m_state, left, right, begin, end));
    }

    DelayLine m_lines[2];
    ChorusState m_state;
    const EffectKernels& m_kernels = effect_kernels();
    QuietCounter m_quiet;
    float m_phase = 0.0f; // cycles
};

std::unique_ptr<Effect> create() {
    return std::make_unique<Chorus>();
}

} // namespace

const EffectType& chorus_type() noexcept {
    static constexpr EffectType k_type = {"chorus",
                                          "Chorus",
                                          "Three moving delays a side: width and slow beating.",
                                          k_parameters,
                                          chorus::parameter_count,
                                          create};
    return k_type;
}

} // namespace tutti::engine
