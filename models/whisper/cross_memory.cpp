// SPDX-License-Identifier: MIT
// The encoder's output as the decoder reads it: packed once a window, in the model's numbers.
#include <models/whisper/model_state.h>

#include <algorithm>
#include <cstring>

namespace tutti::models {

WhisperModel::State::Head WhisperModel::State::head_layout() const {
    const int depth = config.width / config.decoder_heads, positions = config.positions;
    const auto columns =
        static_cast<std::size_t>((positions + k.panel - 1) / k.panel) * static_cast<std::size_t>(k.panel);
    Head h;
    const auto take = [&](std::size_t bytes) {
        const std::size_t at = h.bytes;
        h.bytes = (h.bytes + bytes + 63) / 64 * 64;
        return at;
    };
    const auto p = static_cast<std::size_t>(positions), d = static_cast<std::size_t>(depth);
    if (compute == Compute::int8) {
        h.keys = take(columns * ((d + 3) / 4) * 4);
        h.key_scales = take(columns * 4);
        h.key_sums = take(columns * 4);
        h.values = take(p * d + 64); // 64: the last vector may be read past its end
        h.value_scales = take(p * 4);
    } else if (compute == Compute::bf16) {
        h.keys = take(columns * ((d + 1) / 2) * 4);
        h.values = take((d + static_cast<std::size_t>(k.panel) - 1) / static_cast<std::size_t>(k.panel) *
                        static_cast<std::size_t>(k.panel) * ((p + 1) / 2) * 4);
    } else {
        h.keys = take(columns * d * 4);
        h.values = take(packed_floats(k, depth, positions) * 4);
    }
    return h;
}

void WhisperModel::State::pack_value_pairs(const std::uint16_t* rows, int depth, std::uint32_t* to) const {
    const int positions = config.positions, pairs = (positions + 1) / 2;
    for (int p = 0; p * k.panel < depth; ++p)
        for (int u = 0; u < pairs; ++u) {
            const std::uint16_t* low = rows + static_cast<std::ptrdiff_t>(2 * u) * depth + p * k.panel;
            const std::uint16_t* high = 2 * u + 1 < positions ? low + depth : nullptr;
            std::uint32_t* out = to + (static_cast<std::ptrdiff_t>(p) * pairs + u) * k.panel;
            const int width = std::min(k.panel, depth - p * k.panel);
            for (int j = 0; j < width; ++j)
                out[j] = low[j] | static_cast<std::uint32_t>(high ? high[j] : 0) << 16;
            for (int j = width; j < k.panel; ++j)
                out[j] = 0;
        }
}

// Keys and values of one head, rows [positions] at `step`.
void WhisperModel::State::remember_head(const float* from_keys, const float* from_values, std::ptrdiff_t step,
                                        Buffer& scratch, std::byte* to, const Head& h) const {
    const int depth = config.width / config.decoder_heads, positions = config.positions;
    const auto at = [&]<class T>(std::size_t offset, T*) { return reinterpret_cast<T*>(to + offset); };
    if (compute == Compute::fp32) {
        k.pack(from_keys, step, 1, positions, depth, at(h.keys, static_cast<float*>(nullptr)));
        k.pack(from_values, 1, step, depth, positions, at(h.values, static_cast<float*>(nullptr)));
        return;
    }
    const int units = compute == Compute::bf16 ? (depth + 1) / 2 : (depth + 3) / 4;
    scratch.need(static_cast<std::size_t>(positions) * static_cast<std::size_t>(4 * units));
    if (compute == Compute::bf16) {
        k.to_bf16(from_keys, step, positions, depth, units, scratch.as<std::uint16_t>());
        k.pack_units(scratch.as<std::uint32_t>(), units, positions, units,
                     at(h.keys, static_cast<std::uint32_t*>(nullptr)));
        if (depth % 2 == 0) {
            k.to_bf16(from_values, step, positions, depth, units, scratch.as<std::uint16_t>());
        } else {
            for (int i = 0; i < positions; ++i) // without the filling value
                k.to_bf16(from_values + i * step, step, 1, depth, units,
                          scratch.as<std::uint16_t>() + static_cast<std::ptrdiff_t>(i) * depth);
        }
        pack_value_pairs(scratch.as<std::uint16_t>(), depth, at(h.values, static_cast<std::uint32_t*>(nullptr)));
        return;
    }
    auto* key_scales = at(h.key_scales, static_cast<float*>(nullptr));
    auto* key_sums = at(h.key_sums, static_cast<std::int32_t*>(nullptr));
    auto* value_scales = at(h.value_scales, static_cast<float*>(nullptr));
    auto* rows = scratch.as<std::uint8_t>();
    // The kernel's numbers are offset by 128; taken off, they are the signed ones of a right side.
    const auto signed_rows = [&](const float* from, float* scales) {
        k.to_int8(from, step, positions, depth, units, units, rows, scales);
        for (std::ptrdiff_t i = 0; i < static_cast<std::ptrdiff_t>(positions) * 4 * units; ++i)
            rows[i] = static_cast<std::uint8_t>(rows[i] ^ 0x80u);
    };
    signed_rows(from_keys, key_scales);
    for (int p = 0; p < positions; ++p) {
        std::int32_t sum = 0;
        for (int i = 0; i < 4 * units; ++i)
            sum += static_cast<std::int8_t>(rows[static_cast<std::ptrdiff_t>(p) * 4 * units + i]);
        key_sums[p] = 128 * sum;
    }
    k.pack_units(scratch.as<std::uint32_t>(), units, positions, units,
                 at(h.keys, static_cast<std::uint32_t*>(nullptr)));
    signed_rows(from_values, value_scales);
    for (int p = 0; p < positions; ++p)
        std::memcpy(to + h.values + static_cast<std::ptrdiff_t>(p) * depth,
                    rows + static_cast<std::ptrdiff_t>(p) * 4 * units, static_cast<std::size_t>(depth));
}

CrossMemory WhisperModel::remember(std::span<const float> encoded) const {
    State& s = *m_state;
    const int d = s.config.width, heads = s.config.decoder_heads, depth = d / heads, layers = s.config.decoder_layers;
    const State::Head h = s.head_layout();
    CrossMemory memory{Buffer(h.bytes * static_cast<std::size_t>(heads * layers))};
    s.space.qkv.need(encoded.size() * 2 * sizeof(float));
    float* both = s.space.qkv.as<float>();
    for (int l = 0; l < layers && !s.runner->cancelled(); ++l) {
        s.multiply(encoded.data(), d, s.config.positions, s.decoder[static_cast<std::size_t>(l)].cross.key_value, both);
        s.runner->each(heads, 1, [&](int head, int, int part) {
            s.remember_head(both + head * depth, both + d + head * depth, 2 * d, s.runner->scratch(part),
                            memory.data.as<std::byte>(h.bytes * static_cast<std::size_t>(l * heads + head)), h);
        });
    }
    return memory;
}

// scores[rows][positions] of scaled queries.
void WhisperModel::State::attend_head(const float* query, std::ptrdiff_t query_step, int rows, const std::byte* from,
                                      const Head& h, Buffer& scratch, float* scores) const {
    const int depth = config.width / config.decoder_heads, positions = config.positions,
              panels = (positions + k.panel - 1) / k.panel;
    if (compute == Compute::fp32) {
        const Gemm g{query,  query_step, reinterpret_cast<const float*>(from + h.keys),
                     depth,  positions,  nullptr,
                     scores, positions,  Epilogue::store};
        return k.gemm(g, 0, rows, 0, panels);
    }
    NarrowGemm g;
    g.b = reinterpret_cast<const std::uint32_t*>(from + h.keys);
    g.units = g.group = compute == Compute::bf16 ? (depth + 1) / 2 : (depth + 3) / 4;
    g.columns = panels * k.panel;
    g.n = positions;
    g.c = scores;
    g.c_step = positions;
    scratch.need(static_cast<std::size_t>(rows) * static_cast<std::size_t>(8 * g.units + 4));
    if (compute == Compute::bf16) {
        if (k.wide_rows) { // an odd depth has one zero more
            auto* wide = scratch.as<float>();
            for (int r = 0; r < rows; ++r) {
                std::copy_n(query + r * query_step, depth, wide + static_cast<std::ptrdiff_t>(r) * 2 * g.units);
                if (depth % 2 != 0) wide[static_cast<std::ptrdiff_t>(r) * 2 * g.units + depth] = 0.0f;
            }
            g.a_step = 2 * g.units;
        } else {
            k.to_bf16(query, query_step, rows, depth, g.units, scratch.as<std::uint16_t>());
            g.a_step = g.units;
        }
        g.a = scratch.as<void>();
        return k.gemm_bf16(g, 0, rows, 0, panels);
    }
    auto* scales = scratch.as<float>();
    auto* narrow = scratch.as<std::uint8_t>(static_cast<std::size_t>(rows) * 4);
    k.to_int8(query, query_step, rows, depth, g.units, g.units, narrow, scales);
    g.a = narrow;
    g.a_step = g.units;
    g.a_scales = scales;
    g.b_scales = reinterpret_cast<const float*>(from + h.key_scales);
    g.b_sums = reinterpret_cast<const std::int32_t*>(from + h.key_sums);
    k.gemm_int8(g, 0, rows, 0, panels);
}

// out[rows][depth] = scores x values; the scores are used up.
void WhisperModel::State::mix_head(float* scores, int rows, const std::byte* from, const Head& h, Buffer& scratch,
                                   float* out, std::ptrdiff_t out_step) const {
    const int depth = config.width / config.decoder_heads, positions = config.positions,
              panels = (depth + k.panel - 1) / k.panel;
    if (compute == Compute::fp32) {
        const Gemm g{scores,    positions, reinterpret_cast<const float*>(from + h.values),
                     positions, depth,     nullptr,
                     out,       out_step,  Epilogue::store};
        return k.gemm(g, 0, rows, 0, panels);
    }
    if (compute == Compute::int8) {
        const auto* scales = reinterpret_cast<const float*>(from + h.value_scales);
        for (int r = 0; r < rows; ++r)
            for (int p = 0; p < positions; ++p)
                scores[static_cast<std::ptrdiff_t>(r) * positions + p] *= scales[p];
        return k.mix_int8(scores, positions, rows, reinterpret_cast<const std::int8_t*>(from + h.values), positions,
                          depth, out, out_step);
    }
    NarrowGemm g;
    const int pairs = (positions + 1) / 2;
    g.b = reinterpret_cast<const std::uint32_t*>(from + h.values);
    g.units = g.group = pairs;
    g.n = depth;
    g.c = out;
    g.c_step = out_step;
    scratch.need(static_cast<std::size_t>(rows) * static_cast<std::size_t>(8 * pairs));
    if (k.wide_rows && positions % 2 == 0) {
        g.a = scores;
        g.a_step = positions;
    } else if (k.wide_rows) {
        for (int r = 0; r < rows; ++r) {
            auto* row = scratch.as<float>() + static_cast<std::ptrdiff_t>(r) * 2 * pairs;
            std::copy_n(scores + static_cast<std::ptrdiff_t>(r) * positions, positions, row);
            row[positions] = 0.0f;
        }
        g.a = scratch.as<void>();
        g.a_step = 2 * pairs;
    } else {
        k.to_bf16(scores, positions, rows, positions, pairs, scratch.as<std::uint16_t>());
        g.a = scratch.as<void>();
        g.a_step = pairs;
    }
    k.gemm_bf16(g, 0, rows, 0, panels);
}

} // namespace tutti::models
