// SPDX-License-Identifier: MIT
// Chord names as lead sheets write them (Brandt and Roemer, "Standardized Chord Symbol Notation", and what players write
// instead).
#include <algorithm>
#include <array>
#include <set>

#include <tutti/phrase.h>

namespace tutti {
namespace {

struct Sign {
    std::string_view unicode, ascii;
};
// Half-diminished and diminished have no letters of their own: control characters stand for them.
constexpr Sign k_signs[] = {
    {"\xe2\x99\xaf", "#"}, {"\xe2\x99\xad", "b"}, {"\xf0\x9d\x84\xaa", "##"}, {"\xf0\x9d\x84\xab", "bb"},
    {"\xe2\x99\xae", ""},  {"\xce\x94", "^"},     {"\xe2\x88\x86", "^"},      {"\xe2\x96\xb3", "^"},
    {"\xc3\xb8", "\1"},    {"\xc3\x98", "\1"},    {"\xc2\xb0", "\2"},         {"\xc2\xba", "\2"},
    {"\xe2\x80\x93", "-"}, {"\xe2\x80\x94", "-"}, {"\xe2\x88\x92", "-"},
};

bool digit(char c) {
    return c >= '0' && c <= '9';
}

class ChordReader {
public:
    explicit ChordReader(std::string_view name) {
        int column = 1;
        for (std::size_t i = 0; i < name.size(); ++column) {
            const auto sign = std::find_if(std::begin(k_signs), std::end(k_signs), [&](const Sign& s) {
                return name.substr(i, s.unicode.size()) == s.unicode;
            });
            std::size_t length = 1;
            if (sign != std::end(k_signs)) {
                length = sign->unicode.size();
                m_text += sign->ascii;
            } else {
                m_text += name[i] >= 0 && name[i] < 0x20 ? '?' : name[i]; // 1 and 2 have a meaning here
                while (i + length < name.size() && (static_cast<unsigned char>(name[i + length]) & 0xc0) == 0x80)
                    m_text += name[i + length++];
            }
            m_columns.resize(m_text.size(), column);
            i += length;
        }
        m_columns.push_back(column);
    }

    // False: not understood; column() says where.
    bool read(Chord& chord) {
        if (!note(chord.root)) return false;
        quality();
        if (!number()) return false;
        if (m_triangle && m_seventh == 0) m_seventh = 11;
        if (!modifiers()) return false;
        chord.bass = chord.root;
        if (take("/") && !note(chord.bass)) return false;
        if (m_at < m_text.size() || m_open != 0) return false;
        std::set<int> tones(m_extra);
        tones.insert(m_thirds.begin(), m_thirds.end());
        tones.insert(m_fifths.begin(), m_fifths.end());
        if (m_seventh) tones.insert(m_seventh);
        if (m_sixth) tones.insert(9);
        if (m_has_root) tones.insert(0);
        chord.intervals.assign(tones.begin(), tones.end());
        return !chord.intervals.empty();
    }
    int column() const { return m_columns[std::min(m_at, m_columns.size() - 1)]; }

private:
    char peek(std::size_t ahead = 0) const { return m_at + ahead < m_text.size() ? m_text[m_at + ahead] : '\0'; }
    bool take(std::string_view word) {
        if (std::string_view(m_text).substr(m_at, word.size()) != word) return false;
        m_at += word.size();
        return true;
    }
    template <std::size_t N>
    bool take_any(const std::array<std::string_view, N>& words) {
        return std::any_of(words.begin(), words.end(), [this](std::string_view word) { return take(word); });
    }

    bool note(int& pitch_class) {
        constexpr int k_letters[] = {9, 11, 0, 2, 4, 5, 7}; // A..G
        const char letter = peek();
        if (letter < 'A' || letter > 'G') return false;
        ++m_at;
        int value = k_letters[letter - 'A'];
        if (const char sign = peek(); sign == '#' || sign == 'b') {
            const int step = sign == '#' ? 1 : -1;
            value += step;
            ++m_at;
            // "Abb" is a double flat, "Abb5" an A flat whose fifth is flat.
            if (peek() == sign && !digit(peek(1))) {
                value += step;
                ++m_at;
            }
        }
        pitch_class = (value + 12) % 12;
        return true;
    }

