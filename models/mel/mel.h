// SPDX-License-Identifier: MIT
// Log-mel features in two stages. (a) MelStream: power, mel and log10 of each frame as samples arrive, the same bits however
// the input is cut. (b) the normalisation, whose maximum needs its whole extent, applied when that is complete.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <dsp/mel/mel_plan.h>
#include <tutti/status.h>

namespace tutti::models {

enum class MelPadding : std::uint8_t { none, zeros, reflect }; // half a window at both ends, or none

struct MelConfig {
    double sample_rate = 16000.0;
    int n_fft = 400; // even
    int hop = 160;
    int mels = 80;
    double fmin = 0.0;
    double fmax = 0.0; // 0: half the sample rate
    MelPadding padding = MelPadding::reflect;
    dsp::MelOutput output = dsp::MelOutput::log10;

    static MelConfig whisper(int mels); // 16 kHz, 400 / 160, reflect, log10
    static MelConfig librosa(double sample_rate, int n_fft = 2048, int hop = 512, int mels = 128); // zeros, power
};

// Stage (a). Rows come out as [frame, mel]; frame k is centred on sample k * hop (or begins there without padding).
class MelStream {
public:
    // Refuses odd or absurd sizes. [control] [worker]
    static Result<MelStream> create(const MelConfig& config);
    MelStream(MelStream&&) noexcept;
    MelStream& operator=(MelStream&&) noexcept;
    ~MelStream();

    // Appends the rows of every frame that is complete now. [worker]
    void push(std::span<const float> samples, std::vector<float>& rows);
    // Appends the frames that reach past the end, padded, and starts anew. Too little input for one frame gives none. [worker]
    void finish(std::vector<float>& rows);

    const MelConfig& config() const noexcept;
    std::int64_t frames() const noexcept; // given out since the start

private:
    struct State;
    explicit MelStream(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

// How many frames the whole of `samples` samples gives. [any]
std::int64_t mel_frame_count(const MelConfig& config, std::int64_t samples) noexcept;

// Stage (a) on samples in memory, split over `threads` threads: rows [frame, mel], the same bits as MelStream. [worker]
Result<std::vector<float>> mel_rows(const MelConfig& config, std::span<const float> samples, int threads = 1);

// The same into `rows`, mel_frame_count() x mels values: where it is memory that nobody has touched, each thread is the first to
// touch its part, which costs as much as half of the arithmetic. Errors: also out_of_range (another size). [worker]
Status mel_rows_into(const MelConfig& config, std::span<const float> samples, std::span<float> rows, int threads = 1);

// Stage (b) of Whisper: x = max(x, maximum - 8), (x + 4) / 4, in place, the maximum taken over all of `rows`. [worker]
void whisper_normalise(std::span<float> rows) noexcept;

// Which samples share one maximum, and how the input is padded (openai/whisper audio.py; transformers feature extractor).
enum class MelExtent : std::uint8_t {
    window, // zeros to window_samples, or cut there
    item,   // the samples as they are
    openai, // the samples and window_samples zeros behind them
};

// Both stages: rows [frame, mel], the last column of the centred transform dropped as both references do. [worker]
Result<std::vector<float>> whisper_features(int mels, std::span<const float> samples, MelExtent extent,
                                            std::int64_t window_samples = 480000, int threads = 1);

// librosa.power_to_db with ref 1: 10 log10(max(x, amin)), nothing more than top_db below the largest; in place. [worker]
void power_to_db(std::span<float> power, float amin = 1e-10f, float top_db = 80.0f) noexcept;

// Name of the instruction set the kernel runs on: "sse2", "avx2", "avx512", ... [any]
const char* mel_kernel_name() noexcept;

} // namespace tutti::models
