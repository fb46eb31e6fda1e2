// SPDX-License-Identifier: MIT
// Names, shapes and layouts of HeartCodec's tensors.
#include <algorithm>
#include <cmath>

#include <models/heartcodec/state.h>

namespace tutti::models {
namespace {

using Shape = std::vector<std::uint64_t>;

constexpr std::size_t k_int8_group = 128;

std::uint64_t u(int value) {
    return static_cast<std::uint64_t>(value);
}

// To the nearest of 255 steps of each group's largest value.
void round_to_int8(std::vector<float>& rows, std::size_t k) {
    for (std::size_t row = 0; row < rows.size(); row += k)
        for (std::size_t begin = 0; begin < k; begin += k_int8_group) {
            const auto group = std::span(rows).subspan(row + begin, std::min(k_int8_group, k - begin));
            float largest = 0.0f;
            for (const float x : group)
                largest = std::max(largest, std::abs(x));
            const float step = largest / 127.0f;
            for (float& x : group)
                x = step > 0.0f ? std::nearbyint(x / step) * step : 0.0f;
        }
}

class Loader {
public:
    Loader(HeartCodec::State& state, const std::function<bool()>& cancelled) : m_state(state), m_cancelled(cancelled) {}

    Status error;

    const TensorInfo* find(const std::string& name, const Shape& shape) {
        if (!error) return nullptr;
        auto tensor = m_state.checkpoint.require(name, shape);
        if (!tensor) {
            error = tensor.status();
            return nullptr;
        }
        m_state.used.push_back(*tensor);
        return *tensor;
    }
    std::vector<float> read(const std::string& name, const Shape& shape) {
        const TensorInfo* tensor = find(name, shape);
        if (!tensor) return {};
        std::vector<float> values(static_cast<std::size_t>(tensor->elements));
        error = m_state.checkpoint.read_f32(*tensor, values, m_cancelled);
        return values;
    }
    float scalar(const std::string& name) {
        const auto values = read(name, {1});
        return values.empty() ? 0.0f : values[0];
    }

    StoredLinear stored(const std::string& name, int n, int k, bool bias) {
        StoredLinear w;
        w.n = n;
        w.k = k;
        const TensorInfo* tensor = find(name + ".weight", {u(n), u(k)});
        if (!tensor) return w;
        w.dtype = tensor->dtype;
        if (w.dtype != Dtype::f32 && w.dtype != Dtype::f16 && w.dtype != Dtype::bf16) {
            error = Status(Code::unsupported,
                           "tensor '" + tensor->name + "' is stored as " + std::string(dtype_name(w.dtype)),
                           "the codec is not loaded", "use a checkpoint stored as F32, F16 or BF16");
            return w;
        }
        const auto view = m_state.checkpoint.map(*tensor);
        if (!view) {
            error = view.status();
            return w;
        }
        w.rows = view->data();
        if (bias) w.bias = read(name + ".bias", {u(n)});
        return w;
    }

    // rows [n][k], packed on the team.
    Linear packed(std::vector<float> rows, std::vector<float> bias, int n, int k) {
        if (!error || rows.size() != static_cast<std::size_t>(n) * static_cast<std::size_t>(k)) return {};
        if (m_rounding) round_to_int8(rows, u(k));
        const Kernels& kernels = m_state.runner.kernels();
        Linear w = linear_shape(kernels, Compute::fp32, n, k);
        w.bias = std::move(bias);
        m_state.runner.each(w.columns / kernels.panel, 8, [&](int first, int last, int) {
            const int from = first * kernels.panel, to = std::min(n, last * kernels.panel);
            pack_rows(kernels, rows.data() + static_cast<std::ptrdiff_t>(from) * k, k, from, to - from, w);
        });
        m_state.packed_bytes += w.bytes();
        return w;
    }
    Linear linear(const std::string& name, int n, int k) {
        auto rows = read(name + ".weight", {u(n), u(k)});
        return packed(std::move(rows), read(name + ".bias", {u(n)}), n, k);
    }

    // v g / |v| with the norm over all axes but the first, in either spelling of its two tensors.
    std::vector<float> folded(const std::string& name, int first, int second, int third) {
        const bool old = m_state.checkpoint.find(name + ".weight_v") != nullptr;
        const std::string size = old ? ".weight_g" : ".parametrizations.weight.original0",
                          direction = old ? ".weight_v" : ".parametrizations.weight.original1";
        const auto g = read(name + size, {u(first), 1, 1});
        auto v = read(name + direction, {u(first), u(second), u(third)});
        if (!error) return {};
        const std::size_t length = v.size() / g.size();
        for (std::size_t i = 0; i < g.size(); ++i) {
            float* row = v.data() + i * length;
            double square = 0.0;
            for (std::size_t j = 0; j < length; ++j)
                square += static_cast<double>(row[j]) * row[j];
            if (!(square > 0.0)) {
                error = Status(Code::malformed,
                               "tensor '" + name + direction +
                                   "' has a row of zeros, and weight norm divides by its length",
                               "the codec is not loaded", "fetch all files of the checkpoint again");
                return {};
            }
            const float factor = g[i] / static_cast<float>(std::sqrt(square));
            for (std::size_t j = 0; j < length; ++j)
                row[j] *= factor;
        }
        return v;
    }

