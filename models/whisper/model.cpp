// SPDX-License-Identifier: MIT
// Over 400 lines: the loader, the encoder and the decoder share the layers' types, which nobody else sees.
#include <models/whisper/model.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include <models/checkpoint/json_file.h>

namespace tutti::models {
namespace {

// y = x W^T + b with W packed for the kernels.
struct Linear {
    std::vector<float> packed;
    std::vector<float> bias;
    int n = 0;
    int k = 0;
};
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
    const Kernels& k = kernels();
    std::unique_ptr<Team> team;
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
    Linear packed(const std::vector<float>& rows, std::vector<float> bias, int n, int depth) const {
        Linear linear;
        linear.n = n;
        linear.k = depth;
        linear.bias = std::move(bias);
        if (rows.size() != static_cast<std::size_t>(n) * static_cast<std::size_t>(depth)) return linear;
        linear.packed.resize(packed_floats(k, n, depth));
        k.pack(rows.data(), depth, 1, n, depth, linear.packed.data());
        return linear;
    }
    // Several layers side by side; a name ending in "-" has no bias.
    Linear linear(const std::string& prefix, std::vector<std::string> parts, int n, int depth) {
        std::vector<float> rows, bias;
        for (std::string& part : parts) {
            const bool has_bias = part.back() != '-';
            if (!has_bias) part.pop_back();
            const auto w =
                read(prefix + part + ".weight", {static_cast<std::uint64_t>(n), static_cast<std::uint64_t>(depth)});
            rows.insert(rows.end(), w.begin(), w.end());
            const auto b = has_bias ? read(prefix + part + ".bias", {static_cast<std::uint64_t>(n)})
                                    : std::vector<float>(static_cast<std::size_t>(n));
            bias.insert(bias.end(), b.begin(), b.end());
        }
        return packed(rows, std::move(bias), n * static_cast<int>(parts.size()), depth);
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
        return packed(rows, read(name + ".bias", {static_cast<std::uint64_t>(n)}), n, 3 * in);
    }
    void load();

