// SPDX-License-Identifier: MIT
// A small catalogue of its own: the reader's rules do not depend on what the build holds.
#pragma once

#include "engine/patch/catalog.h"

namespace stub {

inline constexpr const char* k_waves[] = {"saw", "pulse", "triangle", "sine"};
inline constexpr tutti::Parameter k_voice[] = {
    {"wave", "Wave", "Oscillator", tutti::Unit::choice, 0.0f, 3.0f, 0.0f, tutti::Curve::linear, 0.0f, k_waves, 4},
    {"sync", "Sync", "Oscillator", tutti::Unit::toggle, 0.0f, 1.0f, 0.0f},
    {"cutoff", "Cutoff", "Filter", tutti::Unit::hertz, 20.0f, 20000.0f, 2000.0f, tutti::Curve::exponential, 0.01f,
     nullptr, 0, true},
    {"attack", "Attack", "Envelope", tutti::Unit::seconds, 0.001f, 20.0f, 0.01f, tutti::Curve::exponential},
    {"pan", "Pan", "Output", tutti::Unit::none, -1.0f, 1.0f, 0.0f, tutti::Curve::linear, 0.01f, nullptr, 0, true},
};
inline constexpr tutti::Parameter k_delay[] = {
    {"time", "Time", "Delay", tutti::Unit::seconds, 0.001f, 2.0f, 0.3f, tutti::Curve::exponential},
    {"mix", "Mix", "Delay", tutti::Unit::percent, 0.0f, 1.0f, 0.3f},
};

inline const tutti::engine::Catalog& catalog() {
    static const tutti::engine::Catalog all{{{"plain", "Plain", k_voice}}, {{"delay", "Delay", k_delay}}};
    return all;
}

} // namespace stub
