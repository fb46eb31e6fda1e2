// SPDX-License-Identifier: MIT
// Many voices of one type, each with parameters of its own, rendered apart: [voice][frame], nothing is mixed. For data sets
// and for comparison with batch synthesizers; runs as fast as it goes, on the CPU, one voice a lane.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <tutti/status.h>

#include "voices/voice_type.h"

namespace tutti::gpu {

// One voice: its note, and values of its type's parameters in their units.
struct BatchVoice {
    float key = 69.0f;
    float velocity = 1.0f;
    std::uint32_t seed = 1; // of its noise
    const float* values = nullptr;
};

class VoiceBatch {
public:
    // `instruction_set` as TUTTI_ISA names it, or "" for the best. Errors: unsupported (the type cannot be rendered lane by
    // lane: it runs through ticks only for some patches; the instruction set), out_of_memory. [control]
    static Result<std::unique_ptr<VoiceBatch>> make(const voices::VoiceType& type, int voices, double sample_rate,
                                                    int threads, const char* instruction_set = "");
    // The same by the type's id. Errors: not_found as well. [control]
    static Result<std::unique_ptr<VoiceBatch>> make(const char* type, int voices, double sample_rate, int threads,
                                                    const char* instruction_set = "");
    ~VoiceBatch();

    // Frames [0, frames) of every voice, held to the end, mono: out[voice * stride + frame]. `normalised`: each voice divided by
    // its peak where that is above 1, as torchsynth's mixer does with a whole sound. [worker]
    void render(const BatchVoice* voices, int frames, float* out, std::int64_t stride, bool normalised = false);
    int voices() const noexcept;

private:
    struct Impl;
    explicit VoiceBatch(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> m_impl;
};

} // namespace tutti::gpu
