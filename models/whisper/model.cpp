// SPDX-License-Identifier: MIT
// Over 400 lines: the loader, the encoder and the decoder share the layers' types, which nobody else sees.
#include <models/whisper/model.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include <models/checkpoint/json_file.h>
#include <models/nn/linear.h>

namespace tutti::models {
namespace {

struct Norm {
    std::vector<float> weight;
    std::vector<float> bias;
};
struct Attention {
    Linear in; // self: query, key and value in one; cross: the query
    Linear key_value;
    Linear out;
    Norm norm;
};
struct Layer {
    Attention self;
    Attention cross;
    Linear fc1, fc2;
    Norm norm;
};

constexpr int k_query_rows = 48; // rows of scores worked on at a time: 48 x 1500 floats stay in the second-level cache

Status config_error(const std::filesystem::path& path, const std::string& what) {
    return Status(Code::malformed, path.string() + ": " + what, "the model is not loaded",
                  "give the folder of a Whisper checkpoint");
}

} // namespace

struct WhisperModel::State {
    WhisperConfig config;
    MemoryPlan plan;
    Compute compute = Compute::fp32;
    const Kernels& k = kernels();
    std::unique_ptr<Runner> runner;
    std::vector<std::vector<float>> cross_scores; // of each part of the team
    struct {                                      // the encoder's, from window to window
        Buffer padded, first, x, normed, qkv, mixed, hidden, keys, values;
    } space;
    Linear conv1, conv2;
    std::vector<float> encoder_positions, decoder_positions;
    std::vector<Layer> encoder, decoder;
    Norm encoder_norm, decoder_norm;
    Linear embedding; // [vocabulary, width]: rows are looked up, and the whole is the output layer

    // --- loading
    const Checkpoint* file = nullptr;
    std::function<bool()> cancelled;
    Status error;

    std::vector<float> read(const std::string& name, std::vector<std::uint64_t> shape) {
        if (!error) return {};
        auto tensor = file->require(name, shape);
        if (!tensor) {
            error = tensor.status();
            return {};
        }
        std::vector<float> values(static_cast<std::size_t>((*tensor)->elements));
        error = file->read_f32(**tensor, values, cancelled);
        return values;
    }
    Linear packed(const std::vector<float>& rows, std::vector<float> bias, int n, int depth, Compute as) const {
        if (!error || rows.size() != static_cast<std::size_t>(n) * static_cast<std::size_t>(depth)) return {};
        Linear w = linear_shape(k, as, n, depth);
        w.bias = std::move(bias);
        const int panels = w.columns / k.panel;
        runner->each(panels, 8, [&](int first_panel, int last_panel, int) {
            const int from = first_panel * k.panel, to = std::min(n, last_panel * k.panel);
            pack_rows(k, rows.data() + static_cast<std::ptrdiff_t>(from) * depth, depth, from, to - from, w);
        });
        return w;
    }
    // Several layers side by side; a name ending in "-" has no bias. That of a query holds the scores' scale.
    Linear linear(const std::string& prefix, std::vector<std::string> parts, int n, int depth,
                  float query_scale = 1.0f) {
        std::vector<float> rows, bias;
        for (std::string& part : parts) {
            const bool has_bias = part.back() != '-';
            if (!has_bias) part.pop_back();
            const auto w =
                read(prefix + part + ".weight", {static_cast<std::uint64_t>(n), static_cast<std::uint64_t>(depth)});
            rows.insert(rows.end(), w.begin(), w.end());
            auto b = has_bias ? read(prefix + part + ".bias", {static_cast<std::uint64_t>(n)})
                              : std::vector<float>(static_cast<std::size_t>(n));
            if (part == "q_proj") {
                for (auto at = rows.end() - static_cast<std::ptrdiff_t>(w.size()); at != rows.end(); ++at)
                    *at *= query_scale;
                for (float& value : b)
                    value *= query_scale;
            }
            bias.insert(bias.end(), b.begin(), b.end());
        }
        return packed(rows, std::move(bias), n * static_cast<int>(parts.size()), depth, compute);
    }
    Norm norm(const std::string& name) {
        const auto width = static_cast<std::uint64_t>(config.width);
        return {read(name + ".weight", {width}), read(name + ".bias", {width})};
    }
    // Kernel weights [out, in, 3] become [out][3 * in]: a row of the product reads three neighbouring frames.
    Linear convolution(const std::string& name, int n, int in) {
        const auto w = read(name + ".weight", {static_cast<std::uint64_t>(n), static_cast<std::uint64_t>(in), 3});
        std::vector<float> rows(w.size());
        for (std::size_t o = 0; o < (w.empty() ? 0 : static_cast<std::size_t>(n)); ++o)
            for (std::size_t i = 0; i < static_cast<std::size_t>(in); ++i)
                for (std::size_t t = 0; t < 3; ++t)
                    rows[(o * 3 + t) * static_cast<std::size_t>(in) + i] =
                        w[(o * static_cast<std::size_t>(in) + i) * 3 + t];
        return packed(rows, read(name + ".bias", {static_cast<std::uint64_t>(n)}), n, 3 * in,
                      compute == Compute::int8 ? Compute::bf16 : compute); // few, and their range is wide
    }
    void load();

