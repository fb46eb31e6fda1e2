// SPDX-License-Identifier: MIT
#include "engine/patch/json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>

#include <nlohmann/json.hpp>

namespace tutti::engine {
namespace {

// Lets the reader know how far the lexer has come: the library itself gives no position with a value.
struct Cursor {
    using iterator_category = std::input_iterator_tag;
    using value_type = char;
    using difference_type = std::ptrdiff_t;
    using pointer = const char*;
    using reference = const char&;

    const char* at = nullptr;
    const char** furthest = nullptr;

    reference operator*() const { return *at; }
    Cursor& operator++() {
        *furthest = ++at;
        return *this;
    }
    Cursor operator++(int) {
        Cursor before = *this;
        ++*this;
        return before;
    }
    bool operator==(const Cursor& other) const { return at == other.at; }
    bool operator!=(const Cursor& other) const { return at != other.at; }
};

// Builds the tree from the library's events. False from any of them ends the reading.
class Reader {
public:
    Reader(std::string_view text, std::string_view name) : m_text(text), m_name(name) {}

    Status read(Json& root) {
        const char* furthest = m_text.data();
        m_furthest = &furthest;
        m_stack.push_back(&root);
        const Cursor begin{m_text.data(), &furthest};
        const Cursor end{m_text.data() + m_text.size(), &furthest};
        nlohmann::json::sax_parse(begin, end, this);
        return m_status;
    }

    bool null() { return put({}) != nullptr; }
    bool boolean(bool value) { return put(Json::of(value)) != nullptr; }
    bool number_integer(std::int64_t value) {
        Json json;
        json.kind = Json::Kind::integer;
        json.integer = value;
        return put(std::move(json), 1) != nullptr;
    }
    bool number_unsigned(std::uint64_t value) {
        Json json;
        json.kind = Json::Kind::natural;
        json.natural = value;
        return put(std::move(json), 1) != nullptr;
    }
    bool number_float(double value, const std::string& raw) {
        if (!std::isfinite(value)) return fail(Code::malformed, here(1), "the number " + raw + " is too large");
        Json json;
        json.kind = Json::Kind::number;
        json.number = value;
        return put(std::move(json), 1) != nullptr;
    }
    bool string(std::string& value) {
        Json json;
        json.kind = Json::Kind::string;
        json.text = std::move(value);
        return put(std::move(json)) != nullptr;
    }
    bool binary(std::vector<std::uint8_t>&) { return fail(Code::malformed, here(), "binary data"); }
    bool key(std::string& name) {
        m_stack.back()->keys.push_back(std::move(name));
        m_key_offsets.back().push_back(here());
        return true;
    }
    bool start_object(std::size_t) { return open(Json::object()); }
    bool start_array(std::size_t) { return open(Json::array()); }
    bool end_object() {
        const std::vector<std::string>& keys = m_stack.back()->keys;
        std::vector<std::size_t> order(keys.size());
        for (std::size_t i = 0; i < order.size(); ++i)
            order[i] = i;
        std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return keys[a] < keys[b]; });
        for (std::size_t i = 1; i < order.size(); ++i)
            if (keys[order[i]] == keys[order[i - 1]])
                return fail(Code::malformed, m_key_offsets.back()[order[i]],
                            "the key \"" + keys[order[i]] + "\" stands twice in one object");
        return close();
    }
    bool end_array() { return close(); }

    template <class Exception>
    bool parse_error(std::size_t, const std::string&, const Exception& error) {
        // "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error ...": our own words lead.
        std::string reason = error.what();
        for (const char* mark : {"column ", "] "}) {
            const std::size_t found = reason.find(mark);
            if (found == std::string::npos) continue;
            const std::size_t colon = reason.find(": ", found);
            reason.erase(0, mark[0] == 'c' && colon != std::string::npos ? colon + 2 : found + 2);
            break;
        }
        return fail(Code::malformed, here(), reason);
    }

private:
    // `behind`: bytes that the lexer has read beyond the value (a number ends where something else begins).
    std::size_t here(std::size_t behind = 0) const {
        const std::size_t offset = static_cast<std::size_t>(*m_furthest - m_text.data());
        const bool beyond = offset < m_text.size() || (behind != 0 && offset > 0 && !is_digit(m_text[offset - 1]));
        return beyond && offset >= behind ? offset - behind : offset;
    }
    static bool is_digit(char c) { return c >= '0' && c <= '9'; }

