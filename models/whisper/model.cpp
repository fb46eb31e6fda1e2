// SPDX-License-Identifier: MIT
#include <models/whisper/model_state.h>

#include <algorithm>

#include <models/checkpoint/json_file.h>

namespace tutti::models {
namespace {

Status config_error(const std::filesystem::path& path, const std::string& what) {
    return Status(Code::malformed, path.string() + ": " + what, "the model is not loaded",
                  "give the folder of a Whisper checkpoint");
}

} // namespace

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
std::size_t WhisperModel::row_bytes(int tokens) const noexcept {
    const WhisperConfig& c = m_state->config;
    const int most = tokens > 0 ? std::min(tokens, c.target_positions) : c.target_positions;
    return 2 * sizeof(float) * static_cast<std::size_t>(c.decoder_layers) * static_cast<std::size_t>(c.width) *
           static_cast<std::size_t>((most + 15) / 16 * 16);
}
std::size_t WhisperModel::weight_bytes() const noexcept {
    const State& s = *m_state;
    std::size_t bytes = s.conv1.bytes() + s.conv2.bytes() + s.embedding.bytes() +
                        4 * (s.encoder_positions.size() + s.decoder_positions.size());
    for (const auto* layers : {&s.encoder, &s.decoder})
        for (const WhisperLayer& layer : *layers)
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

} // namespace tutti::models
