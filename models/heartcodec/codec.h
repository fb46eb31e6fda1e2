// SPDX-License-Identifier: MIT
// HeartCodec on our own kernels: codes of music in, sound out, window after window while the codes still come. FP32 throughout.
//
//     codes [frames][8] --RVQ--> condition --flow matching--> latents [25 Hz][256] --SQ decoder--> [2][samples]
//
// A window is solved as soon as its last code is there, and its sound goes out but for the overlap, which waits for the next
// window's cross-fade. Which codes make a window, its noise and its context depend on its place alone, so pieces of any size
// give the bits of the whole song at once; so do any number of threads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <models/checkpoint/checkpoint.h>
#include <tutti/job.h>
#include <tutti/status.h>

namespace tutti::models {

// config.json; defaults are those of the published codec.
struct HeartCodecConfig {
    int codebooks = 8, codebook_size = 8192, codebook_width = 32; // num_quantizers, codebook_size, codebook_dim
    int condition_width = 512;                                    // dim
    int head_width = 64, heads = 24;            // of the first blocks; the second ones are twice as wide
    int blocks = 24, wide_blocks = 6;           // num_layers, num_layers_2
    int input_width = 1024, latent_width = 256; // in_channels, out_channels
    int sample_rate = 48000;
    int channel_latents = 128; // latent_hidden_dim: latents of one of the two stereo channels
    int first_channels = 64; // init_channel: doubled at every stage of the encoder, halved at every one of the decoder
    std::array<int, 5> upsample{5, 4, 4, 4, 3};
    int kernel = 7, delay_kernel = 5, residual_kernel = 7;
    int repeats = 2; // num_samples: every sample before the last stages stands so often

    int width() const noexcept { return head_width * heads; }
    int samples_per_latent() const noexcept {
        return repeats * upsample[0] * upsample[1] * upsample[2] * upsample[3] * upsample[4];
    }
    int samples_per_frame() const noexcept { return 2 * samples_per_latent(); }
    // Errors: a file that is none of this codec, and geometry that its parts cannot have. [control] [worker]
    static Result<HeartCodecConfig> open(const std::filesystem::path& folder);
};

// Fills [latent frames][256] with the standard normal noise of a window.
using LatentNoise = std::function<void(int window, int latents, std::span<float> out)>;

struct CodecProgress {
    int window = 0;              // from 0
    const char* stage = "solve"; // "solve", "decode"
    double fraction = 0.0;       // of this window's arithmetic, 0..1
};

struct CodecOptions {
    std::uint64_t seed = 0; // Philox: key = seed, counter = (latents, window, latent frame, channel)
    int steps = 10;
    float guidance = 1.25f; // at most 1: without
    double window_seconds = 29.76;
    // Of the first window alone; 0: as the others. Its context and cross-fade to the second are as long as a schedule of
    // windows of its own length has them: 7.44 s are 93 codes, of which the second window takes up the last 13.
    double first_window_seconds = 0.0;
    // Reproduces the reference's slips: where codes = 2 overlaps + k hops the tail is lost, and lengths are rounded down in
    // double precision (one sample less for 184 of the first 3001 counts). Not with a first window of its own.
    bool strict = false;
    LatentNoise noise; // recorded noise; empty: Philox
    CancelToken token;
    std::function<void(const CodecProgress&)> progress; // called after each solver step and each tile of sound [worker]
};

// Where the windows of a song lie, in codes. Pure arithmetic.
class CodecSchedule {
public:
    struct Window {
        int first = 0, codes = 0;
        int overlap = 0; // codes shared with the window before
    };
    CodecSchedule() = default;
    // Errors: windows shorter than 93 codes or longer than ten minutes, `strict` together with a first window.
    static Result<CodecSchedule> make(const CodecOptions& options, const HeartCodecConfig& config); // [any]

