// SPDX-License-Identifier: MIT
#include <models/whisper/openai_decode.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <set>

#include <models/tokenizer/utf8.h>
#include <models/whisper/rules.h>

namespace tutti::models {
namespace {

constexpr float k_never = -std::numeric_limits<float>::infinity();

Status refuse(const std::string& what, const std::string& remedy) {
    return Status(Code::invalid_argument, what, "nothing was transcribed", remedy);
}

struct Row {
    std::vector<TokenId> tokens; // after the prompt; without the end token
    std::vector<float> logprobs;
    float sum = 0.0f;
    bool ended = false;
};

class Decoding {
public:
    Decoding(const WhisperModel& model, const GenerationConfig& generation, const Tokenizer& tokenizer,
             const CrossMemory& memory, const OpenaiDecodeOptions& options, std::vector<TokenId> prompt)
        : m_model(model), m_generation(generation), m_memory(memory), m_options(options), m_prompt(std::move(prompt)),
          m_vocabulary(static_cast<std::size_t>(model.config().vocabulary)) {
        const bool searching = options.beam_size && options.temperature == 0.0;
        m_group = static_cast<std::size_t>(std::max(1, searching                   ? *options.beam_size
                                                       : options.temperature > 0.0 ? options.best_of.value_or(1)
                                                                                   : 1));
        m_beams = searching;
        m_scores.resize(m_group * m_vocabulary);
        std::set<TokenId> suppressed;
        for (TokenId id : options.suppress)
            if (id == -1)
                for (TokenId one : non_speech_tokens(tokenizer))
                    suppressed.insert(one);
            else
                suppressed.insert(id);
        for (const char* name : {"<|transcribe|>", "<|translate|>", "<|startoftranscript|>", "<|startofprev|>",
                                 "<|startoflm|>", "<|nospeech|>", "<|nocaptions|>"})
            if (const auto id = tokenizer.id_of(name)) suppressed.insert(*id);
        for (const auto& [name, id] : generation.tasks)
            suppressed.insert(id);
        suppressed.insert(generation.start);
        if (generation.previous) suppressed.insert(*generation.previous);
        if (const auto id = generation.no_speech()) suppressed.insert(*id);
        for (TokenId id : suppressed)
            if (id >= 0 && static_cast<std::size_t>(id) < m_vocabulary) m_suppress.push_back(id);
        m_blank = tokenizer.encode(" ");
        m_blank.push_back(generation.eos);
        m_rules = generation.timestamp_rules();
        m_rules.max_initial_index.reset();
        if (options.max_initial_timestamp)
            m_rules.max_initial_index = static_cast<int>(std::nearbyint(*options.max_initial_timestamp / 0.02));
    }

