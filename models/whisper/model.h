// SPDX-License-Identifier: MIT
// Whisper's network on our own kernels: audio features in, scores of the next token out. Weights and the encoder's memory in
// FP32, BF16 or INT8; sums, norms and softmax in FP32.
// Shapes: features [frames, mels], encoder output [positions, width], logits [rows, vocabulary].
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <models/checkpoint/checkpoint.h>
#include <models/nn/buffer.h>
#include <models/nn/kernels.h>
#include <models/tokenizer/tokenizer.h>
#include <tutti/job.h>
#include <tutti/status.h>

namespace tutti::models {

// config.json
struct WhisperConfig {
    int vocabulary = 51865;
    int mels = 80;
    int width = 384; // d_model
    int encoder_layers = 4, decoder_layers = 4;
    int encoder_heads = 6, decoder_heads = 6;
    int encoder_hidden = 1536, decoder_hidden = 1536;
    int positions = 1500;       // encoder output rows; the input has twice as many frames
    int target_positions = 448; // longest token sequence
    bool scale_embedding = false;
    int median_filter_width = 7;

    static Result<WhisperConfig> open(const std::filesystem::path& folder); // [control] [worker]
};

// One item's encoder output as the decoder's cross-attention wants it: packed once, read at every step.
struct CrossMemory {
    Buffer data; // [layer][head]: keys and values as the model's Compute lays them out
};

// Called with the name of a point inside the network and its rows, for comparisons. `layer` < 0 where there is none.
using Probe = std::function<void(const std::string& point, std::span<const float> rows, int width)>;

// The decoder's own memory: rows advance independently, one token a step.
class DecoderState {
public:
    DecoderState() = default;
    int length(int row) const { return m_length[static_cast<std::size_t>(row)]; }

private:
    friend class WhisperModel;
    int m_rows = 0;
    int m_capacity = 0;
    int m_limit = 0;             // tokens a row; what is more is not remembered
    std::vector<float> m_keys;   // [place][layer][head][depth][capacity]
    std::vector<float> m_values; // [place][layer][head][capacity][depth]
    std::vector<int> m_place;    // of a row: beams that change rows change places, and are not copied
    std::vector<int> m_length;
};

class WhisperModel {
public:
    // Reads and packs every weight; `cancelled` is asked between pieces, by any of the threads. [worker]
    // `cache`: a folder where what INT8 makes of large checkpoints is kept for the next time; empty: nowhere.
    static Result<WhisperModel> open(const std::filesystem::path& folder, int threads = 1,
                                     const std::function<bool()>& cancelled = {}, Compute compute = Compute::fp32,
                                     const std::filesystem::path& cache = {});
    WhisperModel(WhisperModel&&) noexcept;
    WhisperModel& operator=(WhisperModel&&) noexcept;
    ~WhisperModel();

    const WhisperConfig& config() const noexcept;
    const MemoryPlan& plan() const noexcept;
    Compute compute() const noexcept;
    std::size_t weight_bytes() const noexcept;            // as they are kept
    std::size_t cross_bytes() const noexcept;             // of one CrossMemory
    std::size_t row_bytes(int tokens = 0) const noexcept; // of one row of a DecoderState

    // Asked between operations and between their tiles of rows; once it is cancelled, calls return early with results that
    // mean nothing. [worker]
    void set_token(const CancelToken& token);
    // At most as many as it was opened with. [worker]
    void set_threads(int threads);

    // features [2 * positions, mels] -> [positions, width]. Not from two threads at once. [worker]
    std::vector<float> encode(std::span<const float> features, const Probe& probe = {}) const;
    CrossMemory remember(std::span<const float> encoded) const;

    // `tokens`: the longest sequence, prompt and all, that a row will hold; 0: as long as the model knows positions.
    DecoderState start(int rows, int tokens = 0) const;
    // Feeds tokens[i] to row rows[i] of `state`, which listens to memories[i]; logits[i] gets its scores (or null: none
    // wanted). A row may stand there several times: its tokens then follow one another, as in a prompt. `weights`, if given, gets the cross-attention of each (layer, head) listed: [i][pair][positions]. [worker]
    struct Step {
        TokenId token = 0;
        int row = 0;
        const CrossMemory* memory = nullptr;
        float* logits = nullptr;
    };
    void step(DecoderState& state, std::span<const Step> steps, std::span<const std::pair<int, int>> heads = {},
              float* weights = nullptr, const Probe& probe = {}, bool raw_scores = false) const;
    // Row i becomes a copy of old row parents[i], for the first `count` rows of a group starting at `first`. [worker]
    void reorder(DecoderState& state, int first, std::span<const int> parents) const;

private:
    struct State;
    explicit WhisperModel(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

} // namespace tutti::models
