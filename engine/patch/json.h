// SPDX-License-Identifier: MIT
// JSON as a tree that remembers where each value stood, and its text. The library behind it is named in json.cpp alone: its
// header costs seconds a translation unit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <tutti/status.h>

namespace tutti::engine {

inline constexpr std::size_t k_json_bytes = 16u << 20; // largest text
inline constexpr int k_json_depth = 64;                // deepest nesting
inline constexpr std::size_t k_json_values = 200'000;  // most values: bounds the memory a text can ask for

// One value. Objects keep the order of their keys; an object's keys[i] belongs to items[i].
struct Json {
    enum class Kind : unsigned char { null, boolean, integer, natural, number, string, array, object };
    Kind kind = Kind::null;
    bool boolean = false;
    std::int64_t integer = 0;  // integer: below zero
    std::uint64_t natural = 0; // natural: from zero
    double number = 0.0;
    std::string text;
    std::vector<std::string> keys;
    std::vector<Json> items;
    std::size_t offset = 0; // byte after the value's first token, 0 where it was not read from a text

    static Json of(bool value);
    static Json of(double value); // whole numbers are written without a point
    static Json of(std::string_view value);
    static Json of(const char* value) { return of(std::string_view(value)); }
    static Json array();
    static Json object();

    bool is_number() const noexcept { return kind == Kind::integer || kind == Kind::natural || kind == Kind::number; }
    double as_number() const noexcept; // 0 where it is none
    const Json* find(std::string_view key) const noexcept;
    Json& add(std::string_view key, Json value); // the added value
    void push(Json value) { items.push_back(std::move(value)); }
};

// Errors: malformed (syntax, number too large for a double, invalid UTF-8, a key twice in an object, deeper than 64), too_large
// (16 MiB or 200,000 values). `what` begins with `name` ("patch"), line and column. [control]
Result<Json> parse_json(std::string_view text, std::string_view name);

// Two spaces a level; what fits into 110 columns stays on one line. Reading it back and writing it again gives the same bytes.
// Numbers that are not finite become null, invalid UTF-8 becomes U+FFFD. [control]
std::string write_json(const Json& value);

// "line 3, column 14" of a byte. [control]
std::string json_place(std::string_view text, std::size_t offset);

// A file's words inside a message of one line: control characters become "?", beyond 240 bytes "..." follows. [control]
std::string one_line(std::string text);

} // namespace tutti::engine