    Result<OpenaiDecoded> run(const Tokenizer& tokenizer) {
        const Status cancelled(Code::cancelled, "transcription was cancelled", "what was done is kept",
                               "start it again");
        OpenaiDecoded out;
        const int half = m_model.config().target_positions / 2;
        const int limit = m_options.sample_len.value_or(half);
        DecoderState state =
            m_model.start(static_cast<int>(m_group), static_cast<int>(m_prompt.size()) + std::max(limit, 1));
        if (!prefill(state, out.no_speech)) return cancelled;
        std::vector<Row> rows(m_group);
        std::vector<Row> finished; // of the beam search, in the order in which they were found
        const auto most = static_cast<std::size_t>(
            std::max(1.0, std::nearbyint(static_cast<double>(m_group) * m_options.patience.value_or(1.0))));
        for (int length = 0; length < limit; ++length) {
            for (std::size_t r = 0; r < m_group; ++r)
                filter(scores(r), rows[r].tokens);
            std::vector<int> parents(m_group);
            std::iota(parents.begin(), parents.end(), 0);
            const bool done = m_beams ? extend(rows, finished, parents, most) : choose(rows);
            // The reference looks at the length after it has taken the token.
            if (done || static_cast<int>(m_prompt.size()) + length + 1 > m_model.config().target_positions ||
                length + 1 == limit)
                break;
            if (m_options.cancelled && m_options.cancelled()) return cancelled;
            if (m_beams) m_model.reorder(state, 0, parents);
            std::vector<WhisperModel::Step> steps;
            for (std::size_t r = 0; r < m_group; ++r)
                if (!rows[r].ended)
                    steps.push_back({rows[r].tokens.back(), static_cast<int>(r), &m_memory, scores(r).data()});
            m_model.step(state, steps);
        }
        if (m_beams) {
            if (finished.size() < m_group) { // unfinished ones fill up, the likeliest first
                std::vector<std::size_t> order(rows.size());
                std::iota(order.begin(), order.end(), std::size_t{0});
                std::stable_sort(order.begin(), order.end(),
                                 [&](std::size_t a, std::size_t b) { return rows[a].sum > rows[b].sum; });
                for (std::size_t k : order) {
                    finished.push_back(rows[k]);
                    if (finished.size() >= m_group) break;
                }
            }
            rows = std::move(finished);
        }
        std::size_t best = 0;
        double best_score = -std::numeric_limits<double>::infinity();
        for (std::size_t r = 0; r < rows.size(); ++r) {
            const double length = static_cast<double>(std::max<std::size_t>(1, rows[r].tokens.size()));
            const double penalty =
                m_options.length_penalty
                    ? std::pow((5.0 + static_cast<double>(rows[r].tokens.size())) / 6.0, *m_options.length_penalty)
                    : length;
            if (rows[r].sum / penalty > best_score) {
                best_score = rows[r].sum / penalty;
                best = r;
            }
        }
        Row& row = rows[best];
        out.average_logprob = row.sum / static_cast<double>(row.tokens.size() + 1);
        out.tokens = std::move(row.tokens);
        row.logprobs.resize(out.tokens.size());
        out.logprobs = std::move(row.logprobs);
        out.text = std::string(strip(openai_text(tokenizer, m_generation, out.tokens)));
        out.temperature = m_options.temperature;
        out.compression_ratio = compression_ratio_of_text(out.text);
        return out;
    }

private:
    std::span<float> scores(std::size_t row) { return std::span(m_scores).subspan(row * m_vocabulary, m_vocabulary); }

    bool prefill(DecoderState& state, double& no_speech) {
        std::vector<float> at_start(m_vocabulary);
        for (std::size_t t = 0; t < m_prompt.size(); ++t) {
            if (m_options.cancelled && m_options.cancelled()) return false;
            const bool last = t + 1 == m_prompt.size(), start = m_prompt[t] == m_generation.start;
            const WhisperModel::Step step{m_prompt[t], 0, &m_memory,
                                          last    ? scores(0).data()
                                          : start ? at_start.data()
                                                  : nullptr};
            m_model.step(state, {&step, 1});
            if (!start) continue;
            if (last) std::copy(scores(0).begin(), scores(0).end(), at_start.begin());
            std::vector<float> copy = at_start;
            log_softmax(copy);
            if (const auto id = m_generation.no_speech())
                no_speech = std::exp(static_cast<double>(copy[static_cast<std::size_t>(*id)]));
        }
        const std::vector<int> parents(m_group, 0);
        m_model.reorder(state, 0, parents);
        for (std::size_t r = 1; r < m_group; ++r)
            std::copy(scores(0).begin(), scores(0).end(), scores(r).begin());
        return true;
    }

    void filter(std::span<float> row, std::span<const TokenId> tokens) const {
        if (m_options.suppress_blank && tokens.empty())
            for (TokenId id : m_blank)
                row[static_cast<std::size_t>(id)] = k_never;
        for (TokenId id : m_suppress)
            row[static_cast<std::size_t>(id)] = k_never;
        if (!m_options.without_timestamps && m_generation.no_timestamps) apply_timestamp_rules(row, tokens, m_rules);
    }

