// SPDX-License-Identifier: MIT
// What `tutti transcribe` was asked, and what the modes make of it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <models/whisper/recording.h>
#include <models/whisper/writers.h>

namespace tutti::cli {

struct TranscribeOptions {
    std::vector<std::string> songs;
    std::string model;
    std::string output;
    std::string output_dir;
    std::string formats; // comma-separated, of --output-dir
    std::string mode = "chunked";
    std::string language;
    std::string task = "transcribe";
    std::string initial_prompt;
    std::string temperature;
    std::string suppress_tokens;
    std::string clip_timestamps;
    std::string alignment_heads;
    std::string align;
    std::string device = "cpu";
    std::string dtype = "float32";
    std::string condition;                             // yes or no
    std::string compression_ratio, logprob, no_speech; // a number, or none
    std::optional<int> beam, best_of, max_new_tokens;
    std::optional<double> patience, length_penalty, hallucination;
    int batch = 16;
    double chunk_s = 30.0;
    int threads = 0;
    bool no_cache = false;
    std::int64_t memory_mb = 0; // for windows in flight; 0: 80 % of what is free
    std::uint64_t seed = 1;
    models::WriterOptions writer;
    bool timestamps = false;
    bool words = false;
    bool carry_prompt = false;
    bool vad = false;
    bool strict = false;
    bool stream = false;
    double stream_rate = 0.0;
    bool json = false;
    bool quiet = false;
};

// The options of the model's side; refuses what the mode cannot do. `formats` are those that will be written.
Result<models::RecordingOptions> recording_options(const TranscribeOptions& options,
                                                   const models::Transcriber& transcriber,
                                                   const std::vector<std::string>& formats);
// What the modes use where nothing is given, for --help.
std::string mode_defaults();
// "0,1 2,3" or "0,1;2,3" as pairs.
Result<std::vector<std::pair<int, int>>> parse_heads(const std::string& text, const models::WhisperConfig& config);

// --stream: lines as they settle; returns an exit code.
int stream_transcript(const TranscribeOptions& options, const models::Transcriber& transcriber,
                      const models::RecordingOptions& how);

} // namespace tutti::cli
