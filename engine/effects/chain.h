// SPDX-License-Identifier: MIT
// A part's or a stream's effects, one after the other; they sleep while there is nothing to hear.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include <tutti/patch.h>

#include "engine/effects/effect.h"
#include "engine/memory/memory.h"

namespace tutti::engine {

struct EffectImage; // engine/patch/image.h

// More than two channels are taken by pairs, each pair with its own copy of every effect; a last odd one is mono.
//
// The chain falls asleep at a tick (clock % 16 == 0) when its input has been below -120 dBFS for 1,024 frames and every effect
// says that nothing louder than that is left inside. Asleep, it gives zeros and costs a look at the input. It wakes on the
// first frame that is not silent: the frames of that tick before it are taken as zeros. All of this follows from the samples
// and the clock, so the bits are the same whatever the blocks.
class EffectChain : public FromMemory {
public:
    // Builds and prepares; disabled effects are left out. Errors: not_found (type or parameter; names those there are),
    // out_of_range (a value, the sample rate, channels 1..16, more than 16 effects). [control]
    static Result<std::unique_ptr<EffectChain>> create(std::span<const PatchEffect> effects, double sample_rate,
                                                       int channels);
    // Errors: out_of_range (the sample rate, channels). [control]
    static Result<std::unique_ptr<EffectChain>> create(std::span<const EffectImage> effects, double sample_rate,
                                                       int channels);

    int size() const noexcept { return static_cast<int>(m_slots.size()); }      // [any]
    const EffectType& type(int effect) const noexcept;                          // 0..size()-1 [any]
    int latency_frames() const noexcept TUTTI_NONBLOCKING { return m_latency; } // the sum of the effects' [any]
    std::int64_t tail_frames() const noexcept TUTTI_NONBLOCKING;                // the sum of the effects' [render]
    bool asleep() const noexcept TUTTI_NONBLOCKING { return m_asleep; }         // [render]

    // `effect` counts from 0 along the chain; others are ignored. [render]
    void set_parameter(int effect, int parameter, float value) noexcept TUTTI_NONBLOCKING;
    float parameter(int effect, int parameter) const noexcept TUTTI_NONBLOCKING; // the target [render]
    void set_tempo(double beats_per_minute) noexcept TUTTI_NONBLOCKING;          // [render]
    // Forgets the sound. Touches all delay memory: not for every block. [render]
    void reset() noexcept TUTTI_NONBLOCKING;
    // io[channel][frame] in place; `clock` is the stream's frame of io[.][0], and goes on where the last call ended. [render]
    void render(float* const* io, int frames, std::int64_t clock) noexcept TUTTI_NONBLOCKING;

private:
    using Slot = Vector<std::unique_ptr<Effect>>; // one a pair of channels

    EffectChain() = default;
    void run(float* const* io, int frames, std::int64_t clock) noexcept;
    void doze(bool at_tick) noexcept;
    void note(float* const* io, int frames) noexcept;
    int awake_ticks(int frames, std::int64_t clock) const noexcept;

    Vector<Slot> m_slots;
    int m_channels = 0;
    int m_latency = 0;
    QuietCounter m_quiet; // of the input
    bool m_asleep = true;
};

} // namespace tutti::engine
