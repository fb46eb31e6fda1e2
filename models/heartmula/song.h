// SPDX-License-Identifier: MIT
// Songs as codes: one or several in one batch, frame after frame, each with its own prompt, seed and end.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <models/heartmula/model.h>
#include <models/heartmula/prompt.h>

namespace tutti::models {

// The number of the race of one id; empty: Philox.
using RaceNoise = std::function<float(int frame, int codebook, std::int32_t id)>;

struct SongRequest {
    MulaPrompt prompt;
    std::uint64_t seed = 0;
    int max_frames = 3000; // after the first one, which comes from the prompt
    float guidance = 1.5f; // at most 1: without, and one row instead of two
    float temperature = 1.0f;
    int top_k = 50;
    // The reference's slips: the first frame is never tested for the end, and id 8192, which no codec has, may be drawn. Otherwise
    // it is masked, and a song may be empty.
    bool strict = false;
    bool never_end = false; // the ids that end a song are masked, too
    RaceNoise noise;
    std::vector<std::int32_t> codes;  // [frames][codebooks] that are there already: the song goes on behind them
    std::vector<std::int32_t> forced; // [frames][codebooks] that are taken whatever is drawn, to compare scores
};

struct SongState {
    std::vector<std::int32_t> codes; // [frames][codebooks]
    int frames = 0;
    bool ended = false; // by its own token
    bool done = false;  // ended, or as long as was asked for
    float lead = 1.0f;  // the smallest of a race so far
    std::uint64_t seed = 0;
};

// "prompt" with positions done, or "frames" with frames done of the longest song.
struct SongProgress {
    const char* stage = "prompt";
    int done = 0, total = 0;
};

class SongBatch {
public:
    // Errors: out_of_range (prompt and frames do not fit the model's positions; options without sense), malformed (codes to go on
    // from that this model does not have). `model` must outlive it. [worker]
    static Result<SongBatch> make(const HeartMula& model, std::vector<SongRequest> requests);
    SongBatch(SongBatch&&) noexcept;
    SongBatch& operator=(SongBatch&&) noexcept;
    ~SongBatch();

    // The prompts, and codes that are there already, then the next frame of each song. Errors: cancelled. [worker]
    Status begin(const std::function<void(const SongProgress&)>& progress = {}, const MulaProbe& probe = {});
    // One frame of every song that is not done. Errors: cancelled (what was kept so far is good), malformed (a first frame without
    // sense, in strict mode). [worker]
    Status step(const MulaProbe& probe = {});
    bool done() const noexcept;
    const std::vector<SongState>& songs() const noexcept;

    // Bytes of keys and values that these requests take. [any]
    static std::size_t bytes(const HeartMulaConfig& config, std::span<const SongRequest> requests) noexcept;

private:
    struct State;
    explicit SongBatch(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

} // namespace tutti::models
