// SPDX-License-Identifier: MIT
// Walks through JSON text from value to value and asks nobody for memory. RFC 8259; nesting at most 64.
#pragma once

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <system_error>

namespace tutti::engine {

// Every read moves on; after the first failure nothing moves any more and ok() stays false.
class JsonText {
public:
    enum class Kind : unsigned char { none, null, truth, number, string, array, object };
    // A string's value with its escapes resolved; what is longer than any of our names is cut and compares unequal.
    struct Name {
        char text[96];
        std::size_t size = 0;
        bool cut = false;
        std::string_view view() const noexcept { return cut ? std::string_view("\xff") : std::string_view(text, size); }
    };

    explicit JsonText(std::string_view text) noexcept : m_text(text) {}

    bool ok() const noexcept { return m_ok; }
    std::size_t place() const noexcept { return m_at; }
    int line() const noexcept {
        int line = 1;
        for (std::size_t i = 0; i < m_at && i < m_text.size(); ++i)
            line += m_text[i] == '\n' ? 1 : 0;
        return line;
    }
    bool fail() noexcept {
        m_ok = false;
        return false;
    }

    // Of the value that comes next.
    Kind kind() noexcept {
        blanks();
        switch (peek()) {
        case '{':
            return Kind::object;
        case '[':
            return Kind::array;
        case '"':
            return Kind::string;
        case 't':
        case 'f':
            return Kind::truth;
        case 'n':
            return Kind::null;
        default:
            return peek() == '-' || (peek() >= '0' && peek() <= '9') ? Kind::number : Kind::none;
        }
    }

    // visit(std::string_view key) must read the value, or skip() it.
    template <class Visit>
    bool object(Visit&& visit) noexcept {
        if (!enter('{')) return false;
        for (bool first = true; m_ok; first = false) {
            blanks();
            if (first && take('}')) return leave();
            Name key;
            if (!string(key) || (blanks(), !take(':'))) return fail();
            visit(key.view());
            blanks();
            if (take('}')) return leave();
            if (!take(',')) return fail();
        }
        return false;
    }
    template <class Visit>
    bool array(Visit&& visit) noexcept {
        if (!enter('[')) return false;
        for (bool first = true; m_ok; first = false) {
            blanks();
            if (first && take(']')) return leave();
            visit();
            blanks();
            if (take(']')) return leave();
            if (!take(',')) return fail();
        }
        return false;
    }

    bool string(Name& name) noexcept {
        blanks();
        name.size = 0;
        name.cut = false;
        if (!m_ok || !take('"')) return fail();
        while (m_at < m_text.size()) {
            const char c = m_text[m_at++];
            if (c == '"') return true;
            if (static_cast<unsigned char>(c) < 0x20) return fail();
            if (c != '\\')
                put(name, c);
            else if (!escape(name))
                return fail();
        }
        return fail();
    }

    bool number(double& value) noexcept {
        blanks();
        if (!m_ok || kind() != Kind::number) return fail();
        const std::size_t begin = m_at;
        if (peek() == '-') ++m_at;
        // RFC 8259 has no leading zeros; from_chars would take them.
        const bool zero = peek() == '0';
        const int whole = digits();
        if (whole == 0 || (zero && whole > 1)) return fail();
        if (take('.') && digits() == 0) return fail();
        if (peek() == 'e' || peek() == 'E') {
            ++m_at;
            if (peek() == '+' || peek() == '-') ++m_at;
            if (digits() == 0) return fail();
        }
        value = 0.0;
        const auto read = std::from_chars(m_text.data() + begin, m_text.data() + m_at, value);
        // Too small for a double is 0; too large is refused.
        if (read.ec == std::errc::result_out_of_range) {
            if (!tiny(m_text.substr(begin, m_at - begin))) return fail();
            value = 0.0;
        }
        return std::isfinite(value) || fail();
    }

    bool truth(bool& value) noexcept {
        blanks();
        value = peek() == 't';
        return word(value ? "true" : "false");
    }

