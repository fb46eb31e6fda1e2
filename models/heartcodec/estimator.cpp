// SPDX-License-Identifier: MIT
// The flow: the transformer that says where latents are to move, and the steps that move them.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>

#include <models/heartcodec/state.h>
#include <models/nn/block_kernels.h>

namespace tutti::models {
namespace {

constexpr int k_query_rows = 48; // 48 x 744 scores are 143 KB: they stay in the second-level cache
constexpr int k_norm_rows = 16;
constexpr float k_sigma = 1e-6f;

std::size_t floats(int a, int b) {
    return static_cast<std::size_t>(a) * static_cast<std::size_t>(b);
}

// Cosines and sines of position x 10000^(-2j / width), side by side: [positions][width].
std::vector<float> turns_of(int positions, int width) {
    std::vector<float> turns(floats(positions, width));
    for (int j = 0; j < width / 2; ++j) {
        const float exponent = static_cast<float>(2 * j) / static_cast<float>(width);
        const float frequency = 1.0f / static_cast<float>(std::pow(10000.0, static_cast<double>(exponent)));
        for (int p = 0; p < positions; ++p) {
            const float angle = static_cast<float>(p) * frequency;
            float* to = turns.data() + floats(p, width) + 2 * static_cast<std::size_t>(j);
            to[0] = static_cast<float>(std::cos(static_cast<double>(angle)));
            to[1] = static_cast<float>(std::sin(static_cast<double>(angle)));
        }
    }
    return turns;
}

// [cos, sin] of 1000 t e^(-ln(10000) k / 256), rounded in the reference's order.
std::vector<float> time_embedding(float t) {
    constexpr int half = k_time_width / 2;
    std::vector<float> e(k_time_width);
    for (int k = 0; k < half; ++k) {
        const float exponent = -9.210340371976184f * static_cast<float>(k) / static_cast<float>(half);
        const float angle = t * static_cast<float>(std::exp(static_cast<double>(exponent))) * 1000.0f;
        e[static_cast<std::size_t>(k)] = static_cast<float>(std::cos(static_cast<double>(angle)));
        e[static_cast<std::size_t>(k + half)] = static_cast<float>(std::sin(static_cast<double>(angle)));
    }
    return e;
}

void silu(std::vector<float>& x) {
    for (float& v : x)
        v = v / (1.0f + std::exp(-v));
}

// One pass of the estimator over a batch of sequences of one time.
class Pass {
public:
    Pass(const HeartCodec::State& state, int batch, int latents, float* space, const CodecProbe& probe)
        : s(state), c(state.config), m_batch(batch), m_latents(latents), m_rows(batch * latents), m_probe(probe) {
        const int wide = 2 * c.width();
        const auto take = [&](std::size_t count) {
            float* at = space;
            space += count;
            return at;
        };
        m_input = take(floats(batch * (latents + 2), c.input_width));
        m_padded = take(floats(batch * (latents + 2), padded_width(c)));
        m_x = take(floats(m_rows, wide));
        m_normed = take(floats(m_rows, wide));
        m_big = take(floats(m_rows, big_width(s)));
    }
    static int padded_width(const HeartCodecConfig& c) { return std::max(c.input_width + c.width(), 2 * c.width()); }
    static int big_width(const HeartCodec::State& s) {
        const int wide = 2 * s.config.width();
        return std::max(3 * wide, s.hidden(wide));
    }
    static std::size_t space_floats(const HeartCodec::State& s, int batch, int latents) {
        const HeartCodecConfig& c = s.config;
        return floats(batch * (latents + 2), c.input_width + padded_width(c)) +
               floats(batch * latents, 4 * c.width() + big_width(s));
    }

