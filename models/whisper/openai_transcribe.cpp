// SPDX-License-Identifier: MIT
#include <models/whisper/openai_transcribe.h>

#include <algorithm>
#include <cmath>

#include <models/tokenizer/utf8.h>
#include <models/whisper/generate.h>
#include <models/whisper/rules.h>
#include <models/whisper/stage_watch.h>

namespace tutti::models {
namespace {

constexpr double k_frames_a_second = 100.0;
constexpr std::string_view k_punctuation = "\"'“¿([{-\"'.。,，!！?？:：”)]}、";

std::int64_t rounded(double x) {
    return static_cast<std::int64_t>(std::nearbyint(x)); // half to even, as Python's round
}

// Words that are very short, very long or improbable.
double anomaly(const TranscriptWord& word) {
    const double duration = word.end - word.start;
    return (word.probability.value_or(0.0) < 0.15 ? 1.0 : 0.0) + std::max(0.0, 0.133 - duration) * 15.0 +
           std::max(0.0, duration - 2.0);
}

bool is_anomalous(const TranscriptSegment* segment) {
    if (!segment || segment->words.empty()) return false;
    double score = 0.0;
    int count = 0;
    for (const TranscriptWord& word : segment->words) {
        if (k_punctuation.find(word.text) != std::string_view::npos) continue;
        if (count == 8) break;
        score += anomaly(word);
        ++count;
    }
    return score >= 3.0 || score + 0.01 >= count;
}

const TranscriptSegment* with_words(const std::vector<TranscriptSegment>& segments, std::size_t from) {
    for (std::size_t i = from; i < segments.size(); ++i)
        if (!segments[i].words.empty()) return &segments[i];
    return nullptr;
}

std::optional<double> end_of(const std::vector<TranscriptSegment>& segments) {
    for (auto segment = segments.rbegin(); segment != segments.rend(); ++segment)
        if (!segment->words.empty()) return segment->words.back().end;
    if (segments.empty()) return std::nullopt;
    return segments.back().end;
}

class Transcribing {
public:
    Transcribing(const WhisperModel& model, const GenerationConfig& generation, const Tokenizer& tokenizer,
                 FeatureReader& features, const OpenaiOptions& options, TranscriptDocument& document)
        : m_model(model), m_generation(generation), m_tokenizer(tokenizer), m_features(features), m_options(options),
          m_document(document), m_decode(options.decode), m_content(features.frames()),
          m_window(2 * static_cast<std::int64_t>(model.config().positions)) {
        m_decode.cancelled = options.cancelled;
    }

    Status run() {
        if (Status status = find_language(); !status) return status;
        auto start = openai_start(m_generation, m_decode.language, m_decode.task);
        if (!start) return start.status();
        m_start = std::move(start).value();
        std::vector<std::int64_t> points;
        for (double second : m_options.clip_timestamps)
            points.push_back(rounded(second * k_frames_a_second));
        if (points.empty()) points.push_back(0);
        if (points.size() % 2 == 1) points.push_back(m_content);
        if (!m_options.initial_prompt.empty())
            m_initial = m_tokenizer.encode(std::string(" ").append(strip(m_options.initial_prompt)));
        m_tokens = m_initial;
        std::int64_t seek = points[0];
        for (std::size_t clip = 0; clip + 1 < points.size(); clip += 2) {
            // A clip begins where it says, even when the one before ran over its end.
            seek = clip == 0 ? seek : points[clip];
            const std::int64_t end = points[clip + 1];
            while (seek < end) {
                const std::int64_t size = std::min({m_window, m_content - seek, end - seek});
                if (size <= 0) break;
                const std::int64_t before = seek;
                Status status = window(seek, size);
                if (!status) {
                    finish();
                    return status;
                }
                if (seek <= before) seek = before + size; // it would never end
                if (m_options.on_window)
                    m_options.on_window(
                        {m_document.segments.begin() + static_cast<std::ptrdiff_t>(m_told), m_document.segments.end()},
                        seek);
                m_told = m_document.segments.size();
            }
        }
        finish();
        return {};
    }

private:
    StageTimes& times() { return m_options.times ? *m_options.times : m_times; }

    void finish() {
        m_document.text = openai_text(m_tokenizer, m_generation,
                                      std::span(m_tokens).subspan(std::min(m_initial.size(), m_tokens.size())));
    }

    Status find_language() {
        if (!m_generation.multilingual) {
            m_decode.language = "en";
        } else if (m_options.detect_language) {
            std::vector<float> rows;
            if (Status status = m_features.read(0, m_window, rows); !status) return status;
            const auto guess = detect_language(m_model, m_generation, m_model.remember(m_model.encode(rows)));
            for (std::size_t i = 0; i < m_generation.languages.size(); ++i) {
                const auto& [name, id] = m_generation.languages[i];
                const std::string code = name.size() > 4 ? name.substr(2, name.size() - 4) : name;
                if (id == guess.id) m_decode.language = code;
                m_document.language_probabilities.emplace_back(code, guess.probabilities[i]);
            }
            std::stable_sort(m_document.language_probabilities.begin(), m_document.language_probabilities.end(),
                             [](const auto& a, const auto& b) { return a.second > b.second; });
        }
        m_document.language = m_decode.language;
        return {};
    }

