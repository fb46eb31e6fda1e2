// SPDX-License-Identifier: MIT
#include <models/whisper/recording.h>

#include <algorithm>
#include <cmath>
#include <map>

#include <models/tokenizer/utf8.h>
#include <models/whisper/stage_watch.h>
#include <models/whisper/words.h>

namespace tutti::models {
namespace {

constexpr double k_rate = 16000.0;

std::string code_of(const GenerationConfig& generation, std::optional<TokenId> id) {
    for (const auto& [name, one] : generation.languages)
        if (id && one == *id && name.size() > 4) return name.substr(2, name.size() - 4);
    return {};
}

// Reads on until `count` samples are there or the end has come; refuses what is no number.
class Reader {
public:
    Reader(SampleSource& source, StageTimes& times) : m_source(source), m_times(times) {}
    Status fill(std::size_t count) {
        const StageWatch watch(m_times.features, "features");
        while (!m_ended && samples.size() < count) {
            const std::size_t have = samples.size();
            samples.resize(have + 16000);
            auto got = m_source.read(std::span(samples).subspan(have));
            samples.resize(have + (got ? *got : 0));
            if (!got) return got.status();
            m_ended = *got == 0;
            for (std::size_t i = have; i < samples.size(); ++i)
                if (!std::isfinite(samples[i]))
                    return Status(Code::malformed, "the sound holds a value that is no number",
                                  "what came before it is kept", "mend the file");
        }
        return {};
    }
    bool ended() const noexcept { return m_ended; }
    std::vector<float> samples;

private:
    SampleSource& m_source;
    StageTimes& m_times;
    bool m_ended = false;
};

class Chunked {
public:
    Chunked(const Transcriber& t, SampleSource& source, const RecordingOptions& options, TranscriptDocument& document,
            RecordingReport& report)
        : m_t(t), m_options(options), m_document(document), m_report(report), m_reader(source, report.times),
          m_chunk(std::lround(options.chunked.chunk_s * k_rate)),
          m_side(std::lround(options.chunked.chunk_s / 6.0 * k_rate)) {
        m_how = options.chunked.generate;
        m_how.times = &report.times;
        m_how.cancelled = options.cancelled;
        m_how.timestamps = m_how.timestamps || options.segments || options.words;
        m_how.token_times = options.words;
    }

    Status run(SampleSource& source) {
        if (m_chunk - 2 * m_side <= 0)
            return Status(Code::out_of_range, "a chunk of this length has no middle", "nothing was transcribed",
                          "give a longer chunk");
        if (Status status = source.rewind(); !status) return status;
        Status status;
        for (bool last = false; !last && status.ok();) {
            std::vector<std::vector<float>> features;
            std::vector<ChunkTokens> texts;
            std::vector<std::size_t> heard; // places in `texts` of what is listened to
            m_how.sound_frames.clear();
            while (!last && static_cast<int>(features.size()) < std::max(1, m_options.chunked.batch)) {
                status = cut(last, features, texts, heard);
                if (!status) break;
            }
            if (!features.empty()) {
                auto result = generate(m_t.model(), m_t.generation(), features, m_how);
                if (!result) {
                    status = result.status();
                    break; // the batch is lost, what came before it is kept
                }
                for (std::size_t k = 0; k < heard.size(); ++k)
                    take(result->items[k], texts[heard[k]]);
            }
            std::move(texts.begin(), texts.end(), std::back_inserter(m_texts));
            if (m_options.progress) m_options.progress(m_report.seconds);
        }
        finish();
        return status;
    }

private:
    // The next chunk: its features, or nothing to listen to.
    Status cut(bool& last, std::vector<std::vector<float>>& features, std::vector<ChunkTokens>& texts,
               std::vector<std::size_t>& heard) {
        // One sample more tells whether this is the last chunk.
        if (Status status = m_reader.fill(static_cast<std::size_t>(m_chunk) + 1); !status) return status;
        const auto there = static_cast<std::int64_t>(m_reader.samples.size());
        last = m_reader.ended() && there <= m_chunk;
        const std::int64_t length = std::min(there, m_chunk), left = m_begin == 0 ? 0 : m_side;
        if (length <= left) return {};
        m_report.seconds = static_cast<double>(m_begin + length) / k_rate;
        const auto samples = std::span<const float>(m_reader.samples).first(static_cast<std::size_t>(length));
        ChunkTokens text;
        text.has_stride = true;
        text.length_s = static_cast<double>(length) / k_rate;
        text.left_s = static_cast<double>(left) / k_rate;
        text.right_s = last ? 0.0 : static_cast<double>(m_side) / k_rate;
        bool silent = false;
        if (m_options.vad) {
            SilenceMap map;
            map.push(samples);
            map.finish();
            silent = map.is_silent(0, length);
        }
        if (silent) {
            ++m_report.silent_windows;
        } else {
            const StageWatch watch(m_report.times.features, "features");
            auto rows = whisper_features(m_t.model().config().mels, samples, MelExtent::window,
                                         320 * static_cast<std::int64_t>(m_t.model().config().positions),
                                         m_options.chunked.threads);
            if (!rows) return rows.status();
            features.push_back(std::move(rows).value());
            m_how.sound_frames.push_back(std::min<std::int64_t>(
                (length + 159) / 160, 2 * static_cast<std::int64_t>(m_t.model().config().positions)));
            heard.push_back(texts.size());
            ++m_report.windows;
        }
        texts.push_back(std::move(text));
        const std::int64_t step = std::min(there, m_chunk - 2 * m_side);
        m_reader.samples.erase(m_reader.samples.begin(), m_reader.samples.begin() + step);
        m_begin += step;
        return {};
    }

