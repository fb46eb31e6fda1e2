// SPDX-License-Identifier: MIT
// Known lyrics found in a recording. Each window is first heard as usual; its words, matched against the lyrics that are still to
// come (edit distance, Wagner and Fischer 1974), say how many of them this window holds. Those are then fed to the decoder as if it
// had said them, and dynamic time warping over its attention says when. Words between two windows that matched nothing are laid
// evenly between their neighbours and reported.
#include <algorithm>
#include <cmath>

#include <models/tokenizer/utf8.h>
#include <models/whisper/align.h>
#include <models/whisper/recording.h>
#include <models/whisper/stage_watch.h>

namespace tutti::models {
namespace {

struct LyricWord {
    std::string text; // with a space before it, except the first of a line
    std::string bare; // letters and digits, lower case
    std::size_t line = 0;
    double start = -1.0, end = -1.0, probability = 0.0;
};

std::string bare(std::string_view text) {
    std::u32string out;
    for (char32_t c : utf8_decode(text))
        if (is_letter(c) || is_number(c)) {
            if ((c >= U'A' && c <= U'Z') || (c >= U'À' && c <= U'Þ' && c != U'×') || (c >= U'Α' && c <= U'Ω') ||
                (c >= U'А' && c <= U'Я'))
                c += 32;
            out += c;
        }
    return utf8_encode(out);
}

std::vector<LyricWord> words_of(const std::vector<std::string>& lines, bool by_character) {
    std::vector<LyricWord> words;
    for (std::size_t line = 0; line < lines.size(); ++line) {
        const std::string_view text = strip(lines[line]);
        std::vector<std::string> parts;
        if (by_character) {
            for (char32_t c : utf8_decode(text))
                if (!is_white_space(c)) parts.push_back(utf8_encode(std::u32string(1, c)));
        } else {
            std::string part;
            for (char c : std::string(text) + " ")
                if (c == ' ' || c == '\t') {
                    if (!part.empty()) parts.push_back(part);
                    part.clear();
                } else {
                    part += c;
                }
        }
        for (std::size_t k = 0; k < parts.size(); ++k)
            words.push_back({(k && !by_character ? " " : "") + parts[k], bare(parts[k]), line});
    }
    return words;
}

// The index behind the last of `lyrics` that one of `heard` matches best; 0 when too few match to believe it.
std::size_t matched(const std::vector<std::string>& heard, std::span<const LyricWord> lyrics) {
    const std::size_t n = heard.size(), m = std::min(lyrics.size(), 2 * heard.size() + 12);
    if (n == 0 || m == 0) return 0;
    std::vector<std::vector<int>> cost(n + 1, std::vector<int>(m + 1));
    for (std::size_t j = 0; j <= m; ++j)
        cost[0][j] = static_cast<int>(j);
    for (std::size_t i = 1; i <= n; ++i) {
        cost[i][0] = static_cast<int>(i);
        for (std::size_t j = 1; j <= m; ++j)
            cost[i][j] = std::min({cost[i - 1][j - 1] + (heard[i - 1] == lyrics[j - 1].bare ? 0 : 1),
                                   cost[i - 1][j] + 1, cost[i][j - 1] + 1});
    }
    std::size_t j = m;
    for (std::size_t k = 0; k <= m; ++k) // what follows in the lyrics belongs to later windows and costs nothing
        if (cost[n][k] < cost[n][j] || (cost[n][k] == cost[n][j] && k < j)) j = k;
    std::size_t i = n, last = 0, equal = 0;
    while (i > 0 && j > 0) {
        const bool same = heard[i - 1] == lyrics[j - 1].bare;
        if (cost[i][j] == cost[i - 1][j - 1] + (same ? 0 : 1)) {
            if (same) {
                ++equal;
                last = std::max(last, j);
            }
            --i;
            --j;
        } else if (cost[i][j] == cost[i - 1][j] + 1) {
            --i;
        } else {
            --j;
        }
    }
    return equal >= 2 || (equal == 1 && n <= 2) ? last : 0;
}

// Words without a time are laid between their neighbours by their length.
void fill_gaps(std::vector<LyricWord>& words, double seconds, std::vector<std::int64_t>& unheard) {
    for (std::size_t i = 0; i < words.size();) {
        if (words[i].start >= 0.0) {
            ++i;
            continue;
        }
        std::size_t to = i;
        double length = 0.0;
        while (to < words.size() && words[to].start < 0.0)
            length += static_cast<double>(words[to++].text.size());
        double at = i ? words[i - 1].end : 0.0;
        const double end = std::max(at, to < words.size() ? words[to].start : seconds);
        const double step = (end - at) / std::max(1.0, length);
        for (; i < to; ++i) {
            unheard.push_back(static_cast<std::int64_t>(i));
            words[i].start = at;
            at += step * static_cast<double>(words[i].text.size());
            words[i].end = at;
        }
    }
}

// Dynamic time warping gives the pause before a line to the line's first word, which begins where the last one ended: twice the
// usual length of a word is kept of it, as openai/whisper does behind pauses.
void shorten_after_pauses(std::vector<LyricWord>& words) {
    std::vector<double> lengths;
    for (const LyricWord& word : words)
        if (word.start >= 0.0 && word.end > word.start) lengths.push_back(word.end - word.start);
    if (lengths.empty()) return;
    std::nth_element(lengths.begin(), lengths.begin() + static_cast<std::ptrdiff_t>(lengths.size() / 2), lengths.end());
    const double most = 2.0 * std::min(0.7, lengths[lengths.size() / 2]);
    for (std::size_t i = 0; i < words.size(); ++i)
        if (words[i].start >= 0.0 && (i == 0 || words[i].line != words[i - 1].line))
            words[i].start = std::max(words[i].start, words[i].end - most);
}

} // namespace

Status align_lyrics(const Transcriber& t, SampleSource& source, const RecordingOptions& options,
                    TranscriptDocument& document, RecordingReport& report) {
    const WhisperModel& model = t.model();
    const std::int64_t window = 2 * static_cast<std::int64_t>(model.config().positions);
    auto features =
        FeatureReader::open(source, model.config().mels, MelExtent::window, window * 160, options.cancelled);
    if (!features) return features.status();
    report.seconds = static_cast<double>(features->samples()) / 16000.0;
    document.duration_s = report.seconds;
    std::vector<LyricWord> words;
    Status status;
    std::size_t next = 0;
    OpenaiDecodeOptions how = options.openai.decode;
    how.temperature = 0.0;
    how.cancelled = options.cancelled;
    std::vector<TokenId> start;
    for (std::int64_t seek = 0; seek < features->frames() && (words.empty() || next < words.size());) {
        const std::int64_t size = std::min(window, features->frames() - seek);
        std::vector<float> rows;
        if (status = features->read(seek, size, rows); !status) break;
        rows.resize(static_cast<std::size_t>(window) * static_cast<std::size_t>(model.config().mels));
        CrossMemory memory;
        {
            const StageWatch watch(report.times.encoder, "encoder");
            memory = model.remember(model.encode(rows));
        }
        if (options.cancelled && options.cancelled()) {
            status = Status(Code::cancelled, "alignment was cancelled", "what was done is kept", "start it again");
            break;
        }
        if (words.empty()) { // the first window tells the language, and so what a word is
            how.language = options.language;
            if (how.language.empty()) {
                const TokenId id = detect_language(model, t.generation(), memory).id;
                how.language = "en";
                for (const auto& [name, one] : t.generation().languages)
                    if (one == id && name.size() > 4) how.language = name.substr(2, name.size() - 4);
            }
            document.language = how.language;
            words = words_of(options.lyrics, written_without_spaces(how.language));
            if (words.empty())
                return Status(Code::invalid_argument, "the lyrics have no words", "nothing was aligned",
                              "give a text file with the lyrics, a line each");
            auto found = openai_start(t.generation(), how.language, how.task);
            if (!found) return found.status();
            start = *found;
        }
        ++report.windows;
        auto decoded = [&] {
            const StageWatch watch(report.times.decoder, "decoder");
            return openai_decode(model, t.generation(), t.tokenizer(), memory, how);
        }();
        if (!decoded) {
            status = decoded.status();
            break;
        }
        report.tokens += static_cast<std::int64_t>(decoded->tokens.size());
        std::vector<std::string> heard;
        for (const LyricWord& word : words_of({openai_text(t.tokenizer(), t.generation(), decoded->tokens)},
                                              written_without_spaces(how.language)))
            if (!word.bare.empty()) heard.push_back(word.bare);
        const bool last_window = seek + size >= features->frames();
        std::size_t count = matched(heard, std::span(words).subspan(next));
        if (last_window && count > 0) count = words.size() - next; // whatever is left must be here
        if (seek == 0 && last_window) count = words.size();
        std::int64_t advance =
            std::max<std::int64_t>(size * 2 / 3, 1); // nothing matched: a word may lie across the edge
        if (last_window) advance = size;
        if (count > 0) {
            const StageWatch watch(report.times.alignment, "alignment");
            AlignRequest request{&memory, start, {}, static_cast<int>(size / 2)};
            std::vector<std::size_t> ends; // tokens up to the end of each word
            const auto room = static_cast<std::size_t>(model.config().target_positions) - start.size() - 2;
            for (std::size_t k = next; k < next + count; ++k) {
                const bool line_start = k == 0 || words[k].line != words[k - 1].line;
                const auto ids = t.tokenizer().encode((line_start ? " " : "") + words[k].text);
                if (request.text.size() + ids.size() > room) break;
                request.text.insert(request.text.end(), ids.begin(), ids.end());
                ends.push_back(request.text.size());
            }
            WordOptions by_token;
            by_token.unicode_only = true; // pieces as small as they come: words are put together by `ends`
            by_token.first_special = t.generation().eos;
            const auto pieces = align_words(model, t.generation(), t.tokenizer(), request, by_token, options.cancelled);
            std::size_t token = 0, piece = 0;
            const double offset = static_cast<double>(seek) * 0.01;
            for (std::size_t w = 0; w < ends.size() && piece < pieces.size(); ++w) {
                LyricWord& word = words[next + w];
                double sum = 0.0;
                int parts = 0;
                while (piece < pieces.size() && token < ends[w]) {
                    if (word.start < 0.0) word.start = offset + pieces[piece].start;
                    word.end = offset + pieces[piece].end;
                    sum += pieces[piece].probability;
                    ++parts;
                    token += pieces[piece].tokens.size();
                    ++piece;
                }
                word.probability = parts ? sum / parts : 0.0;
            }
            next += ends.size();
            if (!ends.empty() && words[next - 1].end >= 0.0)
                advance = std::max<std::int64_t>(100, std::lround(words[next - 1].end * 100.0) - seek);
        }
        seek += std::min(advance, size);
        if (options.progress) options.progress(static_cast<double>(seek) * 0.01);
    }
    if (words.empty()) return status;
    if (status) fill_gaps(words, report.seconds, report.unheard_lyrics);
    shorten_after_pauses(words);
    double last = 0.0;
    for (LyricWord& word : words) { // times never go back
        if (word.start < 0.0) break;
        word.start = std::max(last, word.start);
        word.end = last = std::max(word.start, word.end);
        if (document.segments.empty() || document.segments.back().seek != static_cast<std::int64_t>(word.line)) {
            TranscriptSegment line;
            line.seek = static_cast<std::int64_t>(word.line); // the line's number while lines are put together
            line.has_words = true;
            document.segments.push_back(line);
        }
        TranscriptSegment& line = document.segments.back();
        line.text += word.text;
        line.words.push_back({(line.words.empty() ? " " : "") + word.text, word.start, word.end,
                              word.probability > 0.0 ? std::optional<double>(word.probability) : std::nullopt});
        line.start = line.words.front().start;
        line.end = word.end;
    }
    for (TranscriptSegment& line : document.segments) {
        line.seek = std::lround(line.start * 100.0);
        document.text += (document.text.empty() ? "" : "\n") + line.text;
    }
    return status;
}

} // namespace tutti::models
