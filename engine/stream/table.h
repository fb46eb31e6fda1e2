// SPDX-License-Identifier: MIT
// The parameter table of one patch instance: part inputs and parameters, smoothed at ticks in kernel units.
#pragma once

#include <cstdint>

#include "engine/backend.h"
#include "engine/memory/memory.h"

namespace tutti::engine {

// log2 where the curve is exponential. [any]
double to_kernel(const Parameter& parameter, double value) noexcept;

class ParameterTable {
public:
    // `values`: one a parameter, in the parameter's unit. [control]
    void prepare(const voices::VoiceType& type, const float* values, double sample_rate);

    // [render]
    void begin_step(std::int64_t frame) noexcept;
    // Parameter `index` takes `value` (clamped; not finite: refused) on `frame`, or from the next tick where it is smoothed.
    void set(int index, double value, std::int64_t frame) noexcept;
    // A rate that the tempo drives: set() changes what is heard only once the override is lifted (not a number). [render]
    void override_value(int index, double value, std::int64_t frame) noexcept;
    // Part input `input` moves to `value` from the next tick; at once where `jump`. [render]
    void set_input(int input, double value, bool jump = false) noexcept;
    // Smooths; `frame` is a tick. [render]
    void tick(std::int64_t frame) noexcept;

    // True where setting this parameter may change the patch's shape inside a step. [render]
    bool changes_shape(int index, double value) const noexcept;
    // Values for the shape: a parameter on its way to zero counts as not zero yet. [render]
    const float* shape_values() noexcept;
    // A change that ended a step early: the shape is taken anew at once. One that smoothing completed waits for the next
    // multiple of 64, so that it falls on the same frame however pulls are cut.
    bool shape_changed() const noexcept { return m_shape_changed; }
    bool shape_stale() const noexcept { return m_shape_stale || m_shape_changed; }
    void shape_taken() noexcept { m_shape_stale = m_shape_changed = false; }

    const float* values() const noexcept { return m_user.data(); } // as set, in the parameters' units
    const TableChange* changes() const noexcept { return m_changes; }
    int change_count() const noexcept { return m_change_count; }
    bool crowded() const noexcept { return m_change_count >= k_changes - 1; }
    bool moving() const noexcept { return m_moving_count > 0; }
    bool still() const noexcept { return m_moving_count == 0 && !m_shape_changed; } // a tick changes nothing

private:
    static constexpr int k_changes = 8; // of one step; a step ends early where there would be more
    float* edit(std::int64_t frame) noexcept;
    void aim(int entry, double target, std::int64_t frame) noexcept;
    void settle(int entry, double value) noexcept;

    const voices::VoiceType* m_type = nullptr;
    int m_entries = 0;
    Vector<double> m_target, m_now; // [entry], kernel units
    Vector<float> m_coefficient;    // [entry], share of the way at a tick; 1: the whole; 0: on the event's own frame
    Vector<std::int16_t> m_moving;  // entries on their way
    Vector<std::uint8_t> m_is_moving;
    Vector<float> m_user, m_override, m_shape; // [parameter]
    Vector<float> m_storage;                   // [k_changes][entry]
    TableChange m_changes[k_changes];
    int m_change_count = 0;
    int m_moving_count = 0;
    int m_last = 0; // storage of the table in effect
    std::uint32_t m_version = 1;
    std::int64_t m_frame = 0;
    bool m_shape_stale = false;
    bool m_shape_changed = false;
};

} // namespace tutti::engine