    bool fail(Code code, std::size_t offset, const std::string& reason) {
        if (m_status.ok())
            m_status =
                Status(code, std::string(m_name) + ", " + json_place(m_text, offset) + ": " + one_line(reason),
                       "nothing was loaded", code == Code::too_large ? "give a smaller file" : "correct it there");
        return false;
    }

    Json* put(Json value, std::size_t behind = 0) {
        if (++m_count > k_json_values) {
            fail(Code::too_large, here(behind), "more than 200,000 values");
            return nullptr;
        }
        value.offset = here(behind);
        Json* parent = m_stack.back();
        if (m_stack.size() == 1) {
            *parent = std::move(value);
            return parent;
        }
        parent->items.push_back(std::move(value));
        return &parent->items.back();
    }

    bool open(Json value) {
        if (m_stack.size() > static_cast<std::size_t>(k_json_depth))
            return fail(Code::malformed, here(), "nested deeper than 64 levels");
        Json* placed = put(std::move(value));
        if (!placed) return false;
        m_stack.push_back(placed);
        m_key_offsets.emplace_back();
        return true;
    }
    bool close() {
        m_stack.pop_back();
        m_key_offsets.pop_back();
        return true;
    }

    std::string_view m_text;
    std::string_view m_name;
    const char** m_furthest = nullptr;
    std::vector<Json*> m_stack; // what is open; a parent grows only while its children are closed
    std::vector<std::vector<std::size_t>> m_key_offsets;
    std::size_t m_count = 0;
    Status m_status;
};

// Length of the valid UTF-8 sequence at `at`, 0 where there is none (Unicode 15, table 3-7).
std::size_t sequence_length(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) {
        return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0u;
    };
    const unsigned first = byte(0);
    if (first < 0x80) return 1;
    const std::size_t length = first >= 0xc2 && first <= 0xdf   ? 2
                               : first >= 0xe0 && first <= 0xef ? 3
                               : first >= 0xf0 && first <= 0xf4 ? 4
                                                                : 0;
    const unsigned low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    const unsigned high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    for (std::size_t i = 1; i < length; ++i)
        if (byte(i) < (i == 1 ? low : 0x80u) || byte(i) > (i == 1 ? high : 0xbfu)) return 0;
    return length;
}

void write_string(std::string_view value, std::string& out) {
    static const char* const k_hex = "0123456789abcdef";
    out += '"';
    for (std::size_t i = 0; i < value.size();) {
        const char c = value[i];
        const std::size_t length = sequence_length(value, i);
        if (length == 0) {
            out += "\xef\xbf\xbd";
            ++i;
            continue;
        }
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (c == '\n') {
            out += "\\n";
        } else if (c == '\t') {
            out += "\\t";
        } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            out += "\\u00";
            out += k_hex[static_cast<unsigned char>(c) >> 4];
            out += k_hex[c & 15];
        } else {
            out.append(value.substr(i, length));
        }
        i += length;
    }
    out += '"';
}

template <class Number>
void write_number(Number value, std::string& out) {
    char digits[40];
    const std::to_chars_result end = std::to_chars(digits, digits + sizeof digits, value);
    out.append(digits, end.ptr);
}

