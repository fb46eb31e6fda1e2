// SPDX-License-Identifier: MIT
#include "cli/lyrics.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>

namespace tutti::cli {

namespace {

// "[01:23.45]" or "<01:23.45>" at the front of `text`, which then begins behind it.
std::optional<double> take_time(std::string_view& text, char open, char close) {
    if (text.empty() || text.front() != open) return std::nullopt;
    const std::size_t end = text.find(close);
    if (end == std::string_view::npos || end > 16) return std::nullopt;
    const std::string inside(text.substr(1, end - 1));
    char* at = nullptr;
    const double minutes = std::strtod(inside.c_str(), &at);
    if (at == inside.c_str() || *at != ':') return std::nullopt;
    const char* from = at + 1;
    const double seconds = std::strtod(from, &at);
    if (at == from || (*at != '\0' && *at != ':')) return std::nullopt;
    text.remove_prefix(end + 1);
    return minutes * 60.0 + seconds;
}

} // namespace

std::vector<LyricLine> parse_lrc(std::string_view text) {
    std::vector<LyricLine> lines;
    double offset = 0.0;
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        while (!line.empty() && (line.back() == '\r' || line.back() == ' '))
            line.remove_suffix(1);
        if (line.starts_with("[offset:")) offset = std::strtod(std::string(line.substr(8)).c_str(), nullptr) / 1000.0;
        std::vector<double> starts; // a line that is sung several times has several
        while (const auto time = take_time(line, '[', ']'))
            starts.push_back(*time);
        if (starts.empty()) continue;
        LyricLine one;
        double word_start = starts.front();
        bool timed = false;
        while (!line.empty()) {
            if (const auto time = take_time(line, '<', '>')) {
                word_start = *time;
                timed = true;
                continue;
            }
            const std::size_t next = std::max<std::size_t>(1, std::min(line.find('<', 1), line.size()));
            one.words.push_back({word_start, std::string(line.substr(0, next))});
            line.remove_prefix(next);
        }
        for (double start : starts) {
            LyricLine copy = one;
            copy.start = std::max(0.0, start - offset);
            for (LyricLine::Word& word : copy.words)
                word.start = timed ? std::max(0.0, word.start + start - starts.front() - offset) : copy.start;
            lines.push_back(std::move(copy));
        }
    }
    std::stable_sort(lines.begin(), lines.end(),
                     [](const LyricLine& a, const LyricLine& b) { return a.start < b.start; });
    return lines;
}

Result<std::vector<LyricLine>> load_lrc(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in)
        return Status(Code::file_not_found, path.string() + ": cannot be read", "no lyrics are shown",
                      "check the name");
    const std::string text((std::istreambuf_iterator<char>(in)), {});
    auto lines = parse_lrc(text);
    if (lines.empty())
        return Status(Code::malformed, path.string() + ": no line with a time", "no lyrics are shown",
                      "give an .lrc file, such as `tutti transcribe SONG -o SONG.lrc` makes");
    return lines;
}

std::string shown_at(const std::vector<LyricLine>& lines, double seconds, bool colours) {
    const LyricLine* now = nullptr;
    for (const LyricLine& line : lines)
        if (line.start <= seconds) now = &line;
    if (!now) return {};
    std::string text;
    for (const LyricLine::Word& word : now->words) {
        const bool sung = word.start <= seconds;
        if (!colours && !sung) break;
        text += colours ? (sung ? "\x1b[1m" : "\x1b[2m") + word.text + "\x1b[0m" : word.text;
    }
    return text;
}

} // namespace tutti::cli