    TokenId draw(std::span<const float> row) const {
        const auto factor = static_cast<float>(m_options.temperature);
        std::vector<double> scaled(row.size());
        double highest = -std::numeric_limits<double>::infinity();
        for (std::size_t i = 0; i < row.size(); ++i) {
            scaled[i] = static_cast<double>(row[i] / factor);
            highest = std::max(highest, scaled[i]);
        }
        double sum = 0.0;
        for (double x : scaled)
            sum += std::exp(x - highest);
        std::vector<float> probabilities(row.size());
        double total = 0.0;
        for (std::size_t i = 0; i < row.size(); ++i) {
            probabilities[i] = static_cast<float>(std::exp(scaled[i] - highest) / sum);
            total += probabilities[i];
        }
        const double target = m_options.uniform() * total;
        double running = 0.0;
        TokenId last = 0;
        for (std::size_t i = 0; i < row.size(); ++i) {
            if (probabilities[i] > 0.0f) last = static_cast<TokenId>(i);
            running += probabilities[i];
            if (running > target) return static_cast<TokenId>(i);
        }
        return last;
    }

    // Greedy or one sample a row; true when all have ended.
    bool choose(std::vector<Row>& rows) {
        bool all = true;
        for (std::size_t r = 0; r < rows.size(); ++r) {
            Row& row = rows[r];
            if (row.ended) { // finished rows draw as well
                if (m_options.temperature > 0.0) m_options.uniform();
                continue;
            }
            const auto x = scores(r);
            const TokenId token = m_options.temperature > 0.0
                                      ? draw(x)
                                      : static_cast<TokenId>(std::max_element(x.begin(), x.end()) - x.begin());
            log_softmax(x);
            const float logprob = x[static_cast<std::size_t>(token)];
            row.sum += logprob;
            if (token == m_generation.eos) {
                row.ended = true;
            } else {
                row.tokens.push_back(token);
                row.logprobs.push_back(logprob);
                all = false;
            }
        }
        return all;
    }

    struct Candidate {
        float score;
        float logprob;
        std::size_t row;
        TokenId token;
    };

