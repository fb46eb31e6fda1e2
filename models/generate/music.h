// SPDX-License-Identifier: MIT
// Lyrics and tags to sound: the language model writes codes, the codec turns each window of them into sound as soon as it is full.
// One thread of control (the caller's) over the models' own teams; the sound is the same bits whether it is taken while the codes
// are written or all at once.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <models/heartcodec/codec.h>
#include <models/heartmula/song.h>
#include <models/tokenizer/tokenizer.h>

namespace tutti::models {

struct MusicProgress {
    const char* stage = "load"; // "load", "prompt", "frames", "sound"
    int frames = 0;             // of the longest song
    int most_frames = 0;
    double seconds = 0.0;  // of music that is final, of the first song
    double fraction = 0.0; // of the whole work, as far as it can be known
};

struct MusicLoad {
    MusicFolder folder;
    int threads = 1;
    MulaArithmetic arithmetic = MulaArithmetic::fp32;
    bool lazy = false;    // one of the two models in memory at a time: no sound before the last code
    bool language = true; // false: only codes are turned into sound
    bool codec = true;    // false: only codes are written
    CancelToken token;
};

struct MusicRequest {
    std::string tags, lyrics;
    PromptOptions prompt;
    int songs = 1; // song n takes seed + n
    std::uint64_t seed = 0;
    int max_frames = 3000;
    float guidance = 1.5f, temperature = 1.0f;
    int top_k = 50;
    bool strict = false;
    bool never_end = false;
    CodecOptions codec;                           // seed and token are filled in
    std::vector<std::vector<std::int32_t>> codes; // of each song, to go on from; with decode_only all there is
    bool decode_only = false;
    std::function<void(const MusicProgress&)> progress;
};

struct MusicSong {
    std::vector<std::int32_t> codes; // [frames][8]
    int frames = 0;
    bool ended = false; // by its own token
    float lead = 1.0f;
    std::uint64_t seed = 0;
    std::int64_t samples = 0; // given out
};

struct MusicResult {
    std::vector<MusicSong> songs;
    int prompt_positions = 0;
    int windows = 0; // that the codec computed
    double load_seconds = 0.0, prompt_seconds = 0.0, frame_seconds = 0.0, codec_seconds = 0.0;
    double first_sound_seconds = -1.0; // from the request, loading left out
};

// Sound that is final of one song, in order.
using SongSink = std::function<Status(int song, std::span<const float> left, std::span<const float> right)>;

// The models of one folder, loaded once for any number of requests.
class MusicModels {
public:
    // With `lazy` nothing is loaded before it is needed. Errors: what is missing or wrong, by its name. [worker]
    static Result<MusicModels> open(const MusicLoad& load);

    const HeartMulaConfig& config() const noexcept { return m_config; }
    const Tokenizer& tokenizer() const noexcept { return *m_tokenizer; }
    HeartMula* language() noexcept { return m_language ? &*m_language : nullptr; } // null while it is not loaded
    HeartCodec* codec() noexcept { return m_codec ? &*m_codec : nullptr; }
    const HeartCodecConfig& codec_config() const noexcept { return m_codec_config; }
    // Loads the language model again in other numbers. [worker]
    Status reload(MulaArithmetic arithmetic);
    void set_threads(int threads);
    void set_token(const CancelToken& token);

    // Checks the request against the models' limits before anything is computed. [worker]
    Status check(const MusicRequest& request) const;
    // Errors: as check; cancelled, with everything that was done in `result` and the sound given out so far good. [worker]
    Status generate(const MusicRequest& request, const SongSink& sink, MusicResult& result);

private:
    MusicModels() = default;
    Status need_language();
    Status need_codec();
    SongRequest song_request(const MusicRequest& request, int song) const;

    MusicLoad m_load;
    HeartMulaConfig m_config;
    HeartCodecConfig m_codec_config;
    std::optional<Tokenizer> m_tokenizer;
    std::optional<HeartMula> m_language;
    std::optional<HeartCodec> m_codec;
    double m_load_seconds = 0.0;
};

} // namespace tutti::models
