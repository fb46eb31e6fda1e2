// SPDX-License-Identifier: MIT
#include <tutti/parameter.h>

#include <cmath>
#include <cstdint>
#include <limits>

namespace tutti {
namespace {

constexpr float k_silent_db = -120.0f;

bool stepped(const Parameter& parameter) noexcept {
    return parameter.unit == Unit::choice || parameter.unit == Unit::toggle;
}

// Fixed-point digits by integers: printf and streams follow the locale.
std::string decimal(double value, int places) {
    double scale = 1.0;
    for (int i = 0; i < places; ++i)
        scale *= 10.0;
    std::int64_t scaled = std::llround(std::fabs(value) * scale);
    std::string digits = std::to_string(scaled);
    if (places > 0) {
        if (static_cast<int>(digits.size()) <= places)
            digits.insert(0, static_cast<std::size_t>(places) + 1 - digits.size(), '0');
        digits.insert(digits.size() - static_cast<std::size_t>(places), 1, '.');
    }
    return (value < 0.0 && scaled != 0 ? "-" : "") + digits;
}

// At least three significant digits, trailing zeros removed down to `keep` places.
std::string rounded(double value, int keep) {
    const double size = std::fabs(value);
    std::string text = decimal(value, size < 0.1 ? 4 : size < 1.0 ? 3 : size < 10.0 ? 2 : size < 100.0 ? 1 : 0);
    const std::size_t point = text.find('.');
    if (point == std::string::npos) return keep > 0 ? text + ".0" : text;
    while (text.size() > point + 1 + static_cast<std::size_t>(keep) && text.back() == '0')
        text.pop_back();
    if (text.back() == '.') text.pop_back();
    return text;
}

const char* suffix(Unit unit) noexcept {
    switch (unit) {
    case Unit::semitones:
        return " st";
    case Unit::cents:
        return " ct";
    case Unit::octaves:
        return " oct";
    case Unit::degrees:
        return " deg";
    case Unit::ratio:
        return ":1";
    default:
        return "";
    }
}

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same(std::string_view a, std::string_view b) noexcept {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (lower(a[i]) != lower(b[i])) return false;
    return true;
}

std::string_view trimmed(std::string_view text) noexcept {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
        text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
        text.remove_suffix(1);
    return text;
}

// Takes the number off the front of `text`; strtod follows the locale, and from_chars for float is missing in libc++ 14.
bool take_number(std::string_view& text, double& value) noexcept {
    std::size_t i = 0;
    const bool minus = i < text.size() && text[i] == '-';
    if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
    if (same(text.substr(i, 3), "inf")) {
        value = minus ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
        text.remove_prefix(i + 3);
        return true;
    }
    double sum = 0.0;
    double place = 1.0;
    int digits = 0;
    bool point = false;
    for (; i < text.size() && digits < 40; ++i) {
        if (text[i] == '.' && !point) {
            point = true;
            continue;
        }
        if (text[i] < '0' || text[i] > '9') break;
        sum = sum * 10.0 + (text[i] - '0');
        if (point) place *= 10.0;
        ++digits;
    }
    if (digits == 0) return false;
    value = (minus ? -sum : sum) / place;
    text.remove_prefix(i);
    return true;
}

struct Scale {
    Unit unit;
    const char* word;
    double factor;
};
constexpr Scale k_scales[] = {
    {Unit::hertz, "hz", 1.0},        {Unit::hertz, "khz", 1000.0},   {Unit::hertz, "k", 1000.0},
    {Unit::seconds, "s", 1.0},       {Unit::seconds, "ms", 1e-3},    {Unit::decibels, "db", 1.0},
    {Unit::percent, "%", 1e-2},      {Unit::semitones, "st", 1.0},   {Unit::cents, "ct", 1.0},
    {Unit::octaves, "oct", 1.0},     {Unit::degrees, "deg", 1.0},    {Unit::ratio, ":1", 1.0},
    {Unit::semitones, "semi", 1.0},  {Unit::cents, "cents", 1.0},    {Unit::semitones, "semitones", 1.0},
    {Unit::octaves, "octaves", 1.0}, {Unit::degrees, "degrees", 1.0}};

} // namespace

float clamp_value(const Parameter& parameter, float value) noexcept {
    if (!(value == value)) return parameter.fallback;
    if (stepped(parameter)) value = std::floor(value + 0.5f);
    return value < parameter.minimum ? parameter.minimum : value > parameter.maximum ? parameter.maximum : value;
}

float kernel_value(const Parameter& parameter, float value) noexcept {
    return parameter.curve == Curve::exponential ? std::log2(value) : value;
}

float value_from_kernel(const Parameter& parameter, float kernel) noexcept {
    return parameter.curve == Curve::exponential ? std::exp2(kernel) : kernel;
}

float normalised_value(const Parameter& parameter, float value) noexcept {
    const float low = kernel_value(parameter, parameter.minimum);
    const float high = kernel_value(parameter, parameter.maximum);
    return high > low ? (kernel_value(parameter, clamp_value(parameter, value)) - low) / (high - low) : 0.0f;
}

float value_from_normalised(const Parameter& parameter, float place) noexcept {
    if (!(place == place)) return parameter.fallback;
    if (place <= 0.0f) return parameter.minimum; // the ends are exact, whatever exp2 rounds to
    if (place >= 1.0f) return parameter.maximum;
    const float low = kernel_value(parameter, parameter.minimum);
    const float high = kernel_value(parameter, parameter.maximum);
    return clamp_value(parameter, value_from_kernel(parameter, low + (high - low) * place));
}

std::string value_text(const Parameter& parameter, float value) {
    value = clamp_value(parameter, value);
    switch (parameter.unit) {
    case Unit::toggle:
        return value >= 0.5f ? "on" : "off";
    case Unit::choice: {
        const int index = static_cast<int>(value);
        return index >= 0 && index < parameter.choice_count ? parameter.choices[index] : decimal(value, 0);
    }
    case Unit::hertz:
        // 999.5 Hz and above would round to "1000 Hz".
        if (value >= 999.5f) return rounded(value / 1000.0, 1) + " kHz";
        return rounded(value, 0) + " Hz";
    case Unit::seconds:
        if (value >= 0.9995f) return rounded(value, 1) + " s";
        return rounded(value * 1000.0, 0) + " ms";
    case Unit::decibels:
        return value <= k_silent_db ? "-inf dB" : decimal(value, 1) + " dB";
    case Unit::percent: {
        std::string text = decimal(value * 100.0, 1);
        if (text.size() > 2 && text.substr(text.size() - 2) == ".0") text.erase(text.size() - 2);
        return text + " %";
    }
    default:
        // What counts (voices, an algorithm) is written without a decimal place.
        return rounded(value, parameter.unit == Unit::none ? 0 : 1) + suffix(parameter.unit);
    }
}

Result<float> value_from_text(const Parameter& parameter, std::string_view text) {
    const std::string_view given = trimmed(text);
    const auto wrong = [&](const std::string& remedy) {
        std::string what(1, '"');
        what.append(given).append("\" is no value for ").append(parameter.name);
        return Status(Code::malformed, what, "the parameter keeps its value", remedy);
    };
    if (parameter.unit == Unit::toggle) {
        for (const char* word : {"on", "true", "yes", "1"})
            if (same(given, word)) return 1.0f;
        for (const char* word : {"off", "false", "no", "0"})
            if (same(given, word)) return 0.0f;
        return wrong("give on or off");
    }
    if (parameter.unit == Unit::choice) {
        std::string all;
        for (int i = 0; i < parameter.choice_count; ++i) {
            if (same(given, parameter.choices[i])) return static_cast<float>(i);
            all += (i ? ", " : "") + std::string(parameter.choices[i]);
        }
        return wrong("give one of " + all);
    }
    std::string_view rest = given;
    double value = 0.0;
    if (!take_number(rest, value)) return wrong("give a number such as " + value_text(parameter, parameter.fallback));
    rest = trimmed(rest);
    if (!rest.empty()) {
        double factor = 0.0;
        for (const Scale& scale : k_scales)
            if (scale.unit == parameter.unit && same(rest, scale.word)) factor = scale.factor;
        if (factor == 0.0) return wrong("give a number such as " + value_text(parameter, parameter.fallback));
        value *= factor;
    } else if (parameter.unit == Unit::percent) {
        value *= 1e-2;
    }
    return clamp_value(parameter, static_cast<float>(value));
}

} // namespace tutti
