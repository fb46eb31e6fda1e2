// SPDX-License-Identifier: MIT
#include <models/whisper/writers.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

#include <models/tokenizer/utf8.h>

namespace tutti::models {
namespace {

std::string two(std::int64_t x) {
    char text[32];
    std::snprintf(text, sizeof text, "%02lld", static_cast<long long>(x));
    return text;
}

std::int64_t milliseconds(double seconds) {
    return static_cast<std::int64_t>(std::nearbyint(seconds * 1000.0)); // half to even, as Python's round
}

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
    std::string out;
    for (std::size_t at = 0;;) {
        const std::size_t next = text.find(from, at);
        out.append(text.substr(at, next == std::string_view::npos ? next : next - at));
        if (next == std::string_view::npos) return out;
        out.append(to);
        at = next + from.size();
    }
}

std::size_t characters(std::string_view text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

struct Cue {
    std::string start, end, text;
};

using Line = std::vector<TranscriptWord>;

// Words are laid out into lines and subtitles; with both limits of a subtitle's shape set, segments no longer bind and a pause
// of three seconds does instead.
std::vector<Line> subtitles(const TranscriptDocument& document, const WriterOptions& options) {
    const bool keep_segments = !options.max_line_count || !options.max_line_width;
    const auto width = static_cast<std::size_t>(std::max(1, options.max_line_width.value_or(1000)));
    const auto per_line = static_cast<std::size_t>(std::max(1, options.max_words_per_line.value_or(1000)));
    std::vector<Line> all;
    Line current;
    std::size_t length = 0;
    int lines = 1;
    double last = 0.0;
    for (const TranscriptSegment& segment : document.segments)
        if (!segment.words.empty()) {
            last = segment.words.front().start;
            break;
        }
    for (const TranscriptSegment& segment : document.segments)
        for (std::size_t k = 0; k < segment.words.size(); ++k) {
            TranscriptWord word = segment.words[k];
            const bool pause = !keep_segments && word.start - last > 3.0;
            const bool fits = length + characters(word.text) <= width;
            const bool breaks = k % per_line == 0 && !current.empty() && keep_segments;
            if (length > 0 && fits && !pause && !breaks) {
                length += characters(word.text);
            } else {
                word.text = std::string(strip(word.text));
                const std::size_t bare = characters(word.text);
                if ((!current.empty() && options.max_line_count && (pause || lines >= *options.max_line_count)) ||
                    breaks) {
                    all.push_back(std::move(current));
                    current.clear();
                    lines = 1;
                } else if (length > 0) {
                    ++lines;
                    word.text.insert(word.text.begin(), '\n');
                }
                length = bare;
            }
            last = word.start;
            current.push_back(std::move(word));
        }
    if (!current.empty()) all.push_back(std::move(current));
    return all;
}

std::string underlined(const std::string& word) {
    const std::size_t at = word.size() - strip(word).size(); // only white space before it is left by the layout
    std::size_t begin = 0;
    while (begin < at && (word[begin] == ' ' || word[begin] == '\n' || word[begin] == '\t'))
        ++begin;
    return word.substr(0, begin) + "<u>" + word.substr(begin) + "</u>";
}

std::vector<Cue> cues(const TranscriptDocument& document, const WriterOptions& options, bool hours, char mark) {
    const auto at = [&](double seconds) { return time_text(seconds, hours, mark); };
    std::vector<Cue> out;
    if (document.segments.empty() || !document.segments.front().has_words) {
        for (const TranscriptSegment& segment : document.segments)
            out.push_back({at(segment.start), at(segment.end), replaced(strip(segment.text), "-->", "->")});
        return out;
    }
    for (const Line& line : subtitles(document, options)) {
        std::string text;
        for (const TranscriptWord& word : line)
            text += word.text;
        if (!options.highlight_words) {
            out.push_back({at(line.front().start), at(line.back().end), text});
            continue;
        }
        std::string last = at(line.front().start);
        for (std::size_t i = 0; i < line.size(); ++i) {
            const std::string start = at(line[i].start), end = at(line[i].end);
            if (last != start) out.push_back({last, start, text});
            std::string marked;
            for (std::size_t k = 0; k < line.size(); ++k)
                marked += k == i ? underlined(line[k].text) : line[k].text;
            out.push_back({start, end, marked});
            last = end;
        }
    }
    return out;
}

// JSON as Python's json.dumps spells it: everything above ASCII escaped, ", " and ": " between.
std::string json_text(std::string_view text) {
    std::string out = "\"";
    const auto escape = [&](unsigned unit) {
        char hex[8];
        std::snprintf(hex, sizeof hex, "\\u%04x", unit & 0xffffu);
        out += hex;
    };
    for (char32_t c : utf8_decode(text)) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += static_cast<char>(c);
        } else if (c == '\n') {
            out += "\\n";
        } else if (c == '\r') {
            out += "\\r";
        } else if (c == '\t') {
            out += "\\t";
        } else if (c == '\b') {
            out += "\\b";
        } else if (c == '\f') {
            out += "\\f";
        } else if (c < 0x20 || (c >= 0x7f && c < 0x10000)) {
            if (c == 0x7f)
                out += '\x7f';
            else
                escape(static_cast<unsigned>(c));
        } else if (c >= 0x10000) {
            escape(0xd800u + (static_cast<unsigned>(c - 0x10000) >> 10));
            escape(0xdc00u + (static_cast<unsigned>(c - 0x10000) & 0x3ffu));
        } else {
            out += static_cast<char>(c);
        }
    }
    return out + "\"";
}

