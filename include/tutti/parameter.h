// SPDX-License-Identifier: MIT
// One row of a parameter table: what a voice type or an effect lets a musician set.
#pragma once

#include <tutti/platform.h>

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

} // namespace tutti