    // --- arithmetic
    void multiply(const float* a, std::ptrdiff_t a_step, int rows, const Linear& w, float* c,
                  Epilogue epilogue = Epilogue::store) const {
        runner->multiply(a, a_step, rows, w, c, w.n, epilogue);
    }
    bool bf16_attention() const { return compute != Compute::fp32 && !k.wide_rows; }
    void encoder_attention(int heads, int depth);

    // --- the encoder's output as the decoder reads it: one head of one layer
    struct Head {
        std::size_t keys = 0, key_scales = 0, key_sums = 0, values = 0, value_scales = 0, bytes = 0;
    };
    Head head_layout() const {
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
    void remember_head(const float* keys, const float* values, std::ptrdiff_t step, Buffer& scratch, std::byte* to,
                       const Head& h) const;
    void attend_head(const float* query, std::ptrdiff_t query_step, int rows, const std::byte* from, const Head& h,
                     Buffer& scratch, float* scores) const;
    void mix_head(float* scores, int rows, const std::byte* from, const Head& h, Buffer& scratch, float* out,
                  std::ptrdiff_t out_step) const;
    // Pairs of positions side by side, as a product's right side of [positions] x [depth] in BF16 wants them.
    void pack_value_pairs(const std::uint16_t* rows, int depth, std::uint32_t* to) const {
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
};

WhisperModel::WhisperModel(std::unique_ptr<State> state) : m_state(std::move(state)) {}
WhisperModel::WhisperModel(WhisperModel&&) noexcept = default;
WhisperModel& WhisperModel::operator=(WhisperModel&&) noexcept = default;
WhisperModel::~WhisperModel() = default;
const WhisperConfig& WhisperModel::config() const noexcept {
    return m_state->config;
}
const MemoryPlan& WhisperModel::plan() const noexcept {
    return m_state->plan;
}
Compute WhisperModel::compute() const noexcept {
    return m_state->compute;
}
std::size_t WhisperModel::cross_bytes() const noexcept {
    return m_state->head_layout().bytes *
           static_cast<std::size_t>(m_state->config.decoder_layers * m_state->config.decoder_heads);
}
std::size_t WhisperModel::row_bytes() const noexcept {
    const WhisperConfig& c = m_state->config;
    return 2 * sizeof(float) * static_cast<std::size_t>(c.decoder_layers) * static_cast<std::size_t>(c.width) *
           static_cast<std::size_t>((c.target_positions + 15) / 16 * 16);
}
std::size_t WhisperModel::weight_bytes() const noexcept {
    const State& s = *m_state;
    std::size_t bytes = s.conv1.bytes() + s.conv2.bytes() + s.embedding.bytes() +
                        4 * (s.encoder_positions.size() + s.decoder_positions.size());
    for (const auto* layers : {&s.encoder, &s.decoder})
        for (const Layer& layer : *layers)
            for (const Linear* w : {&layer.self.in, &layer.self.out, &layer.cross.in, &layer.cross.key_value,
                                    &layer.cross.out, &layer.fc1, &layer.fc2})
                bytes += w->bytes();
    return bytes;
}
void WhisperModel::set_token(const CancelToken& token) {
    m_state->runner->set_token(token);
}
void WhisperModel::set_threads(int threads) {
    m_state->runner->team().set_threads(threads);
}

Result<WhisperConfig> WhisperConfig::open(const std::filesystem::path& folder) {
    const auto path = folder / "config.json";
    auto json = read_json_file(path);
    if (!json) return json.status();
    if (!json->is_object() || json->value("model_type", "whisper") != "whisper")
        return config_error(path, "is not a Whisper model");
    if (json->contains("activation_function") && (*json)["activation_function"] != "gelu")
        return config_error(path, "activation_function is not gelu");
    WhisperConfig c;
    Status status;
    const auto take = [&](const char* key, int& value, int low, int high) {
        if (!status || !json->contains(key)) return;
        const auto& found = (*json)[key];
        if (!found.is_number_integer() || found.get<std::int64_t>() < low || found.get<std::int64_t>() > high)
            status = config_error(path, std::string(key) + " is not a number from " + std::to_string(low) + " to " +
                                            std::to_string(high));
        else
            value = found.get<int>();
    };
    take("vocab_size", c.vocabulary, 8, 1 << 20);
    take("num_mel_bins", c.mels, 1, 1024);
    take("d_model", c.width, 4, 1 << 14);
    take("encoder_layers", c.encoder_layers, 1, 256);
    take("decoder_layers", c.decoder_layers, 1, 256);
    take("encoder_attention_heads", c.encoder_heads, 1, 256);
    take("decoder_attention_heads", c.decoder_heads, 1, 256);
    take("encoder_ffn_dim", c.encoder_hidden, 1, 1 << 17);
    take("decoder_ffn_dim", c.decoder_hidden, 1, 1 << 17);
    take("max_source_positions", c.positions, 1, 1 << 16);
    take("max_target_positions", c.target_positions, 8, 1 << 16);
    take("median_filter_width", c.median_filter_width, 1, 99);
    if (!status) return status;
    if (c.width % c.encoder_heads != 0 || c.width % c.decoder_heads != 0)
        return config_error(path, "the heads do not divide d_model");
    if (json->contains("scale_embedding") && (*json)["scale_embedding"].is_boolean())
        c.scale_embedding = (*json)["scale_embedding"];
    return c;
}

void WhisperModel::State::load() {
    const int d = config.width;
    const auto width = static_cast<std::uint64_t>(d);
    conv1 = convolution("model.encoder.conv1", d, config.mels);
    conv2 = convolution("model.encoder.conv2", d, d);
    encoder_positions =
        read("model.encoder.embed_positions.weight", {static_cast<std::uint64_t>(config.positions), width});
    decoder_positions =
        read("model.decoder.embed_positions.weight", {static_cast<std::uint64_t>(config.target_positions), width});
    const auto layer = [&](const std::string& prefix, int hidden, bool crosses) {
        Layer one;
        const int heads = crosses ? config.decoder_heads : config.encoder_heads;
        const float query_scale = 1.0f / std::sqrt(static_cast<float>(d / heads));
        one.self.in = linear(prefix + "self_attn.", {"q_proj", "k_proj-", "v_proj"}, d, d, query_scale);
        one.self.out = linear(prefix + "self_attn.", {"out_proj"}, d, d);
        one.self.norm = norm(prefix + "self_attn_layer_norm");
        if (crosses) {
            one.cross.in = linear(prefix + "encoder_attn.", {"q_proj"}, d, d, query_scale);
            one.cross.key_value = linear(prefix + "encoder_attn.", {"k_proj-", "v_proj"}, d, d);
            one.cross.out = linear(prefix + "encoder_attn.", {"out_proj"}, d, d);
            one.cross.norm = norm(prefix + "encoder_attn_layer_norm");
        }
        one.fc1 = linear(prefix, {"fc1"}, hidden, d);
        one.fc2 = linear(prefix, {"fc2"}, d, hidden);
        one.norm = norm(prefix + "final_layer_norm");
        return one;
    };
    for (int i = 0; i < config.encoder_layers && error; ++i)
        encoder.push_back(layer("model.encoder.layers." + std::to_string(i) + ".", config.encoder_hidden, false));
    for (int i = 0; i < config.decoder_layers && error; ++i)
        decoder.push_back(layer("model.decoder.layers." + std::to_string(i) + ".", config.decoder_hidden, true));
    encoder_norm = norm("model.encoder.layer_norm");
    decoder_norm = norm("model.decoder.layer_norm");
    const auto words =
        read("model.decoder.embed_tokens.weight", {static_cast<std::uint64_t>(config.vocabulary), width});
    embedding = packed(words, {}, config.vocabulary, d, compute);
    if (error && file->find("proj_out.weight") &&
        read("proj_out.weight", {static_cast<std::uint64_t>(config.vocabulary), width}) != words && error)
        error = Status(Code::unsupported, "proj_out.weight differs from the token embedding", "the model is not loaded",
                       "use a checkpoint with tied embeddings");
}

Result<WhisperModel> WhisperModel::open(const std::filesystem::path& folder, int threads,
                                        const std::function<bool()>& cancelled, Compute compute) {
    auto config = WhisperConfig::open(folder);
    if (!config) return config.status();
    auto file = Checkpoint::open(folder);
    if (!file) return file.status();
    auto state = std::make_unique<State>();
    state->config = *config;
    state->plan = file->plan(compute == Compute::fp32 ? 4 : compute == Compute::bf16 ? 2 : 1);
    state->compute = compute;
    state->runner = std::make_unique<Runner>(threads);
    state->cross_scores.resize(static_cast<std::size_t>(std::max(1, threads)));
    state->file = &*file;
    state->cancelled = cancelled;
    state->load();
    state->file = nullptr;
    state->cancelled = {};
    if (!state->error) return state->error;
    return WhisperModel(std::move(state));
}

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

    const auto normalise = [&](const Norm& norm) {
        s.runner->each(c.positions, c.positions, [&](int from, int to, int) {
            s.k.layer_norm(x + floats(from, d), to - from, d, norm.weight.data(), norm.bias.data(),
                           normed + floats(from, d));
        });
    };
    for (int l = 0; l < c.encoder_layers && !s.runner->cancelled(); ++l) {
        const Layer& layer = s.encoder[static_cast<std::size_t>(l)];
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

DecoderState WhisperModel::start(int rows) const {
    const WhisperConfig& c = m_state->config;
    DecoderState state;
    state.m_rows = rows;
    state.m_capacity = (c.target_positions + 15) / 16 * 16;
    const std::size_t floats = static_cast<std::size_t>(rows) * static_cast<std::size_t>(c.decoder_layers) *
                               static_cast<std::size_t>(c.width) * static_cast<std::size_t>(state.m_capacity);
    state.m_keys.resize(floats);
    state.m_values.resize(floats);
    state.m_length.resize(static_cast<std::size_t>(rows));
    return state;
}

void WhisperModel::reorder(DecoderState& state, int first, std::span<const int> parents) const {
    const WhisperConfig& c = m_state->config;
    const std::size_t row = static_cast<std::size_t>(c.decoder_layers) * static_cast<std::size_t>(c.width) *
                            static_cast<std::size_t>(state.m_capacity);
    bool moved = false;
    for (std::size_t i = 0; i < parents.size(); ++i)
        moved = moved || parents[i] != first + static_cast<int>(i);
    if (!moved) return;
    for (auto* cache : {&state.m_keys, &state.m_values}) {
        std::vector<float> copy(row * parents.size());
        for (std::size_t i = 0; i < parents.size(); ++i)
            std::memcpy(copy.data() + i * row, cache->data() + static_cast<std::size_t>(parents[i]) * row,
                        row * sizeof(float));
        std::memcpy(cache->data() + static_cast<std::size_t>(first) * row, copy.data(), copy.size() * sizeof(float));
    }
    std::vector<int> lengths;
    for (int parent : parents)
        lengths.push_back(state.m_length[static_cast<std::size_t>(parent)]);
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
        const Layer& layer = s.decoder[static_cast<std::size_t>(l)];
        const std::string name = probe ? "layer" + std::to_string(l) : std::string();
        s.k.layer_norm(x.data(), rows, d, layer.self.norm.weight.data(), layer.self.norm.bias.data(), normed.data());
        s.multiply(normed.data(), d, rows, layer.self.in, qkv.data());
        const auto own = [&](int r) { // of the cache
            return (floats(steps[static_cast<std::size_t>(r)].row, c.decoder_layers) + static_cast<std::size_t>(l)) *
                   floats(d, capacity);
        };
        const auto keep = [&](int r, int h) {
            const int at = position[static_cast<std::size_t>(r)];
            if (at >= c.target_positions) return;
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
                const int length = std::min(position[static_cast<std::size_t>(r)] + 1, c.target_positions);
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
        length = std::min(length + 1, c.target_positions);
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
