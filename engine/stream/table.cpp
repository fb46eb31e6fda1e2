// SPDX-License-Identifier: MIT
#include "engine/stream/table.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace tutti::engine {

using voices::k_tick_frames;
using voices::part_input_count;

namespace {
// Seven-bit controllers step; 5 ms makes a ramp of them. Bend has 14 bits and must follow at once.
constexpr double k_input_seconds = 0.005;

float tick_share(double seconds, double sample_rate) noexcept {
    return seconds <= 0.0 ? 1.0f : static_cast<float>(1.0 - std::exp(-k_tick_frames / (seconds * sample_rate)));
}
} // namespace

double to_kernel(const Parameter& parameter, double value) noexcept {
    return parameter.curve == Curve::exponential ? std::log2(value) : value;
}

void ParameterTable::prepare(const voices::VoiceType& type, const float* values, double sample_rate) {
    m_type = &type;
    m_entries = part_input_count + type.parameter_count;
    const auto entries = static_cast<std::size_t>(m_entries);
    const auto parameters = static_cast<std::size_t>(type.parameter_count);
    m_target.assign(entries, 0.0);
    m_now.assign(entries, 0.0);
    m_coefficient.assign(entries, tick_share(k_input_seconds, sample_rate));
    for (const int input :
         {voices::part_bend, voices::part_tempo, voices::part_beat, voices::part_playing, voices::part_origin})
        m_coefficient[static_cast<std::size_t>(input)] = 1.0f;
    m_moving.assign(entries, 0);
    m_is_moving.assign(entries, 0);
    m_user.assign(values, values + parameters);
    m_override.assign(parameters, std::numeric_limits<float>::quiet_NaN());
    m_shape.assign(parameters, 0.0f);
    m_storage.assign(entries * k_changes, 0.0f);
    for (std::size_t i = 0; i < parameters; ++i) {
        const Parameter& parameter = type.parameters[i];
        const std::size_t entry = i + part_input_count;
        m_target[entry] = m_now[entry] = to_kernel(parameter, static_cast<double>(values[i]));
        m_coefficient[entry] = parameter.smoothing_seconds > 0.0f
                                   ? tick_share(static_cast<double>(parameter.smoothing_seconds), sample_rate)
                                   : 0.0f;
    }
    for (std::size_t i = 0; i < entries; ++i)
        m_storage[i] = static_cast<float>(m_now[i]);
    m_last = 0;
    begin_step(0);
}

void ParameterTable::begin_step(std::int64_t frame) noexcept {
    m_frame = frame;
    m_changes[0] = {0, m_version, m_storage.data() + static_cast<std::size_t>(m_last * m_entries)};
    m_change_count = 1;
}

float* ParameterTable::edit(std::int64_t frame) noexcept {
    const auto offset = static_cast<std::uint8_t>(frame - m_frame);
    TableChange* change = &m_changes[m_change_count - 1];
    float* table = m_storage.data() + static_cast<std::size_t>(m_last * m_entries);
    if (change->offset != offset) {
        m_last = (m_last + 1) % k_changes;
        float* const next = m_storage.data() + static_cast<std::size_t>(m_last * m_entries);
        std::memcpy(next, table, static_cast<std::size_t>(m_entries) * sizeof(float));
        table = next;
        change = &m_changes[m_change_count++];
        change->offset = offset;
        change->table = table;
    }
    change->version = ++m_version;
    return table;
}

void ParameterTable::aim(int entry, double target, std::int64_t frame) noexcept {
    const auto e = static_cast<std::size_t>(entry);
    m_target[e] = target;
    if (m_coefficient[e] == 0.0f) {
        m_now[e] = target;
        edit(frame)[entry] = static_cast<float>(target);
    } else if (!m_is_moving[e] && m_now[e] != target) {
        m_is_moving[e] = 1;
        m_moving[static_cast<std::size_t>(m_moving_count++)] = static_cast<std::int16_t>(entry);
    }
}

void ParameterTable::set(int index, double value, std::int64_t frame) noexcept {
    if (index < 0 || index >= m_type->parameter_count || !std::isfinite(value)) return;
    const Parameter& parameter = m_type->parameters[index];
    const double clamped =
        std::clamp(value, static_cast<double>(parameter.minimum), static_cast<double>(parameter.maximum));
    const auto i = static_cast<std::size_t>(index);
    m_shape_changed = m_shape_changed || changes_shape(index, clamped);
    m_user[i] = static_cast<float>(clamped);
    if (!std::isnan(m_override[i])) return;
    aim(part_input_count + index, to_kernel(parameter, clamped), frame);
}

void ParameterTable::override_value(int index, double value, std::int64_t frame) noexcept {
    const auto i = static_cast<std::size_t>(index);
    const Parameter& parameter = m_type->parameters[index];
    if (std::isnan(value)) {
        if (std::isnan(m_override[i])) return;
        m_override[i] = std::numeric_limits<float>::quiet_NaN();
        aim(part_input_count + index, to_kernel(parameter, static_cast<double>(m_user[i])), frame);
        return;
    }
    const auto clamped = static_cast<float>(
        std::clamp(value, static_cast<double>(parameter.minimum), static_cast<double>(parameter.maximum)));
    if (m_override[i] == clamped) return;
    m_override[i] = clamped;
    aim(part_input_count + index, to_kernel(parameter, static_cast<double>(clamped)), frame);
}

void ParameterTable::set_input(int input, double value, bool jump) noexcept {
    const auto e = static_cast<std::size_t>(input);
    if (jump) {
        m_target[e] = m_now[e] = value;
        m_storage[static_cast<std::size_t>(m_last * m_entries + input)] = static_cast<float>(value);
        m_changes[m_change_count - 1].version = ++m_version;
        return;
    }
    aim(input, value, m_frame);
}

void ParameterTable::tick(std::int64_t frame) noexcept {
    if (m_moving_count == 0) return;
    float* const table = edit(frame);
    int kept = 0;
    for (int i = 0; i < m_moving_count; ++i) {
        const std::int16_t entry = m_moving[static_cast<std::size_t>(i)];
        const auto e = static_cast<std::size_t>(entry);
        const double gap = m_target[e] - m_now[e];
        // Near enough (in octaves a hundredth of a cent, else a hundred-thousandth) is there.
        if (m_coefficient[e] >= 1.0f || std::fabs(gap) < 1e-5 * std::max(1.0, std::fabs(m_target[e]))) {
            m_now[e] = m_target[e];
            m_is_moving[e] = 0;
            m_shape_stale = true;
        } else {
            m_now[e] += gap * static_cast<double>(m_coefficient[e]);
            m_moving[static_cast<std::size_t>(kept++)] = entry;
        }
        table[entry] = static_cast<float>(m_now[e]);
    }
    m_moving_count = kept;
}

bool ParameterTable::changes_shape(int index, double value) const noexcept {
    if (index < 0 || index >= m_type->parameter_count) return false;
    const float now = m_user[static_cast<std::size_t>(index)];
    return m_coefficient[static_cast<std::size_t>(index + part_input_count)] == 0.0f || (now == 0.0f) != (value == 0.0);
}

const float* ParameterTable::shape_values() noexcept {
    for (std::size_t i = 0; i < m_user.size(); ++i) {
        const bool fading =
            m_user[i] == 0.0f && m_is_moving[i + part_input_count] != 0 && m_type->parameters[i].curve == Curve::linear;
        m_shape[i] = fading ? static_cast<float>(m_now[i + part_input_count]) : m_user[i];
    }
    return m_shape.data();
}

} // namespace tutti::engine
