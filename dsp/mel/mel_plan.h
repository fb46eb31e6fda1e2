// SPDX-License-Identifier: MIT
// The tables of a mel spectrogram: window, FFT factors and twiddles, Slaney's filters. Made once, on the control side.
#pragma once

#include <cstdint>
#include <vector>

namespace tutti::dsp {

// Frames are computed sixteen at a time, one a lane, on every instruction set: each frame meets the same operations in the
// same order whatever stands beside it, so no value depends on how the input was cut.
inline constexpr int k_mel_lanes = 16;

enum class MelOutput : std::uint8_t { power, log10 }; // log10: of max(power, 1e-10), as Whisper's features begin

// One Stockham step: `radix` butterflies over `rest` x `stride` points, then twiddles [rest][radix - 1] as (cos, sin).
struct FftStep {
    int radix = 0;
    int rest = 0;
    int stride = 0;
    std::vector<float> cosines;
    std::vector<float> sines;
    std::vector<float> root_cosines; // [radix], for radices without a kernel of their own
    std::vector<float> root_sines;
};

struct MelPlan {
    int n_fft = 0; // even
    int hop = 0;
    int mels = 0;
    MelOutput output = MelOutput::log10;
    std::vector<float> window;           // [n_fft] periodic Hann
    std::vector<FftStep> steps;          // complex FFT of n_fft / 2 points
    std::vector<float> untangle_cosines; // [n_fft / 4 + 1]: the step from n_fft/2 complex points to n_fft real ones
    std::vector<float> untangle_sines;
    std::vector<int> filter_begin; // [mels] first frequency bin of each filter
    std::vector<int> filter_end;
    std::vector<int> filter_offset;    // into weights
    std::vector<float> filter_weights; // the non-zero ones, mel after mel

    int bins() const noexcept { return n_fft / 2 + 1; }
    int columns() const noexcept {
        return (k_mel_lanes + (n_fft + hop - 1) / hop - 1 + 3) / 4 * 4;
    } // of the transposed signal
    // Floats of scratch that one call of the kernel needs.
    std::size_t scratch_floats() const noexcept;
};

// Slaney's mel scale (Auditory Toolbox, 1998): linear below 1 kHz, logarithmic above. [any]
double hz_to_mel(double hz) noexcept;
double mel_to_hz(double mel) noexcept;

// Triangular filters of unit area in Hz ("Slaney norm"), dense: out[bin * mels + mel], n_fft/2 + 1 bins. [control]
std::vector<float> mel_filters(double sample_rate, int n_fft, int mels, double fmin, double fmax);

// n_fft must be even and its half a product of 2, 3, 5 and small primes (any length works, a large prime is slow). [control]
MelPlan make_mel_plan(double sample_rate, int n_fft, int hop, int mels, double fmin, double fmax, MelOutput output);

} // namespace tutti::dsp