    bool take_major() {
        static constexpr std::array<std::string_view, 4> k_words = {"major", "Major", "maj", "Maj"};
        if (take_any(k_words) || take("MAJ")) return true;
        if (take("^")) return m_triangle = true;
        if (peek() == 'm' && peek(1) == 'a' && peek(2) != 'd' && peek(2) != 'u')
            return take("ma"); // not "madd9", "maug"
        return take("M");
    }
    void quality() {
        static constexpr std::array<std::string_view, 6> k_minor = {"minor", "min", "Min", "mi", "m", "-"};
        skip();
        if (take("dom")) return;
        if (take_major()) {
            m_major_seventh = m_named = true;
            return;
        }
        if (take("dim") || take("\2") || (peek() == 'o' && peek(1) != 'm' && take("o"))) {
            m_thirds = {3};
            m_fifths = {6};
            m_diminished = m_named = true;
        } else if (take("\1") || take("hdim")) {
            m_thirds = {3};
            m_fifths = {6};
            m_seventh = 10;
            m_named = true;
        } else if (take("aug") || take("+")) {
            m_fifths = {8};
            m_named = true;
        } else if (take_any(k_minor)) {
            m_thirds = {3};
            m_named = true;
        } else {
            return;
        }
        skip();
        const std::size_t before = m_at;
        if (take_major()) {
            m_major_seventh = true;
            // "mM7"; a minor chord with a major nothing is a minor chord with a major seventh.
            m_triangle = true;
            if (m_diminished) m_diminished = false;
        } else {
            m_at = before;
        }
    }

    void seventh() {
        if (m_seventh == 0) m_seventh = m_major_seventh ? 11 : m_diminished ? 9 : 10;
    }
    bool number() {
        skip();
        if (take("6/9") || take("69")) {
            m_sixth = true;
            m_extra.insert(14);
        } else if (take("13")) {
            seventh();
            m_extra.insert({14, 17, 21});
        } else if (take("11")) {
            seventh();
            m_extra.insert({14, 17});
        } else if (take("9")) {
            seventh();
            m_extra.insert(14);
        } else if (take("7")) {
            seventh();
        } else if (take("6")) {
            m_sixth = true;
            m_triangle = false;
        } else if (take("5")) {
            if (m_named) return --m_at, false;
            m_thirds.clear();
        } else if (take("2")) {
            m_extra.insert(14);
        } else if (take("4")) {
            m_extra.insert(17);
        }
        return !digit(peek());
    }

    // Brackets, commas and blanks between modifiers.
    void skip() {
        for (;; ++m_at) {
            if (peek() == '(')
                ++m_open;
            else if (peek() == ')' && m_open > 0)
                --m_open;
            else if (peek() != ',' && peek() != ' ')
                return;
        }
    }

    // The degrees that may be added or altered, as semitones; 0: none.
    static int degree(int number) {
        switch (number) {
        case 2:
        case 9:
            return 14;
        case 4:
        case 11:
            return 17;
        case 5:
            return 7;
        case 6:
            return 9;
        case 7:
            return 10;
        case 13:
            return 21;
        default:
            return 0;
        }
    }
    int take_number() {
        int value = 0;
        for (int i = 0; i < 2 && digit(peek()); ++i) {
            if (i == 1 && value != 1) break; // 11 and 13 are the only two-digit degrees
            value = value * 10 + (m_text[m_at++] - '0');
        }
        return value;
    }
    int take_sign() {
        if (take("#") || take("+")) return 1;
        if (take("b") || take("-")) return -1;
        return 0;
    }

