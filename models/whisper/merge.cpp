// SPDX-License-Identifier: MIT
#include <models/whisper/merge.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <models/whisper/languages.h>
#include <models/whisper/words.h>

namespace tutti::models {

double round_2(double x) {
    char text[64];
    std::snprintf(text, sizeof text, "%.2f", x);
    return std::strtod(text, nullptr);
}

std::string language_name(std::string_view code) {
    for (const auto& [short_name, name] : k_languages)
        if (short_name == code) return std::string(name);
    return {};
}

std::string language_code(std::string_view name) {
    std::string lower(name);
    for (char& c : lower)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    for (const auto& [code, english] : k_languages)
        if (code == lower || english == lower) return std::string(code);
    for (const auto& [alias, code] : k_language_aliases)
        if (alias == lower) return std::string(code);
    return {};
}

std::vector<AudioChunk> cut_audio(std::int64_t samples, std::int64_t chunk, std::int64_t left, std::int64_t right) {
    std::vector<AudioChunk> chunks;
    const std::int64_t step = chunk - left - right;
    for (std::int64_t begin = 0; begin < samples && step > 0; begin += step) {
        AudioChunk one;
        one.begin = begin;
        one.length = std::min(chunk, samples - begin);
        one.left = begin == 0 ? 0 : left;
        one.last = right > 0 ? begin + chunk >= samples : begin + chunk > samples || begin + step >= samples;
        one.right = one.last ? 0 : right;
        if (one.length > one.left) chunks.push_back(one);
        if (one.last) break;
    }
    return chunks;
}

MergedTokens merge_sequences(const std::vector<std::vector<TokenId>>& sequences,
                             const std::vector<std::vector<TimePair>>& times) {
    MergedTokens out;
    if (sequences.empty()) return out;
    const bool timed = !times.empty();
    std::vector<TokenId> left = sequences[0];
    std::vector<TimePair> left_times = timed ? times[0] : std::vector<TimePair>();
    for (std::size_t s = 1; s < sequences.size(); ++s) {
        const std::vector<TokenId>& right = sequences[s];
        const std::size_t l = left.size(), r = right.size();
        double best = 0.0;
        std::size_t left_begin = l, left_end = l, right_begin = 0, right_end = 0; // no overlap: plain concatenation
        for (std::size_t i = 1; i < l + r; ++i) {
            const std::size_t lb = l > i ? l - i : 0, le = std::min(l, l + r - i);
            const std::size_t rb = i > l ? i - l : 0, re = std::min(r, i);
            std::size_t matches = 0;
            for (std::size_t k = 0; k < le - lb; ++k)
                matches += left[lb + k] == right[rb + k] && (!timed || left_times[lb + k] <= times[s][rb + k]);
            // the longer overlap wins among equals
            const double score =
                static_cast<double>(matches) / static_cast<double>(i) + static_cast<double>(i) / 10000.0;
            if (matches > 1 && score > best) {
                best = score;
                left_begin = lb;
                left_end = le;
                right_begin = rb;
                right_end = re;
            }
        }
        const std::size_t left_keep = (left_begin + left_end) / 2, right_skip = (right_begin + right_end) / 2;
        const auto at = [](const auto& list, std::size_t i) { return list.begin() + static_cast<std::ptrdiff_t>(i); };
        out.tokens.insert(out.tokens.end(), left.cbegin(), at(std::as_const(left), left_keep));
        left.assign(at(right, right_skip), right.end());
        if (timed) {
            out.times.insert(out.times.end(), left_times.cbegin(), at(std::as_const(left_times), left_keep));
            left_times.assign(at(times[s], right_skip), times[s].end());
        }
    }
    out.tokens.insert(out.tokens.end(), left.begin(), left.end());
    out.times.insert(out.times.end(), left_times.begin(), left_times.end());
    return out;
}

namespace {

class Joiner {
public:
    Joiner(const Tokenizer& tokenizer, const JoinOptions& options) : m_tokenizer(tokenizer), m_options(options) {}

