// SPDX-License-Identifier: MIT
// A patch at work on a part: everything it needs, made on the control side, used by the renderer until it has rung out.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "engine/effects/chain.h"
#include "engine/memory/memory.h"
#include "engine/memory/retired.h"
#include "engine/patch/image.h"
#include "engine/stream/alignment.h"
#include "engine/stream/table.h"
#include "engine/stream/voices.h"

namespace tutti::engine {

struct InstanceSpec {
    double sample_rate = 48000.0;
    int channels = 2;
    std::uint64_t seed = 1;
    int part = 0;
};

// A rate parameter and the choice that locks it to the tempo ("lfo1_rate", "lfo1_sync").
struct TempoLock {
    int rate = 0;
    int sync = 0;
    Vector<double> beats; // [choice], quarter notes; 0: free
};

class Instance : public FromMemory {
public:
    // An image without a voice type is a bus for clips. Errors: those of EffectChain::create. [control]
    static Result<std::unique_ptr<Instance>> make(const PatchImage& patch, const InstanceSpec& spec);

    // [render]
    void attach(TimerWheel& wheel, VoiceCounts& counts, std::int64_t frame) noexcept;
    void begin_step(std::int64_t frame) noexcept;
    // Readies the bank for the backend; false where nothing sounds in the step and the bus is silent as it is.
    bool fill_bank(Bank& bank) noexcept;
    void follow_tempo(double beats_per_second, std::int64_t frame) noexcept;
    void refresh_shape() noexcept;
    bool crowded() const noexcept { return m_type != nullptr && (m_voices.edits().crowded() || m_table.crowded()); }
    // Voices have ended and effects have rung out, at a multiple of 64.
    bool drained() const noexcept {
        return (m_type == nullptr || m_voices.notes() == 0) && (!m_effects || m_effects->asleep());
    }

    Voices& voices() noexcept { return m_voices; }
    const EditList& edits() const noexcept { return m_voices.edits(); }
    ParameterTable& table() noexcept { return m_table; }
    const ParameterTable& parameters() const noexcept { return m_table; }
    bool silent() const noexcept { return m_bus_silent; } // in the present step
    void sounded() noexcept { m_bus_silent = false; }     // something was added to the bus
    // The next step will be as this one was, if nothing comes: no edits, no shape to take, a bus that needs no clearing.
    bool rests() const noexcept {
        if (m_type == nullptr) return !m_effects;
        return m_voices.edits().edit_count() == 0 && !m_table.shape_stale() && (m_sounded || !m_effects);
    }
    bool has_effects() const noexcept { return m_effects != nullptr; }
    EffectChain* effects() noexcept { return m_effects.get(); }
    // False where the part's effects would do nothing but look: no sound comes in and none is left inside. [render]
    bool effects_due() const noexcept { return m_effects && !(m_bus_silent && m_effects->asleep()); }
    // The part's effects on the step's bus. [render]
    void render_effects(std::int64_t frame, int frames) noexcept;
    // Of the effects, frames.
    int latency() const noexcept { return m_effects ? m_effects->latency_frames() : 0; }
    bool align_due(const LongestLatency& longest, std::int64_t frame) const noexcept {
        return m_alignment.due(longest, latency(), frame, !m_bus_silent);
    }
    // The bus waits for the longest latency of the stream's parts. After the effects. [render]
    void align(const LongestLatency& longest, std::int64_t frame, int frames) noexcept;
    const voices::VoiceType* type() const noexcept { return m_type; }
    float* bus(int channel) noexcept { return m_bus.data() + channel * voices::k_block_frames; }
    double gain() const noexcept { return m_gain; }
    double send(int to) const noexcept { return m_sends[to]; } // of the signal after gain(), see engine/stream/master.h
    double bend_range() const noexcept { return m_bend_range; }
    double glide_seconds() const noexcept { return m_glide_seconds; }
    PlayMode mode() const noexcept { return m_mode; }
    const ControllerTarget& controller(int number) const noexcept {
        return m_controllers[static_cast<std::size_t>(number & 127)];
    }
    NotePriority priority() const noexcept { return m_priority; }

    Instance* next = nullptr; // of the part, oldest last [render]
    Retired retired;          // the renderer has let go of it

private:
    Instance() = default;

    const voices::VoiceType* m_type = nullptr;
    ParameterTable m_table;
    Voices m_voices;
    Vector<voices::Route> m_routes;
    Vector<TempoLock> m_locks;
    std::array<ControllerTarget, 128> m_controllers;
    std::unique_ptr<EffectChain> m_effects; // may be none
    Alignment m_alignment;
    Vector<float> m_bus; // [channel][64]
    bool m_bus_silent = true;
    bool m_sounded = false; // notes at the step's start
    std::uint64_t m_shape = 0;
    double m_rate = 48000.0;
    int m_channels = 2;
    int m_quality = 1;
    double m_gain = 1.0;
    double m_sends[2] = {0.0, 0.0};
    double m_bend_range = 2.0;
    double m_glide_seconds = 0.0;
    PlayMode m_mode = PlayMode::poly;
    NotePriority m_priority = NotePriority::last;
};

} // namespace tutti::engine
