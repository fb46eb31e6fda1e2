// SPDX-License-Identifier: MIT
#include <models/whisper/model_state.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace tutti::models {

DecoderState WhisperModel::start(int rows, int tokens) const {
    const WhisperConfig& c = m_state->config;
    DecoderState state;
    state.m_rows = rows;
    state.m_limit = tokens > 0 ? std::min(tokens, c.target_positions) : c.target_positions;
    state.m_capacity = (state.m_limit + 15) / 16 * 16;
    const std::size_t floats = static_cast<std::size_t>(rows) * static_cast<std::size_t>(c.decoder_layers) *
                               static_cast<std::size_t>(c.width) * static_cast<std::size_t>(state.m_capacity);
    state.m_keys.resize(floats);
    state.m_values.resize(floats);
    state.m_length.resize(static_cast<std::size_t>(rows));
    state.m_place.resize(static_cast<std::size_t>(rows));
    std::iota(state.m_place.begin(), state.m_place.end(), 0);
    return state;
}

void WhisperModel::reorder(DecoderState& state, int first, std::span<const int> parents) const {
    const WhisperConfig& c = m_state->config;
    const auto at = [](int a) { return static_cast<std::size_t>(a); };
    const std::size_t row = at(c.decoder_layers) * at(c.width) * at(state.m_capacity);
    std::vector<int> places, lengths, free;
    for (const int parent : parents) {
        places.push_back(state.m_place[at(parent)]);
        lengths.push_back(state.m_length[at(parent)]);
    }
    for (std::size_t i = 0; i < parents.size(); ++i) // what no row goes on with
        if (const int own = state.m_place[at(first) + i]; std::find(places.begin(), places.end(), own) == places.end())
            free.push_back(own);
    for (std::size_t i = 0; i < parents.size(); ++i) {
        // The first child of a row takes its place, the others get a copy of what is filled.
        if (std::find(places.begin(), places.begin() + static_cast<std::ptrdiff_t>(i), places[i]) !=
            places.begin() + static_cast<std::ptrdiff_t>(i)) {
            const int to = free.back();
            free.pop_back();
            const float* keys = state.m_keys.data() + at(places[i]) * row;
            float* out = state.m_keys.data() + at(to) * row;
            for (int line = 0; line < c.decoder_layers * c.width;
                 ++line, keys += state.m_capacity, out += state.m_capacity)
                std::copy_n(keys, lengths[i], out);
            const std::size_t depth = at(c.width / c.decoder_heads), head = depth * at(state.m_capacity);
            for (std::size_t h = 0; h < row; h += head)
                std::copy_n(state.m_values.data() + at(places[i]) * row + h, at(lengths[i]) * depth,
                            state.m_values.data() + at(to) * row + h);
            places[i] = to;
        }
    }
    std::copy(places.begin(), places.end(), state.m_place.begin() + first);
    std::copy(lengths.begin(), lengths.end(), state.m_length.begin() + first);
}