std::string write_json(const TranscriptDocument& document, const WriterOptions& options) {
    std::string out = "{\"language\": " + (document.language.empty() ? "null" : json_text(document.language)) +
                      ", \"text\": " + json_text(document.text) + ", \"segments\": [";
    for (std::size_t i = 0; i < document.segments.size(); ++i) {
        const TranscriptSegment& s = document.segments[i];
        out += (i ? ", {" : "{") + std::string("\"id\": ") + std::to_string(i) +
               ", \"seek\": " + std::to_string(s.seek) + ", \"start\": " + python_float(s.start) +
               ", \"end\": " + python_float(s.end) + ", \"text\": " + json_text(s.text) + ", \"tokens\": [";
        for (std::size_t k = 0; k < s.tokens.size(); ++k)
            out += (k ? ", " : "") + std::to_string(s.tokens[k]);
        out += "], \"temperature\": " + python_float(s.temperature) +
               ", \"avg_logprob\": " + python_float(s.average_logprob) +
               ", \"compression_ratio\": " + python_float(s.compression_ratio) +
               ", \"no_speech_prob\": " + python_float(s.no_speech);
        if (options.details && !s.token_probabilities.empty()) {
            out += ", \"token_probs\": [";
            for (std::size_t k = 0; k < s.token_probabilities.size(); ++k) {
                char text[32];
                std::snprintf(text, sizeof text, "%s%.4g", k ? ", " : "",
                              static_cast<double>(s.token_probabilities[k]));
                out += text;
            }
            out += "]";
        }
        if (options.details && !s.language.empty()) out += ", \"language\": " + json_text(s.language);
        if (s.has_words) {
            out += ", \"words\": [";
            for (std::size_t k = 0; k < s.words.size(); ++k) {
                const TranscriptWord& w = s.words[k];
                out += (k ? ", {" : "{") + std::string("\"word\": ") + json_text(w.text) +
                       ", \"start\": " + python_float(w.start) + ", \"end\": " + python_float(w.end);
                if (w.probability) out += ", \"probability\": " + python_float(*w.probability);
                out += "}";
            }
            out += "]";
        }
        out += "}";
    }
    out += "]";
    if (options.details) {
        out += ", \"language_probs\": {";
        for (std::size_t i = 0; i < document.language_probabilities.size(); ++i)
            out += (i ? ", " : "") + json_text(document.language_probabilities[i].first) + ": " +
                   python_float(document.language_probabilities[i].second);
        out += "}, \"duration\": " + python_float(document.duration_s);
    }
    return out + "}";
}

// LRC counts minutes without end and hundredths of a second; the extended form puts a time before every word.
std::string lrc_time(double seconds) {
    const auto hundredths = static_cast<std::int64_t>(std::nearbyint(std::max(0.0, seconds) * 100.0));
    return two(hundredths / 6000) + ":" + two(hundredths / 100 % 60) + "." + two(hundredths % 100);
}

std::string one_line(std::string_view text) {
    std::string out(strip(text));
    std::replace_if(
        out.begin(), out.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
    return out;
}

std::string write_lrc(const TranscriptDocument& document, const WriterOptions& options) {
    std::string out;
    if (!document.title.empty()) out.append("[ti:").append(one_line(document.title)).append("]\n");
    if (document.duration_s > 0.0) {
        const auto whole = static_cast<std::int64_t>(std::nearbyint(document.duration_s));
        out.append("[length:").append(two(whole / 60)).append(":").append(two(whole % 60)).append("]\n");
    }
    out += "[by:tutti]\n";
    double end = 0.0;
    for (const TranscriptSegment& segment : document.segments) {
        if (strip(segment.text).empty()) continue;
        // A line of its own clears the display where nothing is sung for a while.
        if (end > 0.0 && segment.start - end > 3.0) out.append("[").append(lrc_time(end)).append("]\n");
        out.append("[").append(lrc_time(segment.start)).append("]");
        if (options.word_level && !segment.words.empty()) {
            for (const TranscriptWord& word : segment.words)
                out.append("<")
                    .append(lrc_time(word.start))
                    .append(&word == &segment.words.front() ? ">" : "> ")
                    .append(one_line(word.text));
            out.append("<").append(lrc_time(segment.words.back().end)).append(">");
        } else {
            out += one_line(segment.text);
        }
        out += "\n";
        end = segment.end;
    }
    if (end > 0.0) out.append("[").append(lrc_time(end)).append("]\n");
    return out;
}

std::string csv_text(std::string_view text) {
    return std::string("\"").append(replaced(one_line(text), "\"", "\"\"")).append("\"");
}

std::string write_csv(const TranscriptDocument& document, const WriterOptions& options) {
    const bool words = options.word_level;
    std::string out = words ? "start,end,text,probability\n" : "start,end,text\n"; // milliseconds, as tsv
    const auto row = [&](double start, double end, std::string_view text) {
        out += std::to_string(milliseconds(start)) + "," + std::to_string(milliseconds(end)) + "," + csv_text(text);
    };
    for (const TranscriptSegment& segment : document.segments) {
        if (!words) {
            row(segment.start, segment.end, segment.text);
            out += "\n";
        }
        for (const TranscriptWord& word : segment.words)
            if (words) {
                row(word.start, word.end, word.text);
                out += ",";
                if (word.probability) out += python_float(*word.probability);
                out += "\n";
            }
    }
    return out;
}

} // namespace

