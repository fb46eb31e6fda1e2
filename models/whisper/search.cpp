// SPDX-License-Identifier: MIT
#include <models/whisper/search.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace tutti::models {
namespace {

constexpr float k_never = -std::numeric_limits<float>::infinity();
constexpr float k_far = -1e9f; // the reference's "no beam here"

class Search {
public:
    Search(const WhisperModel& model, const GenerationConfig& generation, const std::vector<SearchItem>& items,
           const SearchOptions& options)
        : m_model(model), m_generation(generation), m_items(items), m_options(options), m_beams(options.beams),
          m_vocabulary(static_cast<std::size_t>(model.config().vocabulary)),
          m_state(model.start(static_cast<int>(items.size()) * options.beams, longest_prompt(items) + options.limit)),
          m_scores(items.size() * static_cast<std::size_t>(options.beams) * m_vocabulary), m_rows(items.size()) {}

    std::vector<SearchRow> run() {
        if (!prefill()) return {};
        return m_beams > 1 ? beams() : single();
    }

private:
    static int longest_prompt(const std::vector<SearchItem>& items) {
        std::size_t longest = 0;
        for (const SearchItem& item : items)
            longest = std::max(longest, item.prompt.size());
        return static_cast<int>(longest);
    }
    std::span<float> scores(std::size_t row) { return std::span(m_scores).subspan(row * m_vocabulary, m_vocabulary); }
    bool stopped() const { return m_options.cancelled && *m_options.cancelled && (*m_options.cancelled)(); }

    // Prompts through the decoder (the first beam's row of each item); the scores behind the start token give the no-speech
    // probability, so no further pass is needed for it.
    bool prefill() {
        const auto longest = static_cast<std::size_t>(longest_prompt(m_items));
        std::vector<float> start_scores(m_items.size() * m_vocabulary);
        for (std::size_t t = 0; t < longest; ++t) {
            if (stopped()) return false;
            std::vector<WhisperModel::Step> steps;
            std::vector<std::size_t> asked;
            for (std::size_t i = 0; i < m_items.size(); ++i) {
                const auto& prompt = m_items[i].prompt;
                if (t >= prompt.size()) continue;
                float* out = nullptr;
                const std::size_t row = i * static_cast<std::size_t>(m_beams);
                if (t + 1 == prompt.size()) out = scores(row).data();
                if (prompt[t] == m_generation.start) {
                    asked.push_back(i);
                    if (!out) out = start_scores.data() + i * m_vocabulary;
                }
                steps.push_back({prompt[t], static_cast<int>(row), m_items[i].memory, out});
            }
            m_model.step(m_state, steps);
            for (std::size_t i : asked) {
                const bool last = t + 1 == m_items[i].prompt.size();
                const auto from = last ? scores(i * static_cast<std::size_t>(m_beams))
                                       : std::span(start_scores).subspan(i * m_vocabulary, m_vocabulary);
                std::vector<float> copy(from.begin(), from.end());
                // With the start token alone the reference looks after the suppression rules have run.
                if (last && m_options.strict && m_generation.suppress_first) suppress(copy, true);
                log_softmax(copy);
                if (const auto id = m_generation.no_speech())
                    m_rows[i].no_speech = std::exp(static_cast<double>(copy[static_cast<std::size_t>(*id)]));
            }
        }
        return true;
    }

    void suppress(std::span<float> row, bool first) const {
        for (TokenId id : m_generation.suppress)
            row[static_cast<std::size_t>(id)] = k_never;
        if (first)
            for (TokenId id : m_generation.begin_suppress)
                row[static_cast<std::size_t>(id)] = k_never;
    }
    void rules(std::span<float> row, std::span<const TokenId> generated) const {
        suppress(row, generated.empty());
        if (m_options.timestamps) apply_timestamp_rules(row, generated, m_generation.timestamp_rules());
    }
    static TokenId highest_of(std::span<const float> row) { // the first of equals
        const float highest = kernels().maximum(row.data(), static_cast<int>(row.size()));
        return static_cast<TokenId>(std::find(row.begin(), row.end(), highest) - row.begin());
    }
    static double logprob_at(std::span<const float> row, TokenId token, double factor) {
        const int n = static_cast<int>(row.size());
        const float highest = kernels().maximum(row.data(), n);
        return (static_cast<double>(row[static_cast<std::size_t>(token)]) - highest) * factor -
               static_cast<double>(kernels().log_sum(row.data(), n, highest, static_cast<float>(factor)));
    }

