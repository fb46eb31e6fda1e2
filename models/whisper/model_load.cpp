// SPDX-License-Identifier: MIT
// Weights from a checkpoint, packed for the kernels as they are read.
#include <models/whisper/model_state.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <mutex>

#include <models/whisper/gate_record.h>

namespace tutti::models {
namespace {
constexpr std::uint64_t k_worth_storing = std::uint64_t{64} << 20; // smaller checkpoints load in a moment anyway
}

std::vector<float> WhisperModel::State::read(const std::string& name, std::vector<std::uint64_t> shape) {
    if (!error) return {};
    if (stored) {
        std::size_t count = 1;
        for (const std::uint64_t one : shape)
            count *= static_cast<std::size_t>(one);
        std::vector<float> values(count);
        take_stored(values.data(), count * sizeof(float));
        return values;
    }
    auto tensor = file->require(name, shape);
    if (!tensor) {
        error = tensor.status();
        return {};
    }
    std::vector<float> values(static_cast<std::size_t>((*tensor)->elements));
    error = file->read_f32(**tensor, values, cancelled);
    store(values.data(), values.size() * sizeof(float));
    return values;
}

const TensorInfo* WhisperModel::State::find(const std::string& name, std::vector<std::uint64_t> shape) {
    if (!error || stored) return nullptr;
    const auto tensor = file->require(name, shape);
    if (!tensor) error = tensor.status();
    return tensor ? *tensor : nullptr;
}

// Each part of the team reads, converts and packs a few panels at a time: the weights go through the caches once.
Linear WhisperModel::State::packed(std::span<const Rows> parts, std::vector<float> bias, int n, int depth, Compute as) {
    if (!error) return {};
    const int all = n * static_cast<int>(parts.size());
    Linear w = linear_shape(k, as, all, depth);
    w.bias = std::move(bias);
    if (stored) {
        take_stored(w);
        return w;
    }
    std::mutex mutex; // of `error`
    std::atomic<bool> stop{false};
    runner->each(w.columns / k.panel, 4, [&](int first_panel, int last_panel, int team_part) {
        const int from = first_panel * k.panel, to = std::min(all, last_panel * k.panel);
        Buffer& scratch = runner->scratch(team_part);
        scratch.need(static_cast<std::size_t>(to - from) * static_cast<std::size_t>(depth) * sizeof(float));
        auto* const rows = scratch.as<float>();
        Status status;
        for (int at = from; at < to && status && !stop.load(std::memory_order_relaxed);) {
            const Rows& part = parts[static_cast<std::size_t>(at / n)];
            const int end = std::min(to, (at / n + 1) * n);
            const auto room = std::span(rows + static_cast<std::ptrdiff_t>(at - from) * depth,
                                        static_cast<std::size_t>(end - at) * static_cast<std::size_t>(depth));
            if (cancelled && cancelled())
                status = Status(Code::cancelled, "loading was cancelled", "the model is not loaded", "start it again");
            else
                status = file->read_f32_part(
                    *part.tensor, static_cast<std::uint64_t>(at % n) * static_cast<std::uint64_t>(depth), room);
            for (float& x : room)
                x *= part.scale;
            at = end;
        }
        if (!status) {
            stop.store(true, std::memory_order_relaxed); // a hint; `error` is what counts
            const std::lock_guard lock(mutex);
            if (error) error = status;
        } else if (from < to && !stop.load(std::memory_order_relaxed)) {
            pack_rows(k, rows, depth, from, to - from, w);
        }
    });
    store(w);
    return w;
}

void WhisperModel::State::take_stored(Linear& w) {
    for (Buffer* part : {&w.packed, &w.scales, &w.sums}) {
        if (cancelled && cancelled())
            error = Status(Code::cancelled, "loading was cancelled", "the model is not loaded", "start it again");
        if (!error || (part->bytes() > 0 && !take_stored(part->as<std::byte>(), part->bytes()))) return;
    }
}

void WhisperModel::State::store(const Linear& w) {
    for (const Buffer* part : {&w.packed, &w.scales, &w.sums})
        if (part->bytes() > 0) store(part->as<std::byte>(), part->bytes());
}

Linear WhisperModel::State::linear(const std::string& prefix, std::vector<std::string> parts, int n, int depth,
                                   float query_scale) {
    std::vector<Rows> rows;
    std::vector<float> bias;
    for (std::string& part : parts) {
        const bool has_bias = part.back() != '-';
        if (!has_bias) part.pop_back();
        const float scale = part == "q_proj" ? query_scale : 1.0f;
        rows.push_back(
            {find(prefix + part + ".weight", {static_cast<std::uint64_t>(n), static_cast<std::uint64_t>(depth)}),
             scale});
        auto b = has_bias ? read(prefix + part + ".bias", {static_cast<std::uint64_t>(n)})
                          : std::vector<float>(static_cast<std::size_t>(n));
        for (float& value : b)
            value *= scale;
        bias.insert(bias.end(), b.begin(), b.end());
    }
    return packed(rows, std::move(bias), n, depth, compute);
}

WhisperNorm WhisperModel::State::norm(const std::string& name) {
    const auto width = static_cast<std::uint64_t>(config.width);
    return {read(name + ".weight", {width}), read(name + ".bias", {width})};
}

Linear WhisperModel::State::convolution(const std::string& name, int n, int in) {
    // INT8: few, and their range is wide.
    const Compute as = compute == Compute::int8 ? Compute::bf16 : compute;
    const auto w = read(name + ".weight", {static_cast<std::uint64_t>(n), static_cast<std::uint64_t>(in), 3});
    std::vector<float> rows(w.size());
    for (std::size_t o = 0; o < (w.empty() ? 0 : static_cast<std::size_t>(n)); ++o)
        for (std::size_t i = 0; i < static_cast<std::size_t>(in); ++i)
            for (std::size_t t = 0; t < 3; ++t)
                rows[(o * 3 + t) * static_cast<std::size_t>(in) + i] =
                    w[(o * static_cast<std::size_t>(in) + i) * 3 + t];
    auto bias = read(name + ".bias", {static_cast<std::uint64_t>(n)});
    if (!error) return {};
    return make_linear(k, as, rows.data(), std::move(bias), n, 3 * in);
}

bool WhisperModel::State::same(const std::string& a, const std::string& b, const std::vector<std::uint64_t>& shape) {
    const TensorInfo *const one = find(a, shape), *const other = find(b, shape);
    std::vector<float> x(1 << 16), y(1 << 16);
    for (std::uint64_t at = 0; error && at < one->elements; at += x.size()) {
        const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(x.size(), one->elements - at));
        error = file->read_f32_part(*one, at, std::span(x).first(count));
        if (error) error = file->read_f32_part(*other, at, std::span(y).first(count));
        if (!std::equal(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(count), y.begin())) return false;
    }
    return true;
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
        WhisperLayer one;
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
    const std::vector<std::uint64_t> words{static_cast<std::uint64_t>(config.vocabulary), width};
    const Rows tokens{find("model.decoder.embed_tokens.weight", words), 1.0f};
    embedding = packed({&tokens, 1}, {}, config.vocabulary, d, compute);
    if (error && !stored && file->find("proj_out.weight") &&
        !same("model.decoder.embed_tokens.weight", "proj_out.weight", words) && error)
        error = Status(Code::unsupported, "proj_out.weight differs from the token embedding", "the model is not loaded",
                       "use a checkpoint with tied embeddings");
}

