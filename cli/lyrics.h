// SPDX-License-Identifier: MIT
// Timed lyrics (LRC and its extended form) as something to show while a song plays.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <tutti/status.h>

namespace tutti::cli {

struct LyricLine {
    struct Word {
        double start; // seconds
        std::string text;
    };
    double start = 0.0;
    std::vector<Word> words; // one for the whole line where the file has no word times; none: an empty line
};

// Lines in order of their times; tags and lines without a time are passed over, [offset:ms] is obeyed. [control]
std::vector<LyricLine> parse_lrc(std::string_view text);
Result<std::vector<LyricLine>> load_lrc(const std::filesystem::path& path);

// What a terminal shows at `seconds`: the line that is sung, what has sounded of it in bold. Empty before the first line. [any]
std::string shown_at(const std::vector<LyricLine>& lines, double seconds, bool colours);

} // namespace tutti::cli