    TokenId draw(std::span<float> row) const {
        if (m_options.top_k > 0 && static_cast<std::size_t>(m_options.top_k) < row.size()) {
            std::vector<float> sorted(row.begin(), row.end());
            std::nth_element(sorted.begin(), sorted.begin() + m_options.top_k - 1, sorted.end(), std::greater<>());
            const float limit = sorted[static_cast<std::size_t>(m_options.top_k) - 1];
            for (float& x : row)
                if (x < limit) x = k_never;
        }
        const float highest = *std::max_element(row.begin(), row.end());
        double sum = 0.0;
        for (float x : row)
            sum += std::exp(static_cast<double>(x) - highest);
        std::vector<float> probabilities(row.size());
        double total = 0.0;
        for (std::size_t i = 0; i < row.size(); ++i) {
            probabilities[i] = static_cast<float>(std::exp(static_cast<double>(row[i]) - highest) / sum);
            total += probabilities[i];
        }
        const double target = (*m_options.uniform)() * total;
        double running = 0.0;
        TokenId last = 0;
        for (std::size_t i = 0; i < row.size(); ++i) {
            if (probabilities[i] > 0.0f) last = static_cast<TokenId>(i);
            running += probabilities[i];
            if (running > target) return static_cast<TokenId>(i);
        }
        return last;
    }

    std::vector<SearchRow> single() {
        const bool sampling = m_options.temperature > 0.0;
        std::vector<bool> ended(m_items.size());
        std::vector<double> sum(m_items.size());
        for (int length = 0; length < m_options.limit; ++length) {
            std::vector<WhisperModel::Step> steps;
            if (sampling && m_options.draw_rows) m_options.draw_rows->push_back(static_cast<int>(m_items.size()));
            for (std::size_t i = 0; i < m_items.size(); ++i) {
                if (ended[i]) { // the reference's finished rows draw as well
                    if (sampling) (*m_options.uniform)();
                    continue;
                }
                const auto row = scores(i);
                rules(row, m_rows[i].tokens);
                TokenId token;
                if (sampling) {
                    for (float& x : row)
                        x = static_cast<float>(x / static_cast<float>(m_options.temperature));
                    token = draw(row);
                } else {
                    token = highest_of(row);
                }
                const double logprob = logprob_at(row, token, sampling ? m_options.temperature : 1.0);
                sum[i] += logprob;
                m_rows[i].logprobs.push_back(static_cast<float>(logprob));
                m_rows[i].tokens.push_back(token);
                if (token == m_generation.eos)
                    ended[i] = true;
                else if (length + 1 < m_options.limit)
                    steps.push_back({token, static_cast<int>(i), m_items[i].memory, row.data()});
            }
            if (steps.empty()) break;
            if (stopped()) return {};
            m_model.step(m_state, steps);
        }
        for (std::size_t i = 0; i < m_items.size(); ++i)
            m_rows[i].average_logprob =
                m_rows[i].tokens.empty() ? 0.0 : sum[i] / static_cast<double>(m_rows[i].tokens.size());
        return std::move(m_rows);
    }

    struct Hypothesis {
        std::vector<TokenId> tokens;
        float score = k_far; // running: sum; finished: divided by the length's power
        double logprob = 0.0;
        std::vector<float> logprobs;
        bool filled = false;
    };
    struct Candidate {
        float score;
        int beam;
        TokenId token;
    };