Result<WhisperModel> WhisperModel::open(const std::filesystem::path& folder, int threads,
                                        const std::function<bool()>& cancelled, Compute compute,
                                        const std::filesystem::path& cache) {
    auto config = WhisperConfig::open(folder);
    if (!config) return config.status();
    auto file = Checkpoint::open(folder);
    if (!file) return file.status();
    const MemoryPlan plan = file->plan(compute == Compute::fp32 ? 4 : compute == Compute::bf16 ? 2 : 1);
    std::filesystem::path stored;
    std::string name;
    if (!cache.empty() && compute == Compute::int8 && plan.stored_bytes >= k_worth_storing)
        if (const auto key = checkpoint_key(folder)) {
            name = weight_cache_name(*key, compute, kernels());
            stored = cache / (name + ".weights");
        }
    const auto load = [&](bool from_cache) -> Result<WhisperModel> {
        auto state = std::make_unique<State>();
        state->config = *config;
        state->plan = plan;
        state->compute = compute;
        state->runner = std::make_unique<Runner>(threads);
        state->cross_scores.resize(static_cast<std::size_t>(std::max(1, threads)));
        state->file = &*file;
        state->cancelled = cancelled;
        if (from_cache)
            state->stored = WeightCacheReader::open(stored, name);
        else if (!stored.empty())
            state->storing.emplace(stored, name);
        if (from_cache && !state->stored) return Status(Code::not_found, "no cached weights", "they are made", "");
        state->load();
        if (!state->error) return state->error;
        if (state->storing) (void)state->storing->keep(); // no room is no fault: the next load makes them again
        state->file = nullptr;
        state->stored.reset();
        state->storing.reset();
        state->cancelled = {};
        return WhisperModel(std::move(state));
    };
    if (!stored.empty()) {
        auto model = load(true);
        if (model.ok() || model.status().code() == Code::cancelled) return model;
    }
    return load(false);
}

} // namespace tutti::models
