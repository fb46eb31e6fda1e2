// SPDX-License-Identifier: MIT
// Scala's scale and keyboard mapping files, after Manuel Op de Coul's "Scala scale file format" and "Scala keyboard mappings".
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>

#include <tutti/tuning.h>

namespace tutti {
namespace {

constexpr std::size_t k_bytes = 1u << 20;
constexpr int k_notes = 10'000; // of a scale, and entries of a mapping

bool blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}
bool digit(char c) {
    return c >= '0' && c <= '9';
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && blank(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && blank(text.back()))
        text.remove_suffix(1);
    return text;
}

// The first word: what follows it on the line is a remark.
std::string_view first_word(std::string_view text) {
    text = trimmed(text);
    std::size_t end = 0;
    while (end < text.size() && !blank(text[end]))
        ++end;
    return text.substr(0, end);
}

// Digits only, no exponent, no locale; nothing where the word is no such number. Exact to one ulp: 19 digits and a power of
// ten below 10^23 are exact in themselves.
std::optional<double> decimal(std::string_view word) {
    std::size_t i = 0;
    const bool minus = !word.empty() && word[0] == '-';
    if (!word.empty() && (word[0] == '-' || word[0] == '+')) ++i;
    std::uint64_t whole = 0;
    int kept = 0, places = 0, dropped = 0, digits = 0;
    bool point = false;
    for (; i < word.size(); ++i) {
        if (word[i] == '.' && !point) {
            point = true;
            continue;
        }
        if (!digit(word[i])) return std::nullopt;
        ++digits;
        if (kept < 18) {
            whole = whole * 10 + static_cast<std::uint64_t>(word[i] - '0');
            if (whole > 0) ++kept;
            if (point) ++places;
        } else if (!point) {
            ++dropped;
        }
    }
    if (digits == 0 || dropped > 20 || places > 300) return std::nullopt;
    const double value = static_cast<double>(whole) * std::pow(10.0, dropped) / std::pow(10.0, places);
    return minus ? -value : value;
}

std::optional<int> whole(std::string_view word) {
    if (word.find('.') != std::string_view::npos) return std::nullopt;
    const std::optional<double> value = decimal(word);
    if (!value || std::fabs(*value) > 1e6) return std::nullopt;
    return static_cast<int>(*value);
}

// Scala's files are ISO 8859-1; newer ones UTF-8. What is not pure ASCII is taken letter by letter unless it is valid UTF-8.
std::string readable(std::string_view text) {
    bool utf8 = true;
    for (std::size_t i = 0; i < text.size() && utf8;) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const std::size_t length = byte < 0x80                   ? 1
                                   : byte >= 0xc2 && byte < 0xe0 ? 2
                                   : byte >= 0xe0 && byte < 0xf0 ? 3
                                                                 : 0;
        utf8 = length > 0 && i + length <= text.size();
        for (std::size_t j = 1; j < length && utf8; ++j)
            utf8 = (static_cast<unsigned char>(text[i + j]) & 0xc0) == 0x80;
        i += length;
    }
    std::string result;
    for (char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f)
            result += '?';
        else if (byte < 0x80 || utf8)
            result += c;
        else
            (result += static_cast<char>(0xc0 | byte >> 6)) += static_cast<char>(0x80 | (byte & 0x3f));
    }
    return result;
}

std::string shown(std::string_view text) {
    std::string result(1, '"');
    result += readable(text.substr(0, 40));
    result += text.size() > 40 ? "...\"" : "\"";
    return result;
}

// The lines that count: comments begin with "!".
class Lines {
public:
    Lines(std::string_view text, const char* kind) : m_rest(text), m_kind(kind) {
        if (m_rest.substr(0, 3) == "\xef\xbb\xbf") m_rest.remove_prefix(3);
    }
    bool next(std::string_view& line) {
        while (!m_rest.empty()) {
            // Unix, Windows and old Macintosh line ends.
            const std::size_t end = std::min(m_rest.find_first_of("\r\n"), m_rest.size());
            line = m_rest.substr(0, end);
            const bool two = m_rest.substr(end, 2) == "\r\n";
            m_rest.remove_prefix(std::min(end + (two ? 2 : 1), m_rest.size()));
            ++m_number;
            if (line.empty() || line.front() != '!') return true;
        }
        return false;
    }
    // As next(), passing over empty lines.
    bool next_filled(std::string_view& line) {
        while (next(line))
            if (!trimmed(line).empty()) return true;
        return false;
    }
    Status wrong(const std::string& what, const std::string& remedy) const {
        return Status(Code::malformed, std::string(m_kind) + ", line " + std::to_string(m_number) + ": " + what,
                      "no tuning was made", remedy);
    }
    Status ended(const std::string& missing) const {
        return Status(Code::truncated,
                      std::string(m_kind) + " ends after line " + std::to_string(m_number) + ": " + missing,
                      "no tuning was made", "is the file whole?");
    }

private:
    std::string_view m_rest;
    const char* m_kind;
    int m_number = 0;
};