    // --- arithmetic
    // c[rows] = a[rows] x linear, split over the team by rows, or by panels where there are few rows.
    void multiply(const float* a, std::ptrdiff_t a_step, int rows, const Linear& w, float* c,
                  Epilogue epilogue = Epilogue::store) const {
        const Gemm g{a, a_step, w.packed.data(), w.k, w.n, w.bias.empty() ? nullptr : w.bias.data(), c, w.n, epilogue};
        const int panels = (w.n + k.panel - 1) / k.panel;
        const double work = static_cast<double>(rows) * w.n * w.k;
        if (team->threads() == 1 || work < 2e5) return k.gemm(g, 0, rows, 0, panels);
        team->run([&](int part, int parts) {
            if (rows >= 4 * k.rows * parts) {
                const int blocks = (rows + k.rows - 1) / k.rows;
                k.gemm(g, std::min(rows, blocks * part / parts * k.rows),
                       std::min(rows, blocks * (part + 1) / parts * k.rows), 0, panels);
            } else {
                k.gemm(g, 0, rows, panels * part / parts, panels * (part + 1) / parts);
            }
        });
    }
    std::size_t head_keys(int depth) const { return packed_floats(k, config.positions, depth); }
    std::size_t head_values(int depth) const { return packed_floats(k, depth, config.positions); }
    void pack_head(const float* keys, const float* values, std::ptrdiff_t step, int depth, float* to_keys,
                   float* to_values) const {
        k.pack(keys, step, 1, config.positions, depth, to_keys);
        k.pack(values, 1, step, depth, config.positions, to_values);
    }
    // rows of queries (already scaled) against packed keys and values.
    void attend_packed(const float* query, std::ptrdiff_t query_step, int rows, int depth, const float* keys,
                       const float* values, float* scores, float* out, std::ptrdiff_t out_step) const {
        const int positions = config.positions;
        const Gemm first{query, query_step, keys, depth, positions, nullptr, scores, positions, Epilogue::store};
        k.gemm(first, 0, rows, 0, (positions + k.panel - 1) / k.panel);
        k.softmax(scores, rows, positions, positions, positions);
        const Gemm second{scores, positions, values, positions, depth, nullptr, out, out_step, Epilogue::store};
        k.gemm(second, 0, rows, 0, (depth + k.panel - 1) / k.panel);
    }
    void scale(float* x, std::ptrdiff_t step, int rows, int width, float factor) const {
        for (int r = 0; r < rows; ++r)
            for (int i = 0; i < width; ++i)
                x[r * step + i] *= factor;
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
        one.self.in = linear(prefix + "self_attn.", {"q_proj", "k_proj-", "v_proj"}, d, d);
        one.self.out = linear(prefix + "self_attn.", {"out_proj"}, d, d);
        one.self.norm = norm(prefix + "self_attn_layer_norm");
        if (crosses) {
            one.cross.in = linear(prefix + "encoder_attn.", {"q_proj"}, d, d);
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
    embedding = packed(words, {}, config.vocabulary, d);
    if (error && file->find("proj_out.weight") &&
        read("proj_out.weight", {static_cast<std::uint64_t>(config.vocabulary), width}) != words && error)
        error = Status(Code::unsupported, "proj_out.weight differs from the token embedding", "the model is not loaded",
                       "use a checkpoint with tied embeddings");
}

Result<WhisperModel> WhisperModel::open(const std::filesystem::path& folder, int threads,
                                        const std::function<bool()>& cancelled) {
    auto config = WhisperConfig::open(folder);
    if (!config) return config.status();
    auto file = Checkpoint::open(folder);
    if (!file) return file.status();
    auto state = std::make_unique<State>();
    state->config = *config;
    state->plan = file->plan(4);
    state->team = std::make_unique<Team>(threads);
    state->file = &*file;
    state->cancelled = cancelled;
    state->load();
    state->file = nullptr;
    state->cancelled = {};
    if (!state->error) return state->error;
    return WhisperModel(std::move(state));
}

std::vector<float> WhisperModel::encode(std::span<const float> features, const Probe& probe) const {
    const State& s = *m_state;
    const WhisperConfig& c = s.config;
    const int d = c.width, frames = 2 * c.positions, heads = c.encoder_heads, depth = d / heads;
    const auto floats = [](int rows, int width) {
        return static_cast<std::size_t>(rows) * static_cast<std::size_t>(width);
    };
    const auto tell = [&](const std::string& point, const std::vector<float>& x) {
        if (probe) probe(point, x, d);
    };
    // One zero frame at each end is the convolutions' padding.
    std::vector<float> padded(floats(frames + 2, c.mels));
    std::copy_n(features.begin(), floats(frames, c.mels), padded.begin() + c.mels);
    std::vector<float> first(floats(frames + 2, d));
    s.multiply(padded.data(), c.mels, frames, s.conv1, first.data() + d, Epilogue::gelu);
    if (probe) probe("conv1_gelu", std::span(first).subspan(static_cast<std::size_t>(d), floats(frames, d)), d);
    std::vector<float> x(floats(c.positions, d));
    s.multiply(first.data(), 2 * d, c.positions, s.conv2, x.data(), Epilogue::gelu);
    tell("conv2_gelu", x);
    for (std::size_t i = 0; i < x.size(); ++i)
        x[i] += s.encoder_positions[i];

    std::vector<float> normed(x.size()), qkv(floats(c.positions, 3 * d)), mixed(x.size()),
        hidden(floats(c.positions, c.encoder_hidden));
    const auto normalise = [&](const Norm& norm) {
        s.team->run([&](int part, int parts) {
            const int from = c.positions * part / parts, to = c.positions * (part + 1) / parts;
            s.k.layer_norm(x.data() + floats(from, d), to - from, d, norm.weight.data(), norm.bias.data(),
                           normed.data() + floats(from, d));
        });
    };
    for (int l = 0; l < c.encoder_layers; ++l) {
        const Layer& layer = s.encoder[static_cast<std::size_t>(l)];
        const std::string name = "layer" + std::to_string(l);
        normalise(layer.self.norm);
        s.multiply(normed.data(), d, c.positions, layer.self.in, qkv.data());
        s.scale(qkv.data(), 3 * d, c.positions, d, 1.0f / std::sqrt(static_cast<float>(depth)));
        std::vector<float> keys(s.head_keys(depth) * static_cast<std::size_t>(heads)),
            values(s.head_values(depth) * static_cast<std::size_t>(heads));
        const int blocks = (c.positions + k_query_rows - 1) / k_query_rows;
        s.team->run([&](int part, int parts) {
            for (int h = heads * part / parts; h < heads * (part + 1) / parts; ++h)
                s.pack_head(qkv.data() + d + h * depth, qkv.data() + 2 * d + h * depth, 3 * d, depth,
                            keys.data() + s.head_keys(depth) * static_cast<std::size_t>(h),
                            values.data() + s.head_values(depth) * static_cast<std::size_t>(h));
        });
        s.team->run([&](int part, int parts) {
            std::vector<float> scores(floats(k_query_rows, c.positions));
            const int all = heads * blocks;
            for (int job = all * part / parts; job < all * (part + 1) / parts; ++job) {
                const int h = job / blocks, row = job % blocks * k_query_rows;
                s.attend_packed(qkv.data() + floats(row, 3 * d) + h * depth, 3 * d,
                                std::min(k_query_rows, c.positions - row), depth,
                                keys.data() + s.head_keys(depth) * static_cast<std::size_t>(h),
                                values.data() + s.head_values(depth) * static_cast<std::size_t>(h), scores.data(),
                                mixed.data() + floats(row, d) + h * depth, d);
            }
        });
        if (probe) {
            std::vector<float> alone(x.size());
            s.multiply(mixed.data(), d, c.positions, layer.self.out, alone.data());
            tell(name + "_attn", alone);
        }
        s.multiply(mixed.data(), d, c.positions, layer.self.out, x.data(), Epilogue::add);
        normalise(layer.norm);
        s.multiply(normed.data(), d, c.positions, layer.fc1, hidden.data(), Epilogue::gelu);
        s.multiply(hidden.data(), c.encoder_hidden, c.positions, layer.fc2, x.data(), Epilogue::add);
        tell(name, x);
    }
    normalise(s.encoder_norm);
    tell("final", normed);
    return normed;
}

CrossMemory WhisperModel::remember(std::span<const float> encoded) const {
    const State& s = *m_state;
    const int d = s.config.width, heads = s.config.decoder_heads, depth = d / heads, layers = s.config.decoder_layers;
    CrossMemory memory;
    memory.keys.resize(s.head_keys(depth) * static_cast<std::size_t>(heads * layers));
    memory.values.resize(s.head_values(depth) * static_cast<std::size_t>(heads * layers));
    std::vector<float> both(encoded.size() * 2);
    for (int l = 0; l < layers; ++l) {
        s.multiply(encoded.data(), d, s.config.positions, s.decoder[static_cast<std::size_t>(l)].cross.key_value,
                   both.data());
        s.team->run([&](int part, int parts) {
            for (int h = heads * part / parts; h < heads * (part + 1) / parts; ++h) {
                const auto at = static_cast<std::size_t>(l * heads + h);
                s.pack_head(both.data() + h * depth, both.data() + d + h * depth, 2 * d, depth,
                            memory.keys.data() + at * s.head_keys(depth),
                            memory.values.data() + at * s.head_values(depth));
            }
        });
    }
    return memory;
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
    const State& s = *m_state;
    const WhisperConfig& c = s.config;
    const int d = c.width, heads = c.decoder_heads, depth = d / heads, rows = static_cast<int>(steps.size()),
              capacity = state.m_capacity;
    const float query_scale = 1.0f / std::sqrt(static_cast<float>(depth));
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
    for (int r = 0; r < rows; ++r) {
        const Step& step = steps[static_cast<std::size_t>(r)];
        const int position = std::min(state.m_length[static_cast<std::size_t>(step.row)], c.target_positions - 1);
        const TokenId token = std::clamp<TokenId>(step.token, 0, c.vocabulary - 1);
        const float* word = s.embedding.packed.data() + static_cast<std::ptrdiff_t>(token / s.k.panel) * s.k.panel * d +
                            token % s.k.panel;
        const float factor = c.scale_embedding ? std::sqrt(static_cast<float>(d)) : 1.0f;
        for (int i = 0; i < d; ++i)
            x[floats(r, d) + static_cast<std::size_t>(i)] =
                word[static_cast<std::ptrdiff_t>(i) * s.k.panel] * factor +
                s.decoder_positions[floats(position, d) + static_cast<std::size_t>(i)];
    }
    for (int l = 0; l < c.decoder_layers; ++l) {
        const Layer& layer = s.decoder[static_cast<std::size_t>(l)];
        const std::string name = probe ? "layer" + std::to_string(l) : std::string();
        s.k.layer_norm(x.data(), rows, d, layer.self.norm.weight.data(), layer.self.norm.bias.data(), normed.data());
        s.multiply(normed.data(), d, rows, layer.self.in, qkv.data());
        s.team->run([&](int part, int parts) {
            std::vector<float> scores(static_cast<std::size_t>(capacity));
            for (int job = rows * heads * part / parts; job < rows * heads * (part + 1) / parts; ++job) {
                const int r = job / heads, h = job % heads, row = steps[static_cast<std::size_t>(r)].row;
                const int position = state.m_length[static_cast<std::size_t>(row)];
                if (position >= c.target_positions) continue;
                const std::size_t base =
                    (floats(row, c.decoder_layers) + static_cast<std::size_t>(l)) * floats(d, capacity) +
                    floats(h * depth, capacity);
                float* keys = state.m_keys.data() + base;
                float* values = state.m_values.data() + base;
                const float* in = qkv.data() + floats(r, 3 * d) + h * depth;
                for (int i = 0; i < depth; ++i)
                    keys[floats(i, capacity) + static_cast<std::size_t>(position)] = in[d + i];
                std::copy_n(in + 2 * d, depth, values + floats(position, depth));
                s.k.attend(in, keys, values, depth, capacity, position + 1, query_scale, scores.data(),
                           mixed.data() + floats(r, d) + h * depth);
            }
        });
        tell_product(name + "_self_attn", layer.self.out);
        s.multiply(mixed.data(), d, rows, layer.self.out, x.data(), Epilogue::add);
        s.k.layer_norm(x.data(), rows, d, layer.cross.norm.weight.data(), layer.cross.norm.bias.data(), normed.data());
        s.multiply(normed.data(), d, rows, layer.cross.in, qkv.data());
        s.scale(qkv.data(), d, rows, d, query_scale);
        s.team->run([&](int part, int parts) {
            std::vector<float> scores(floats(k_query_rows, c.positions));
            for (int job = rows * heads * part / parts; job < rows * heads * (part + 1) / parts; ++job) {
                const int h = job / rows, r = job % rows;
                const CrossMemory& memory = *steps[static_cast<std::size_t>(r)].memory;
                const auto at = static_cast<std::size_t>(l * heads + h);
                const float* query = qkv.data() + floats(r, d) + h * depth;
                const float* keys = memory.keys.data() + at * s.head_keys(depth);
                if (raw_scores) { // before the softmax, for alignment as OpenAI does it
                    const Gemm g{query,         d,           keys,           depth, c.positions, nullptr,
                                 scores.data(), c.positions, Epilogue::store};
                    s.k.gemm(g, 0, 1, 0, (c.positions + s.k.panel - 1) / s.k.panel);
                    for (std::size_t w = 0; w < wanted_heads.size(); ++w)
                        if (wanted_heads[w] == std::pair(l, h))
                            std::copy_n(scores.data(), c.positions,
                                        weights +
                                            floats(r * static_cast<int>(wanted_heads.size()) + static_cast<int>(w),
                                                   c.positions));
                }
                s.attend_packed(query, d, 1, depth, keys, memory.values.data() + at * s.head_values(depth),
                                scores.data(), mixed.data() + floats(r, d) + h * depth, d);
                if (!raw_scores)
                    for (std::size_t w = 0; w < wanted_heads.size(); ++w)
                        if (wanted_heads[w] == std::pair(l, h))
                            std::copy_n(scores.data(), c.positions,
                                        weights +
                                            floats(r * static_cast<int>(wanted_heads.size()) + static_cast<int>(w),
                                                   c.positions));
            }
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
