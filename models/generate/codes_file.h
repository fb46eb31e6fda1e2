// SPDX-License-Identifier: MIT
// OUT.codes.json: the codes of a song with all that is needed to go on from them, or to turn them into sound again.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <models/generate/music.h>

namespace tutti::models {

struct CodesFile {
    std::string tags, lyrics;
    std::uint64_t seed = 0;
    int max_frames = 0;
    float guidance = 1.5f, temperature = 1.0f;
    int top_k = 50;
    bool strict = false, never_end = false, strip = false;
    int flow_steps = 10;
    double codec_guidance = 1.25;
    double first_window_seconds = 0.0;
    std::string dtype = "fp32", isa; // of the arithmetic that wrote the codes
    std::string language_digest, codec_digest;
    bool ended = false; // the song is whole
    int codebooks = 8;
    std::vector<std::int32_t> codes; // [frames][codebooks]
    int frames() const noexcept { return static_cast<int>(codes.size()) / codebooks; }

    // The text of the file; `with_codes` false: the parameters alone, for a sound file's comment. [any]
    std::string text(bool with_codes = true) const;
    // Errors: file_not_found, malformed, with what is wrong. [control]
    static Result<CodesFile> load(const std::filesystem::path& path);
};

// SHA-256 over config.json, the index, every shard's length and header, and 64 pieces of 4 KiB of each shard's data, evenly
// spread: told in milliseconds, and another for any other checkpoint. [worker]
Result<std::string> checkpoint_digest(const std::filesystem::path& folder);

} // namespace tutti::models
