// SPDX-License-Identifier: MIT
#include "engine/effects/effect.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "engine/effects/polynomials.h"

namespace tutti::engine {

int EffectType::find(std::string_view parameter) const noexcept {
    for (int i = 0; i < parameter_count; ++i)
        if (parameter == parameters[i].id) return i;
    return -1;
}

Effect::Effect(const EffectType& type) noexcept : m_type(type) {
    assert(type.parameter_count <= k_max_effect_parameters);
    for (int i = 0; i < type.parameter_count; ++i)
        set_parameter(i, type.parameters[i].fallback);
}

Status Effect::prepare(double sample_rate, int channels) {
    if (!(sample_rate >= k_lowest_rate && sample_rate <= k_highest_rate))
        return {Code::out_of_range, "sample rate " + std::to_string(sample_rate) + " Hz",
                std::string("the effect ") + m_type.id + " was not prepared", "take 8000 to 192000 Hz"};
    if (channels != 1 && channels != 2)
        return {Code::out_of_range, std::to_string(channels) + " channels",
                std::string("the effect ") + m_type.id + " was not prepared",
                "take 1 or 2; EffectChain takes more by pairs"};
    m_rate = sample_rate;
    m_channels = channels;
    for (int i = 0; i < m_type.parameter_count; ++i) {
        const Parameter& row = m_type.parameters[i];
        const auto n = static_cast<std::size_t>(i);
        const double ticks = row.smoothing_seconds * sample_rate / k_tick_frames;
        m_speeds[n] = ticks > 0.0 ? static_cast<float>(1.0 - std::exp(-1.0 / ticks)) : 1.0f;
        m_nearness[n] = 1e-4f * (kernel_value(row, row.maximum) - kernel_value(row, row.minimum));
    }
    if (Status status = allocate(); !status) return status;
    reset();
    return {};
}

void Effect::reset() noexcept {
    clear();
    m_fresh = true;
}

void Effect::set_parameter(int index, float value) noexcept {
    if (index < 0 || index >= m_type.parameter_count || !(value == value)) return;
    const Parameter& row = m_type.parameters[index];
    const auto n = static_cast<std::size_t>(index);
    m_targets[n] = clamp_value(row, value);
    m_goals[n] = row.curve == Curve::exponential ? log2_poly(m_targets[n]) : m_targets[n];
    m_moving |= bit(index);
}

float Effect::parameter(int index) const noexcept {
    return index >= 0 && index < m_type.parameter_count ? m_targets[static_cast<std::size_t>(index)] : 0.0f;
}

void Effect::set_tempo(double beats_per_minute) noexcept {
    if (beats_per_minute > 1.0 && beats_per_minute < 10000.0) m_tempo = beats_per_minute;
}

void Effect::smooth(bool jump) noexcept {
    m_moved = m_moving;
    if (jump) m_moved = m_moving = bit(m_type.parameter_count) - 1;
    if (m_moving == 0) return;
    for (int i = 0; i < m_type.parameter_count; ++i) {
        if ((m_moving & bit(i)) == 0) continue;
        const auto n = static_cast<std::size_t>(i);
        const float distance = m_goals[n] - m_kernels[n];
        if (jump || m_speeds[n] >= 1.0f || std::fabs(distance) <= m_nearness[n]) {
            m_kernels[n] = m_goals[n];
            m_values[n] = m_targets[n]; // exact: no round trip through log2
            m_moving &= ~bit(i);
        } else {
            m_kernels[n] += m_speeds[n] * distance;
            m_values[n] = m_type.parameters[i].curve == Curve::exponential ? exp2_poly(m_kernels[n]) : m_kernels[n];
        }
    }
}

void Effect::render(float* const* io, int frames, std::int64_t clock) noexcept {
    alignas(16) float copy[k_tick_frames];
    for (int done = 0; done < frames;) {
        const int begin = static_cast<int>(clock & (k_tick_frames - 1));
        const int end = std::min(k_tick_frames, begin + frames - done);
        const int count = end - begin;
        if (begin == 0 || m_fresh) {
            smooth(m_fresh);
            tick(m_fresh);
            m_fresh = false;
        }
        float* left = io[0] + done;
        float* right = m_channels == 2 ? io[1] + done : copy;
        for_frames(0, count, [&](auto lane, int k) {
            using F = decltype(lane);
            store(left + k, sane(load<F>(left + k)));
            store(right + k, m_channels == 2 ? sane(load<F>(right + k)) : load<F>(left + k));
        });
        process(left, right, begin, end);
        if (m_channels == 1)
            for (int k = 0; k < count; ++k)
                left[k] = 0.5f * (left[k] + right[k]);
        done += count;
        clock += count;
    }
}

} // namespace tutti::engine