    // [out][in][taps] becomes [out][taps][in]: a row of the product reads neighbouring inputs.
    static std::vector<float> taps_first(const std::vector<float>& w, int out, int in, int taps, float factor = 1.0f) {
        std::vector<float> rows(w.size());
        if (w.empty()) return rows;
        for (std::size_t o = 0; o < u(out); ++o)
            for (std::size_t i = 0; i < u(in); ++i)
                for (std::size_t t = 0; t < u(taps); ++t)
                    rows[(o * u(taps) + t) * u(in) + i] = w[(o * u(in) + i) * u(taps) + t] * factor;
        return rows;
    }
    Linear convolution(const std::string& name, int out, int in, int taps) {
        const auto w = folded(name, out, in, taps);
        return packed(taps_first(w, out, in, taps), read(name + ".bias", {u(out)}), out, taps * in);
    }

    ProjectLayer project(const std::string& name, int out, int in) {
        const float factor = 1.0f / std::sqrt(3.0f);
        ProjectLayer layer;
        const auto w = read(name + ".ffn_1.weight", {u(out), u(in), 3});
        auto bias = read(name + ".ffn_1.bias", {u(out)});
        for (float& b : bias)
            b *= factor;
        layer.convolution = packed(taps_first(w, out, in, 3, factor), std::move(bias), out, 3 * in);
        layer.linear = linear(name + ".ffn_2", out, out);
        return layer;
    }

    FlowBlock block(const std::string& name, int width, int hidden) {
        FlowBlock b;
        b.query = stored(name + ".attn.q_proj", width, width, false);
        b.key = stored(name + ".attn.k_proj", width, width, false);
        b.value = stored(name + ".attn.v_proj", width, width, false);
        b.out = stored(name + ".attn.o_proj", width, width, false);
        b.gate = stored(name + ".mlp.gate", hidden, width, false);
        b.up = stored(name + ".mlp.up", hidden, width, false);
        b.down = stored(name + ".mlp.down", width, hidden, false);
        b.attention_norm = read(name + ".attn_norm.weight", {u(width)});
        b.mlp_norm = read(name + ".mlp_norm.weight", {u(width)});
        b.table = read(name + ".scale_shift_table", {6, u(width)});
        return b;
    }

    TimeNetwork time(const std::string& name, int width) {
        TimeNetwork t;
        t.first = stored(name + ".emb.timestep_embedder.linear_1", width, k_time_width, true);
        t.second = stored(name + ".emb.timestep_embedder.linear_2", width, width, true);
        t.modulation = stored(name + ".linear", 6 * width, width, true);
        return t;
    }

    // Output sample factor t + r = sum over inputs of w[in][out][r] x[t] + w[in][out][factor + r] x[t - 1].
    RateStage stage(const std::string& name, int in, int out, int factor, int taps) {
        RateStage s;
        s.factor = factor;
        s.in = in;
        s.out = out;
        const std::string up = name + ".up_conv.layer";
        const auto w = folded(up, in, out, 2 * factor);
        const auto bias = read(up + ".bias", {u(out)});
        if (!error) return s;
        std::vector<float> rows(w.size()), biases;
        const std::size_t span = 2 * u(factor);
        for (std::size_t i = 0; i < u(in); ++i)
            for (std::size_t o = 0; o < u(out); ++o)
                for (std::size_t r = 0; r < u(factor); ++r) {
                    float* row = rows.data() + (r * u(out) + o) * 2 * u(in);
                    row[i] = w[(i * u(out) + o) * span + u(factor) + r];
                    row[u(in) + i] = w[(i * u(out) + o) * span + r];
                }
        for (int r = 0; r < factor; ++r)
            biases.insert(biases.end(), bias.begin(), bias.end());
        s.up = packed(std::move(rows), std::move(biases), factor * out, 2 * in);
        for (int j = 0; j < k_units && error.ok(); ++j) {
            const std::string unit = name + ".convs." + std::to_string(j);
            ResidualUnit& to = s.units[static_cast<std::size_t>(j)];
            to.dilation = 2 * j + 1;
            to.dilated = convolution(unit + ".conv1", out, out, taps);
            to.plain = convolution(unit + ".conv2", out, out, 1);
            to.slope1 = scalar(unit + ".activation1.weight");
            to.slope2 = scalar(unit + ".activation2.weight");
        }
        return s;
    }

