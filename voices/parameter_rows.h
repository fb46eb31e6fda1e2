// SPDX-License-Identifier: MIT
// Rows of parameter tables that several voice types share: builders, LFO rows, the ADSR's plan.
#pragma once

#include "voices/lfo.h"
#include "voices/voice_type.h"

namespace tutti::voices {

inline constexpr const char* k_lfo_waves[] = {"sine", "triangle", "saw_up", "saw_down", "square", "hold", "smooth"};
inline constexpr const char* k_lfo_syncs[] = {"off",  "4/1", "2/1",  "1/1",  "1/2",  "1/4",
                                              "1/4.", "1/8", "1/8.", "1/16", "1/8t", "1/32"};
inline constexpr const char* k_lfo_triggers[] = {"free", "note"};

inline constexpr float k_smooth = 0.01f; // seconds: what a knob's step is spread over

constexpr Parameter choice(const char* id, const char* name, const char* group, const char* const* choices, int count,
                           int fallback = 0) {
    return {id,
            name,
            group,
            Unit::choice,
            0.0f,
            static_cast<float>(count - 1),
            static_cast<float>(fallback),
            Curve::linear,
            0.0f,
            choices,
            count,
            false};
}
constexpr Parameter linear(const char* id, const char* name, const char* group, Unit unit, float least, float most,
                           float fallback, bool modulatable = true, float smoothing = k_smooth) {
    return {id, name, group, unit, least, most, fallback, Curve::linear, smoothing, nullptr, 0, modulatable};
}
constexpr Parameter exponential(const char* id, const char* name, const char* group, Unit unit, float least, float most,
                                float fallback, bool modulatable, float smoothing = 0.0f) {
    return {id, name, group, unit, least, most, fallback, Curve::exponential, smoothing, nullptr, 0, modulatable};
}

// The seven rows of an LFO in the order of LfoParameter: ID "lfo1", GROUP "LFO 1", RATE in Hz.
#define TUTTI_LFO_ROWS(ID, GROUP, RATE)                                                                                \
    choice(ID "_wave", "Wave", GROUP, k_lfo_waves, 7),                                                                 \
        exponential(ID "_rate", "Rate", GROUP, Unit::hertz, 0.01f, 100, RATE, true, k_smooth),                         \
        choice(ID "_sync", "Sync", GROUP, k_lfo_syncs, k_lfo_sync_count),                                              \
        choice(ID "_trigger", "Trigger", GROUP, k_lfo_triggers, 2),                                                    \
        linear(ID "_phase", "Phase", GROUP, Unit::percent, 0, 1, 0, false, 0),                                         \
        linear(ID "_delay", "Delay", GROUP, Unit::seconds, 0, 10, 0, false, 0),                                        \
        linear(ID "_fade", "Fade-in", GROUP, Unit::seconds, 0, 10, 0, false, 0)

// Attack rises on a gentle curve, decay and release fall exponentially: as circuits do. `values` from `attack` on: attack,
// decay, sustain, release, curve. [render]
inline void adsr_plan(const float* values, int attack, EnvelopePlan& plan) noexcept {
    const float curve = values[attack + 4], sustain = values[attack + 2];
    plan = {};
    plan.stages[0] = {values[attack], 1.0f, curve * 0.2f};
    plan.stages[1] = {values[attack + 1], sustain, curve};
    plan.stages[2] = {values[attack + 3], 0.0f, curve};
    plan.count = 3;
    plan.sustain = 1;
}

} // namespace tutti::voices
