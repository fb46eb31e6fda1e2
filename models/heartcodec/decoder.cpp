// SPDX-License-Identifier: MIT
// Latents to sound. Everything lies time first, [sample][channel], so that a convolution is a product whose rows overlap: the
// input is never copied out. But for two latents of look-ahead at its beginning the decoder is causal; a tile of latents leaves
// behind the last inputs of every layer, and the next one goes on from them.
#include <algorithm>
#include <cmath>
#include <cstring>

#include <models/heartcodec/state.h>
#include <models/nn/block_kernels.h>

namespace tutti::models {
namespace {

constexpr int k_rows_at_once = 96;
constexpr float k_levels = 9.0f; // latents are rounded to ninths

std::size_t floats(int a, int b) {
    return static_cast<std::size_t>(a) * static_cast<std::size_t>(b);
}

// The last `rows` inputs of a layer before a tile, silence before the first.
struct History {
    int rows = 0, width = 0;
    std::vector<float> values;
    History() = default;
    History(int of_rows, int of_width) : rows(of_rows), width(of_width), values(floats(of_rows, of_width)) {}
    // Puts itself before x [count][width], and keeps what the tile after this one wants.
    void exchange(float* x, int count) {
        float* const head = x - static_cast<std::ptrdiff_t>(values.size());
        std::copy(values.begin(), values.end(), head);
        std::copy_n(head + floats(count, width), values.size(), values.begin());
    }
};

// One stereo channel on its way through the decoder.
class Channel {
public:
    Channel(const HeartCodec::State& state, std::vector<float> quantised, const CodecProbe& probe)
        : s(state), c(state.config), m_quantised(std::move(quantised)), m_probe(probe) {
        for (const RateStage& stage : s.stages) {
            m_up.emplace_back(1, stage.in);
            for (const ResidualUnit& unit : stage.units)
                m_units.emplace_back((c.residual_kernel - 1) * unit.dilation, stage.out);
        }
        m_doubled = History(s.doubled_taps - 1, c.first_channels);
        m_last = History(c.kernel - 1, c.first_channels);
    }

    // Latents [first, first + count) -> out [samples]; `a` and `b` have room for the widest layer each.
    void decode(int first, int count, float* a, float* b, float* out);

private:
    void tell(const std::string& point, const float* rows, int count, int width) const {
        if (m_probe) m_probe(point, std::span(rows, floats(count, width)), width);
    }
    void unit(const ResidualUnit& w, const float* x, int rows, int width, float* y) const;

