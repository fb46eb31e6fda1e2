// SPDX-License-Identifier: MIT
#include "engine/effects/delay.h"

#include <algorithm>
#include <cmath>

#include "engine/effects/delay_line.h"

namespace tutti::engine {
namespace {

constexpr double k_longest_seconds = 2.0;
constexpr double k_fade_seconds = 0.02;
constexpr int k_notes = 16;

constexpr const char* k_modes[] = {"stereo", "ping-pong"};
constexpr const char* k_left_names[k_notes] = {"free", "1/32", "1/16T", "1/16", "1/8T", "1/16.", "1/8",  "1/4T",
                                               "1/8.", "1/4",  "1/2T",  "1/4.", "1/2",  "1/1T",  "1/2.", "1/1"};
constexpr const char* k_right_names[k_notes] = {"as left", "1/32", "1/16T", "1/16", "1/8T", "1/16.", "1/8",  "1/4T",
                                                "1/8.",    "1/4",  "1/2T",  "1/4.", "1/2",  "1/1T",  "1/2.", "1/1"};
// In quarter notes.
constexpr double k_beats[k_notes] = {0.0,  0.125, 1.0 / 6.0, 0.25, 1.0 / 3.0, 0.375,     0.5, 2.0 / 3.0,
                                     0.75, 1.0,   4.0 / 3.0, 1.5,  2.0,       8.0 / 3.0, 3.0, 4.0};

constexpr Parameter k_parameters[delay::parameter_count] = {
    {"mode", "Mode", "Delay", Unit::choice, 0.0f, 1.0f, 0.0f, Curve::linear, 0.0f, k_modes, 2},
    {"left", "Left", "Time", Unit::choice, 0.0f, k_notes - 1, 8.0f, Curve::linear, 0.0f, k_left_names, k_notes},
    {"right", "Right", "Time", Unit::choice, 0.0f, k_notes - 1, 9.0f, Curve::linear, 0.0f, k_right_names, k_notes},
    {"time", "Time", "Time", Unit::seconds, 0.005f, 2.0f, 0.375f, Curve::exponential, 0.0f},
    {"feedback", "Feedback", "Delay", Unit::percent, 0.0f, 0.95f, 0.38f, Curve::linear, 0.03f, nullptr, 0, true},
    {"low-cut", "Low cut", "Tone", Unit::hertz, 10.0f, 2000.0f, 160.0f, Curve::exponential, 0.03f, nullptr, 0, true},
    {"high-cut", "High cut", "Tone", Unit::hertz, 500.0f, 20000.0f, 5500.0f, Curve::exponential, 0.03f, nullptr, 0,
     true},
    {"width", "Width", "Delay", Unit::percent, 0.0f, 1.0f, 1.0f, Curve::linear, 0.03f, nullptr, 0, true},
    {"mix", "Mix", "Delay", Unit::percent, 0.0f, 1.0f, 0.25f, Curve::linear, 0.03f, nullptr, 0, true},
};

// The delay now heard, and the one being faded in.
struct Tap {
    int now = 0;
    int next = 0;
    int ticks = 0; // of the fade so far
    Ramp fade;     // 0: now, 1: next
};

class Delay final : public Effect {
public:
    Delay() : Effect(delay_type()) {}

    std::int64_t tail_frames() const noexcept override {
        const double feedback = parameter(delay::feedback);
        const double times = feedback > 1e-6 ? std::ceil(std::log(1e-6) / std::log(feedback)) : 0.0;
        return static_cast<std::int64_t>((times + 1.0) * std::max(wanted_frames(0), wanted_frames(1))) +
               static_cast<std::int64_t>(0.1 * sample_rate()); // the low cut's own ringing
    }
    bool silent() const noexcept override {
        return m_quiet.frames() >
               std::max({m_taps[0].now, m_taps[1].now, m_taps[0].next, m_taps[1].next}) + k_tick_frames;
    }

private:
    Status allocate() override {
        for (int side = 0; side < 2; ++side)
            m_lines[side].allocate(static_cast<int>(k_longest_seconds * sample_rate()) + 32, 2 * side);
        m_fade_ticks = std::max(1, static_cast<int>(k_fade_seconds * sample_rate() / k_tick_frames));
        return {};
    }

    void clear() noexcept override {
        for (DelayLine& line : m_lines)
            line.clear();
        for (int side = 0; side < 2; ++side)
            m_low[side] = m_high[side] = 0.0f;
        m_quiet.clear();
    }

    int wanted_frames(int side) const noexcept {
        const int left = static_cast<int>(parameter(delay::left));
        const int right = static_cast<int>(parameter(delay::right));
        double seconds = delay::note_seconds(side == 1 && right > 0 ? right : left, tempo());
        if (seconds <= 0.0) seconds = parameter(delay::time);
        while (seconds > k_longest_seconds)
            seconds *= 0.5;
        return std::max(static_cast<int>(std::lround(seconds * sample_rate())), 2 * k_tick_frames);
    }

