// SPDX-License-Identifier: MIT
// The heavy loops of effects, built once an instruction set and chosen at run time. All of them give the same bits.
#pragma once

#include "engine/effects/state.h"

#if defined(__x86_64__) || defined(_M_X64)
#define TUTTI_EFFECT_KERNELS_X86 1
#endif

namespace tutti::engine {

inline constexpr int k_chorus_taps = 3;
inline constexpr int k_reverb_lines = 16;
inline constexpr int k_reverb_allpasses = 4;

struct ChorusState {
    Ring line[2];
    MovingDelay delay[2][k_chorus_taps];
    Ramp feedback, dry, wet;
    std::uint32_t position = 0; // of the tick's first frame in the rings
};

struct ReverbState {
    Ring pre[2];
    Ring allpass[2][k_reverb_allpasses];
    Ring line[k_reverb_lines];
    int allpass_frames[2][k_reverb_allpasses] = {};
    MovingDelay pre_delay;
    MovingDelay delay[k_reverb_lines];
    alignas(16) float shelf[k_reverb_lines] = {}; // the shelf's state
    alignas(16) float loss_low[k_reverb_lines] =
        {}; // below the shelf, less loss_high; the Hadamard matrix's 1/4 is in both
    alignas(16) float loss_high[k_reverb_lines] = {}; // above it
    float gain = 0.0f;                                // into the lines
    float shelf_speed = 1.0f;
    float low[2] = {}; // the low cut's state
    float low_speed = 0.0f;
    Ramp diffusion, width, dry, wet;
    std::uint32_t position = 0; // of the tick's first frame in all rings
};

// The last 16 frames and the tick's: tick frame k is at(k), k from -16.
struct SaturationMemory {
    static constexpr int k_history = 16;
    alignas(16) float data[k_history + k_tick_frames] = {};

    float* at(int k) noexcept { return data + k_history + k; }
    void end_tick() noexcept {
        for (int k = 0; k < k_history; ++k)
            data[k] = data[k_tick_frames + k];
    }
};
struct SaturationChannel {
    SaturationMemory in;        // the input
    SaturationMemory even, odd; // driven and biased, at twice the rate
    SaturationMemory even_root; // sqrt(1 + x^2) of them
    SaturationMemory odd_root;
    SaturationMemory shaped_even;
    SaturationMemory shaped_odd;
};
struct SaturationState {
    SaturationChannel channel[2];
    Ramp drive, bias, rest; // rest: what the bias alone gives
};

// Frames [begin, end) of a tick in place, left[0] and right[0] being frame `begin`; the result is the loudest magnitude that
// went in, came out or was kept.
struct EffectKernels {
    float (*chorus)(ChorusState& state, float* left, float* right, int begin, int end) noexcept;
    float (*reverb)(ReverbState& state, float* left, float* right, int begin, int end) noexcept;
    float (*saturation)(SaturationState& state, float* left, float* right, int begin, int end) noexcept;
};

extern const EffectKernels k_effect_kernels_base;
#if defined(TUTTI_EFFECT_KERNELS_X86)
extern const EffectKernels k_effect_kernels_avx2;
extern const EffectKernels k_effect_kernels_avx512;
#endif

// For the instruction set that TUTTI_ISA names, else the best this machine has. [control]
const EffectKernels& effect_kernels();

} // namespace tutti::engine
