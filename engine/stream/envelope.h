// SPDX-License-Identifier: MIT
// One envelope of one note as a closed form in frames; from it come the recurrence's edits and every decision about a voice.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "voices/voice_type.h"

namespace tutti::engine {

inline std::int64_t tick_floor(std::int64_t frame) noexcept {
    return frame & ~std::int64_t{voices::k_tick_frames - 1};
}
inline std::int64_t tick_ceil(std::int64_t frame) noexcept {
    return tick_floor(frame + voices::k_tick_frames - 1);
}

// value, mul, add of a row's envelope fields.
struct EnvelopeEdit {
    float value = 0.0f;
    float mul = 1.0f;
    float add = 0.0f;
};

// Within a stage v(f) = base + span * exp(rate * (f - begin)) where curved, from + slope * (f - begin) where straight.
class EnvelopeRun {
public:
    // Starts the plan at `frame` from `from`. A release jumps to stage sustain + 1 by `first_stage`. [render]
    void start(const voices::EnvelopePlan& plan, double frame, double from, int first_stage, bool released,
               double sample_rate) noexcept {
        m_from = from;
        m_begin = frame;
        m_stage = first_stage - 1;
        m_released = released;
        next_stage(plan, sample_rate);
    }

    // A straight line from `from` on `frame` to zero on `end`, and the end of the envelope: a fade. [render]
    void fade(double frame, double from, double end) noexcept {
        m_from = from;
        m_to = 0.0;
        m_begin = frame;
        m_end = end;
        m_rate = -from / (end - frame);
        m_curved = m_still = m_ended = false;
        m_stage = voices::k_max_envelopes + 8; // past every plan's last stage
    }

    // The level on `frame`, not before the present stage. Looks through later stages without entering them. [render]
    double at(const voices::EnvelopePlan& plan, double frame, double sample_rate) const noexcept {
        if (frame < m_end || m_still) return level(frame);
        EnvelopeRun ahead = *this;
        ahead.advance(plan, frame, sample_rate);
        return ahead.level(frame);
    }

    // Enters the stage that `frame` falls in. [render]
    void advance(const voices::EnvelopePlan& plan, double frame, double sample_rate) noexcept {
        while (!m_still && frame >= m_end) {
            m_from = m_to;
            m_begin = m_end;
            next_stage(plan, sample_rate);
        }
    }

    // The edit for tick `tick` and, in `due`, the tick of the next one (-1: none). [render]
    EnvelopeEdit tick_edit(const voices::EnvelopePlan& plan, std::int64_t tick, double sample_rate,
                           std::int64_t& due) noexcept {
        constexpr int k = voices::k_tick_frames;
        advance(plan, static_cast<double>(tick), sample_rate);
        const double value = level(static_cast<double>(tick));
        if (m_still) {
            due = -1;
            return {static_cast<float>(value), 1.0f, 0.0f};
        }
        if (m_end < static_cast<double>(tick + k)) {
            due = tick + k;
            return {static_cast<float>(value), 0.0f,
                    static_cast<float>(at(plan, static_cast<double>(due), sample_rate))};
        }
        // Rounding of an FP32 recurrence is put right every 2,048 ticks (0.7 s), so that it stays below -72 dB.
        due = std::min(tick_floor(static_cast<std::int64_t>(m_end)), tick + 2048 * k);
        if (m_curved) {
            const double mul = std::exp(m_rate * k);
            return {static_cast<float>(value), static_cast<float>(mul), static_cast<float>(m_base * (1.0 - mul))};
        }
        return {static_cast<float>(value), 1.0f, static_cast<float>(m_rate * k)};
    }

    // The edit for `frame` inside a tick, from `value`; the next edit falls on the next tick. [render]
    EnvelopeEdit frame_edit(const voices::EnvelopePlan& plan, std::int64_t frame, double value,
                            double sample_rate) const noexcept {
        const double next = static_cast<double>(tick_floor(frame) + voices::k_tick_frames);
        return {static_cast<float>(value), 0.0f, static_cast<float>(at(plan, next, sample_rate))};
    }

    bool ended() const noexcept { return m_ended; }
    bool still() const noexcept { return m_still; }
    // Frame on which the present stage ends; meaningless where still().
    double stage_end() const noexcept { return m_end; }

private:
    double level(double frame) const noexcept {
        if (m_still) return m_to;
        const double x = frame - m_begin;
        return m_curved ? m_base + m_span * std::exp(m_rate * x) : m_from + m_rate * x;
    }

    // From the end of stage m_stage, at m_begin with level m_from: enters the next that has a length, or rests.
    void next_stage(const voices::EnvelopePlan& plan, double sample_rate) noexcept {
        for (;;) {
            if (m_stage == plan.sustain && m_stage >= 0 && !m_released) return rest(false);
            if (++m_stage >= plan.count) return rest(true);
            const voices::EnvelopeStage& stage = plan.stages[m_stage];
            m_to = stage.level;
            const double length = static_cast<double>(stage.seconds) * sample_rate;
            if (length < 1.0) {
                m_from = m_to;
                continue;
            }
            m_end = m_begin + length;
            m_still = m_ended = false;
            const double c = stage.curve;
            m_curved = std::fabs(c) > 1e-4;
            if (m_curved) {
                m_span = (m_from - m_to) / (1.0 - std::exp(-c));
                m_base = m_from - m_span;
                m_rate = -c / length;
            } else {
                m_rate = (m_to - m_from) / length;
            }
            return;
        }
    }

    void rest(bool ended) noexcept {
        m_to = m_from;
        m_still = true;
        m_ended = ended;
    }

    double m_from = 0.0;
    double m_to = 0.0;
    double m_begin = 0.0;
    double m_end = 0.0;
    double m_base = 0.0;
    double m_span = 0.0;
    double m_rate = 0.0;
    int m_stage = 0;
    bool m_curved = false;
    bool m_still = true;
    bool m_ended = true;
    bool m_released = false;
};

} // namespace tutti::engine