    void load();

private:
    void load_decoder();
    HeartCodec::State& m_state;
    const std::function<bool()>& m_cancelled;
    bool m_rounding = false;
};

void Loader::load() {
    HeartCodec::State& s = m_state;
    const HeartCodecConfig& c = s.config;
    const std::string flow = "flow_matching.", estimator = flow + "estimator.";
    const int width = c.width(), wide = 2 * width;
    for (int q = 0; q < c.codebooks; ++q)
        s.codebooks.push_back(read(flow + "vq_embed.layers." + std::to_string(q) + "._codebook.embed",
                                   {1, u(c.codebook_size), u(c.codebook_width)}));
    s.project_out = linear(flow + "vq_embed.project_out", c.condition_width, c.codebook_width);
    s.condition_embedding = linear(flow + "cond_feature_emb", c.condition_width, c.condition_width);
    s.no_condition = read(flow + "zero_cond_embedding1", {u(c.condition_width)});
    s.proj_in = project(estimator + "proj_in", width, c.input_width);
    s.connection = project(estimator + "connection_proj", wide, c.input_width + width);
    s.proj_out = project(estimator + "proj_out", c.latent_width, wide);
    for (int i = 0; i < c.blocks && error.ok(); ++i)
        s.blocks.push_back(block(estimator + "transformer_blocks." + std::to_string(i), width, s.hidden(width)));
    for (int i = 0; i < c.wide_blocks && error.ok(); ++i)
        s.wide_blocks.push_back(block(estimator + "transformer_blocks_2." + std::to_string(i), wide, s.hidden(wide)));
    s.time = time(estimator + "adaln_single", width);
    s.wide_time = time(estimator + "adaln_single_2", wide);
    s.table = read(estimator + "scale_shift_table", {2, u(width)});
    s.wide_table = read(estimator + "scale_shift_table_2", {2, u(wide)});
    load_decoder();
}

void Loader::load_decoder() {
    HeartCodec::State& s = m_state;
    const HeartCodecConfig& c = s.config;
    const std::string decoder = "scalar_model.decoder.";
    m_rounding = s.weights == CodecWeights::rounded;
    int channels = c.first_channels << k_stages;
    s.first = convolution(decoder + "0", channels, c.channel_latents, c.delay_kernel);
    for (int i = 0; i < k_stages && error.ok(); ++i, channels /= 2)
        s.stages[static_cast<std::size_t>(i)] = stage(decoder + std::to_string(i + 1), channels, channels / 2,
                                                      c.upsample[static_cast<std::size_t>(i)], c.residual_kernel);
    // Of samples that stand `repeats` times, several taps meet the same one: their weights are added, here in double.
    const std::string six = decoder + "6";
    const auto w = read(six + ".conv.weight", {u(channels), u(channels), u(c.kernel)});
    const auto bias = read(six + ".conv.bias", {u(channels)});
    s.doubled_slope = scalar(six + ".activation.weight");
    const int reach = (c.kernel - 1 + c.repeats - 1) / c.repeats; // inputs before this one
    s.doubled_taps = reach + 1;
    if (!error) return;
    std::vector<double> sums(u(c.repeats) * u(channels) * u(s.doubled_taps) * u(channels));
    std::vector<float> biases;
    for (int p = 0; p < c.repeats; ++p) {
        biases.insert(biases.end(), bias.begin(), bias.end());
        for (int t = 0; t < c.kernel; ++t) {
            const int tap = (p - (c.kernel - 1) + t + reach * c.repeats) / c.repeats; // never negative
            for (std::size_t o = 0; o < u(channels); ++o)
                for (std::size_t i = 0; i < u(channels); ++i)
                    sums[((u(p) * u(channels) + o) * u(s.doubled_taps) + u(tap)) * u(channels) + i] +=
                        w[(o * u(channels) + i) * u(c.kernel) + u(t)];
        }
    }
    s.doubled = packed(std::vector<float>(sums.begin(), sums.end()), std::move(biases), c.repeats * channels,
                       s.doubled_taps * channels);
    s.last = taps_first(folded(decoder + "7", 1, channels, c.kernel), 1, channels, c.kernel);
    const auto last_bias = read(decoder + "7.bias", {1});
    s.last_bias = last_bias.empty() ? 0.0f : last_bias[0];
}

} // namespace

Status load_codec(HeartCodec::State& state, const std::function<bool()>& cancelled) {
    Loader loader(state, cancelled);
    loader.load();
    if (!loader.error) return loader.error;
    if (!state.checkpoint.unchanged())
        return Status(Code::malformed, "a file of the checkpoint was changed while it was loaded",
                      "the codec is not loaded", "leave the folder alone and load it again");
    for (const TensorInfo* tensor : state.used) {
        ++state.plan.tensors;
        state.plan.elements += tensor->elements;
        state.plan.stored_bytes += tensor->end - tensor->begin;
        state.plan.loaded_bytes += tensor->end - tensor->begin;
    }
    if (cancelled && cancelled())
        return Status(Code::cancelled, "loading was cancelled", "the codec is not loaded", "start it again");
    return {};
}

} // namespace tutti::models
