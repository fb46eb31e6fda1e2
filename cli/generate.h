// SPDX-License-Identifier: MIT
// What `tutti generate` was asked, and the work behind it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>

#include <tutti/engine.h>
#include <tutti/worker.h>

#include "cli/command.h"
#include <models/generate/codes_file.h>
#include <models/generate/music.h>

namespace tutti::cli {

struct GenerateOptions {
    std::string model, version;
    std::string lyrics, tags;
    std::string output;
    std::string bits = "24";
    std::string dtype = "fp32", codec_dtype = "fp32";
    std::string device = "cpu", codec_device = "cpu";
    std::string lazy_text; // as the reference spells it
    std::string mode;      // speed, quality
    std::string resume, decode_only;
    std::string verify; // HeartTranscriptor folder; "-": the one beside the model
    std::string audio_device;
    double length_s = 240.0;
    double length_ms = 0.0;
    double guidance = 1.5, temperature = 1.0, codec_guidance = 1.25;
    double first_window_s = 0.0;
    std::uint64_t seed = 0;
    int top_k = 50;
    int flow_steps = 10;
    int songs = 1;
    int threads = 0;
    int gate_frames = 12;
    bool lazy = false, stream = false, null = false;
    bool strict = false, strip = false, ignore_eos = false, allow_empty = false;
    bool json = false, quiet = false;
    // What was given on the command line, so that a preset does not override it.
    CLI::Option *given_dtype = nullptr, *given_steps = nullptr, *given_first = nullptr, *given_seed = nullptr,
                *given_length = nullptr;
};

Command add_generate(CLI::App& app);

// Registers the options of generation on `app`, the reference's spellings included.
void add_generation_options(CLI::App& app, GenerateOptions& options);

// A request that was checked, and the parameters as they go into files.
struct GeneratePlan {
    models::MusicLoad load;
    models::MusicRequest request;
    models::CodesFile parameters; // of the first song, without codes
    std::vector<std::string> notes;
};
// Reads texts and files, applies presets, and refuses what cannot be. [control]
Result<GeneratePlan> plan_generation(const GenerateOptions& options);

// Sound of the first song as it becomes final, between the thread that generates and the one that plays.
class SoundQueue {
public:
    void push(std::span<const float> left, std::span<const float> right);
    void finish();
    // Seconds of sound so far, and whether there will be more.
    double seconds(double rate) const;
    bool finished() const;
    // Copies what stands at `from`, at most out[channel].size() frames; waits up to 50 ms where there is none yet.
    std::size_t read(std::size_t from, std::vector<float> (&out)[2]) const;

private:
    mutable std::mutex m_mutex;
    mutable std::condition_variable m_more;
    std::vector<float> m_left, m_right;
    bool m_finished = false;
};

// When playing may begin so that no sound comes late: the rest of the song at the speed measured so far.
class StreamPlan {
public:
    // `done` of `total` windows are there after `elapsed` seconds of work; `ready` seconds of music are final of `all`.
    // Returns seconds from now until it may begin, 0 where it may. [any]
    static double wait_seconds(double elapsed, double fraction, double ready, double all, double hop) noexcept;
};

// Generation on the engine's worker, heard as a clip on a part of a stream. Used by one control thread.
class GeneratedClip {
public:
    // `each` gets every piece of sound of every song beside the clip, for files; it runs on the worker. [control]
    GeneratedClip(Engine& engine, std::shared_ptr<Stream> stream, int part, GeneratePlan plan,
                  models::SongSink each = {});
    ~GeneratedClip();

    void cancel();
    bool generated() const; // the work has ended
    bool heard() const;     // and has been played
    Status status() const;
    std::string line() const;                                               // progress for a terminal
    const models::MusicResult& result() const noexcept { return m_result; } // after generated()

private:
    struct Shared;
    std::shared_ptr<Shared> m_shared;
    Job m_work;
    models::MusicResult m_result;
};

} // namespace tutti::cli