void write_line(const Json& value, std::string& out) {
    switch (value.kind) {
    case Json::Kind::null:
        out += "null";
        break;
    case Json::Kind::boolean:
        out += value.boolean ? "true" : "false";
        break;
    case Json::Kind::integer:
        write_number(value.integer, out);
        break;
    case Json::Kind::natural:
        write_number(value.natural, out);
        break;
    case Json::Kind::number:
        if (std::isfinite(value.number))
            write_number(value.number == 0.0 ? 0.0 : value.number, out); // no "-0"
        else
            out += "null";
        break;
    case Json::Kind::string:
        write_string(value.text, out);
        break;
    case Json::Kind::array:
    case Json::Kind::object: {
        const bool named = value.kind == Json::Kind::object;
        out += named ? '{' : '[';
        for (std::size_t i = 0; i < value.items.size(); ++i) {
            out += i > 0 ? ", " : named ? " " : "";
            if (named) {
                write_string(value.keys[i], out);
                out += ": ";
            }
            write_line(value.items[i], out);
        }
        out += named ? (value.items.empty() ? "}" : " }") : "]";
        break;
    }
    }
}

void write_value(const Json& value, std::size_t indent, std::size_t used, std::string& out) {
    constexpr std::size_t k_columns = 110;
    const bool whole_file = indent == 0 && value.kind == Json::Kind::object && !value.items.empty();
    std::string line;
    write_line(value, line);
    if (!whole_file && (value.items.empty() || indent + used + line.size() <= k_columns)) {
        out += line;
        return;
    }
    const bool named = value.kind == Json::Kind::object;
    out += named ? "{\n" : "[\n";
    for (std::size_t i = 0; i < value.items.size(); ++i) {
        out.append(indent + 2, ' ');
        const std::size_t start = out.size();
        if (named) {
            write_string(value.keys[i], out);
            out += ": ";
        }
        write_value(value.items[i], indent + 2, out.size() - start + 1, out);
        out += i + 1 < value.items.size() ? ",\n" : "\n";
    }
    out.append(indent, ' ');
    out += named ? '}' : ']';
}

} // namespace

Json Json::of(bool value) {
    Json json;
    json.kind = Kind::boolean;
    json.boolean = value;
    return json;
}

Json Json::of(double value) {
    Json json;
    json.kind = Kind::number;
    json.number = value;
    return json;
}

Json Json::of(std::string_view value) {
    Json json;
    json.kind = Kind::string;
    json.text = value;
    return json;
}

Json Json::array() {
    Json json;
    json.kind = Kind::array;
    return json;
}

Json Json::object() {
    Json json;
    json.kind = Kind::object;
    return json;
}

double Json::as_number() const noexcept {
    switch (kind) {
    case Kind::integer:
        return static_cast<double>(integer);
    case Kind::natural:
        return static_cast<double>(natural);
    case Kind::number:
        return number;
    default:
        return 0.0;
    }
}

const Json* Json::find(std::string_view key) const noexcept {
    for (std::size_t i = 0; i < keys.size() && i < items.size(); ++i)
        if (keys[i] == key) return &items[i];
    return nullptr;
}

Json& Json::add(std::string_view key, Json value) {
    keys.emplace_back(key);
    items.push_back(std::move(value));
    return items.back();
}

Result<Json> parse_json(std::string_view text, std::string_view name) {
    if (text.size() > k_json_bytes)
        return Status(Code::too_large,
                      std::string(name) + " has " + std::to_string(text.size()) + " bytes, more than 16 MiB",
                      "nothing was loaded", "give a smaller file");
    Json root;
    Status status = Reader(text, name).read(root);
    if (!status.ok()) return status;
    return root;
}

std::string write_json(const Json& value) {
    std::string out;
    write_value(value, 0, 0, out);
    out += '\n';
    return out;
}

std::string json_place(std::string_view text, std::size_t offset) {
    const std::string_view before = text.substr(0, offset > 0 ? offset - 1 : 0);
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    const std::size_t start = before.rfind('\n');
    const std::size_t column = start == std::string_view::npos ? before.size() + 1 : before.size() - start;
    return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

std::string one_line(std::string text) {
    constexpr std::size_t k_longest = 240;
    if (text.size() > k_longest) {
        std::size_t end = k_longest;
        while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
            --end; // not inside a UTF-8 sequence
        text.resize(end);
        text += "...";
    }
    for (char& c : text)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
    return text;
}

} // namespace tutti::engine