    const HeartCodec::State& s;
    const HeartCodecConfig& c;
    std::vector<float> m_quantised; // [latents and padding][channel latents]
    std::vector<History> m_up, m_units;
    History m_doubled, m_last;
    const CodecProbe& m_probe;
};

// y = x + prelu(plain(prelu(dilated(x)))), some rows at a time: what stands between stays in the cache.
void Channel::unit(const ResidualUnit& w, const float* x, int rows, int width, float* y) const {
    const Kernels& k = s.runner.kernels();
    const BlockKernels& block = block_kernels();
    const int panels = (width + k.panel - 1) / k.panel;
    const float* const begin = x - static_cast<std::ptrdiff_t>(floats((c.residual_kernel - 1) * w.dilation, width));
    s.runner.each((rows + k.rows - 1) / k.rows, k_rows_at_once / k.rows, [&](int from, int to, int part) {
        const int m0 = from * k.rows, some = std::min(rows, to * k.rows) - m0;
        Buffer& scratch = s.runner.scratch(part);
        scratch.need(2 * floats(some, width) * sizeof(float));
        float* const between = scratch.as<float>();
        float* const branch = between + floats(some, width);
        Gemm g{begin + floats(m0, width),
               width,
               w.dilated.packed.as<float>(),
               w.dilated.k,
               width,
               w.dilated.bias.data(),
               between,
               width,
               Epilogue::prelu};
        g.segment = width;
        g.segment_step = static_cast<std::ptrdiff_t>(w.dilation) * width;
        g.slope = w.slope1;
        k.gemm(g, 0, some, 0, panels);
        if (s.runner.cancelled()) return;
        Gemm h{between, width,          w.plain.packed.as<float>(), width, width, w.plain.bias.data(), branch,
               width,   Epilogue::prelu};
        h.slope = w.slope2;
        k.gemm(h, 0, some, 0, panels);
        block.add(x + floats(m0, width), branch, static_cast<int>(floats(some, width)), y + floats(m0, width));
    });
}

void Channel::decode(int first, int count, float* a, float* b, float* out) {
    const auto name = [&](const std::string& point) { return m_probe ? point : std::string(); };
    int rows = count, width = s.first.n;
    s.runner.multiply(m_quantised.data() + floats(first, c.channel_latents), c.channel_latents, rows, s.first, a,
                      width);
    tell("stage0", a, rows, width);
    for (int i = 0; i < k_stages && !s.runner.cancelled(); ++i) {
        const RateStage& stage = s.stages[static_cast<std::size_t>(i)];
        const std::string point = name("stage" + std::to_string(i + 1));
        m_up[static_cast<std::size_t>(i)].exchange(a, rows);
        s.runner.multiply(a - width, width, rows, stage.up, b, stage.up.n);
        rows *= stage.factor;
        width = stage.out;
        std::swap(a, b);
        tell(point + "_up", a, rows, width);
        for (int j = 0; j < k_units && !s.runner.cancelled(); ++j) {
            m_units[static_cast<std::size_t>(i * k_units + j)].exchange(a, rows);
            unit(stage.units[static_cast<std::size_t>(j)], a, rows, width, b);
            std::swap(a, b);
            if (j == 0) tell(point + "_unit0", a, rows, width);
        }
        tell(point, a, rows, width);
    }
    if (s.runner.cancelled()) return;
    m_doubled.exchange(a, rows);
    Gemm g{a - static_cast<std::ptrdiff_t>(m_doubled.values.size()),
           width,
           s.doubled.packed.as<float>(),
           s.doubled.k,
           s.doubled.n,
           s.doubled.bias.data(),
           b,
           s.doubled.n,
           Epilogue::prelu};
    g.slope = s.doubled_slope;
    const Kernels& k = s.runner.kernels();
    s.runner.each((rows + k.rows - 1) / k.rows, k_rows_at_once / k.rows, [&](int from, int to, int) {
        k.gemm(g, from * k.rows, std::min(rows, to * k.rows), 0, s.doubled.columns / k.panel);
    });
    rows *= c.repeats;
    tell("stage6", b, rows, width);
    m_last.exchange(b, rows);
    const float* const x = b - static_cast<std::ptrdiff_t>(m_last.values.size());
    const BlockKernels& block = block_kernels();
    s.runner.each(rows, 64 * k_rows_at_once, [&](int from, int to, int) {
        block.dot_rows(x + floats(from, width), width, to - from, s.last.data(), static_cast<int>(s.last.size()),
                       s.last_bias, out + from);
    });
    tell("stage7", out, rows, 1);
}

// The widest layer's output of so many latents, and the longest history that stands before a layer's input.
std::size_t layer_floats(const HeartCodec::State& s, int latents) {
    std::size_t rows = static_cast<std::size_t>(latents), most = rows * static_cast<std::size_t>(s.first.n);
    for (const RateStage& stage : s.stages) {
        rows *= static_cast<std::size_t>(stage.factor);
        most = std::max(most, rows * static_cast<std::size_t>(stage.out));
    }
    rows *= static_cast<std::size_t>(s.config.repeats);
    return std::max(most, rows * static_cast<std::size_t>(s.config.first_channels));
}
std::size_t history_floats(const HeartCodec::State& s) {
    const HeartCodecConfig& c = s.config;
    std::size_t most = floats(std::max(s.doubled_taps, c.kernel), c.first_channels);
    for (const RateStage& stage : s.stages)
        most = std::max({most, static_cast<std::size_t>(stage.in),
                         floats((c.residual_kernel - 1) * stage.units.back().dilation, stage.out)});
    return most;
}

} // namespace

std::size_t decoder_floats(const HeartCodec::State& state, int latents) {
    return 2 * (layer_floats(state, latents) + history_floats(state)) +
           2 * floats(latents, state.config.samples_per_latent());
}

Status HeartCodec::decode(std::span<const float> latents, const TileSink& sink, int tile_latents,
                          const CodecProbe& probe) const {
    const State& s = *m_state;
    const HeartCodecConfig& c = s.config;
    const int total = static_cast<int>(latents.size() / static_cast<std::size_t>(c.latent_width)),
              tile = std::max(1, std::min(total, tile_latents > 0 ? tile_latents : k_tile_latents)),
              look_ahead = (c.delay_kernel - 1) / 2;
    std::vector<Channel> channels;
    for (int side = 0; side < 2; ++side) {
        std::vector<float> quantised(floats(total + 2 * look_ahead, c.channel_latents));
        for (int t = 0; t < total; ++t)
            for (int i = 0; i < c.channel_latents; ++i)
                quantised[floats(t + look_ahead, c.channel_latents) + static_cast<std::size_t>(i)] =
                    std::nearbyint(k_levels * latents[floats(t, c.latent_width) + floats(side, c.channel_latents) +
                                                      static_cast<std::size_t>(i)]) /
                    k_levels;
        if (probe)
            probe("quantised",
                  std::span(quantised).subspan(floats(look_ahead, c.channel_latents), floats(total, c.channel_latents)),
                  c.channel_latents);
        channels.emplace_back(s, std::move(quantised), probe);
    }
    s.arena.need(decoder_floats(s, tile) * sizeof(float));
    const std::size_t layer = layer_floats(s, tile), history = history_floats(s);
    float* const a = s.arena.as<float>() + history;
    float* const b = a + layer + history;
    float* const sound = b + layer;
    for (int first = 0; first < total; first += tile) {
        const int count = std::min(tile, total - first);
        const auto samples = floats(count, c.samples_per_latent());
        for (std::size_t side = 0; side < 2; ++side)
            channels[side].decode(first, count, a, b, sound + side * samples);
        if (cancelled()) return s.cancelled_status();
        if (Status status = sink(std::span(sound, samples), std::span(sound + samples, samples)); !status)
            return status;
    }
    return {};
}

} // namespace tutti::models
