// SPDX-License-Identifier: MIT
// What stands behind a WhisperModel: its layers, the encoder's space, how one head of the encoder's memory is laid out. Included by
// the network's own sources: model.cpp, model_load.cpp, encoder.cpp, cross_memory.cpp, decoder.cpp.
#pragma once

#include <models/whisper/model.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <models/nn/linear.h>
#include <models/whisper/weight_cache.h>

namespace tutti::models {

struct WhisperNorm {
    std::vector<float> weight;
    std::vector<float> bias;
};
struct WhisperAttention {
    Linear in; // self: query, key and value in one; cross: the query
    Linear key_value;
    Linear out;
    WhisperNorm norm;
};
struct WhisperLayer {
    WhisperAttention self;
    WhisperAttention cross;
    Linear fc1, fc2;
    WhisperNorm norm;
};

// Rows of scores worked on at a time: 48 x 1500 floats stay in the second-level cache.
inline constexpr int k_query_rows = 48;

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
    std::vector<WhisperLayer> encoder, decoder;
    WhisperNorm encoder_norm, decoder_norm;
    Linear embedding; // [vocabulary, width]: rows are looked up, and the whole is the output layer

    // --- loading
    const Checkpoint* file = nullptr;
    std::optional<WeightCacheReader> stored; // instead of the file, where it is there
    std::optional<WeightCacheWriter> storing;
    std::function<bool()> cancelled;
    Status error;

    std::vector<float> read(const std::string& name, std::vector<std::uint64_t> shape);
    const TensorInfo* find(const std::string& name, std::vector<std::uint64_t> shape); // null: `error` says why
    struct Rows {
        const TensorInfo* tensor;
        float scale;
    };
    // Several tensors [n, depth] below each other.
    Linear packed(std::span<const Rows> parts, std::vector<float> bias, int n, int depth, Compute as);
    template <class T>
    bool take_stored(T* values, std::size_t bytes) {
        if (!stored->next(std::as_writable_bytes(std::span(reinterpret_cast<std::byte*>(values), bytes)), *runner))
            error = Status(Code::malformed, "the cached weights are damaged", "they are made anew", "");
        return error.ok();
    }
    template <class T>
    void store(const T* values, std::size_t bytes) {
        if (storing && error) storing->add(std::span(reinterpret_cast<const std::byte*>(values), bytes));
    }
    void take_stored(Linear& w);
    void store(const Linear& w);
    bool same(const std::string& a, const std::string& b, const std::vector<std::uint64_t>& shape);
    // Several layers side by side; a name ending in "-" has no bias. That of a query holds the scores' scale.
    Linear linear(const std::string& prefix, std::vector<std::string> parts, int n, int depth,
                  float query_scale = 1.0f);
    WhisperNorm norm(const std::string& name);
    // Kernel weights [out, in, 3] become [out][3 * in]: a row of the product reads three neighbouring frames.
    Linear convolution(const std::string& name, int n, int in);
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
    Head head_layout() const;
    void remember_head(const float* keys, const float* values, std::ptrdiff_t step, Buffer& scratch, std::byte* to,
                       const Head& h) const;
    void attend_head(const float* query, std::ptrdiff_t query_step, int rows, const std::byte* from, const Head& h,
                     Buffer& scratch, float* scores) const;
    void mix_head(float* scores, int rows, const std::byte* from, const Head& h, Buffer& scratch, float* out,
                  std::ptrdiff_t out_step) const;
    // Pairs of positions side by side, as a product's right side of [positions] x [depth] in BF16 wants them.
    void pack_value_pairs(const std::uint16_t* rows, int depth, std::uint32_t* to) const;
};

} // namespace tutti::models