void WhisperModel::step(DecoderState& state, std::span<const Step> steps,
                        std::span<const std::pair<int, int>> wanted_heads, float* weights, const Probe& probe,
                        bool raw_scores) const {
    State& s = *m_state;
    const WhisperConfig& c = s.config;
    const int d = c.width, heads = c.decoder_heads, depth = d / heads, rows = static_cast<int>(steps.size()),
              capacity = state.m_capacity;
    const State::Head layout = s.head_layout();
    const auto floats = [](int a, int b) { return static_cast<std::size_t>(a) * static_cast<std::size_t>(b); };
    std::vector<float> x(floats(rows, d)), normed(x.size()), mixed(x.size()), qkv(floats(rows, 3 * d)),
        hidden(floats(rows, c.decoder_hidden));
    const auto tell = [&](const std::string& point, const std::vector<float>& values) {
        if (probe) probe(point, values, d);
    };
    const auto tell_product = [&](const std::string& point, const Linear& w) {
        if (!probe) return;
        std::vector<float> alone(x.size());
        s.multiply(mixed.data(), d, rows, w, alone.data());
        probe(point, alone, d);
    };
    // Several tokens of one row follow one another; rows that listen to the same memory read it together.
    std::vector<int> position(static_cast<std::size_t>(rows));
    std::vector<std::pair<int, int>> groups; // [first, last) of one memory
    std::vector<int> ahead(state.m_length.size());
    bool repeated = false;
    for (int r = 0; r < rows; ++r) {
        const Step& step = steps[static_cast<std::size_t>(r)];
        int& before = ahead[static_cast<std::size_t>(step.row)];
        repeated = repeated || before > 0;
        position[static_cast<std::size_t>(r)] = state.m_length[static_cast<std::size_t>(step.row)] + before++;
        if (groups.empty() || steps[static_cast<std::size_t>(r - 1)].memory != step.memory ||
            groups.back().second - groups.back().first >= k_query_rows)
            groups.emplace_back(r, r);
        groups.back().second = r + 1;
    }
    for (int r = 0; r < rows; ++r) {
        const int at = std::min(position[static_cast<std::size_t>(r)], c.target_positions - 1);
        float* to = x.data() + floats(r, d);
        s.embedding.row(s.k, std::clamp<TokenId>(steps[static_cast<std::size_t>(r)].token, 0, c.vocabulary - 1), to);
        const float factor = c.scale_embedding ? std::sqrt(static_cast<float>(d)) : 1.0f;
        for (int i = 0; i < d; ++i)
            to[i] = to[i] * factor + s.decoder_positions[floats(at, d) + static_cast<std::size_t>(i)];
    }
    for (int l = 0; l < c.decoder_layers && !s.runner->cancelled(); ++l) {
        const WhisperLayer& layer = s.decoder[static_cast<std::size_t>(l)];
        const std::string name = probe ? "layer" + std::to_string(l) : std::string();
        s.k.layer_norm(x.data(), rows, d, layer.self.norm.weight.data(), layer.self.norm.bias.data(), normed.data());
        s.multiply(normed.data(), d, rows, layer.self.in, qkv.data());
        const auto own = [&](int r) { // of the cache
            const int place = state.m_place[static_cast<std::size_t>(steps[static_cast<std::size_t>(r)].row)];
            return (floats(place, c.decoder_layers) + static_cast<std::size_t>(l)) * floats(d, capacity);
        };
        const auto keep = [&](int r, int h) {
            const int at = position[static_cast<std::size_t>(r)];
            if (at >= state.m_limit) return;
            float* keys = state.m_keys.data() + own(r) + floats(h * depth, capacity);
            float* values = state.m_values.data() + own(r) + floats(h * depth, capacity);
            const float* in = qkv.data() + floats(r, 3 * d) + h * depth;
            for (int i = 0; i < depth; ++i)
                keys[floats(i, capacity) + static_cast<std::size_t>(at)] = in[d + i];
            std::copy_n(in + 2 * d, depth, values + floats(at, depth));
        };
        if (repeated)
            for (int r = 0; r < rows; ++r)
                for (int h = 0; h < heads; ++h)
                    keep(r, h);
        s.runner->each(rows * heads, rows * heads, [&](int job, int end, int part) {
            Buffer& scratch = s.runner->scratch(part);
            scratch.need(static_cast<std::size_t>(capacity) * sizeof(float));
            for (; job < end; ++job) {
                const int r = job / heads, h = job % heads;
                if (!repeated) keep(r, h);
                const int length = std::min(position[static_cast<std::size_t>(r)] + 1, state.m_limit);
                s.k.attend(qkv.data() + floats(r, 3 * d) + h * depth,
                           state.m_keys.data() + own(r) + floats(h * depth, capacity),
                           state.m_values.data() + own(r) + floats(h * depth, capacity), depth, capacity, length, 1.0f,
                           scratch.as<float>(), mixed.data() + floats(r, d) + h * depth);
            }
        });
        tell_product(name + "_self_attn", layer.self.out);
        s.multiply(mixed.data(), d, rows, layer.self.out, x.data(), Epilogue::add);
        s.k.layer_norm(x.data(), rows, d, layer.cross.norm.weight.data(), layer.cross.norm.bias.data(), normed.data());
        s.multiply(normed.data(), d, rows, layer.cross.in, qkv.data());
        const int jobs = static_cast<int>(groups.size()) * heads;
        s.runner->each(jobs, 1, [&](int job, int, int part) {
            const int h = job / static_cast<int>(groups.size());
            const auto [first, last] = groups[static_cast<std::size_t>(job) % groups.size()];
            const int count = last - first;
            const auto* from = steps[static_cast<std::size_t>(first)].memory->data.as<std::byte>(
                layout.bytes * static_cast<std::size_t>(l * heads + h));
            Buffer& scratch = s.runner->scratch(part);
            std::vector<float>& scores = s.cross_scores[static_cast<std::size_t>(part)];
            scores.resize(floats(k_query_rows, c.positions));
            s.attend_head(qkv.data() + floats(first, d) + h * depth, d, count, from, layout, scratch, scores.data());
            const auto show = [&] {
                for (std::size_t w = 0; w < wanted_heads.size(); ++w)
                    for (int r = 0; r < count && wanted_heads[w] == std::pair(l, h); ++r)
                        std::copy_n(
                            scores.data() + floats(r, c.positions), c.positions,
                            weights + floats((first + r) * static_cast<int>(wanted_heads.size()) + static_cast<int>(w),
                                             c.positions));
            };
            if (raw_scores) show(); // before the softmax, for alignment as OpenAI does it
            s.k.softmax(scores.data(), count, c.positions, c.positions, c.positions);
            if (!raw_scores) show();
            s.mix_head(scores.data(), count, from, layout, scratch, mixed.data() + floats(first, d) + h * depth, d);
        });
        tell_product(name + "_cross_attn", layer.cross.out);
        s.multiply(mixed.data(), d, rows, layer.cross.out, x.data(), Epilogue::add);
        s.k.layer_norm(x.data(), rows, d, layer.norm.weight.data(), layer.norm.bias.data(), normed.data());
        s.multiply(normed.data(), d, rows, layer.fc1, hidden.data(), Epilogue::gelu);
        s.multiply(hidden.data(), c.decoder_hidden, rows, layer.fc2, x.data(), Epilogue::add);
        tell(name, x);
    }
    for (const Step& step : steps) {
        int& length = state.m_length[static_cast<std::size_t>(step.row)];
        length = std::min(length + 1, state.m_limit);
    }
    s.k.layer_norm(x.data(), rows, d, s.decoder_norm.weight.data(), s.decoder_norm.bias.data(), normed.data());
    tell("final", normed);
    // Rows whose scores are wanted, moved together; where their results stand in one block they are written in place.
    int wanted = 0;
    bool contiguous = true;
    float* out = nullptr;
    for (int r = 0; r < rows; ++r) {
        float* logits = steps[static_cast<std::size_t>(r)].logits;
        if (!logits) continue;
        if (!out) out = logits;
        contiguous = contiguous && logits == out + floats(wanted, c.vocabulary);
        std::copy_n(normed.data() + floats(r, d), d, normed.data() + floats(wanted, d));
        ++wanted;
    }
    if (wanted == 0) return;
    std::vector<float> scores;
    if (!contiguous) {
        scores.resize(floats(wanted, c.vocabulary));
        out = scores.data();
    }
    s.multiply(normed.data(), d, wanted, s.embedding, out);
    if (!contiguous)
        for (int r = 0, w = 0; r < rows; ++r)
            if (float* logits = steps[static_cast<std::size_t>(r)].logits)
                std::copy_n(out + floats(w++, c.vocabulary), c.vocabulary, logits);
}

} // namespace tutti::models