    // One step of the beams; true when enough have finished.
    bool extend(std::vector<Row>& rows, std::vector<Row>& finished, std::vector<int>& parents, std::size_t most) {
        const std::size_t n = m_group;
        std::vector<Candidate> candidates;
        const bool first = rows[0].tokens.empty(); // all rows are the same sequence then: one speaks for all
        for (std::size_t r = 0; r < (first ? 1 : n); ++r) {
            const auto x = scores(r);
            log_softmax(x);
            std::vector<TokenId> order(m_vocabulary);
            std::iota(order.begin(), order.end(), 0);
            const auto end = order.begin() + static_cast<std::ptrdiff_t>(std::min(n + 1, m_vocabulary));
            std::partial_sort(order.begin(), end, order.end(), [&](TokenId a, TokenId b) {
                const float xa = x[static_cast<std::size_t>(a)], xb = x[static_cast<std::size_t>(b)];
                return xa > xb || (xa == xb && a < b);
            });
            for (auto id = order.begin(); id != end; ++id) {
                const float logprob = x[static_cast<std::size_t>(*id)];
                candidates.push_back({rows[r].sum + logprob, logprob, r, *id});
            }
        }
        std::stable_sort(candidates.begin(), candidates.end(),
                         [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
        std::vector<Row> next, ended;
        for (const Candidate& one : candidates) {
            Row row = rows[one.row];
            row.sum = one.score;
            if (one.token == m_generation.eos) {
                row.ended = true;
                ended.push_back(std::move(row));
                continue;
            }
            row.tokens.push_back(one.token);
            row.logprobs.push_back(one.logprob);
            parents[next.size()] = static_cast<int>(one.row);
            next.push_back(std::move(row));
            if (next.size() == n) break;
        }
        while (next.size() < n) { // a vocabulary smaller than the beams
            parents[next.size()] = parents[0];
            next.push_back(next.front());
            next.back().sum = k_never;
        }
        rows = std::move(next);
        for (Row& row : ended) {
            if (finished.size() >= most) break;
            finished.push_back(std::move(row));
        }
        return finished.size() >= most;
    }

    const WhisperModel& m_model;
    const GenerationConfig& m_generation;
    const CrossMemory& m_memory;
    const OpenaiDecodeOptions& m_options;
    const std::vector<TokenId> m_prompt;
    const std::size_t m_vocabulary;
    std::size_t m_group = 1;
    bool m_beams = false;
    std::vector<TokenId> m_suppress, m_blank;
    TimestampRules m_rules;
    std::vector<float> m_scores;
};

} // namespace

std::vector<TokenId> non_speech_tokens(const Tokenizer& tokenizer) {
    std::set<TokenId> found;
    for (const char* inner : {" -", " '"}) // between words they are fine, before one not
        if (const auto ids = tokenizer.encode(inner); !ids.empty()) found.insert(ids.front());
    const auto add = [&](const std::string& sign, bool even_in_pieces) {
        for (const std::string& text : {sign, " " + sign}) {
            const auto ids = tokenizer.encode(text);
            if (ids.size() == 1 || (even_in_pieces && !ids.empty())) found.insert(ids.front());
        }
    };
    for (char c : std::string_view("\"#()*+/:;<=>@[\\]^_`{|}~"))
        add(std::string(1, c), false);
    for (const char* sign : {"「", "」",  "『", "』", "<<",  ">>",  "<<<", ">>>", "--", "---", "-(", "-[",
                             "('", "(\"", "((", "))", "(((", ")))", "[[",  "]]",  "{{", "}}",  "♪♪", "♪♪♪"})
        add(sign, false);
    for (const char* sign : {"♩", "♪", "♫", "♬", "♭", "♮", "♯"}) // U+2669 .. U+266F share their first two bytes
        add(sign, true);
    return {found.begin(), found.end()};
}

Result<std::vector<TokenId>> openai_start(const GenerationConfig& generation, const std::string& language,
                                          const std::string& task) {
    std::vector<TokenId> start{generation.start};
    if (!generation.multilingual) return start;
    const auto language_id = generation.language_id(language);
    if (!language_id)
        return refuse("this checkpoint does not know the language '" + language + "'", "give one of its languages");
    const auto task_id = generation.task_id(task);
    if (!task_id)
        return refuse("this checkpoint does not know the task '" + task + "'", "give transcribe or translate");
    start.push_back(*language_id);
    start.push_back(*task_id);
    return start;
}

std::string openai_text(const Tokenizer& tokenizer, const GenerationConfig& generation, std::span<const TokenId> ids) {
    std::vector<TokenId> kept;
    for (TokenId id : ids)
        if (!generation.no_timestamps || id < generation.timestamp_begin()) kept.push_back(id);
    return tokenizer.decode(kept, {false, true, false});
}

Result<OpenaiDecoded> openai_decode(const WhisperModel& model, const GenerationConfig& generation,
                                    const Tokenizer& tokenizer, const CrossMemory& memory,
                                    const OpenaiDecodeOptions& options) {
    if (options.temperature > 0.0 && !options.uniform)
        return refuse("a temperature above 0 needs random numbers", "give them");
    for (TokenId id : options.suppress)
        if (id < -1 || id >= model.config().vocabulary)
            return refuse("the suppressed id " + std::to_string(id) + " is not in the vocabulary", "leave it away");
    auto start = openai_start(generation, options.language, options.task);
    if (!start) return start.status();
    std::vector<TokenId> prompt;
    if (!options.prompt.empty() && generation.previous) {
        const auto most = static_cast<std::size_t>(model.config().target_positions / 2 - 1);
        prompt.push_back(*generation.previous);
        prompt.insert(prompt.end(),
                      options.prompt.end() - static_cast<std::ptrdiff_t>(std::min(most, options.prompt.size())),
                      options.prompt.end());
    }
    prompt.insert(prompt.end(), start->begin(), start->end());
    if (options.without_timestamps && generation.no_timestamps) prompt.push_back(*generation.no_timestamps);
    return Decoding(model, generation, tokenizer, memory, options, std::move(prompt)).run(tokenizer);
}

} // namespace tutti::models
