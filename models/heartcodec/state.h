// SPDX-License-Identifier: MIT
// The weights of a HeartCodec and the memory it works in. Only for the sources of models/heartcodec.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include <models/heartcodec/codec.h>
#include <models/nn/buffer.h>
#include <models/nn/linear.h>
#include <models/nn/stored.h>

namespace tutti::models {

inline constexpr int k_time_width = 512;   // of the embedding of a time
inline constexpr int k_units = 5;          // residual units of a stage
inline constexpr int k_stages = 5;         // that raise the rate
inline constexpr int k_tile_latents = 124; // decoded together: a sixth of a standard window, 122 MB of activations

// A block of the flow's transformer.
struct FlowBlock {
    StoredLinear query, key, value, out, gate, up, down;
    std::vector<float> attention_norm, mlp_norm; // [width]
    std::vector<float> table;                    // [6][width]: shift, scale and gate of attention, then of the MLP
};

// From a time to what modulates blocks of one width.
struct TimeNetwork {
    StoredLinear first, second, modulation; // 512 -> width -> width -> 6 x width
};

// Convolution over three latents, then a product.
struct ProjectLayer {
    Linear convolution; // [out][3 in], holds the factor 1 / sqrt(3)
    Linear linear;
};

struct ResidualUnit {
    Linear dilated, plain; // [out][taps in]
    float slope1 = 0.0f, slope2 = 0.0f;
    int dilation = 1;
};

// x factor in time, then residual units.
struct RateStage {
    Linear up; // [factor out][2 in]: of the input before and this one
    int factor = 1, in = 0, out = 0;
    std::array<ResidualUnit, k_units> units;
};

struct HeartCodec::State {
    State(HeartCodecConfig from, Checkpoint file, int threads)
        : config(from), checkpoint(std::move(file)), runner(threads) {}

    HeartCodecConfig config;
    CodecWeights weights = CodecWeights::fp32;
    Checkpoint checkpoint; // the flow's weights are views into it
    std::vector<const TensorInfo*> used;
    MemoryPlan plan;
    std::size_t packed_bytes = 0;
    mutable Runner runner;
    mutable Buffer arena; // of the estimator or of the decoder, never of both

    // Codes to condition.
    std::vector<std::vector<float>> codebooks; // [quantiser][entry][width]
    Linear project_out, condition_embedding;
    std::vector<float> no_condition; // zero_cond_embedding1

    // The estimator.
    ProjectLayer proj_in, connection, proj_out;
    std::vector<FlowBlock> blocks, wide_blocks;
    TimeNetwork time, wide_time;
    std::vector<float> table, wide_table; // [2][width]: shift and scale before what follows

    // The decoder of latents.
    Linear first;
    std::array<RateStage, k_stages> stages;
    Linear doubled; // [repeats channels][taps channels]: a convolution of repeated samples
    int doubled_taps = 0;
    float doubled_slope = 0.0f;
    std::vector<float> last; // [taps channels]
    float last_bias = 0.0f;

    int hidden(int width) const noexcept { return (8 * width / 3 + 255) / 256 * 256; }
    Status cancelled_status() const;
};

// Memory of one pass of the estimator, of a decoder that works on so many latents together. [any]
std::size_t estimator_floats(const HeartCodec::State& state, int batch, int latents);
std::size_t decoder_floats(const HeartCodec::State& state, int latents);
// Fills `state` from its checkpoint. [worker]
Status load_codec(HeartCodec::State& state, const std::function<bool()>& cancelled);

} // namespace tutti::models