    void add(const ChunkTokens& chunk) {
        const TokenId begin = m_options.timestamp_begin;
        const double step = m_options.time_step;
        std::optional<TokenId> last;
        double first = begin; // a token below it lies in the overlap with the chunk before
        if (chunk.has_stride) {
            m_offset -= chunk.left_s;
            if (chunk.left_s != 0.0) first = chunk.left_s / step + begin;
            if (chunk.right_s != 0.0)
                for (auto token = chunk.tokens.rbegin(); token != chunk.tokens.rend(); ++token)
                    if (*token >= begin) {
                        if (last && (*token - begin) * step < chunk.length_s - chunk.right_s) break;
                        last = *token;
                    }
        }
        double highest = 0.0, before_highest = 0.0, windows = 0.0;
        for (std::size_t i = 0; i < chunk.tokens.size(); ++i) {
            const TokenId token = chunk.tokens[i];
            if (m_tokenizer.is_special(token)) {
                note_language(token);
            } else if (token >= begin) {
                const double t = (token - begin) * step;
                if (t < highest) { // times went back: a new window began inside this output
                    if (i >= 2 && !(chunk.tokens[i - 1] >= begin && chunk.tokens[i - 2] >= begin)) {
                        windows += step * 1500;
                    } else {
                        highest = before_highest;
                        windows += before_highest;
                    }
                }
                before_highest = highest;
                highest = t;
                const double time = round_2(t + m_offset + windows);
                if (last && token >= *last) {
                    m_skip = true;
                } else if (m_skip || (!m_pending.empty() && token < first)) {
                    m_skip = false;
                } else if (!m_piece.start) {
                    m_piece.start = time;
                } else if (time != *m_piece.start) {
                    m_piece.end = time;
                    push_current();
                    emit();
                }
            } else {
                m_current.push_back(token);
                if (m_options.times == TimesWanted::words && i < chunk.token_times.size())
                    m_current_times.emplace_back(round_2((i == 0 ? 0.0 : chunk.token_times[i - 1]) + m_offset),
                                                 round_2(chunk.token_times[i] + m_offset));
            }
        }
        if (chunk.has_stride) m_offset += chunk.length_s - chunk.right_s;
        if (!m_current.empty()) {
            push_current();
        } else if (std::all_of(m_pending.begin(), m_pending.end(), [](const auto& list) { return list.empty(); })) {
            clear();
        }
    }

    JoinedText finish() {
        if (!m_pending.empty()) emit();
        JoinedText joined;
        for (const TextPiece& piece : m_pieces)
            joined.text += piece.text;
        if (m_options.times == TimesWanted::words) {
            joined.pieces = std::move(m_words);
            joined.segments = std::move(m_pieces);
        } else {
            joined.pieces = std::move(m_pieces);
        }
        return joined;
    }

private:
    void push_current() {
        m_pending.push_back(std::move(m_current));
        m_pending_times.push_back(std::move(m_current_times));
        m_current.clear();
        m_current_times.clear();
    }
    void clear() {
        m_piece = {};
        m_piece.language = m_language;
        m_pending.clear();
        m_pending_times.clear();
        m_current.clear();
        m_current_times.clear();
    }
    void emit() {
        const bool words = m_options.times == TimesWanted::words;
        MergedTokens merged =
            merge_sequences(m_pending, words ? m_pending_times : std::vector<std::vector<TimePair>>());
        const DecodeOptions decode{false, false, m_tokenizer.clean_up_default()};
        m_piece.text = m_tokenizer.decode(merged.tokens, decode);
        m_piece.first_word = m_words.size();
        if (words) {
            WordOptions options;
            options.unicode_only = written_without_spaces(m_language);
            options.prepend = "\"'“¡¿([{-";
            options.clean_up = m_tokenizer.clean_up_default();
            options.first_special = m_tokenizer.id_of("<|endoftext|>").value_or(m_options.timestamp_begin);
            for (const Word& word : split_words(m_tokenizer, merged.tokens, options)) {
                TextPiece piece;
                piece.text = word.text;
                piece.start = merged.times[static_cast<std::size_t>(word.indices.front())].first;
                piece.end = merged.times[static_cast<std::size_t>(word.indices.back())].second;
                piece.language = m_language;
                piece.tokens = word.tokens;
                m_words.push_back(std::move(piece));
            }
        }
        m_piece.words = m_words.size() - m_piece.first_word;
        m_piece.tokens = std::move(merged.tokens);
        m_pieces.push_back(std::move(m_piece));
        clear();
    }
    void note_language(TokenId token) {
        const std::string_view name = m_tokenizer.added_name(token);
        if (name.size() < 5) return;
        const std::string language = language_name(name.substr(2, name.size() - 4));
        if (language.empty()) return;
        if (!m_language.empty() && language != m_language && m_options.times == TimesWanted::none) {
            push_current();
            emit();
        }
        m_piece.language = m_language = language;
    }

    const Tokenizer& m_tokenizer;
    const JoinOptions& m_options;
    double m_offset = 0.0;
    bool m_skip = false;
    std::string m_language;
    TextPiece m_piece;
    std::vector<TokenId> m_current;
    std::vector<TimePair> m_current_times;
    std::vector<std::vector<TokenId>> m_pending;
    std::vector<std::vector<TimePair>> m_pending_times;
    std::vector<TextPiece> m_pieces;
    std::vector<TextPiece> m_words;
};

} // namespace

JoinedText join_chunks(const Tokenizer& tokenizer, std::span<const ChunkTokens> chunks, const JoinOptions& options) {
    Joiner joiner(tokenizer, options);
    for (const ChunkTokens& chunk : chunks)
        joiner.add(chunk);
    return joiner.finish();
}

} // namespace tutti::models
