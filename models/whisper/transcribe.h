// SPDX-License-Identifier: MIT
// Sound in, text out: the chunked way (transformers' pipeline with HeartTranscriptor's arguments) and the sequential one.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include <models/whisper/generate.h>
#include <models/whisper/merge.h>

namespace tutti::models {

class Transcriber {
public:
    // [worker]
    static Result<Transcriber> open(const std::filesystem::path& folder, int threads = 1,
                                    const std::function<bool()>& cancelled = {}, Compute compute = Compute::fp32,
                                    const std::filesystem::path& cache = {}); // as WhisperModel::open

    const WhisperModel& model() const noexcept { return m_model; }
    WhisperModel& model() noexcept { return m_model; } // to hand it a token, or other threads
    const GenerationConfig& generation() const noexcept { return m_generation; }
    const Tokenizer& tokenizer() const noexcept { return m_tokenizer; }
    // Instead of the checkpoint's. [control]
    void set_alignment_heads(std::vector<std::pair<int, int>> heads);

private:
    Transcriber(WhisperModel model, GenerationConfig generation, Tokenizer tokenizer)
        : m_model(std::move(model)), m_generation(std::move(generation)), m_tokenizer(std::move(tokenizer)) {}
    WhisperModel m_model;
    GenerationConfig m_generation;
    Tokenizer m_tokenizer;
};

struct ChunkedOptions {
    GenerateOptions generate;
    double chunk_s = 30.0; // a sixth of it overlaps on each side
    int batch = 16;
    int threads = 1;
    std::function<void(std::size_t done, std::size_t all)> progress; // chunks
    // What heartlib passes: two beams, up to four temperatures, looser thresholds, at most 256 tokens a chunk.
    static ChunkedOptions heartlib();
};

struct Transcript {
    JoinedText joined;
    std::vector<AudioChunk> chunks;
    std::vector<ItemResult> items;  // one a chunk
    std::vector<SearchPass> passes; // for comparisons
    std::vector<SearchDecision> decisions;
};

// samples: mono, 16 kHz. [worker]
Result<Transcript> transcribe_chunked(const WhisperModel& model, const GenerationConfig& generation,
                                      const Tokenizer& tokenizer, std::span<const float> samples,
                                      const ChunkedOptions& options);

} // namespace tutti::models
