// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>

#include <models/whisper/align.h>
#include <models/whisper/merge.h>
#include <models/whisper/openai_transcribe.h>

namespace tutti::models {
namespace {

constexpr std::string_view k_sentence_ends = ".。!！?？";

bool ends_sentence(const std::string& text) {
    return k_sentence_ends.find(text) != std::string_view::npos;
}

double median_of(std::vector<double> values) {
    if (values.empty()) return 0.0;
    std::sort(values.begin(), values.end());
    const std::size_t n = values.size();
    return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2.0;
}

// A word behind a pause tends to reach back into it, a last word forward: both are cut where the segment's own times or the
// usual length of a word say so.
void mend_edges(TranscriptSegment& segment, double median, double last_speech_s) {
    const double most = median * 2.0;
    std::vector<TranscriptWord>& words = segment.words;
    if (words[0].end - last_speech_s > median * 4.0 &&
        (words[0].end - words[0].start > most || (words.size() > 1 && words[1].end - words[0].start > most * 2.0))) {
        if (words.size() > 1 && words[1].end - words[1].start > most)
            words[0].end = words[1].start = std::max(words[1].end / 2.0, words[1].end - most);
        words[0].start = std::max(0.0, words[0].end - most);
    }
    if (segment.start < words[0].end && segment.start - 0.5 > words[0].start)
        words[0].start = std::max(0.0, std::min(words[0].end - median, segment.start));
    else
        segment.start = words[0].start;
    TranscriptWord& last = words.back();
    if (segment.end > last.start && segment.end + 0.5 < last.end)
        last.end = std::max(last.start + median, segment.end);
    else
        segment.end = last.end;
}

} // namespace

Status add_openai_words(const WhisperModel& model, const GenerationConfig& generation, const Tokenizer& tokenizer,
                        const CrossMemory& memory, const std::vector<TokenId>& start, int columns, double last_speech_s,
                        const OpenaiOptions& options, const std::string& language,
                        std::vector<TranscriptSegment>& segments) {
    if (segments.empty()) return {};
    AlignRequest request{&memory, start, {}, columns};
    std::vector<std::size_t> text_tokens;
    for (const TranscriptSegment& segment : segments) {
        const std::size_t before = request.text.size();
        for (TokenId id : segment.tokens)
            if (id < generation.eos) request.text.push_back(id);
        text_tokens.push_back(request.text.size() - before);
    }
    WordOptions how;
    how.unicode_only = written_without_spaces(language);
    how.first_special = generation.eos;
    how.prepend = options.prepend_punctuations;
    how.append = options.append_punctuations;
    // The pass must fit into the decoder's length; a window's own text always does.
    const auto most =
        static_cast<std::size_t>(model.config().target_positions) - std::min<std::size_t>(start.size() + 2, 8);
    if (request.text.size() > most) request.text.resize(most);
    auto words = align_words(model, generation, tokenizer, request, how, options.cancelled);
    if (words.empty() && options.cancelled && options.cancelled())
        return Status(Code::cancelled, "transcription was cancelled", "what was done is kept", "start it again");
    std::vector<double> durations;
    for (const AlignedWord& word : words)
        if (word.end - word.start != 0.0) durations.push_back(word.end - word.start);
    const double median = std::min(0.7, median_of(durations)), longest = median * 2.0;
    if (!durations.empty())
        for (std::size_t i = 1; i < words.size(); ++i)
            if (words[i].end - words[i].start > longest) {
                if (ends_sentence(words[i].text))
                    words[i].end = words[i].start + longest;
                else if (ends_sentence(words[i - 1].text))
                    words[i].start = words[i].end - longest;
            }
    // Punctuation joins its neighbour, which keeps its own time.
    std::vector<std::string> texts;
    for (const AlignedWord& word : words)
        texts.push_back(word.text);
    const auto parts = join_punctuation(texts, how);
    const double offset = static_cast<double>(segments[0].seek) * 160.0 / 16000.0;
    std::size_t at = 0;
    for (std::size_t s = 0; s < segments.size(); ++s) {
        TranscriptSegment& segment = segments[s];
        segment.has_words = true;
        segment.words.clear();
        std::size_t taken = 0;
        while (at < words.size() && taken < text_tokens[s]) {
            std::string text;
            for (std::size_t part : parts[at]) {
                text += words[part].text;
                taken += words[part].tokens.size();
            }
            if (!text.empty())
                segment.words.push_back(
                    {text, round_2(offset + words[at].start), round_2(offset + words[at].end), words[at].probability});
            ++at;
        }
        if (segment.words.empty()) continue;
        mend_edges(segment, median, last_speech_s);
        last_speech_s = segment.end;
    }
    return {};
}

} // namespace tutti::models