    void run(const float* input, float time, float* velocity);

private:
    void tell(const std::string& point, const float* rows, int width) const {
        if (m_probe) m_probe(point, std::span(rows, floats(m_rows, width)), width);
    }
    std::vector<float> one_row(const StoredLinear& w, const std::vector<float>& x) const {
        std::vector<float> y(static_cast<std::size_t>(w.n));
        multiply_stored(s.runner, x.data(), w.k, 1, w, y.data(), w.n);
        return y;
    }
    // padded [batch][latents + 2][in] -> out [rows][width]
    void project(const ProjectLayer& layer, const float* padded, int in, float* out) const {
        const int width = layer.linear.n;
        for (int b = 0; b < m_batch; ++b)
            s.runner.multiply(padded + floats(b * (m_latents + 2), in), in, m_latents, layer.convolution,
                              m_big + floats(b * m_latents, width), width);
        s.runner.multiply(m_big, width, m_rows, layer.linear, out, width);
    }
    void clear_edges(float* padded, int width) const {
        for (int b = 0; b < m_batch; ++b) {
            std::fill_n(padded + floats(b * (m_latents + 2), width), width, 0.0f);
            std::fill_n(padded + floats(b * (m_latents + 2) + m_latents + 1, width), width, 0.0f);
        }
    }
    void attention(int width, const std::vector<float>& turns) const;
    void block(const FlowBlock& w, int width, const std::vector<float>& modulation, const std::vector<float>& turns,
               const std::string& name) const;
    void final_norm(int width, const std::vector<float>& table, const std::vector<float>& embedding, float* out,
                    int out_width, const std::string& name) const;