struct Scale {
    std::string name = "12 equal";
    std::vector<double> cents; // [0] = 0; the period stands apart
    double period = 1200.0;

    double at(int degree) const {
        const int size = static_cast<int>(cents.size());
        const int turn = degree >= 0 ? degree / size : -((-degree + size - 1) / size);
        return period * turn + cents[static_cast<std::size_t>(degree - turn * size)];
    }
};

// "701.955", "-5.0", "408." in cents; "3/2", "2" as a ratio.
Result<double> read_pitch(std::string_view line, const Lines& lines) {
    const std::string_view word = first_word(line);
    if (word.find('.') != std::string_view::npos) {
        const std::optional<double> cents = decimal(word);
        if (!cents || std::fabs(*cents) > 1e6)
            return lines.wrong(shown(word) + " is no number of cents", "give cents as 701.955");
        return *cents;
    }
    // Blanks beside the slash are met in the wild, and harmless.
    std::string ratio(word);
    const std::string_view rest = trimmed(line);
    if (const std::size_t slash = rest.find('/'); slash != std::string_view::npos &&
                                                  ratio.find('/') == std::string::npos &&
                                                  trimmed(rest.substr(0, slash)) == word)
        (ratio += '/') += first_word(rest.substr(slash + 1));
    else if (!ratio.empty() && ratio.back() == '/')
        ratio += first_word(rest.substr(ratio.size()));
    const std::size_t slash = ratio.find('/');
    const std::optional<double> over = decimal(std::string_view(ratio).substr(0, slash));
    const std::optional<double> under =
        slash == std::string::npos ? 1.0 : decimal(std::string_view(ratio).substr(slash + 1));
    if (!over || !under)
        return lines.wrong(shown(trimmed(line)) + " is neither cents nor a ratio",
                           "give cents with a point (701.955) or a ratio (3/2)");
    if (!(*over > 0.0 && *under > 0.0))
        return lines.wrong("the ratio " + shown(ratio) + " is not above 0", "give a ratio such as 3/2");
    return 1200.0 * (std::log2(*over) - std::log2(*under));
}

Result<Scale> read_scale(std::string_view text) {
    Scale scale;
    if (text.empty()) {
        for (int i = 0; i < 12; ++i)
            scale.cents.push_back(100.0 * i);
        return scale;
    }
    Lines lines(text, "scale");
    std::string_view line;
    if (!lines.next(line)) return lines.ended("the description is missing");
    scale.name = readable(trimmed(line));
    if (!lines.next_filled(line)) return lines.ended("the number of notes is missing");
    const std::optional<int> count = whole(first_word(line));
    if (!count || *count < 0 || *count > k_notes)
        return lines.wrong(shown(trimmed(line)) + " is no number of notes", "give a whole number from 0 to 10,000");
    scale.cents.push_back(0.0);
    for (int i = 0; i < *count; ++i) {
        if (!lines.next_filled(line))
            return lines.ended(std::to_string(*count) + " notes were announced, " + std::to_string(i) + " are there");
        Result<double> pitch = read_pitch(line, lines);
        if (!pitch.ok()) return pitch.status();
        scale.cents.push_back(*pitch);
    }
    // The last note is the period. A scale without notes is degree 0 on every key.
    scale.period = *count > 0 ? scale.cents.back() : 0.0;
    if (*count > 0) scale.cents.pop_back();
    return scale;
}

struct Mapping {
    int first = 0, last = 127, middle = 60;
    int reference = 60;
    double hertz = 440.0 * 0.59460355750136053; // 2^(-9/12): key 60 where 69 is 440 Hz
    int octave = 0;                             // degrees from one pattern to the next, 0: the scale's size
    bool linear = true;                         // no pattern: key by key
    std::vector<std::optional<int>> degrees;    // of the pattern, from the middle key up; none: unmapped
};

Result<Mapping> read_mapping(std::string_view text) {
    Mapping mapping;
    if (text.empty()) return mapping;
    Lines lines(text, "keyboard mapping");
    std::string_view line;
    const auto number = [&](const char* what, int low, int high, int& to) -> Status {
        if (!lines.next_filled(line)) return lines.ended(std::string(what) + " is missing");
        const std::optional<int> value = whole(first_word(line));
        if (!value || *value < low || *value > high)
            return lines.wrong(shown(trimmed(line)) + " is no " + what,
                               "give a whole number from " + std::to_string(low) + " to " + std::to_string(high));
        to = *value;
        return {};
    };
    int size = 0;
    for (const auto& [what, low, high, to] :
         {std::tuple<const char*, int, int, int*>{"size of the map", 0, k_notes, &size},
          {"first key", 0, 127, &mapping.first},
          {"last key", 0, 127, &mapping.last},
          {"middle key", 0, 127, &mapping.middle},
          {"reference key", 0, 127, &mapping.reference}}) {
        if (Status status = number(what, low, high, *to); !status.ok()) return status;
        if (to == &mapping.last && mapping.last < mapping.first)
            return lines.wrong("the last key " + std::to_string(mapping.last) + " lies below the first, " +
                                   std::to_string(mapping.first),
                               "give the lower one first");
    }
    if (!lines.next_filled(line)) return lines.ended("the reference frequency is missing");
    const std::optional<double> hertz = decimal(first_word(line));
    if (!hertz || !(*hertz > 0.0 && *hertz <= 1e6))
        return lines.wrong(shown(trimmed(line)) + " is no frequency", "give a number of Hz above 0");
    mapping.hertz = *hertz;
    if (Status status = number("formal octave", -k_notes, k_notes, mapping.octave); !status.ok()) return status;
    mapping.linear = size == 0;
    for (int i = 0; i < size && lines.next_filled(line); ++i) {
        const std::string_view word = first_word(line);
        const std::optional<int> degree = whole(word);
        if (!degree && word != "x" && word != "X")
            return lines.wrong(shown(word) + " is no scale degree",
                               "give a whole number, or x for a key that stays silent");
        mapping.degrees.push_back(degree && std::abs(*degree) <= k_notes ? degree : std::nullopt);
        if (degree && !mapping.degrees.back())
            return lines.wrong(shown(word) + " is no scale degree", "give at most 10,000");
    }
    mapping.degrees.resize(static_cast<std::size_t>(size));
    return mapping;
}