    void take(ItemResult& item, ChunkTokens& text) {
        text.tokens = item.tokens;
        m_report.tokens += static_cast<std::int64_t>(item.tokens.size());
        if (m_how.languages.empty() && item.language)
            m_report.languages.push_back(code_of(m_t.generation(), item.language));
        double logprob = 0.0;
        std::size_t count = 0;
        for (const TimedSegment& segment : item.segments) {
            text.token_times.insert(text.token_times.end(), segment.token_times.begin(), segment.token_times.end());
            for (float one : segment.token_logprobs) {
                logprob += static_cast<double>(one);
                ++count;
            }
            m_no_speech = std::max(m_no_speech, segment.no_speech);
        }
        m_logprob += logprob;
        m_count += count;
    }

    void finish() {
        JoinOptions join;
        join.times = m_how.token_times  ? TimesWanted::words
                     : m_how.timestamps ? TimesWanted::segments
                                        : TimesWanted::none;
        join.time_step = m_options.chunked.chunk_s / m_t.model().config().positions;
        join.timestamp_begin =
            m_t.generation().no_timestamps ? m_t.generation().timestamp_begin() : m_t.model().config().vocabulary;
        const JoinedText joined = join_chunks(m_t.tokenizer(), m_texts, join);
        m_document.text = joined.text;
        double last_end = 0.0;
        for (const TextPiece& piece : m_how.token_times ? joined.segments : joined.pieces) {
            TranscriptSegment segment;
            segment.text = piece.text;
            segment.tokens = piece.tokens;
            segment.has_words = m_how.token_times;
            for (std::size_t w = piece.first_word; m_how.token_times && w < piece.first_word + piece.words; ++w) {
                const TextPiece& word = joined.pieces[w];
                const double start = std::max(last_end, word.start.value_or(last_end));
                segment.words.push_back({word.text, start, std::max(start, word.end.value_or(start)), std::nullopt});
            }
            // The end of an unfinished piece is its last word's, or the recording's.
            segment.start = std::max(
                last_end, piece.start.value_or(segment.words.empty() ? last_end : segment.words.front().start));
            segment.end = std::max(
                segment.start, piece.end.value_or(segment.words.empty() ? m_report.seconds : segment.words.back().end));
            last_end = m_how.timestamps ? std::min(segment.end, m_report.seconds) : 0.0;
            segment.average_logprob = m_count ? m_logprob / static_cast<double>(m_count) : 0.0;
            segment.no_speech = m_no_speech;
            m_document.segments.push_back(std::move(segment));
        }
    }