    const HeartCodec::State& s;
    const HeartCodecConfig& c;
    int m_batch, m_latents, m_rows;
    const CodecProbe& m_probe;
    float *m_input, *m_padded, *m_x, *m_normed, *m_big;
};

// m_big holds queries, keys and values [rows][3 width]; m_normed gets the mixed values [rows][width].
void Pass::attention(int width, const std::vector<float>& turns) const {
    const int heads = c.heads, depth = width / heads, positions = m_latents;
    const Kernels& k = s.runner.kernels();
    const BlockKernels& block = block_kernels();
    const float factor = 1.0f / std::sqrt(static_cast<float>(depth));
    std::atomic<int> next{0};
    s.runner.team().run([&](int part, int) {
        Buffer& scratch = s.runner.scratch(part);
        const std::size_t keys_size = packed_floats(k, positions, depth),
                          values_size = packed_floats(k, depth, positions);
        scratch.need((keys_size + values_size + floats(positions, depth) + floats(k_query_rows, depth + positions)) *
                     sizeof(float));
        float* const keys = scratch.as<float>();
        float* const values = keys + keys_size;
        float* const turned = values + values_size;
        float* const queries = turned + floats(positions, depth);
        float* const scores = queries + floats(k_query_rows, depth);
        for (int job = 0; (job = next.fetch_add(1, std::memory_order_relaxed)) < m_batch * heads;) {
            if (s.runner.cancelled()) return;
            const float* query = m_big + floats(job / heads * positions, 3 * width) + floats(job % heads, depth);
            for (int p = 0; p < positions; ++p)
                block.turn_pairs(query + width + floats(p, 3 * width), turns.data() + floats(p, depth), depth, 1.0f,
                                 turned + floats(p, depth));
            k.pack(turned, depth, 1, positions, depth, keys);
            k.pack(query + 2 * width, 1, 3 * width, depth, positions, values);
            float* out = m_normed + floats(job / heads * positions, width) + floats(job % heads, depth);
            for (int r = 0; r < positions && !s.runner.cancelled(); r += k_query_rows) {
                const int some = std::min(k_query_rows, positions - r);
                for (int i = 0; i < some; ++i)
                    block.turn_pairs(query + floats(r + i, 3 * width), turns.data() + floats(r + i, depth), depth,
                                     factor, queries + floats(i, depth));
                const Gemm score{queries, depth, keys, depth, positions, nullptr, scores, positions, Epilogue::store};
                k.gemm(score, 0, some, 0, (positions + k.panel - 1) / k.panel);
                k.softmax(scores, some, positions, positions, positions);
                const Gemm mix{scores, positions,      values, positions, depth, nullptr, out + floats(r, width),
                               width,  Epilogue::store};
                k.gemm(mix, 0, some, 0, (depth + k.panel - 1) / k.panel);
            }
        }
    });
}

void Pass::block(const FlowBlock& w, int width, const std::vector<float>& modulation, const std::vector<float>& turns,
                 const std::string& name) const {
    if (s.runner.cancelled()) return;
    const BlockKernels& k = block_kernels();
    std::vector<float> m(w.table.size()); // shift, scale, gate of attention, of the MLP
    k.add(w.table.data(), modulation.data(), static_cast<int>(m.size()), m.data());
    const float* const part[6] = {m.data(),
                                  m.data() + width,
                                  m.data() + 2 * width,
                                  m.data() + 3 * width,
                                  m.data() + 4 * width,
                                  m.data() + 5 * width};
    const auto norm = [&](const std::vector<float>& weight, const float* scale, const float* shift) {
        s.runner.each(m_rows, k_norm_rows, [&](int first, int last, int) {
            k.rms_modulate(m_x + floats(first, width), width, last - first, width, weight.data(), scale, shift,
                           m_normed + floats(first, width), width);
        });
    };
    norm(w.attention_norm, part[1], part[0]);
    multiply_stored(s.runner, m_normed, width, m_rows, w.query, m_big, 3 * width);
    multiply_stored(s.runner, m_normed, width, m_rows, w.key, m_big + width, 3 * width);
    multiply_stored(s.runner, m_normed, width, m_rows, w.value, m_big + 2 * width, 3 * width);
    attention(width, turns);
    if (m_probe) {
        std::vector<float> alone(floats(m_rows, width));
        multiply_stored(s.runner, m_normed, width, m_rows, w.out, alone.data(), width);
        tell(name + "_attn", alone.data(), width);
    }
    multiply_stored(s.runner, m_normed, width, m_rows, w.out, m_x, width, Epilogue::scaled_add, part[2]);
    norm(w.mlp_norm, part[4], part[3]);
    multiply_gated(s.runner, m_normed, width, m_rows, w.gate, w.up, m_big, w.gate.n);
    multiply_stored(s.runner, m_big, w.gate.n, m_rows, w.down, m_x, width, Epilogue::scaled_add, part[5]);
    tell(name, m_x, width);
}

// LayerNorm of m_x, moved by shift and scale, into rows of `out` that lie between the padding of each sequence.
void Pass::final_norm(int width, const std::vector<float>& table, const std::vector<float>& embedding, float* out,
                      int out_width, const std::string& name) const {
    const BlockKernels& k = block_kernels();
    std::vector<float> m(table.size());
    k.add(table.data(), embedding.data(), width, m.data());
    k.add(table.data() + width, embedding.data(), width, m.data() + width);
    std::vector<float> plain(m_probe ? floats(m_rows, width) : 0);
    for (int b = 0; b < m_batch; ++b)
        s.runner.each(m_latents, k_norm_rows, [&](int first, int last, int) {
            k.norm_modulate(m_x + floats(b * m_latents + first, width), width, last - first, width, m.data() + width,
                            m.data(), out + floats(b * (m_latents + 2) + 1 + first, out_width), out_width,
                            plain.empty() ? nullptr : plain.data() + floats(b * m_latents + first, width));
        });
    if (m_probe) tell(name, plain.data(), width);
}

void Pass::run(const float* input, float time, float* velocity) {
    const int width = c.width(), wide = 2 * width, in = c.input_width;
    const auto modulate = [&](const TimeNetwork& w, std::vector<float>& embedding, const char* time_name,
                              const char* name) {
        std::vector<float> hidden = one_row(w.first, time_embedding(time));
        silu(hidden);
        embedding = one_row(w.second, hidden);
        std::vector<float> turned = embedding;
        silu(turned);
        auto modulation = one_row(w.modulation, turned);
        if (m_probe) m_probe(time_name, embedding, static_cast<int>(embedding.size()));
        if (m_probe) m_probe(name, modulation, static_cast<int>(modulation.size()));
        return modulation;
    };
    std::vector<float> embedding, wide_embedding;
    const auto modulation = modulate(s.time, embedding, "time_1", "modulation_1"),
               wide_modulation = modulate(s.wide_time, wide_embedding, "time_2", "modulation_2");
    const auto turns = turns_of(m_latents, width / c.heads), wide_turns = turns_of(m_latents, wide / c.heads);

    clear_edges(m_input, in);
    for (int b = 0; b < m_batch; ++b)
        std::copy_n(input + floats(b * m_latents, in), floats(m_latents, in),
                    m_input + floats(b * (m_latents + 2) + 1, in));
    project(s.proj_in, m_input, in, m_x);
    tell("proj_in", m_x, width);
    for (std::size_t i = 0; i < s.blocks.size(); ++i)
        block(s.blocks[i], width, modulation, turns, m_probe ? "block1_" + std::to_string(i) : std::string());
    if (s.runner.cancelled()) return;

    const int both = in + width;
    clear_edges(m_padded, both);
    final_norm(width, s.table, embedding, m_padded + in, both, "norm_out");
    for (int b = 0; b < m_batch; ++b)
        for (int r = 1; r <= m_latents; ++r)
            std::copy_n(m_input + floats(b * (m_latents + 2) + r, in), in,
                        m_padded + floats(b * (m_latents + 2) + r, both));
    project(s.connection, m_padded, both, m_x);
    tell("connection_proj", m_x, wide);
    for (std::size_t i = 0; i < s.wide_blocks.size(); ++i)
        block(s.wide_blocks[i], wide, wide_modulation, wide_turns,
              m_probe ? "block2_" + std::to_string(i) : std::string());
    if (s.runner.cancelled()) return;

    clear_edges(m_padded, wide);
    final_norm(wide, s.wide_table, wide_embedding, m_padded, wide, "norm_out_2");
    project(s.proj_out, m_padded, wide, velocity);
}

} // namespace

std::size_t estimator_floats(const HeartCodec::State& state, int batch, int latents) {
    return Pass::space_floats(state, batch, latents);
}

void HeartCodec::estimate(std::span<const float> input, int batch, float time, std::span<float> velocity,
                          const CodecProbe& probe) const {
    const int latents = static_cast<int>(input.size() / floats(batch, m_state->config.input_width));
    m_state->arena.need(Pass::space_floats(*m_state, batch, latents) * sizeof(float));
    Pass pass(*m_state, batch, latents, m_state->arena.as<float>(), probe);
    pass.run(input.data(), time, velocity.data());
}

std::vector<float> HeartCodec::solve(std::span<const float> condition, std::span<const float> context,
                                     std::span<const float> noise, const CodecOptions& options, int latent_length,
                                     const std::function<void(int)>& step) const {
    const HeartCodecConfig& c = m_state->config;
    const int width = c.latent_width,
              latents = static_cast<int>(condition.size() / static_cast<std::size_t>(c.condition_width)),
              known = std::min(latents, static_cast<int>(context.size() / static_cast<std::size_t>(width)));
    const bool guided = options.guidance > 1.0f;
    const int batch = guided ? 2 : 1;
    std::vector<float> input(floats(batch * latents, c.input_width)), velocity(floats(batch * latents, width));
    std::vector<float> x(noise.begin(), noise.begin() + static_cast<std::ptrdiff_t>(floats(latents, width)));
    for (int b = 0; b < batch; ++b)
        for (int r = 0; r < latents;
             ++r) { // x, what is known of the latents, the condition; the first of two is without it
            float* row = input.data() + floats(b * latents + r, c.input_width);
            if (r < known) std::copy_n(context.data() + floats(r, width), width, row + width);
            if (guided && b == 0) continue;
            const bool valid = r < latent_length || r < known;
            std::copy_n(valid ? condition.data() + floats(r, c.condition_width) : m_state->no_condition.data(),
                        c.condition_width, row + 2 * width);
        }
    // The grid as torch.linspace has it, and times that add up its differences.
    const float spacing = 1.0f / static_cast<float>(options.steps);
    const auto grid = [&](int i) {
        return i < (options.steps + 1) / 2 ? spacing * static_cast<float>(i)
                                           : 1.0f - spacing * static_cast<float>(options.steps - i);
    };
    float t = grid(0), dt = grid(1) - t;
    for (int k = 1; k <= options.steps; ++k) {
        const float rest = 1.0f - (1.0f - k_sigma) * t;
        for (std::size_t i = 0; i < floats(known, width); ++i)
            x[i] = rest * noise[i] + t * context[i];
        for (int b = 0; b < batch; ++b)
            for (int r = 0; r < latents; ++r)
                std::copy_n(x.data() + floats(r, width), width, input.data() + floats(b * latents + r, c.input_width));
        estimate(input, batch, t, velocity);
        if (cancelled()) return {};
        const float* with = velocity.data() + (guided ? floats(latents, width) : 0);
        for (std::size_t i = 0; i < x.size(); ++i) {
            const float v = guided ? velocity[i] + options.guidance * (with[i] - velocity[i]) : with[i];
            x[i] = x[i] + dt * v;
        }
        t = t + dt;
        if (k < options.steps) dt = grid(k + 1) - t;
        if (step) step(k);
    }
    std::copy_n(context.begin(), floats(known, width), x.begin());
    return x;
}

} // namespace tutti::models
