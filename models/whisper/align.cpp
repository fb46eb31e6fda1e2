// SPDX-License-Identifier: MIT
#include <models/whisper/align.h>

#include <algorithm>
#include <cmath>

namespace tutti::models {

std::vector<std::vector<float>>
listen(const WhisperModel& model, const std::vector<ListenItem>& items, std::span<const std::pair<int, int>> heads,
       bool raw, const std::function<bool()>& cancelled,
       const std::function<void(std::size_t item, std::size_t token, std::span<const float> logits)>& logits) {
    const auto positions = static_cast<std::size_t>(model.config().positions);
    const auto vocabulary = static_cast<std::size_t>(model.config().vocabulary);
    std::vector<std::vector<float>> attention(items.size());
    std::size_t longest = 0;
    for (std::size_t i = 0; i < items.size(); ++i) {
        attention[i].resize(heads.size() * items[i].tokens.size() * positions);
        longest = std::max(longest, items[i].tokens.size());
    }
    DecoderState state = model.start(static_cast<int>(items.size()));
    std::vector<float> weights(items.size() * heads.size() * positions);
    std::vector<float> scores(logits ? items.size() * vocabulary : 0);
    for (std::size_t t = 0; t < longest; ++t) {
        if (cancelled && cancelled()) return {};
        std::vector<WhisperModel::Step> steps;
        std::vector<std::size_t> who;
        for (std::size_t i = 0; i < items.size(); ++i)
            if (t < items[i].tokens.size()) {
                steps.push_back({items[i].tokens[t], static_cast<int>(i), items[i].memory,
                                 logits ? scores.data() + who.size() * vocabulary : nullptr});
                who.push_back(i);
            }
        model.step(state, steps, heads, weights.data(), {}, raw);
        for (std::size_t s = 0; s < who.size(); ++s) {
            const std::size_t i = who[s];
            for (std::size_t h = 0; h < heads.size(); ++h)
                std::copy_n(
                    weights.begin() + static_cast<std::ptrdiff_t>((s * heads.size() + h) * positions), positions,
                    attention[i].begin() + static_cast<std::ptrdiff_t>((h * items[i].tokens.size() + t) * positions));
            if (logits) logits(i, t, std::span(scores).subspan(s * vocabulary, vocabulary));
        }
    }
    return attention;
}

std::vector<double> token_times(std::vector<float> attention, int heads, int rows, int columns, int median_width) {
    constexpr double k_step = 0.02;
    std::vector<double> times;
    if (rows > 0 && columns > 0) {
        const std::vector<float> cost = alignment_cost(attention, heads, rows, columns, median_width);
        for (int column : first_visits(dynamic_time_warping(cost, rows, columns), rows))
            times.push_back(column * k_step);
    }
    times.resize(static_cast<std::size_t>(std::max(0, rows)));
    times.push_back(times.empty() ? 0.0 : times.back());
    return times;
}

std::vector<AlignedWord> align_words(const WhisperModel& model, const GenerationConfig& generation,
                                     const Tokenizer& tokenizer, const AlignRequest& request, WordOptions options,
                                     const std::function<bool()>& cancelled) {
    constexpr double k_positions_a_second = 50.0;
    std::vector<AlignedWord> out;
    if (request.text.empty() || request.columns <= 0) return out;
    const std::size_t before = request.start.size(), count = request.text.size();
    ListenItem item{request.memory, request.start};
    if (generation.no_timestamps) item.tokens.push_back(*generation.no_timestamps);
    item.tokens.insert(item.tokens.end(), request.text.begin(), request.text.end());
    item.tokens.push_back(generation.eos);
    const std::size_t total = item.tokens.size();
    const auto columns = static_cast<std::size_t>(request.columns), heads = generation.alignment_heads.size(),
               positions = static_cast<std::size_t>(model.config().positions);
    std::vector<double> probabilities(count);
    const auto note = [&](std::size_t, std::size_t t, std::span<const float> logits) {
        if (t < before || t - before >= count) return; // position t predicts text token t - before
        const auto kept = logits.first(static_cast<std::size_t>(generation.eos));
        const float highest = *std::max_element(kept.begin(), kept.end());
        double sum = 0.0;
        for (float x : kept)
            sum += std::exp(static_cast<double>(x) - highest);
        const TokenId id = request.text[t - before];
        if (id >= 0 && id < generation.eos)
            probabilities[t - before] =
                std::exp(static_cast<double>(kept[static_cast<std::size_t>(id)]) - highest) / sum;
    };
    auto attention = listen(model, {item}, generation.alignment_heads, true, cancelled, note);
    if (attention.empty()) return out;
    std::vector<float> cut(heads * total * columns);
    for (std::size_t row = 0; row < heads * total; ++row) { // the softmax takes place over the columns that hold sound
        const auto from = std::span(attention[0]).subspan(row * positions, columns);
        const float highest = *std::max_element(from.begin(), from.end());
        double sum = 0.0;
        for (float x : from)
            sum += std::exp(static_cast<double>(x) - highest);
        for (std::size_t k = 0; k < columns; ++k)
            cut[row * columns + k] = static_cast<float>(std::exp(static_cast<double>(from[k]) - highest) / sum);
    }
    const std::vector<float> cost = alignment_cost(cut, static_cast<int>(heads), static_cast<int>(total),
                                                   request.columns, model.config().median_filter_width);
    const int rows = static_cast<int>(total - before) - 1;
    const auto path = dynamic_time_warping(
        std::span(cost).subspan(before * columns, static_cast<std::size_t>(rows) * columns), rows, request.columns);
    const std::vector<int> visits = first_visits(path, rows);

    std::vector<TokenId> with_end = request.text;
    with_end.push_back(generation.eos);
    options.join_punctuation = false;
    const std::vector<Word> words = split_words(tokenizer, with_end, options);
    std::size_t at = 0;
    for (std::size_t w = 0; w + 1 < words.size(); ++w) { // the last one is the end token
        AlignedWord word;
        word.text = words[w].text;
        word.tokens = words[w].tokens;
        const std::size_t next = at + word.tokens.size();
        word.start = visits[std::min(at, visits.size() - 1)] / k_positions_a_second;
        word.end = visits[std::min(next, visits.size() - 1)] / k_positions_a_second;
        double sum = 0.0;
        for (std::size_t k = at; k < std::min(next, count); ++k)
            sum += probabilities[k];
        word.probability = word.tokens.empty() ? 0.0 : sum / static_cast<double>(word.tokens.size());
        at = next;
        out.push_back(std::move(word));
    }
    return out;
}

} // namespace tutti::models
