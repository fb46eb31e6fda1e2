// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>

#include <models/checkpoint/json_file.h>
#include <models/heartcodec/codec.h>

namespace tutti::models {
namespace {

constexpr double k_frames_per_second = 12.5;
constexpr int k_hop_unit = 93; // codes; a window's hop is 80 for each 93 of its codes
constexpr int k_hop_codes = 80;

Status config_error(const std::filesystem::path& path, const std::string& what) {
    return Status(Code::malformed, path.string() + ": " + what, "the codec is not loaded",
                  "give the folder of a HeartCodec checkpoint");
}

bool within(int value, int lowest, int highest) {
    return value >= lowest && value <= highest;
}

} // namespace

Result<HeartCodecConfig> HeartCodecConfig::open(const std::filesystem::path& folder) {
    const auto path = folder / "config.json";
    auto json = read_json_file(path);
    if (!json) return json.status();
    HeartCodecConfig c;
    std::array<int, 5> kernels{10, 8, 8, 8, 6};
    bool causal = true, cosine = false;
    int bands = 1;
    std::string norm = "ada_norm_single", type = "heartcodec";
    try {
        const auto read = [&](const char* key, auto& value) {
            if (const auto at = json->find(key); at != json->end() && !at->is_null()) at->get_to(value);
        };
        read("model_type", type);
        read("num_quantizers", c.codebooks);
        read("codebook_size", c.codebook_size);
        read("codebook_dim", c.codebook_width);
        read("dim", c.condition_width);
        read("attention_head_dim", c.head_width);
        read("num_attention_heads", c.heads);
        read("num_layers", c.blocks);
        read("num_layers_2", c.wide_blocks);
        read("in_channels", c.input_width);
        read("out_channels", c.latent_width);
        read("sample_rate", c.sample_rate);
        read("latent_hidden_dim", c.channel_latents);
        read("init_channel", c.first_channels);
        read("default_kernel_size", c.kernel);
        read("delay_kernel_size", c.delay_kernel);
        read("res_kernel_size", c.residual_kernel);
        read("num_samples", c.repeats);
        read("num_bands", bands);
        read("causal", causal);
        read("use_cosine_sim", cosine);
        read("norm_type", norm);
        if (const auto at = json->find("upsample_factors"); at != json->end()) {
            if (!at->is_array() || at->size() != c.upsample.size())
                return config_error(path, "upsample_factors are not five numbers");
            at->get_to(c.upsample);
        }
        if (const auto at = json->find("upsample_kernel_sizes"); at != json->end()) {
            if (!at->is_array() || at->size() != kernels.size())
                return config_error(path, "upsample_kernel_sizes are not five numbers");
            at->get_to(kernels);
        }
    } catch (const nlohmann::json::exception& error) {
        return config_error(path, error.what());
    }
    if (type != "heartcodec") return config_error(path, "model_type is '" + type + "', not 'heartcodec'");
    const auto number = [](int value) { return std::to_string(value); };
    if (norm != "ada_norm_single") return config_error(path, "norm_type '" + norm + "' is not known");
    if (!causal || cosine || bands != 1)
        return config_error(path, "only causal, one-band decoders without cosine codebooks are known");
    if (!within(c.codebooks, 1, 64) || !within(c.codebook_size, 1, 1 << 20) || !within(c.codebook_width, 1, 4096) ||
        !within(c.condition_width, 1, 8192))
        return config_error(path, "sizes of the codebooks are out of range");
    if (!within(c.head_width, 2, 512) || c.head_width % 2 != 0 || !within(c.heads, 1, 128) ||
        !within(c.blocks, 1, 256) || !within(c.wide_blocks, 1, 256))
        return config_error(path, "sizes of the transformer are out of range");
    if (c.latent_width != 256)
        return config_error(path, "out_channels is " + number(c.latent_width) + ", the codec's latents are 256 wide");
    if (c.channel_latents * 2 != c.latent_width)
        return config_error(path, "latent_hidden_dim is " + number(c.channel_latents) + ", not half of out_channels");
    if (c.input_width != 2 * c.latent_width + c.condition_width)
        return config_error(path, "in_channels is " + number(c.input_width) + ", not 2 x out_channels + dim");
    if (!within(c.first_channels, 1, 512) || !within(c.repeats, 1, 16) || !within(c.kernel, 1, 31) ||
        !within(c.delay_kernel, 1, 31) || c.delay_kernel % 2 == 0 || !within(c.residual_kernel, 1, 31))
        return config_error(path, "sizes of the decoder are out of range");
    for (std::size_t i = 0; i < kernels.size(); ++i)
        if (!within(c.upsample[i], 1, 16) || kernels[i] != 2 * c.upsample[i])
            return config_error(path, "an upsampling kernel is not twice its factor");
    if (c.sample_rate != 25 * c.samples_per_latent())
        return config_error(path, "sample_rate is " + number(c.sample_rate) + ", the factors make 25 Hz into " +
                                      number(25 * c.samples_per_latent()));
    return c;
}

Result<CodecSchedule> CodecSchedule::make(const CodecOptions& options, const HeartCodecConfig& config) {
    const auto bad = [](const std::string& what, const std::string& remedy) {
        return Status(Code::invalid_argument, what, "nothing was decoded", remedy);
    };
    CodecSchedule s;
    const auto codes = [](double seconds) { return static_cast<int>(seconds * k_frames_per_second); };
    for (const double seconds :
         {options.window_seconds,
          options.first_window_seconds > 0.0 ? options.first_window_seconds : options.window_seconds})
        if (!(seconds > 0.0 && seconds <= 600.0) || codes(seconds) < k_hop_unit)
            return bad("a codec window of " + std::to_string(seconds) + " s", "give between 7.44 and 600 seconds");
    if (!(options.first_window_seconds >= 0.0))
        return bad("a first window of " + std::to_string(options.first_window_seconds) + " s",
                   "give 0, or between 7.44 and 600 seconds");
    if (options.strict && options.first_window_seconds > 0.0)
        return bad("the reference has no first window of its own", "leave strict mode or the first window away");
    if (options.steps < 1 || options.steps > 1000)
        return bad(std::to_string(options.steps) + " solver steps", "give 1 to 1000, 10 as the reference has");
    if (!(options.guidance >= 0.0f && options.guidance <= 100.0f))
        return bad("a guidance of " + std::to_string(options.guidance), "give 0 to 100, 1.25 as the reference has");
    s.m_codes = codes(options.window_seconds);
    s.m_hop = s.m_codes / k_hop_unit * k_hop_codes;
    s.m_first = options.first_window_seconds > 0.0 ? codes(options.first_window_seconds) : s.m_codes;
    s.m_first_hop = s.m_first / k_hop_unit * k_hop_codes;
    if (s.m_first - s.m_first_hop > s.m_hop)
        return bad("a first window whose overlap is longer than the others", "make the first window shorter");
    s.m_samples_per_frame = config.samples_per_frame();
    s.m_sample_rate = config.sample_rate;
    s.m_strict = options.strict;
    return s;
}

CodecSchedule::Window CodecSchedule::window(int index) const noexcept {
    if (index == 0) return {0, m_first, 0};
    return {m_first_hop + (index - 1) * m_hop, m_codes, index == 1 ? m_first - m_first_hop : m_codes - m_hop};
}

int CodecSchedule::windows(int codes) const noexcept {
    if (codes <= m_first) return codes > 0 ? 1 : 0;
    const int overlap = m_codes - m_hop;
    // The reference doubles the overlap here: where it divides, it does not pad, and what is left over is lost.
    if (m_strict && (codes - 2 * overlap) % m_hop == 0) return (codes - m_hop) / m_hop + 1;
    const int rest = codes - m_first_hop - overlap;
    return 1 + std::max(1, (rest + m_hop - 1) / m_hop);
}

std::int64_t CodecSchedule::samples(int codes) const noexcept {
    if (!m_strict) return static_cast<std::int64_t>(codes) * m_samples_per_frame;
    const auto target = static_cast<std::int64_t>(codes / k_frames_per_second * m_sample_rate);
    const Window last = window(windows(codes) - 1);
    return std::min(target, static_cast<std::int64_t>(last.first + last.codes) * m_samples_per_frame);
}

} // namespace tutti::models
