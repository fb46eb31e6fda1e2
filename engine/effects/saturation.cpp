// SPDX-License-Identifier: MIT
#include "engine/effects/saturation.h"

#include <algorithm>
#include <cmath>

#include "engine/effects/kernels.h"
#include "engine/effects/polynomials.h"

namespace tutti::engine {
namespace {

using namespace saturation;

constexpr int k_history = SaturationMemory::k_history;
constexpr float k_reference = 0.25f; // -12 dBFS

constexpr Parameter k_parameters[parameter_count] = {
    {"drive", "Drive", "Saturation", Unit::decibels, 0.0f, 36.0f, 9.0f, Curve::linear, 0.03f, nullptr, 0, true},
    {"bias", "Bias", "Saturation", Unit::percent, 0.0f, 1.0f, 0.15f, Curve::linear, 0.03f, nullptr, 0, true},
    {"output", "Output", "Level", Unit::decibels, -24.0f, 12.0f, 0.0f, Curve::linear, 0.03f, nullptr, 0, true},
    {"mix", "Mix", "Level", Unit::percent, 0.0f, 1.0f, 1.0f, Curve::linear, 0.03f, nullptr, 0, true},
};

class Saturation final : public Effect {
public:
    Saturation() : Effect(saturation_type()) {}

    int latency_frames() const noexcept override { return k_latency; }
    std::int64_t tail_frames() const noexcept override {
        // The blocker's 8 Hz: 120 dB are 13.8 time constants; without bias it has nothing to forget.
        const double blocker = parameter(bias) > 0.0f ? 13.8 / (6.2832 * k_blocker_hertz) * sample_rate() : 0.0;
        return 2 * k_history + static_cast<std::int64_t>(blocker);
    }
    bool silent() const noexcept override {
        return m_quiet.frames() > 2 * k_history && std::fabs(m_low[0]) < k_silence && std::fabs(m_low[1]) < k_silence;
    }

private:
    static constexpr double k_blocker_hertz = 8.0;

    Status allocate() override {
        m_low_speed = static_cast<float>(1.0 - std::exp(-6.283185307179586 * k_blocker_hertz / sample_rate()));
        return {};
    }

    void clear() noexcept override {
        for (SaturationChannel& channel : m_state.channel)
            channel = {};
        m_low[0] = m_low[1] = 0.0f;
        m_quiet.clear();
        m_settle = true;
    }

    void tick(bool jump) noexcept override {
        m_quiet.tick();
        const float factor = exp2_poly(value(drive) * (1.0f / 6.02059991f));
        const float shift = value(bias);
        // Drive 1 and no bias leave small signals as they are; -12 dBFS stays -12 dBFS at any drive.
        const float peak = shape(factor * k_reference + shift) - shape(shift);
        const float trough = shape(shift) - shape(shift - factor * k_reference);
        const float level = k_reference / greater_of(peak, trough) * exp2_poly(value(output) * (1.0f / 6.02059991f));
        m_state.drive.move(factor, jump);
        m_state.bias.move(shift, jump);
        m_state.rest.move(shape(shift), jump);
        m_level.move(level, jump);
        m_mix.move(value(mix), jump);
        if (m_settle)
            for (SaturationChannel& channel : m_state.channel)
                for (int k = -k_history; k < k_tick_frames; ++k)
                    rest(channel, k, shift);
        m_settle = false;
    }

    static float shape(float x) noexcept { return x / square_root(1.0f + x * x); }

    // Silence has been coming in for ever.
    static void rest(SaturationChannel& channel, int k, float shift) noexcept {
        *channel.even.at(k) = *channel.odd.at(k) = shift;
        *channel.even_root.at(k) = *channel.odd_root.at(k) = square_root(1.0f + shift * shift);
    }

    void process(float* left, float* right, int begin, int end) noexcept override {
        float* io[2] = {left - begin, right - begin};
        m_quiet.note(m_kernels.saturation(m_state, left, right, begin, end));
        for (int k = begin; k < end; ++k)
            for (int side = 0; side < 2; ++side) {
                const float x = io[side][k];
                m_low[side] += m_low_speed * (x - m_low[side]);
                const float wet = (x - m_low[side]) * ramp_at<float>(m_level, k);
                const float dry = *m_state.channel[side].in.at(k - k_latency);
                io[side][k] = dry + ramp_at<float>(m_mix, k) * (wet - dry);
            }
        if (end == k_tick_frames)
            for (SaturationChannel& c : m_state.channel)
                for (SaturationMemory* memory :
                     {&c.in, &c.even, &c.odd, &c.even_root, &c.odd_root, &c.shaped_even, &c.shaped_odd})
                    memory->end_tick();
    }

    SaturationState m_state;
    const EffectKernels& m_kernels = effect_kernels();
    float m_low[2] = {}; // the direct-current blocker's state
    Ramp m_level, m_mix;
    float m_low_speed = 0.0f;
    bool m_settle = true; // the memories are to be filled with the bias
    QuietCounter m_quiet;
};

std::unique_ptr<Effect> create() {
    return std::make_unique<Saturation>();
}

} // namespace

const EffectType& saturation_type() noexcept {
    static constexpr EffectType k_type = {"saturation", "Saturation",    "Soft saturation with little aliasing.",
                                          k_parameters, parameter_count, create};
    return k_type;
}

} // namespace tutti::engine
