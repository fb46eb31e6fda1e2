// SPDX-License-Identifier: MIT
#include <models/heartcodec/gate.h>

#include <cmath>

#include <models/nn/philox.h>

namespace tutti::models {

Result<CodecGate> gate_codec(const std::filesystem::path& folder, int threads, int latents) {
    const Noise noise(1);
    std::vector<float> values(static_cast<std::size_t>(latents) * 256);
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = noise.normal(NoisePurpose::latents, 0, 0, static_cast<std::uint32_t>(i));
    std::vector<float> sound[2];
    for (const CodecWeights weights : {CodecWeights::fp32, CodecWeights::rounded}) {
        auto codec = HeartCodec::open(folder, threads, {}, weights);
        if (!codec) return codec.status();
        std::vector<float>& to = sound[static_cast<std::size_t>(weights)];
        const Status status = codec->decode(values, [&](std::span<const float> left, std::span<const float> right) {
            to.insert(to.end(), left.begin(), left.end());
            to.insert(to.end(), right.begin(), right.end());
            return Status();
        });
        if (!status) return status;
    }
    double difference = 0.0, power = 0.0;
    for (std::size_t i = 0; i < sound[0].size(); ++i) {
        const double d = static_cast<double>(sound[1][i]) - sound[0][i];
        difference += d * d;
        power += static_cast<double>(sound[0][i]) * sound[0][i];
    }
    CodecGate gate;
    gate.relative_rms = power > 0.0 ? std::sqrt(difference / power) : INFINITY;
    return gate;
}

} // namespace tutti::models