    Window window(int index) const noexcept;        // [any]
    int windows(int codes) const noexcept;          // of a whole song of so many codes
    std::int64_t samples(int codes) const noexcept; // of a whole song of so many codes

private:
    int m_first = 0, m_first_hop = 0, m_codes = 0, m_hop = 0, m_samples_per_frame = 0, m_sample_rate = 0;
    bool m_strict = false;
};

// How the decoder's weights are kept. `rounded` holds them as INT8 would, each 128 values of a row with a scale, while everything
// else stays FP32: the least that INT8 changes, for the gate of heartcodec/gate.h. There is no INT8 path: the gate does not open.
enum class CodecWeights : std::uint8_t { fp32, rounded };

// Called with the name of a point inside the network and its rows [rows][width], for comparisons.
using CodecProbe = std::function<void(const std::string& point, std::span<const float> rows, int width)>;

// The weights and the networks. The flow's weights stay in the files, memory-mapped, and are widened while they are multiplied
// with; the decoder's are folded (weight norm) and packed at loading. Calls are made by one thread at a time.
class HeartCodec {
public:
    // A folder with config.json and model.safetensors, or its shards. Every tensor that is used must be there with its shape;
    // weight norm in either spelling. Values are not read, so check() is for files of unknown origin. [worker]
    static Result<HeartCodec> open(const std::filesystem::path& folder, int threads = 1,
                                   const std::function<bool()>& cancelled = {},
                                   CodecWeights weights = CodecWeights::fp32);
    HeartCodec(HeartCodec&&) noexcept;
    HeartCodec& operator=(HeartCodec&&) noexcept;
    ~HeartCodec();

    const HeartCodecConfig& config() const noexcept; // [any]
    const MemoryPlan& plan() const noexcept;         // of the weights that are used [any]
    std::size_t packed_bytes() const noexcept; // weights in memory of our own; the rest of the plan is mapped [any]
    // Memory for activations with these options, taken at the first window. [any]
    std::size_t work_bytes(const CodecOptions& options) const noexcept;
    // Floating-point operations of one window: the solver's, the decoder's. [any]
    struct Work {
        double solve = 0.0, decode = 0.0;
    };
    Work work(const CodecOptions& options) const noexcept;
    // The plan of a folder without loading it. [control] [worker]
    static Result<MemoryPlan> plan(const std::filesystem::path& folder);

    // Reads every value that is used; refuses NaN and infinity with their place. [worker]
    Status check(const std::function<bool()>& cancelled = {}) const;

    void set_threads(int threads); // at most as many as it was opened with [worker]
    void
    set_token(const CancelToken& token); // once cancelled, calls return early with results that mean nothing [worker]
    bool cancelled() const noexcept;

    // codes [frames][8], each -1 (dropped) or below codebook_size -> condition [2 frames][512]. `sum`: the RVQ sum after
    // project_out [frames][512]. [worker]
    std::vector<float> condition(std::span<const std::int32_t> codes, std::vector<float>* sum = nullptr) const;
    // input [batch][latents][1024], one time for all -> velocity [batch][latents][256]. [worker]
    void estimate(std::span<const float> input, int batch, float time, std::span<float> velocity,
                  const CodecProbe& probe = {}) const;
    // Latents of one window. `context`: what its first latents are, [n][256], none for a first window. Latents from
    // `latent_length` on count as padding. `step` is told the steps done. [worker]
    std::vector<float> solve(std::span<const float> condition, std::span<const float> context,
                             std::span<const float> noise, const CodecOptions& options, int latent_length,
                             const std::function<void(int)>& step = {}) const;
    // latents [n][256] -> sound, tile after tile: sink(left, right). Tiles of any size give the same bits. [worker]
    using TileSink = std::function<Status(std::span<const float> left, std::span<const float> right)>;
    Status decode(std::span<const float> latents, const TileSink& sink, int tile_latents = 0,
                  const CodecProbe& probe = {}) const;

    struct State; // of models/heartcodec/state.h

private:
    explicit HeartCodec(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

// Sound that is final, in order, both channels equally long. An error ends the stream.
using SoundSink = std::function<Status(std::span<const float> left, std::span<const float> right)>;

// One song.
class CodecStream {
public:
    // `codec` must outlive it. Errors: options without sense. [worker]
    static Result<CodecStream> make(HeartCodec& codec, CodecOptions options, SoundSink sink);
    CodecStream(CodecStream&&) noexcept;
    CodecStream& operator=(CodecStream&&) noexcept;
    ~CodecStream();

    // More codes [frames][8]; solves and decodes every window that is full now. Errors: out_of_range (a code that the codec
    // does not have, by its place), cancelled (the sound given out so far is good), the sink's. [worker]
    Status push(std::span<const std::int32_t> codes);
    // No more codes: the last window, padded with the song from its beginning. An empty song is an error. [worker]
    Status finish();
    // After an error or in place of finish(): gives out the rest of the last whole window, without the cross-fade that it was
    // kept back for. [worker]
    Status release();

    int codes() const noexcept;            // frames taken so far [worker]
    int windows() const noexcept;          // done
    std::int64_t samples() const noexcept; // given out

private:
    struct State;
    explicit CodecStream(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

} // namespace tutti::models