// Cents above degree 0 at the middle key; none: unmapped.
std::optional<double> cents_of(int key, const Scale& scale, const Mapping& mapping) {
    const int distance = key - mapping.middle;
    if (mapping.linear) return scale.at(distance);
    const int size = static_cast<int>(mapping.degrees.size());
    const int turn = distance >= 0 ? distance / size : -((-distance + size - 1) / size);
    const std::optional<int> degree = mapping.degrees[static_cast<std::size_t>(distance - turn * size)];
    if (!degree) return std::nullopt;
    const double step = mapping.octave == 0 ? scale.period : scale.at(mapping.octave);
    return scale.at(*degree) + step * turn;
}

Result<std::string> read_file(const std::string& path) {
    namespace fs = std::filesystem;
    const fs::path file(std::u8string(path.begin(), path.end()));
    std::error_code error;
    const fs::file_status kind = fs::status(file, error);
    if (kind.type() == fs::file_type::not_found)
        return Status(Code::file_not_found, path + " does not exist", "no tuning was loaded", "check the path");
    std::ifstream stream;
    if (kind.type() != fs::file_type::directory) stream.open(file, std::ios::binary);
    if (!stream.is_open())
        return Status(Code::file_unreadable, path + " cannot be read", "no tuning was loaded",
                      "check what it is and its permissions");
    std::string text;
    char piece[16384];
    while (text.size() <= k_bytes && (stream.read(piece, sizeof piece), stream.gcount() > 0))
        text.append(piece, static_cast<std::size_t>(stream.gcount()));
    return text;
}

} // namespace

Result<Tuning> Tuning::from_scala(std::string_view scl, std::string_view kbm) {
    if (scl.size() > k_bytes || kbm.size() > k_bytes)
        return Status(Code::too_large, "a scale or keyboard mapping of more than 1 MiB", "no tuning was made",
                      "give a smaller file");
    const Result<Scale> scale = read_scale(scl);
    if (!scale.ok()) return scale.status();
    const Result<Mapping> mapping = read_mapping(kbm);
    if (!mapping.ok()) return mapping.status();
    const std::optional<double> reference = cents_of(mapping->reference, *scale, *mapping);
    if (!reference)
        return Status(Code::malformed,
                      "keyboard mapping: the reference key " + std::to_string(mapping->reference) + " is not mapped",
                      "no tuning was made", "choose a reference key that has a scale degree");
    Tuning tuning;
    tuning.m_name = scale->name;
    const double base = 69.0 + 12.0 * std::log2(mapping->hertz / 440.0);
    for (int key = mapping->first; key <= mapping->last; ++key) {
        const std::optional<double> cents = cents_of(key, *scale, *mapping);
        if (!cents) {
            tuning.unmap(key);
            continue;
        }
        Status status = tuning.set(key, base + (*cents - *reference) / 100.0);
        if (!status.ok()) return status;
    }
    return tuning;
}

Result<Tuning> Tuning::load(const std::string& scl_path, const std::string& kbm_path) {
    std::string texts[2];
    for (int i = 0; i < 2; ++i) {
        const std::string& path = i == 0 ? scl_path : kbm_path;
        if (path.empty()) continue;
        Result<std::string> text = read_file(path);
        if (!text.ok()) return text.status();
        if (text->empty())
            return Status(Code::truncated, path + " is empty", "no tuning was loaded", "is the file whole?");
        texts[i] = *std::move(text);
    }
    Result<Tuning> tuning = from_scala(texts[0], texts[1]);
    if (!tuning.ok()) {
        const Status& status = tuning.status();
        const bool mapping = status.what().substr(0, 8) == "keyboard";
        return Status(status.code(), (mapping ? kbm_path : scl_path) + ": " + status.what(), status.means(),
                      status.remedy());
    }
    return tuning;
}

} // namespace tutti