    Result<OpenaiDecoded> decode(const CrossMemory& memory) {
        OpenaiDecoded result;
        for (double temperature : m_options.temperatures) {
            OpenaiDecodeOptions how = m_decode;
            how.temperature = temperature;
            if (temperature > 0.0) {
                how.beam_size.reset();
                how.patience.reset();
            } else {
                how.best_of.reset();
            }
            auto decoded = openai_decode(m_model, m_generation, m_tokenizer, memory, how);
            if (!decoded) return decoded.status();
            result = std::move(decoded).value();
            bool again = m_options.compression_ratio_threshold &&
                         result.compression_ratio > *m_options.compression_ratio_threshold;
            const bool unlikely = m_options.logprob_threshold && result.average_logprob < *m_options.logprob_threshold;
            again = again || unlikely;
            if (unlikely && m_options.no_speech_threshold && result.no_speech > *m_options.no_speech_threshold)
                again = false; // silence
            if (!again) break;
        }
        return result;
    }

    std::vector<TranscriptSegment> cut(const OpenaiDecoded& result, std::int64_t& seek, std::int64_t size,
                                       bool& single_end) const {
        const std::vector<TokenId>& tokens = result.tokens;
        const TokenId begin = m_generation.no_timestamps ? m_generation.timestamp_begin() : m_model.config().vocabulary;
        const std::size_t n = tokens.size();
        const double offset = static_cast<double>(seek) * 160.0 / 16000.0;
        const auto is_time = [&](std::size_t i) { return tokens[i] >= begin; };
        const auto seconds = [&](std::size_t i) { return static_cast<double>(tokens[i] - begin) * 0.02; };
        std::vector<TranscriptSegment> segments;
        const auto add = [&](double start, double end, std::size_t from, std::size_t to) {
            TranscriptSegment one;
            one.seek = seek;
            one.start = start;
            one.end = end;
            one.tokens.assign(tokens.begin() + static_cast<std::ptrdiff_t>(from),
                              tokens.begin() + static_cast<std::ptrdiff_t>(to));
            for (std::size_t k = from; k < to; ++k)
                one.token_probabilities.push_back(std::exp(result.logprobs[k]));
            std::vector<TokenId> text;
            for (TokenId id : one.tokens)
                if (id < m_generation.eos) text.push_back(id);
            one.text = openai_text(m_tokenizer, m_generation, text);
            one.temperature = result.temperature;
            one.average_logprob = result.average_logprob;
            one.compression_ratio = result.compression_ratio;
            one.no_speech = result.no_speech;
            segments.push_back(std::move(one));
        };
        single_end = n >= 2 && !is_time(n - 2) && is_time(n - 1);
        std::vector<std::size_t> cuts;
        for (std::size_t i = 1; i < n; ++i)
            if (is_time(i) && is_time(i - 1)) cuts.push_back(i);
        if (!cuts.empty()) {
            if (single_end) cuts.push_back(n);
            std::size_t from = 0;
            for (std::size_t to : cuts) {
                add(offset + seconds(from), offset + seconds(to - 1), from, to);
                from = to;
            }
            seek += single_end ? size : 2 * static_cast<std::int64_t>(tokens[from - 1] - begin);
            return segments;
        }
        double duration = static_cast<double>(size) * 160.0 / 16000.0;
        for (std::size_t i = n; i-- > 0;)
            if (is_time(i)) {
                if (tokens[i] != begin) duration = seconds(i);
                break;
            }
        add(offset, offset + duration, 0, n);
        seek += size;
        return segments;
    }