    bool modifiers() {
        static constexpr std::array<std::string_view, 3> k_both = {"sus2sus4", "sus24", "sus42"};
        for (skip(); m_at < m_text.size(); skip()) {
            const std::size_t before = m_at;
            if (take_any(k_both)) {
                m_thirds = {2, 5};
            } else if (take("sus2")) {
                m_thirds = {2};
            } else if (take("sus4") || take("sus")) {
                m_thirds = {5};
            } else if (take("add")) {
                skip();
                const int sign = take_sign();
                const int tone = degree(take_number());
                if (tone == 0) return m_at = before, false;
                m_extra.insert(tone + sign);
            } else if (take("alt")) {
                m_seventh = 10;
                m_fifths.clear();
                m_extra = {13, 15, 18, 20};
            } else if (take("omit") || take("no")) {
                skip();
                const int gone = take_number();
                if (gone == 3)
                    m_thirds.clear();
                else if (gone == 5)
                    m_fifths.clear();
                else if (gone == 1)
                    m_has_root = false;
                else
                    return m_at = before, false;
                (void)(take("rd") || take("th") || take("st"));
            } else if (take("aug")) {
                m_fifths = {8};
            } else if (digit(peek()) || (peek() == '/' && peek(1) == '9' && take("/"))) {
                const int number = take_number();
                const int tone = degree(number);
                if (tone == 0 || number == 5) return m_at = before, false;
                if (number == 7)
                    seventh();
                else if (number == 6)
                    m_sixth = true;
                else
                    m_extra.insert(tone);
            } else if (peek() == '/') {
                return true;
            } else if (take_major()) {
                if (!take("7") && !m_triangle) return m_at = before, false;
                m_seventh = 11;
            } else if (!alteration()) {
                return m_at = before, false;
            }
        }
        return true;
    }

    bool alteration() {
        const bool plus = peek() == '+';
        const int sign = take_sign();
        if (sign == 0) return false;
        if (plus && !digit(peek())) { // "C7+"
            m_fifths = {8};
            return true;
        }
        switch (take_number()) {
        case 5:
            m_fifths.erase(7);
            m_fifths.insert(7 + sign);
            return true;
        case 9:
        case 2:
            m_extra.erase(14);
            m_extra.insert(14 + sign);
            return true;
        case 4:
        case 11:
            m_extra.erase(17);
            m_extra.insert(17 + sign);
            return sign > 0;
        case 6:
            m_extra.insert(9 + sign);
            return sign < 0;
        case 13:
            m_extra.erase(21);
            m_extra.insert(21 + sign);
            return sign < 0;
        default:
            return false;
        }
    }

    std::string m_text;         // in ASCII
    std::vector<int> m_columns; // of each byte, and of the end, in characters from 1
    std::size_t m_at = 0;
    int m_open = 0; // brackets
    bool m_major_seventh = false, m_triangle = false, m_diminished = false, m_named = false;
    bool m_sixth = false, m_has_root = true;
    int m_seventh = 0;
    std::set<int> m_thirds = {4}, m_fifths = {7}, m_extra;
};

} // namespace

Result<Chord> Chord::parse(std::string_view name) {
    constexpr std::size_t k_longest = 64;
    Chord chord;
    chord.name = name.substr(0, k_longest);
    for (char& c : chord.name)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
    ChordReader reader(name.substr(0, k_longest));
    if (name.size() <= k_longest && reader.read(chord)) return chord;
    std::string remedy = "chords look like Am7, F#m7b5, Bbmaj9, G7sus4, C7(b9,#11), D/F#";
    if (!name.empty() && name[0] == 'H') {
        remedy = "the German H is called B here: B";
        remedy += chord.name.substr(1);
    } else if (!name.empty() && name[0] >= 'a' && name[0] <= 'g') {
        remedy = "roots are capitals: ";
        remedy += static_cast<char>(name[0] - 'a' + 'A') + chord.name.substr(1);
    }
    std::string what = "what is '";
    what += chord.name;
    what += "'?";
    if (reader.column() > 1)
        what += " It is not understood from its character " + std::to_string(reader.column()) + " on";
    return Status(Code::malformed, what, "no phrase was made", remedy);
}

} // namespace tutti
