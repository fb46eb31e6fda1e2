// SPDX-License-Identifier: MIT
#include <models/whisper/model_state.h>

#include <algorithm>

namespace tutti::models {

// Reads qkv, writes mixed: rows of queries against every position, heads and blocks of rows over the threads.
void WhisperModel::State::encoder_attention(int heads, int depth) {
    const int d = config.width, positions = config.positions, blocks = (positions + k_query_rows - 1) / k_query_rows;
    const float* in = space.qkv.as<float>();
    const auto size = [](auto... factors) { return (static_cast<std::size_t>(factors) * ...); };
    if (bf16_attention() && depth % 2 == 0) {
        const int half = depth / 2, pairs = (positions + 1) / 2;
        const std::size_t key_units = size((positions + k.panel - 1) / k.panel, k.panel, half),
                          value_units = size((depth + k.panel - 1) / k.panel, k.panel, pairs);
        space.keys.need(key_units * static_cast<std::size_t>(heads) * 4);
        space.values.need(value_units * static_cast<std::size_t>(heads) * 4);
        runner->each(heads, 1, [&](int h, int, int part) {
            Buffer& rows = runner->scratch(part);
            rows.need(size(positions, depth, 2));
            k.to_bf16(in + d + h * depth, 3 * d, positions, depth, half, rows.as<std::uint16_t>());
            k.pack_units(rows.as<std::uint32_t>(), half, positions, half,
                         space.keys.as<std::uint32_t>() + key_units * static_cast<std::size_t>(h));
            k.to_bf16(in + 2 * d + h * depth, 3 * d, positions, depth, half, rows.as<std::uint16_t>());
            pack_value_pairs(rows.as<std::uint16_t>(), depth,
                             space.values.as<std::uint32_t>() + value_units * static_cast<std::size_t>(h));
        });
        runner->each(heads * blocks, 1, [&](int job, int, int part) {
            const int h = job / blocks, row = job % blocks * k_query_rows,
                      rows = std::min(k_query_rows, positions - row);
            Buffer& scratch = runner->scratch(part);
            const std::size_t scores = size(k_query_rows, positions, 4), weights = size(k_query_rows, pairs, 4);
            scratch.need(scores + weights + size(k_query_rows, depth, 2));
            k.to_bf16(in + size(row, 3 * d) + h * depth, 3 * d, rows, depth, half,
                      scratch.as<std::uint16_t>(scores + weights));
            Bf16Attention t;
            t.query = scratch.as<std::uint16_t>(scores + weights);
            t.query_step = depth;
            t.rows = rows;
            t.depth = depth;
            t.positions = positions;
            t.keys = space.keys.as<std::uint32_t>() + key_units * static_cast<std::size_t>(h);
            t.values = space.values.as<std::uint32_t>() + value_units * static_cast<std::size_t>(h);
            t.scores = scratch.as<float>();
            t.weights = scratch.as<std::uint16_t>(scores);
            t.out = space.mixed.as<float>() + size(row, d) + h * depth;
            t.out_step = d;
            k.attend_bf16(t);
        });
        return;
    }
    const std::size_t head_keys = packed_floats(k, positions, depth), head_values = packed_floats(k, depth, positions);
    space.keys.need(head_keys * static_cast<std::size_t>(heads) * 4);
    space.values.need(head_values * static_cast<std::size_t>(heads) * 4);
    runner->each(heads, 1, [&](int h, int, int) {
        k.pack(in + d + h * depth, 3 * d, 1, positions, depth,
               space.keys.as<float>() + head_keys * static_cast<std::size_t>(h));
        k.pack(in + 2 * d + h * depth, 1, 3 * d, depth, positions,
               space.values.as<float>() + head_values * static_cast<std::size_t>(h));
    });
    runner->each(heads * blocks, 1, [&](int job, int, int part) {
        const int h = job / blocks, row = job % blocks * k_query_rows, rows = std::min(k_query_rows, positions - row);
        Buffer& scratch = runner->scratch(part);
        scratch.need(size(k_query_rows, positions, 4));
        float* scores = scratch.as<float>();
        const Gemm first_product{in + size(row, 3 * d) + h * depth,
                                 3 * d,
                                 space.keys.as<float>() + head_keys * static_cast<std::size_t>(h),
                                 depth,
                                 positions,
                                 nullptr,
                                 scores,
                                 positions,
                                 Epilogue::store};
        k.gemm(first_product, 0, rows, 0, (positions + k.panel - 1) / k.panel);
        k.softmax(scores, rows, positions, positions, positions);
        const Gemm second_product{scores,
                                  positions,
                                  space.values.as<float>() + head_values * static_cast<std::size_t>(h),
                                  positions,
                                  depth,
                                  nullptr,
                                  space.mixed.as<float>() + size(row, d) + h * depth,
                                  d,
                                  Epilogue::store};
        k.gemm(second_product, 0, rows, 0, (depth + k.panel - 1) / k.panel);
    });
}

std::vector<float> WhisperModel::encode(std::span<const float> features, const Probe& probe) const {
    State& s = *m_state;
    const WhisperConfig& c = s.config;
    const int d = c.width, frames = 2 * c.positions, heads = c.encoder_heads, depth = d / heads;
    const auto floats = [](int rows, int width) {
        return static_cast<std::size_t>(rows) * static_cast<std::size_t>(width);
    };
    const std::size_t all = floats(c.positions, d);
    s.space.padded.need(floats(frames + 2, c.mels) * 4);
    s.space.first.need(floats(frames + 2, d) * 4);
    for (Buffer* buffer : {&s.space.x, &s.space.normed, &s.space.mixed})
        buffer->need(all * 4);
    s.space.qkv.need(3 * all * 4);
    s.space.hidden.need(floats(c.positions, c.encoder_hidden) * 4);
    auto *padded = s.space.padded.as<float>(), *first = s.space.first.as<float>(), *x = s.space.x.as<float>(),
         *normed = s.space.normed.as<float>(), *mixed = s.space.mixed.as<float>(), *hidden = s.space.hidden.as<float>();
    const auto tell = [&](const std::string& point, const float* values) {
        if (probe) probe(point, std::span(values, all), d);
    };
    // One zero frame at each end is the convolutions' padding.
    std::fill_n(padded, c.mels, 0.0f);
    std::copy_n(features.begin(), floats(frames, c.mels), padded + c.mels);
    std::fill_n(padded + floats(frames + 1, c.mels), c.mels, 0.0f);
    std::fill_n(first, d, 0.0f);
    std::fill_n(first + floats(frames + 1, d), d, 0.0f);
    s.multiply(padded, c.mels, frames, s.conv1, first + d, Epilogue::gelu);
    if (probe) probe("conv1_gelu", std::span<const float>(first + d, floats(frames, d)), d);
    s.multiply(first, 2 * d, c.positions, s.conv2, x, Epilogue::gelu);
    tell("conv2_gelu", x);
    for (std::size_t i = 0; i < all; ++i)
        x[i] += s.encoder_positions[i];

    const auto normalise = [&](const WhisperNorm& norm) {
        s.runner->each(c.positions, c.positions, [&](int from, int to, int) {
            s.k.layer_norm(x + floats(from, d), to - from, d, norm.weight.data(), norm.bias.data(),
                           normed + floats(from, d));
        });
    };
    for (int l = 0; l < c.encoder_layers && !s.runner->cancelled(); ++l) {
        const WhisperLayer& layer = s.encoder[static_cast<std::size_t>(l)];
        const std::string name = "layer" + std::to_string(l);
        normalise(layer.self.norm);
        s.multiply(normed, d, c.positions, layer.self.in, s.space.qkv.as<float>());
        s.encoder_attention(heads, depth);
        if (probe) {
            std::vector<float> alone(all);
            s.multiply(mixed, d, c.positions, layer.self.out, alone.data());
            tell(name + "_attn", alone.data());
        }
        s.multiply(mixed, d, c.positions, layer.self.out, x, Epilogue::add);
        normalise(layer.norm);
        s.multiply(normed, d, c.positions, layer.fc1, hidden, Epilogue::gelu);
        s.multiply(hidden, c.encoder_hidden, c.positions, layer.fc2, x, Epilogue::add);
        tell(name, x);
    }
    normalise(s.encoder_norm);
    tell("final", normed);
    return {normed, normed + all};
}

} // namespace tutti::models