    // Any value, unread.
    bool skip() noexcept {
        Name name;
        double value;
        bool flag;
        switch (kind()) {
        case Kind::object:
            return object([this](std::string_view) noexcept { skip(); });
        case Kind::array:
            return array([this]() noexcept { skip(); });
        case Kind::string:
            return string(name);
        case Kind::number:
            return number(value);
        case Kind::truth:
            return truth(flag);
        case Kind::null:
            return word("null");
        default:
            return fail();
        }
    }
    // Nothing but blanks is left.
    bool end() noexcept {
        blanks();
        return m_ok && (m_at == m_text.size() || fail());
    }

private:
    static constexpr int k_deepest = 64;
    char peek() const noexcept { return m_at < m_text.size() ? m_text[m_at] : '\0'; }
    bool take(char c) noexcept {
        if (!m_ok || peek() != c || m_at >= m_text.size()) return false;
        ++m_at;
        return true;
    }
    void blanks() noexcept {
        while (m_at < m_text.size() &&
               (m_text[m_at] == ' ' || m_text[m_at] == '\n' || m_text[m_at] == '\r' || m_text[m_at] == '\t'))
            ++m_at;
    }
    bool enter(char c) noexcept {
        blanks();
        return take(c) && ++m_depth <= k_deepest ? true : fail();
    }
    bool leave() noexcept {
        --m_depth;
        return m_ok;
    }
    int digits() noexcept {
        int count = 0;
        for (; peek() >= '0' && peek() <= '9'; ++m_at)
            ++count;
        return count;
    }
    bool word(std::string_view what) noexcept {
        if (!m_ok || m_text.substr(m_at, what.size()) != what) return fail();
        m_at += what.size();
        return true;
    }
    static bool tiny(std::string_view number) noexcept {
        const std::size_t exponent = number.find_first_of("eE");
        if (exponent != std::string_view::npos) return number[exponent + 1] == '-';
        return number.find('.') != std::string_view::npos && number.find_first_of("123456789") > number.find('.');
    }
    static void put(Name& name, char c) noexcept {
        if (name.size < sizeof name.text)
            name.text[name.size++] = c;
        else
            name.cut = true;
    }
    bool hex(std::uint32_t& value) noexcept {
        value = 0;
        for (int i = 0; i < 4; ++i, ++m_at) {
            const char c = peek();
            const int digit = c >= '0' && c <= '9'   ? c - '0'
                              : c >= 'a' && c <= 'f' ? c - 'a' + 10
                              : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                     : -1;
            if (digit < 0) return false;
            value = value * 16 + static_cast<std::uint32_t>(digit);
        }
        return true;
    }
    bool escape(Name& name) noexcept {
        if (m_at >= m_text.size()) return false;
        const char c = m_text[m_at++];
        constexpr std::string_view k_from = "\"\\/bfnrt", k_to = "\"\\/\b\f\n\r\t";
        if (const std::size_t i = k_from.find(c); i != std::string_view::npos) {
            put(name, k_to[i]);
            return true;
        }
        std::uint32_t code = 0;
        if (c != 'u' || !hex(code)) return false;
        if (code >= 0xd800 && code < 0xdc00) { // the first half of a pair
            std::uint32_t low = 0;
            if (!take('\\') || !take('u') || !hex(low) || low < 0xdc00 || low > 0xdfff) return false;
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        } else if (code >= 0xdc00 && code < 0xe000) {
            return false;
        }
        const int more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
        constexpr std::uint32_t k_lead[] = {0x00, 0xc0, 0xe0, 0xf0};
        put(name, static_cast<char>(k_lead[more] | code >> (6 * more)));
        for (int i = more - 1; i >= 0; --i)
            put(name, static_cast<char>(0x80 | (code >> (6 * i) & 0x3f)));
        return true;
    }

    std::string_view m_text;
    std::size_t m_at = 0;
    int m_depth = 0;
    bool m_ok = true;
};

} // namespace tutti::engine
