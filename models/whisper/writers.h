// SPDX-License-Identifier: MIT
// A transcript as text in the formats that players, editors and spreadsheets read (openai/whisper utils.py for txt, vtt, srt, tsv
// and json; lrc and csv are ours).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <models/whisper/transcript.h>

namespace tutti::models {

struct WriterOptions {
    std::optional<int> max_line_width; // characters; vtt and srt with words
    std::optional<int> max_line_count; // lines of one subtitle
    std::optional<int> max_words_per_line;
    bool highlight_words = false; // underlines the word that sounds
    bool word_level = false;      // lrc and csv: word times (extended LRC, one row a word)
    bool details = false;         // json: our own fields beside OpenAI's
};

// "txt", "json", "srt", "vtt", "tsv", "lrc", "csv". [any]
const std::vector<std::string_view>& transcript_formats() noexcept;
// Does the format say when something is said? [any]
bool format_has_times(std::string_view format) noexcept;

// The whole file's text, UTF-8; empty for an unknown format. [any]
std::string write_transcript(const TranscriptDocument& document, std::string_view format,
                             const WriterOptions& options = {});

// "MM:SS.mmm", hours where needed or asked for; rounded to milliseconds as Python rounds. [any]
std::string time_text(double seconds, bool always_hours, char decimal_mark);

// A float as Python's repr spells it: the fewest digits that give it back. [any]
std::string python_float(double x);

} // namespace tutti::models
