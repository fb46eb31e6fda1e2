// SPDX-License-Identifier: MIT
#include "engine/effects/saturation.h"

#include <algorithm>
#include <cmath>

#include "engine/effects/polynomials.h"

namespace tutti::engine {
namespace {

using namespace saturation;

constexpr int k_history = 16;        // frames kept of every signal
constexpr float k_reference = 0.25f; // -12 dBFS

constexpr Parameter k_parameters[parameter_count] = {
    {"drive", "Drive", "Saturation", Unit::decibels, 0.0f, 36.0f, 9.0f, Curve::linear, 0.03f, nullptr, 0, true},
    {"bias", "Bias", "Saturation", Unit::percent, 0.0f, 1.0f, 0.15f, Curve::linear, 0.03f, nullptr, 0, true},
    {"output", "Output", "Level", Unit::decibels, -24.0f, 12.0f, 0.0f, Curve::linear, 0.03f, nullptr, 0, true},
    {"mix", "Mix", "Level", Unit::percent, 0.0f, 1.0f, 1.0f, Curve::linear, 0.03f, nullptr, 0, true},
};

// The odd phase of a half-band filter by Parks and McClellan, pass band to 0.208 of the doubled rate (its even phase is a
// plain delay of 7 frames), scaled to a sum of 1: no tone at the old Nyquist frequency from a constant.
constexpr float k_up[16] = {-0.007893904f, 0.013233253f,  -0.023836786f, 0.040022419f,  -0.065222291f, 0.108169870f,
                            -0.201119725f, 0.636647164f,  0.636647164f,  -0.201119725f, 0.108169870f,  -0.065222291f,
                            0.040022419f,  -0.023836786f, 0.013233253f,  -0.007893904f};
// Least squares: 1 / cos(pi f) up to 0.203 of the doubled rate, 0 from 0.297 on with six times the weight.
constexpr float k_down[30] = {0.001616621f,  0.004263522f,  -0.000225040f, -0.009649285f, -0.002861765f, 0.018049972f,
                              0.009479383f,  -0.030466267f, -0.022399209f, 0.048951279f,  0.048298851f,  -0.079492132f,
                              -0.112961366f, 0.147219704f,  0.480175732f,  0.480175732f,  0.147219704f,  -0.112961366f,
                              -0.079492132f, 0.048298851f,  0.048951279f,  -0.022399209f, -0.030466267f, 0.009479383f,
                              0.018049972f,  -0.002861765f, -0.009649285f, -0.000225040f, 0.004263522f,  0.001616621f};

// The last 16 frames and the tick's: tick frame k is at(k), k from -16.
struct Memory {
    alignas(16) float data[k_history + k_tick_frames] = {};

    float* at(int k) noexcept { return data + k_history + k; }
    void end_tick() noexcept { std::copy(data + k_tick_frames, data + k_tick_frames + k_history, data); }
};

struct Channel {
    Memory in;        // the input
    Memory even, odd; // driven and biased, at twice the rate
    Memory even_root; // sqrt(1 + x^2) of them
    Memory odd_root;
    Memory shaped_even;
    Memory shaped_odd;
    float low = 0.0f; // the direct-current blocker's state
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
        return m_quiet.frames() > 2 * k_history && std::fabs(m_channels[0].low) < k_silence &&
               std::fabs(m_channels[1].low) < k_silence;
    }

private:
    static constexpr double k_blocker_hertz = 8.0;

    Status allocate() override {
        m_low_speed = static_cast<float>(1.0 - std::exp(-6.283185307179586 * k_blocker_hertz / sample_rate()));
        return {};
    }

    void clear() noexcept override {
        for (Channel& channel : m_channels)
            channel = {};
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
        m_drive.move(factor, jump);
        m_bias.move(shift, jump);
        m_rest.move(shape(shift), jump);
        m_level.move(level, jump);
        m_mix.move(value(mix), jump);
        if (m_settle)
            for (Channel& channel : m_channels)
                for (int k = -k_history; k < k_tick_frames; ++k)
                    rest(channel, k, shift);
        m_settle = false;
    }

    static float shape(float x) noexcept { return x / square_root(1.0f + x * x); }

    // Silence has been coming in for ever.
    static void rest(Channel& channel, int k, float shift) noexcept {
        *channel.even.at(k) = *channel.odd.at(k) = shift;
        *channel.even_root.at(k) = *channel.odd_root.at(k) = square_root(1.0f + shift * shift);
    }

    void process(float* left, float* right, int begin, int end) noexcept override {
        float* io[2] = {left - begin, right - begin};
        for (int side = 0; side < 2; ++side)
            run(m_channels[side], io[side], begin, end);
        for (int k = begin; k < end; ++k)
            for (int side = 0; side < 2; ++side) {
                Channel& channel = m_channels[side];
                const float x = io[side][k];
                channel.low += m_low_speed * (x - channel.low);
                const float wet = (x - channel.low) * ramp_at<float>(m_level, k);
                const float dry = *channel.in.at(k - k_latency);
                io[side][k] = dry + ramp_at<float>(m_mix, k) * (wet - dry);
            }
        if (end == k_tick_frames)
            for (Channel& c : m_channels)
                for (Memory* memory :
                     {&c.in, &c.even, &c.odd, &c.even_root, &c.odd_root, &c.shaped_even, &c.shaped_odd})
                    memory->end_tick();
    }

    void run(Channel& c, float* io, int begin, int end) noexcept {
        Peak peak;
        std::copy(io + begin, io + end, c.in.at(begin));
        for_frames(begin, end, [&](auto lane, int k) {
            using F = decltype(lane);
            peak.note(load<F>(c.in.at(k)));
            F between = splat<F>(0.0f);
            for (int i = 0; i < 16; ++i)
                between = between + splat<F>(k_up[i]) * load<F>(c.in.at(k - i));
            const F factor = ramp_at<F>(m_drive, k);
            const F shift = ramp_at<F>(m_bias, k);
            const F even = factor * between + shift;
            const F odd = factor * load<F>(c.in.at(k - 7)) + shift;
            store(c.even.at(k), even);
            store(c.odd.at(k), odd);
            store(c.even_root.at(k), square_root(splat<F>(1.0f) + even * even));
            store(c.odd_root.at(k), square_root(splat<F>(1.0f) + odd * odd));
        });
        m_quiet.note(peak);
        for_frames(begin, end, [&](auto lane, int k) {
            using F = decltype(lane);
            const F even = load<F>(c.even.at(k));
            const F even_root = load<F>(c.even_root.at(k));
            const F rest_value = ramp_at<F>(m_rest, k);
            const F before = (even + load<F>(c.odd.at(k - 1))) / (even_root + load<F>(c.odd_root.at(k - 1)));
            const F after = (load<F>(c.odd.at(k)) + even) / (load<F>(c.odd_root.at(k)) + even_root);
            store(c.shaped_even.at(k), before - rest_value);
            store(c.shaped_odd.at(k), after - rest_value);
        });
        for_frames(begin, end, [&](auto lane, int k) {
            using F = decltype(lane);
            F sum = splat<F>(0.0f);
            for (int i = 0; i < 15; ++i)
                sum = sum + splat<F>(k_down[2 * i]) * load<F>(c.shaped_even.at(k - i)) +
                      splat<F>(k_down[2 * i + 1]) * load<F>(c.shaped_odd.at(k - i - 1));
            store(io + k, sum);
        });
    }

    Channel m_channels[2];
    Ramp m_drive, m_bias, m_rest, m_level, m_mix;
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
