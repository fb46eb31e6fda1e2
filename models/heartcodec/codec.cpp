// SPDX-License-Identifier: MIT
#include <models/heartcodec/codec.h>

#include <algorithm>

#include <models/heartcodec/state.h>

namespace tutti::models {

HeartCodec::HeartCodec(std::unique_ptr<State> state) : m_state(std::move(state)) {}
HeartCodec::HeartCodec(HeartCodec&&) noexcept = default;
HeartCodec& HeartCodec::operator=(HeartCodec&&) noexcept = default;
HeartCodec::~HeartCodec() = default;

const HeartCodecConfig& HeartCodec::config() const noexcept {
    return m_state->config;
}
const MemoryPlan& HeartCodec::plan() const noexcept {
    return m_state->plan;
}
std::size_t HeartCodec::packed_bytes() const noexcept {
    return m_state->packed_bytes;
}
void HeartCodec::set_threads(int threads) {
    m_state->runner.team().set_threads(threads);
}
void HeartCodec::set_token(const CancelToken& token) {
    m_state->runner.set_token(token);
}
bool HeartCodec::cancelled() const noexcept {
    return m_state->runner.cancelled();
}

Status HeartCodec::State::cancelled_status() const {
    return Status(Code::cancelled, "decoding was cancelled", "the sound given out so far is good", "start it again");
}

Result<HeartCodec> HeartCodec::open(const std::filesystem::path& folder, int threads,
                                    const std::function<bool()>& cancelled, CodecWeights weights) {
    auto config = HeartCodecConfig::open(folder);
    if (!config) return config.status();
    auto checkpoint = Checkpoint::open(folder);
    if (!checkpoint) return checkpoint.status();
    auto state = std::make_unique<State>(*config, std::move(checkpoint).value(), std::max(1, threads));
    state->weights = weights;
    if (Status status = load_codec(*state, cancelled); !status) return status;
    return HeartCodec(std::move(state));
}

Result<MemoryPlan> HeartCodec::plan(const std::filesystem::path& folder) {
    const auto checkpoint = Checkpoint::open(folder);
    if (!checkpoint) return checkpoint.status();
    return checkpoint->plan(0, [](std::string_view name) {
        const auto holds = [&](std::string_view part) { return name.find(part) != name.npos; };
        return !name.starts_with("scalar_model.encoder.") && !holds("project_in") && !holds("embed_avg") &&
               !holds("cluster_size") && !holds("initted");
    });
}

std::size_t HeartCodec::work_bytes(const CodecOptions& options) const noexcept {
    const double seconds = std::max(options.window_seconds, options.first_window_seconds);
    const int latents = static_cast<int>(seconds * 25.0), batch = options.guidance > 1.0f ? 2 : 1;
    const HeartCodecConfig& c = m_state->config;
    const auto rows = static_cast<std::size_t>(batch * latents);
    // The solver's own: input and velocity, latents, noise, condition. A thread packs 128 columns of the widest product.
    const std::size_t solver =
        rows * static_cast<std::size_t>(c.input_width + c.latent_width) +
        static_cast<std::size_t>(latents) * static_cast<std::size_t>(4 * c.latent_width + c.condition_width);
    const std::size_t scratch = static_cast<std::size_t>(m_state->runner.team().threads()) * 128 *
                                static_cast<std::size_t>(m_state->hidden(2 * c.width()) + 256);
    return sizeof(float) * (solver + scratch +
                            std::max(estimator_floats(*m_state, batch, latents),
                                     decoder_floats(*m_state, std::min(latents, k_tile_latents))));
}

HeartCodec::Work HeartCodec::work(const CodecOptions& options) const noexcept {
    const HeartCodecConfig& c = m_state->config;
    const double t = static_cast<double>(static_cast<int>(options.window_seconds * 25.0));
    const auto blocks = [&](double count, double width, double hidden) {
        return count * (4.0 * width * width + 3.0 * width * hidden + 2.0 * t * width);
    };
    const double width = c.width(), wide = 2.0 * width, in = c.input_width, out = c.latent_width;
    const double row = blocks(c.blocks, width, m_state->hidden(c.width())) +
                       blocks(c.wide_blocks, wide, m_state->hidden(2 * c.width())) + 3.0 * in * width + width * width +
                       3.0 * (in + width) * wide + wide * wide + 3.0 * wide * out + out * out;
    Work work;
    work.solve = 2.0 * row * t * (options.guidance > 1.0f ? 2.0 : 1.0) * options.steps;
    double rate = 1.0, sum = static_cast<double>(c.delay_kernel) * c.channel_latents * m_state->first.n;
    for (const RateStage& stage : m_state->stages) {
        sum += rate * 2.0 * stage.in * stage.out * stage.factor;
        rate *= stage.factor;
        sum += rate * k_units * (c.residual_kernel + 1.0) * stage.out * stage.out;
    }
    sum += rate * c.repeats * (static_cast<double>(m_state->doubled_taps) * c.first_channels + c.kernel) *
           c.first_channels;
    work.decode = 2.0 * 2.0 * sum * t;
    return work;
}

Status HeartCodec::check(const std::function<bool()>& cancelled) const {
    std::vector<float> values;
    for (const TensorInfo* tensor : m_state->used) {
        values.resize(static_cast<std::size_t>(tensor->elements));
        if (Status status = m_state->checkpoint.read_f32(*tensor, values, cancelled); !status) return status;
    }
    return {};
}

std::vector<float> HeartCodec::condition(std::span<const std::int32_t> codes, std::vector<float>* sum) const {
    const State& s = *m_state;
    const HeartCodecConfig& c = s.config;
    const auto books = static_cast<std::size_t>(c.codebooks), depth = static_cast<std::size_t>(c.codebook_width),
               width = static_cast<std::size_t>(c.condition_width), frames = codes.size() / books;
    std::vector<float> picked(frames * depth), wide(frames * width), embedded(frames * width), out(2 * frames * width);
    for (std::size_t t = 0; t < frames; ++t)
        for (std::size_t q = 0; q < books; ++q) {
            const std::int32_t code = codes[t * books + q];
            if (code < 0) continue; // dropped
            const float* entry = s.codebooks[q].data() + static_cast<std::size_t>(code) * depth;
            for (std::size_t i = 0; i < depth; ++i)
                picked[t * depth + i] += entry[i];
        }
    const int rows = static_cast<int>(frames);
    s.runner.multiply(picked.data(), c.codebook_width, rows, s.project_out, wide.data(), c.condition_width);
    s.runner.multiply(wide.data(), c.condition_width, rows, s.condition_embedding, embedded.data(), c.condition_width);
    for (std::size_t t = 0; t < frames; ++t)
        for (std::size_t copy = 0; copy < 2; ++copy)
            std::copy_n(embedded.data() + t * width, width, out.data() + (2 * t + copy) * width);
    if (sum) *sum = std::move(wide);
    return out;
}

} // namespace tutti::models
