// SPDX-License-Identifier: MIT
#include <clocale>
#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include <tutti/parameter.h>

#include "engine/effects/effect.h"

using namespace tutti;

namespace {

constexpr const char* k_shapes[] = {"saw", "pulse", "Sine"};

constexpr Parameter with(Unit unit, float low, float high, float fallback, Curve curve = Curve::linear) {
    return {"x", "X", "Test", unit, low, high, fallback, curve, 0.0f, nullptr, 0, false};
}
constexpr Parameter k_hertz = with(Unit::hertz, 20.0f, 20000.0f, 1000.0f, Curve::exponential);
constexpr Parameter k_decibels = with(Unit::decibels, -144.0f, 12.0f, 0.0f);
constexpr Parameter k_percent = with(Unit::percent, -1.0f, 1.0f, 0.0f);
constexpr Parameter k_seconds = with(Unit::seconds, 0.0f, 30.0f, 1.0f);
constexpr Parameter k_ratio = with(Unit::ratio, 1.0f, 20.0f, 2.0f, Curve::exponential);
constexpr Parameter k_toggle = with(Unit::toggle, 0.0f, 1.0f, 0.0f);
constexpr Parameter k_choice = {"s",  "Shape",       "Test", Unit::choice, 0.0f, 2.0f,
                                0.0f, Curve::linear, 0.0f,   k_shapes,     3,    false};

} // namespace

TEST_CASE("values as text") {
    CHECK(value_text(k_hertz, 1200.0f) == "1.2 kHz");
    CHECK(value_text(k_hertz, 1000.0f) == "1.0 kHz");
    CHECK(value_text(k_hertz, 12345.0f) == "12.3 kHz");
    CHECK(value_text(k_hertz, 440.0f) == "440 Hz");
    CHECK(value_text(k_hertz, 55.5f) == "55.5 Hz");
    CHECK(value_text(k_hertz, 999.7f) == "1.0 kHz");
    CHECK(value_text(k_decibels, -6.0f) == "-6.0 dB");
    CHECK(value_text(k_decibels, -0.01f) == "0.0 dB");
    CHECK(value_text(k_decibels, -144.0f) == "-inf dB");
    CHECK(value_text(k_percent, 0.35f) == "35 %");
    CHECK(value_text(k_percent, -0.355f) == "-35.5 %");
    CHECK(value_text(k_seconds, 0.35f) == "350 ms");
    CHECK(value_text(k_seconds, 0.0052f) == "5.2 ms");
    CHECK(value_text(k_seconds, 2.6f) == "2.6 s");
    CHECK(value_text(k_seconds, 0.9999f) == "1.0 s");
    CHECK(value_text(k_ratio, 2.5f) == "2.5:1");
    CHECK(value_text(k_toggle, 1.0f) == "on");
    CHECK(value_text(k_choice, 2.0f) == "Sine");
    CHECK(value_text(with(Unit::semitones, -24.0f, 24.0f, 0.0f), -7.0f) == "-7.0 st");
}

TEST_CASE("text as values: with unit, without, and what people type") {
    CHECK(value_from_text(k_hertz, "1.2 kHz").value() == doctest::Approx(1200.0));
    CHECK(value_from_text(k_hertz, " 1.2k ").value() == doctest::Approx(1200.0));
    CHECK(value_from_text(k_hertz, "440").value() == 440.0f);
    CHECK(value_from_text(k_hertz, "1e9").ok() == false);
    CHECK(value_from_text(k_hertz, "999999").value() == 20000.0f);
    CHECK(value_from_text(k_decibels, "-inf dB").value() == -144.0f);
    CHECK(value_from_text(k_decibels, "+3").value() == 3.0f);
    CHECK(value_from_text(k_percent, "35 %").value() == doctest::Approx(0.35));
    CHECK(value_from_text(k_percent, "35").value() == doctest::Approx(0.35));
    CHECK(value_from_text(k_seconds, "350ms").value() == doctest::Approx(0.35));
    CHECK(value_from_text(k_toggle, "ON").value() == 1.0f);
    CHECK(value_from_text(k_choice, "sine").value() == 2.0f);
    for (const char* bad : {"", "loud", "3 furlongs", "-", ".", "12 Hz Hz", "nan", "0x10"})
        CHECK(value_from_text(k_seconds, bad).status().code() == Code::malformed);
    CHECK(value_from_text(k_choice, "noise").status().remedy() == "give one of saw, pulse, Sine");
}

TEST_CASE("text and value agree for every row of every effect, within the digits shown, in any locale") {
    // A locale with a decimal comma where the machine has one; the check holds either way.
    const bool comma = std::setlocale(LC_ALL, "de_DE.UTF-8") != nullptr;
    MESSAGE("decimal comma in force: " << comma);
    for (const engine::EffectType& type : engine::effect_types())
        for (int i = 0; i < type.parameter_count; ++i) {
            const Parameter& row = type.parameters[i];
            CAPTURE(type.id);
            CAPTURE(row.id);
            for (int step = 0; step <= 40; ++step) {
                const float value = value_from_normalised(row, static_cast<float>(step) / 40.0f);
                const std::string text = value_text(row, value);
                CAPTURE(text);
                const auto back = value_from_text(row, text);
                REQUIRE(back.ok());
                // Three digits are 0.5 %; dB and per cent have one decimal, milliseconds three: 0.5 microseconds.
                const float digits = row.unit == Unit::decibels  ? 0.051f
                                     : row.unit == Unit::percent ? 0.00051f
                                                                 : 0.0051f * std::fabs(value) + 6e-7f;
                CHECK(std::fabs(back.value() - value) <= digits);
                CHECK(value_text(row, back.value()) == text);
            }
        }
    std::setlocale(LC_ALL, "C");
}

TEST_CASE("knob places") {
    CHECK(normalised_value(k_hertz, 20.0f) == 0.0f);
    CHECK(normalised_value(k_hertz, 20000.0f) == 1.0f);
    // The geometric mean is the middle of an exponential knob.
    CHECK(value_from_normalised(k_hertz, 0.5f) == doctest::Approx(std::sqrt(20.0 * 20000.0)).epsilon(1e-5));
    CHECK(value_from_normalised(k_hertz, 1.0f) == 20000.0f);
    CHECK(value_from_normalised(k_percent, 0.25f) == -0.5f);
    CHECK(value_from_normalised(k_choice, 0.5f) == 1.0f);
    for (int i = 0; i <= 100; ++i) {
        const float place = static_cast<float>(i) / 100.0f;
        CHECK(normalised_value(k_hertz, value_from_normalised(k_hertz, place)) == doctest::Approx(place).epsilon(1e-5));
    }
}

TEST_CASE("clamping: into the range, whole numbers for choices, NaN to the default") {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    CHECK(clamp_value(k_hertz, 5.0f) == 20.0f);
    CHECK(clamp_value(k_hertz, std::numeric_limits<float>::infinity()) == 20000.0f);
    CHECK(clamp_value(k_hertz, nan) == 1000.0f);
    CHECK(clamp_value(k_choice, 1.4f) == 1.0f);
    CHECK(value_from_normalised(k_hertz, nan) == 1000.0f);
    CHECK(kernel_value(k_hertz, 1024.0f) == 10.0f);
    CHECK(value_from_kernel(k_hertz, 10.0f) == 1024.0f);
    CHECK(kernel_value(k_percent, 0.3f) == 0.3f);
}