std::string python_float(double x) {
    if (std::isnan(x)) return "NaN";
    if (std::isinf(x)) return x < 0 ? "-Infinity" : "Infinity";
    char text[64];
    const auto done = std::to_chars(text, text + sizeof text, x, std::chars_format::scientific);
    const std::string_view all(text, static_cast<std::size_t>(done.ptr - text));
    const std::size_t e = all.find('e');
    const bool negative = all.front() == '-';
    std::string digits;
    for (char c : all.substr(0, e))
        if (c >= '0' && c <= '9') digits += c;
    int exponent = 0;
    std::from_chars(all.data() + e + (all[e + 1] == '+' ? 2 : 1), all.data() + all.size(), exponent);
    std::string out = negative ? "-" : "";
    const int count = static_cast<int>(digits.size());
    if (exponent < -4 || exponent >= 16) {
        out += digits.substr(0, 1);
        if (count > 1) out.append(".").append(digits, 1);
        char tail[16];
        std::snprintf(tail, sizeof tail, "e%c%02d", exponent < 0 ? '-' : '+', std::abs(exponent));
        return out + tail;
    }
    if (exponent < 0) return out + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
    if (count <= exponent + 1)
        return out + digits + std::string(static_cast<std::size_t>(exponent + 1 - count), '0') + ".0";
    return out + digits.substr(0, static_cast<std::size_t>(exponent) + 1) + "." +
           digits.substr(static_cast<std::size_t>(exponent) + 1);
}

std::string time_text(double seconds, bool always_hours, char decimal_mark) {
    const std::int64_t all = std::max<std::int64_t>(0, milliseconds(seconds));
    const std::int64_t hours = all / 3'600'000;
    char tail[16];
    std::snprintf(tail, sizeof tail, "%c%03d", decimal_mark, static_cast<int>(all % 1000));
    return (always_hours || hours > 0 ? two(hours) + ":" : "") + two(all / 60'000 % 60) + ":" + two(all / 1000 % 60) +
           tail;
}

const std::vector<std::string_view>& transcript_formats() noexcept {
    static const std::vector<std::string_view> formats{"txt", "json", "srt", "vtt", "tsv", "lrc", "csv"};
    return formats;
}

bool format_has_times(std::string_view format) noexcept {
    return format == "srt" || format == "vtt" || format == "tsv" || format == "lrc" || format == "csv";
}

std::string write_transcript(const TranscriptDocument& document, std::string_view format,
                             const WriterOptions& options) {
    std::string out;
    if (format == "txt") {
        for (const TranscriptSegment& segment : document.segments)
            out += std::string(strip(segment.text)) + "\n";
    } else if (format == "vtt") {
        out = "WEBVTT\n\n";
        for (const Cue& cue : cues(document, options, false, '.'))
            out += cue.start + " --> " + cue.end + "\n" + cue.text + "\n\n";
    } else if (format == "srt") {
        int number = 1;
        for (const Cue& cue : cues(document, options, true, ','))
            out += std::to_string(number++) + "\n" + cue.start + " --> " + cue.end + "\n" + cue.text + "\n\n";
    } else if (format == "tsv") {
        out = "start\tend\ttext\n";
        for (const TranscriptSegment& segment : document.segments)
            out += std::to_string(milliseconds(segment.start)) + "\t" + std::to_string(milliseconds(segment.end)) +
                   "\t" + replaced(strip(segment.text), "\t", " ") + "\n";
    } else if (format == "json") {
        out = write_json(document, options);
    } else if (format == "lrc") {
        out = write_lrc(document, options);
    } else if (format == "csv") {
        out = write_csv(document, options);
    }
    return out;
}

} // namespace tutti::models