    void tick(bool jump) noexcept override {
        m_quiet.tick();
        m_position += k_tick_frames;
        for (int side = 0; side < 2; ++side) {
            Tap& tap = m_taps[side];
            const int wanted = wanted_frames(side);
            if (jump) {
                tap = {wanted, wanted, 0, {}};
            } else if (tap.ticks == 0 && wanted != tap.now) {
                tap.next = wanted;
                tap.ticks = 1;
            }
            if (tap.ticks > m_fade_ticks) {
                tap.now = tap.next;
                tap.ticks = 0;
                tap.fade.jump(0.0f);
            } else if (tap.ticks > 0) {
                tap.fade.next(static_cast<float>(tap.ticks) / static_cast<float>(m_fade_ticks));
                ++tap.ticks;
            }
        }
        if (moved(bit(delay::low_cut))) m_low_speed = one_pole(value(delay::low_cut));
        if (moved(bit(delay::high_cut))) m_high_speed = one_pole(value(delay::high_cut));
        m_feedback.move(value(delay::feedback), jump);
        m_width.move(value(delay::width), jump);
        m_dry.move(dry_gain(value(delay::mix)), jump);
        m_wet.move(wet_gain(value(delay::mix)), jump);
    }

    float one_pole(float hertz) const noexcept {
        const double cycles = std::min(hertz / sample_rate(), 0.45);
        return static_cast<float>(1.0 - std::exp(-6.283185307179586 * cycles));
    }

    void process(float* left, float* right, int begin, int end) noexcept override {
        alignas(16) float wet[2][k_tick_frames];
        for (int side = 0; side < 2; ++side)
            read(side, wet[side], begin, end);
        // Both sides' loop filters side by side: their chains overlap.
        for (int k = begin; k < end; ++k)
            for (int side = 0; side < 2; ++side) {
                m_high[side] += m_high_speed * (wet[side][k] - m_high[side]);
                m_low[side] += m_low_speed * (m_high[side] - m_low[side]);
                wet[side][k] = m_high[side] - m_low[side];
            }
        float* io[2] = {left - begin, right - begin};
        const bool crossed = choice(delay::mode) == delay::ping_pong;
        Peak peak;
        for_frames(begin, end, [&](auto lane, int k) {
            using F = decltype(lane);
            const F half = splat<F>(0.5f);
            const F in[2] = {load<F>(io[0] + k), load<F>(io[1] + k)};
            const F echo[2] = {load<F>(wet[0] + k), load<F>(wet[1] + k)};
            const F feedback = ramp_at<F>(m_feedback, k);
            const F kept[2] = {crossed ? half * (in[0] + in[1]) + feedback * echo[1] : in[0] + feedback * echo[0],
                               crossed ? feedback * echo[0] : in[1] + feedback * echo[1]};
            const F mid = half * (echo[0] + echo[1]);
            const F side = half * (echo[0] - echo[1]) * ramp_at<F>(m_width, k);
            const F out[2] = {mid + side, mid - side};
            for (int i = 0; i < 2; ++i) {
                put(m_lines[i].ring(), m_position + static_cast<std::uint32_t>(k), kept[i]);
                peak.note(kept[i]);
                store(io[i] + k, ramp_at<F>(m_dry, k) * in[i] + ramp_at<F>(m_wet, k) * out[i]);
            }
        });
        m_quiet.note(peak);
        if (end == k_tick_frames)
            for (const DelayLine& line : m_lines)
                end_tick(line.ring(), m_position);
    }

    void read(int side, float* out, int begin, int end) const noexcept {
        const Tap& tap = m_taps[side];
        const float* now = frame_at(m_lines[side].ring(), m_position - static_cast<std::uint32_t>(tap.now));
        const float* next = frame_at(m_lines[side].ring(), m_position - static_cast<std::uint32_t>(tap.next));
        const bool fading = tap.ticks > 0;
        for_frames(begin, end, [&](auto lane, int k) {
            using F = decltype(lane);
            F x = load<F>(now + k);
            if (fading) x = x + ramp_at<F>(tap.fade, k) * (load<F>(next + k) - x);
            store(out + k, x);
        });
    }

    DelayLine m_lines[2];
    Tap m_taps[2];
    int m_fade_ticks = 1;
    float m_high[2] = {}; // the high cut's state
    float m_low[2] = {};  // the low cut's
    float m_high_speed = 1.0f;
    float m_low_speed = 0.0f;
    Ramp m_feedback, m_width, m_dry, m_wet;
    QuietCounter m_quiet;
    std::uint32_t m_position = 0; // of the tick's first frame in the lines
};

std::unique_ptr<Effect> create() {
    return std::make_unique<Delay>();
}

} // namespace

double delay::note_seconds(int choice, double beats_per_minute) noexcept {
    return choice > 0 && choice < k_notes ? k_beats[choice] * 60.0 / beats_per_minute : 0.0;
}

const EffectType& delay_type() noexcept {
    static constexpr EffectType k_type = {
        "delay", "Delay", "Echoes in time with the music, on two sides.", k_parameters, delay::parameter_count, create};
    return k_type;
}

} // namespace tutti::engine
