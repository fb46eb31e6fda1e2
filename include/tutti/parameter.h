// SPDX-License-Identifier: MIT
// One row of a parameter table: what a voice type or an effect lets a musician set; and its values as text and on a knob.
#pragma once

#include <string>
#include <string_view>

#include <tutti/platform.h>
#include <tutti/status.h>

namespace tutti {

enum class Unit : unsigned char {
    none,
    hertz,
    seconds,
    semitones,
    cents,
    octaves,
    decibels,
    percent,
    degrees,
    ratio,
    choice,
    toggle
};

// How the range is walked by a knob and smoothed by the engine. `exponential` needs minimum > 0; the engine then smooths,
// modulates and hands to the recurrences log2(value).
enum class Curve : unsigned char { linear, exponential };

// Aggregate, constexpr, static storage: tables are never copied. From these rows come the plugin's parameters, the patch
// schema, the C interface, the Python binding and the docs.
struct Parameter {
    const char* id = nullptr;    // stable for ever: "cutoff"
    const char* name = nullptr;  // for people: "Cutoff"
    const char* group = nullptr; // "Filter"
    Unit unit = Unit::none;
    float minimum = 0.0f;
    float maximum = 1.0f;
    float fallback = 0.0f; // the default
    Curve curve = Curve::linear;
    float smoothing_seconds = 0.0f; // time constant of a change; 0: at the next tick
    const char* const* choices = nullptr;
    int choice_count = 0;
    bool modulatable = false;
};

// Values are in the parameter's unit; percent is a fraction (0.35 is "35 %"), choice and toggle count from 0.

// Into [minimum, maximum]; whole numbers for choice and toggle; NaN gives the default. [any]
TUTTI_API float clamp_value(const Parameter& parameter, float value) noexcept TUTTI_NONBLOCKING;
// The place of a value on its knob, 0..1 along the curve, and back. [any]
TUTTI_API float normalised_value(const Parameter& parameter, float value) noexcept TUTTI_NONBLOCKING;
TUTTI_API float value_from_normalised(const Parameter& parameter, float place) noexcept TUTTI_NONBLOCKING;
// What is smoothed, modulated and handed to recurrences: log2(value) where the curve is exponential. And back. [any]
TUTTI_API float kernel_value(const Parameter& parameter, float value) noexcept TUTTI_NONBLOCKING;
TUTTI_API float value_from_kernel(const Parameter& parameter, float kernel) noexcept TUTTI_NONBLOCKING;

// "1.2 kHz", "-6.0 dB", "-inf dB" (from -120 dB down), "35 %", "350 ms", a choice's name; the same in every locale. [control]
TUTTI_API std::string value_text(const Parameter& parameter, float value);
// Reads what value_text writes and what people type: the unit may be missing ("1200", "1.2k", "350ms", "on"). A value out of
// range goes to its end. Errors: malformed (not a number of this unit, or no such choice). [control]
TUTTI_API Result<float> value_from_text(const Parameter& parameter, std::string_view text);

} // namespace tutti