    const Transcriber& m_t;
    const RecordingOptions& m_options;
    TranscriptDocument& m_document;
    RecordingReport& m_report;
    Reader m_reader;
    const std::int64_t m_chunk, m_side;
    GenerateOptions m_how;
    std::vector<ChunkTokens> m_texts;
    std::int64_t m_begin = 0;
    double m_logprob = 0.0, m_no_speech = 0.0;
    std::size_t m_count = 0;
};

// Words of a segment by the times of its tokens.
void add_words(const Transcriber& t, const TimedSegment& timed, const std::string& language,
               TranscriptSegment& segment) {
    const TokenId begin =
        t.generation().no_timestamps ? t.generation().timestamp_begin() : t.model().config().vocabulary;
    std::vector<TokenId> text;
    std::vector<std::size_t> place;
    for (std::size_t k = 0; k < timed.segment.tokens.size(); ++k)
        if (timed.segment.tokens[k] < std::min(begin, t.generation().eos)) {
            text.push_back(timed.segment.tokens[k]);
            place.push_back(k);
        }
    WordOptions options;
    options.unicode_only = written_without_spaces(language);
    options.prepend = "\"'“¡¿([{-";
    options.first_special = t.generation().eos;
    options.clean_up = t.tokenizer().clean_up_default();
    segment.has_words = true;
    for (const Word& word : split_words(t.tokenizer(), text, options)) {
        const std::size_t first = place[static_cast<std::size_t>(word.indices.front())],
                          last = place[static_cast<std::size_t>(word.indices.back())];
        if (last >= timed.token_times.size()) break;
        double sum = 0.0;
        for (int i : word.indices)
            if (const std::size_t k = place[static_cast<std::size_t>(i)]; k < timed.token_logprobs.size())
                sum += std::exp(static_cast<double>(timed.token_logprobs[k]));
        segment.words.push_back({word.text, round_2(first == 0 ? segment.start : timed.token_times[first - 1]),
                                 round_2(timed.token_times[last]), sum / static_cast<double>(word.indices.size())});
    }
}

Status sequential(const Transcriber& t, FeatureReader& features, const SilenceMap* silence,
                  const RecordingOptions& options, TranscriptDocument& document, RecordingReport& report) {
    GenerateOptions how = options.chunked.generate;
    how.timestamps = how.timestamps || options.segments || options.words;
    how.token_times = options.words;
    how.times = &report.times;
    how.cancelled = options.cancelled;
    const bool one_window = features.samples() <= 320 * static_cast<std::int64_t>(t.model().config().positions);
    ItemFeatures item;
    item.frames = one_window ? features.all_frames() : features.frames();
    item.read = [&](std::int64_t from, std::int64_t count, std::vector<float>& rows) {
        return features.read(from, count, rows);
    };
    how.sound_frames = {features.frames()};
    if (silence)
        how.skip_silence = [&](std::size_t, std::int64_t seek) { return silence->next_sound(seek * 160) / 160; };
    std::vector<TimedSegment> kept;
    how.on_window = [&](std::size_t, const std::vector<TimedSegment>& segments, std::int64_t done) {
        kept.insert(kept.end(), segments.begin(), segments.end());
        ++report.windows;
        if (options.progress) options.progress(static_cast<double>(done) * 0.01);
    };
    const auto result = generate(t.model(), t.generation(), std::vector<ItemFeatures>{item}, how);
    std::string language = how.languages.empty() ? std::string() : how.languages.front();
    if (result && result->items[0].language) language = code_of(t.generation(), result->items[0].language);
    document.language = language;
    std::vector<TokenId> all;
    const TokenId begin =
        t.generation().no_timestamps ? t.generation().timestamp_begin() : t.model().config().vocabulary;
    for (const TimedSegment& timed : kept) {
        TranscriptSegment segment;
        segment.seek = timed.seek;
        segment.start = std::min(timed.segment.start, report.seconds);
        segment.end = std::max(segment.start, std::min(timed.segment.end, report.seconds));
        segment.tokens = timed.segment.tokens;
        std::vector<TokenId> text;
        for (TokenId id : segment.tokens)
            if (id < begin && !t.tokenizer().is_special(id)) text.push_back(id);
        segment.text = t.tokenizer().decode(text, {true, false, t.tokenizer().clean_up_default()});
        for (float one : timed.token_logprobs)
            segment.token_probabilities.push_back(std::exp(one));
        segment.temperature = timed.temperature;
        segment.average_logprob = timed.average_logprob;
        segment.compression_ratio = timed.compression_ratio;
        segment.no_speech = timed.no_speech;
        report.tokens += static_cast<std::int64_t>(segment.tokens.size());
        all.insert(all.end(), text.begin(), text.end());
        if (options.words) add_words(t, timed, language, segment);
        document.segments.push_back(std::move(segment));
    }
    document.text = t.tokenizer().decode(all, {true, false, t.tokenizer().clean_up_default()});
    return result ? Status() : result.status();
}

// A source whose samples are also looked at for silence on their first way through.
class WatchedSource : public SampleSource {
public:
    WatchedSource(SampleSource& source, SilenceMap* map) : m_source(source), m_map(map) {}
    Status rewind() override { return m_source.rewind(); }
    Result<std::size_t> read(std::span<float> out) override {
        auto got = m_source.read(out);
        if (!m_map || !got) return got;
        m_map->push(out.first(*got));
        if (*got == 0) {
            m_map->finish();
            m_map = nullptr;
        }
        return got;
    }

private:
    SampleSource& m_source;
    SilenceMap* m_map;
};

} // namespace

Status transcribe_recording(const Transcriber& transcriber, SampleSource& source, const RecordingOptions& options,
                            TranscriptDocument& document, RecordingReport& report) {
    if (!options.lyrics.empty()) return align_lyrics(transcriber, source, options, document, report);
    Status status;
    if (options.mode == LongForm::chunked) {
        status = Chunked(transcriber, source, options, document, report).run(source);
        if (!options.chunked.generate.languages.empty()) {
            document.language = options.chunked.generate.languages.front();
        } else { // most chunks decide
            std::map<std::string, int> votes;
            for (const std::string& one : report.languages)
                if (++votes[one] > votes[document.language] || document.language.empty()) document.language = one;
        }
    } else {
        SilenceMap silence;
        WatchedSource watched(source, options.vad ? &silence : nullptr);
        const bool openai = options.mode == LongForm::openai;
        const std::int64_t window = 320 * static_cast<std::int64_t>(transcriber.model().config().positions);
        auto features = [&] {
            const StageWatch watch(report.times.features, "features");
            return FeatureReader::open(watched, transcriber.model().config().mels,
                                       openai ? MelExtent::openai : MelExtent::window, window, options.cancelled);
        }();
        if (!features) return features.status();
        report.seconds = static_cast<double>(features->samples()) / k_rate;
        if (openai) {
            OpenaiOptions how = options.openai;
            how.word_timestamps = how.word_timestamps || options.words;
            how.cancelled = options.cancelled;
            how.times = &report.times;
            if (options.vad && how.clip_timestamps == std::vector<double>{0.0})
                how.clip_timestamps = silence.sounding_seconds();
            how.on_window = [&](const std::vector<TranscriptSegment>& segments, std::int64_t done) {
                ++report.windows;
                for (const TranscriptSegment& segment : segments)
                    report.tokens += static_cast<std::int64_t>(segment.tokens.size());
                if (options.progress) options.progress(static_cast<double>(done) * 0.01);
            };
            const bool nothing = options.vad && how.clip_timestamps.empty();
            if (!nothing)
                status = transcribe_openai(transcriber.model(), transcriber.generation(), transcriber.tokenizer(),
                                           *features, how, document);
        } else {
            status = sequential(transcriber, *features, options.vad ? &silence : nullptr, options, document, report);
        }
    }
    document.duration_s = report.seconds;
    return status;
}

} // namespace tutti::models
