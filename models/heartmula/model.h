// SPDX-License-Identifier: MIT
// HeartMuLa's two transformers on our own kernels: a backbone that goes from frame to frame, and a local decoder that goes
// through the codebooks of one. Weights lie memory-mapped in their stored type and are widened in registers.
//
// Rows of one call may belong to different songs and positions. A row's results do not depend on the others, on the threads, or on
// whether its position was computed alone or as one of many: prompt, step, batch and replay give the same bits.
// Shapes: x [rows][width], logits [rows][audio_vocabulary].
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <models/checkpoint/checkpoint.h>
#include <models/heartmula/config.h>
#include <models/nn/rows.h>
#include <tutti/job.h>

namespace tutti::models {

// Numbers of the products. fp32: rows and sums in FP32, weights as stored. bf16: rows rounded to BF16 where the reference's
// autocast rounds them, weights in BF16, sums in FP32. int8: weights and rows quantised in groups.
enum class MulaArithmetic : std::uint8_t { fp32, bf16, int8 };

struct MulaOptions {
    int threads = 1;
    MulaArithmetic arithmetic = MulaArithmetic::fp32;
    CancelToken token;
};

// Keys and values of one sequence in one transformer, not expanded: [layer][key head], grown by the transformer alone.
class KeyValues {
public:
    KeyValues() = default;
    KeyValues(const MulaFlavor& flavor, int positions);
    int length() const noexcept { return m_length; }
    int capacity() const noexcept { return m_capacity; }
    void clear() noexcept { m_length = 0; }
    static std::size_t bytes(const MulaFlavor& flavor, int positions) noexcept;

private:
    friend class HeartMula;
    Buffer m_keys;   // [layer][key head][block of 16 positions][depth][16]
    Buffer m_values; // [layer][key head][capacity][depth]
    int m_capacity = 0;
    int m_length = 0;
};

// Called with the name of a point, the row's number in the call, its position and its values, for comparisons.
using MulaProbe = std::function<void(const std::string& point, int row, int position, std::span<const float> values)>;

class HeartMula {
public:
    // Maps the weights and checks every name, type and shape; values are not read, so check() is for files of unknown origin.
    // bf16 of a file stored otherwise, and int8, make copies. [worker]
    static Result<HeartMula> open(const std::filesystem::path& folder, const HeartMulaConfig& config,
                                  const MulaOptions& options = {});
    HeartMula(HeartMula&&) noexcept;
    HeartMula& operator=(HeartMula&&) noexcept;
    ~HeartMula();

    const HeartMulaConfig& config() const noexcept; // [any]
    const MemoryPlan& plan() const noexcept;
    MulaArithmetic arithmetic() const noexcept;
    std::size_t copied_bytes() const noexcept; // weights in memory of our own
    // Bytes of weights that a frame reads, and floating-point operations of one row of it without attention. [any]
    std::size_t frame_bytes() const noexcept;
    double frame_flop() const noexcept;
    // Reads every value; refuses NaN and infinity with their place. [worker]
    Status check(const std::function<bool()>& cancelled = {}) const;
    bool unchanged() const noexcept; // the files, since they were opened [worker]

    void set_token(const CancelToken& token); // [worker]
    void set_threads(int threads);            // at most as many as it was opened with [worker]
    bool cancelled() const noexcept;

    // Embeddings of one position. [worker]
    void embed_text(TokenId id, bool conditional, float* x) const;
    void embed_style(bool conditional, float* x) const; // of no style: the bias
    void embed_frame(std::span<const std::int32_t> codes, float* x) const;
    void embed_code(int codebook, std::int32_t code, float* x) const; // one addend of it

    // x [rows] goes through the backbone, row i as the next position of *rows[i]; several rows of one sequence follow each other.
    // x becomes the output after the last norm. [worker]
    void backbone(std::span<KeyValues* const> rows, float* x, const MulaProbe& probe = {}) const;
    // x [rows][backbone width] through the projection and the local decoder; out [rows][decoder width]. [worker]
    void decoder(std::span<KeyValues* const> rows, const float* x, float* out, const MulaProbe& probe = {}) const;
    // Codebook 0: of the backbone's output; others: of the local decoder's. logits [rows][audio_vocabulary]. [worker]
    void logits(int codebook, int rows, const float* hidden, float* out) const;

private:
    struct State;
    explicit HeartMula(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

} // namespace tutti::models