    // Decodes one window and moves `seek` on.
    Status window(std::int64_t& seek, std::int64_t size) {
        const std::int64_t previous = seek;
        const double offset = static_cast<double>(seek) * 160.0 / 16000.0;
        const double window_end = static_cast<double>(seek + m_window) * 160.0 / 16000.0;
        std::vector<float> rows;
        {
            const StageWatch watch(times().features, "features");
            if (Status status = m_features.read(seek, size, rows); !status) return status;
        }
        rows.resize(static_cast<std::size_t>(m_window) * static_cast<std::size_t>(m_model.config().mels));
        const auto most = static_cast<std::size_t>(m_model.config().target_positions / 2 - 1);
        m_decode.prompt.clear();
        std::size_t from = m_reset;
        std::size_t room = most;
        if (m_options.carry_initial_prompt && !m_initial.empty()) {
            m_decode.prompt = m_initial;
            from = std::max(m_initial.size(), m_reset);
            room = most - std::min(most, m_initial.size());
        }
        if (m_tokens.size() > from + room) from = m_tokens.size() - room;
        m_decode.prompt.insert(m_decode.prompt.end(), m_tokens.begin() + static_cast<std::ptrdiff_t>(from),
                               m_tokens.end());
        const CrossMemory memory = [&] {
            const StageWatch watch(times().encoder, "encoder");
            return m_model.remember(m_model.encode(rows));
        }();
        if (m_options.cancelled && m_options.cancelled())
            return Status(Code::cancelled, "transcription was cancelled", "what was done is kept", "start it again");
        auto decoded = [&] {
            const StageWatch watch(times().decoder, "decoder");
            return decode(memory);
        }();
        if (!decoded) return decoded.status();
        if (m_options.no_speech_threshold && decoded->no_speech > *m_options.no_speech_threshold &&
            !(m_options.logprob_threshold && decoded->average_logprob > *m_options.logprob_threshold)) {
            seek += size;
            return {};
        }
        bool single_end = false;
        std::vector<TranscriptSegment> segments = cut(*decoded, seek, size, single_end);
        if (m_options.word_timestamps) {
            const StageWatch watch(times().alignment, "alignment");
            if (Status status =
                    add_openai_words(m_model, m_generation, m_tokenizer, memory, m_start, static_cast<int>(size / 2),
                                     m_last_speech, m_options, m_decode.language, segments);
                !status)
                return status;
            const auto last_end = end_of(segments);
            if (!single_end && last_end && *last_end > offset) seek = rounded(*last_end * k_frames_a_second);
            if (m_options.hallucination_silence_threshold) {
                const double threshold = *m_options.hallucination_silence_threshold;
                if (!single_end && last_end && *last_end > offset)
                    seek =
                        window_end - *last_end > threshold ? rounded(*last_end * k_frames_a_second) : previous + size;
                const TranscriptSegment* first = with_words(segments, 0);
                if (first && is_anomalous(first) && first->start - offset > threshold) {
                    seek = previous + rounded((first->start - offset) * k_frames_a_second);
                    return {};
                }
                drop_hallucinations(segments, seek, offset, window_end, size, threshold);
            }
            if (const auto end = end_of(segments)) m_last_speech = *end;
        }
        for (TranscriptSegment& segment : segments) {
            if (segment.start == segment.end || strip(segment.text).empty()) {
                segment.text.clear();
                segment.tokens.clear();
                segment.token_probabilities.clear();
                segment.words.clear();
            }
            m_tokens.insert(m_tokens.end(), segment.tokens.begin(), segment.tokens.end());
            m_document.segments.push_back(std::move(segment));
        }
        if (!m_options.condition_on_previous_text || decoded->temperature > 0.5) m_reset = m_tokens.size();
        return {};
    }

    // An odd segment with silence (or other odd ones) on both sides is dropped with all that follow it.
    void drop_hallucinations(std::vector<TranscriptSegment>& segments, std::int64_t& seek, double offset,
                             double window_end, std::int64_t size, double threshold) const {
        double last_end = m_last_speech;
        for (std::size_t i = 0; i < segments.size(); ++i) {
            const TranscriptSegment& segment = segments[i];
            if (segment.words.empty()) continue;
            if (is_anomalous(&segment)) {
                const TranscriptSegment* next = with_words(segments, i + 1);
                const double next_start =
                    next ? next->words.front().start : offset + static_cast<double>(size) * 160.0 / 16000.0;
                const bool before =
                    segment.start - last_end > threshold || segment.start < threshold || segment.start - offset < 2.0;
                const bool after =
                    next_start - segment.end > threshold || is_anomalous(next) || window_end - segment.end < 2.0;
                if (before && after) {
                    seek = rounded(std::max(offset + 1.0, segment.start) * k_frames_a_second);
                    if (static_cast<double>(m_content) * 160.0 / 16000.0 - segment.end < threshold) seek = m_content;
                    segments.resize(i);
                    return;
                }
            }
            last_end = segment.end;
        }
    }

    const WhisperModel& m_model;
    const GenerationConfig& m_generation;
    const Tokenizer& m_tokenizer;
    FeatureReader& m_features;
    const OpenaiOptions& m_options;
    TranscriptDocument& m_document;
    OpenaiDecodeOptions m_decode;
    const std::int64_t m_content;
    const std::int64_t m_window;
    std::vector<TokenId> m_start, m_initial, m_tokens;
    std::size_t m_reset = 0;
    std::size_t m_told = 0;
    double m_last_speech = 0.0;
    StageTimes m_times;
};

} // namespace

OpenaiOptions OpenaiOptions::command_line() {
    OpenaiOptions options;
    options.decode.beam_size = 5;
    options.decode.best_of = 5;
    return options;
}

Status transcribe_openai(const WhisperModel& model, const GenerationConfig& generation, const Tokenizer& tokenizer,
                         FeatureReader& features, const OpenaiOptions& options, TranscriptDocument& document) {
    document.segments.clear();
    document.text.clear();
    return Transcribing(model, generation, tokenizer, features, options, document).run();
}

} // namespace tutti::models