    std::vector<SearchRow> beams() {
        const auto n = static_cast<std::size_t>(m_beams);
        struct Item {
            std::vector<Hypothesis> running, finished;
            bool improvable = true;
            bool all_stopped = false;
        };
        std::vector<Item> items(m_items.size());
        for (std::size_t i = 0; i < items.size(); ++i) {
            items[i].running.resize(n);
            items[i].running[0].score = 0.0f;
            items[i].finished.resize(n);
            const std::vector<int> parents(n, static_cast<int>(i * n));
            m_model.reorder(m_state, static_cast<int>(i * n), parents);
            for (std::size_t b = 1; b < n; ++b)
                std::copy_n(scores(i * n).data(), m_vocabulary, scores(i * n + b).data());
        }
        for (int length = 1; length <= m_options.limit; ++length) {
            const auto power = static_cast<float>(std::pow(static_cast<double>(length), m_options.length_penalty));
            std::vector<WhisperModel::Step> steps;
            for (std::size_t i = 0; i < items.size(); ++i) {
                Item& item = items[i];
                std::vector<Candidate> best;
                for (std::size_t b = 0; b < n; ++b) {
                    const auto row = scores(i * n + b);
                    log_softmax(row); // the rules work on log-probabilities, which are not normalised again afterwards
                    rules(row, item.running[b].tokens);
                    for (std::size_t v = 0; v < m_vocabulary; ++v) {
                        const Candidate one{row[v] + item.running[b].score, static_cast<int>(b),
                                            static_cast<TokenId>(v)};
                        if (best.size() == 2 * n && !(one.score > best.back().score)) continue;
                        const auto at =
                            std::upper_bound(best.begin(), best.end(), one,
                                             [](const Candidate& x, const Candidate& y) { return x.score > y.score; });
                        best.insert(at, one);
                        if (best.size() > 2 * n) best.pop_back();
                    }
                }
                std::vector<Hypothesis> candidates;
                std::vector<bool> stop;
                for (const Candidate& one : best) {
                    Hypothesis h = item.running[static_cast<std::size_t>(one.beam)];
                    h.tokens.push_back(one.token);
                    h.score = one.score;
                    const double logprob =
                        logprob_at(scores(i * n + static_cast<std::size_t>(one.beam)), one.token, 1.0);
                    h.logprob += logprob;
                    h.logprobs.push_back(static_cast<float>(logprob));
                    candidates.push_back(std::move(h));
                    stop.push_back(one.token == m_generation.eos || length >= m_options.limit);
                }
                item.all_stopped = std::all_of(stop.begin(), stop.end(), [](bool x) { return x; });
                // running beams: the best that go on
                std::vector<std::size_t> order(candidates.size());
                std::iota(order.begin(), order.end(), std::size_t{0});
                const auto going = [&](std::size_t k) {
                    return stop[k] ? candidates[k].score + k_far : candidates[k].score;
                };
                std::stable_sort(order.begin(), order.end(),
                                 [&](std::size_t a, std::size_t b) { return going(a) > going(b); });
                // finished slots: of the first n only
                std::vector<Hypothesis> pool = item.finished;
                for (std::size_t k = 0; k < std::min(n, candidates.size()); ++k)
                    if (stop[k] && item.improvable && !(m_options.early_stopping && full(item.finished))) {
                        Hypothesis h = candidates[k];
                        h.score = h.score / power;
                        h.filled = true;
                        pool.push_back(std::move(h));
                    }
                std::stable_sort(pool.begin(), pool.end(),
                                 [](const Hypothesis& a, const Hypothesis& b) { return a.score > b.score; });
                pool.resize(n);
                item.finished = std::move(pool);
                std::vector<int> parents;
                std::vector<Hypothesis> running;
                for (std::size_t b = 0; b < n; ++b) {
                    Hypothesis h = candidates[order[b]];
                    h.score = going(order[b]);
                    parents.push_back(static_cast<int>(i * n) + best[order[b]].beam);
                    steps.push_back(
                        {h.tokens.back(), static_cast<int>(i * n + b), m_items[i].memory, scores(i * n + b).data()});
                    running.push_back(std::move(h));
                }
                item.running = std::move(running);
                m_model.reorder(m_state, static_cast<int>(i * n), parents);
                float worst = item.finished[0].score;
                for (const Hypothesis& h : item.finished)
                    worst = std::min(worst, h.filled ? h.score : k_far);
                item.improvable = item.improvable && item.running[0].score / power > worst;
            }
            const bool none =
                std::none_of(items.begin(), items.end(), [](const Item& item) { return item.improvable; });
            const bool all = std::all_of(items.begin(), items.end(), [](const Item& item) { return item.all_stopped; });
            const bool filled =
                m_options.early_stopping &&
                std::all_of(items.begin(), items.end(), [](const Item& item) { return full(item.finished); });
            if (none || all || filled || length == m_options.limit) break;
            if (stopped()) return {};
            if (!m_options.first_row) {
                m_model.step(m_state, steps);
                continue;
            }
            const std::size_t one = m_options.heads.size() * static_cast<std::size_t>(m_model.config().positions);
            std::vector<float> weights(steps.size() * one);
            m_model.step(m_state, steps, m_options.heads, weights.data());
            m_options.first_row->emplace_back(weights.begin(), weights.begin() + static_cast<std::ptrdiff_t>(one));
        }
        for (std::size_t i = 0; i < items.size(); ++i) {
            const Hypothesis& best = items[i].finished[0].filled ? items[i].finished[0] : items[i].running[0];
            m_rows[i].tokens = best.tokens;
            m_rows[i].score = best.score;
            m_rows[i].logprobs = best.logprobs;
            m_rows[i].average_logprob =
                best.tokens.empty() ? 0.0 : best.logprob / static_cast<double>(best.tokens.size());
        }
        return std::move(m_rows);
    }
    static bool full(const std::vector<Hypothesis>& slots) {
        return std::all_of(slots.begin(), slots.end(), [](const Hypothesis& h) { return h.filled; });
    }

    const WhisperModel& m_model;
    const GenerationConfig& m_generation;
    const std::vector<SearchItem>& m_items;
    const SearchOptions& m_options;
    const int m_beams;
    const std::size_t m_vocabulary;
    DecoderState m_state;
    std::vector<float> m_scores;
    std::vector<SearchRow> m_rows;
};

} // namespace

std::vector<SearchRow> search(const WhisperModel& model, const GenerationConfig& generation,
                              const std::vector<SearchItem>& items, const SearchOptions& options) {
    return Search(model, generation, items, options).run();
}

} // namespace tutti::models
