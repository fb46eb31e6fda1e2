// SPDX-License-Identifier: MIT
// What an effect is: a parameter table, a factory, and a class that renders in place on the stream's clock.
//
// The bits of a frame depend on the samples, the parameter changes and the clock alone, never on where a call ends: control
// values move only where clock % 16 == 0, and every loop rounds alike for one frame and for four (quad.h). Samples that are
// not finite, or beyond +120 dBFS, are taken as 0 before they reach any state, so none can stay in it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include <tutti/parameter.h>
#include <tutti/platform.h>
#include <tutti/status.h>

#include "engine/effects/ring.h"
#include "engine/effects/state.h"
#include "engine/effects/wide.h"
#include "engine/memory/memory.h"
#include "voices/voice_type.h"

namespace tutti::engine {

inline constexpr int k_max_effect_parameters = 16;
inline constexpr float k_silence = 1e-6f;       // -120 dBFS: what is below it counts as silent
inline constexpr float k_loudest = 1048576.0f;  // +120 dBFS: what is above it counts as broken
inline constexpr double k_lowest_rate = 8000.0; // Hz
inline constexpr double k_highest_rate = 192000.0;

class Effect;

struct EffectType {
    const char* id = nullptr;      // stable for ever: "reverb"
    const char* name = nullptr;    // for people
    const char* summary = nullptr; // one line
    const Parameter* parameters = nullptr;
    int parameter_count = 0;
    std::unique_ptr<Effect> (*create)() = nullptr; // [control]

    // The parameter's index, or -1. [any]
    int find(std::string_view parameter) const noexcept;
};

// Every effect, in the order of the docs. [any]
std::span<const EffectType> effect_types() noexcept;
// nullptr: no such type. [any]
const EffectType* find_effect_type(std::string_view id) noexcept;

// How long nothing above -120 dBFS has been noted; counted in whole ticks.
class QuietCounter {
public:
    void note(float peak) noexcept { m_peak = peak > m_peak ? peak : m_peak; }
    void note(const Peak& peak) noexcept { note(peak.value()); }
    void tick() noexcept {
        m_frames = m_peak >= k_silence ? 0 : m_frames + k_tick_frames;
        m_peak = 0.0f;
    }
    // Nothing was ever noted.
    void clear() noexcept {
        m_frames = INT64_C(1) << 40;
        m_peak = 0.0f;
    }
    std::int64_t frames() const noexcept { return m_frames; }

private:
    std::int64_t m_frames = INT64_C(1) << 40;
    float m_peak = 0.0f;
};

class Effect : public FromMemory {
public:
    explicit Effect(const EffectType& type) noexcept;
    virtual ~Effect() = default;
    Effect(const Effect&) = delete;
    Effect& operator=(const Effect&) = delete;

    const EffectType& type() const noexcept { return m_type; }

    // Allocates everything and resets. A mono effect is the mean of the stereo one fed the same on both sides.
    // Errors: out_of_range (sample_rate outside 8,000..192,000 Hz, channels not 1 or 2). [control]
    Status prepare(double sample_rate, int channels);
    // Forgets the sound, takes the parameters' targets at once. Touches all delay memory: not for every block. [render]
    void reset() noexcept TUTTI_NONBLOCKING;
    // Takes effect at the next tick, then over smoothing_seconds. NaN and unknown indexes are ignored. [render]
    void set_parameter(int index, float value) noexcept TUTTI_NONBLOCKING;
    float parameter(int index) const noexcept TUTTI_NONBLOCKING;        // the target [render]
    void set_tempo(double beats_per_minute) noexcept TUTTI_NONBLOCKING; // at the next tick [render]

    // io[channel][frame] in place; `clock` is the stream's frame of io[.][0], and goes on where the last call ended. [render]
    void render(float* const* io, int frames, std::int64_t clock) noexcept TUTTI_NONBLOCKING;

    // How much later the output is than the input. Constant once prepared. [any]
    virtual int latency_frames() const noexcept TUTTI_NONBLOCKING { return 0; }
    // From the end of the input to the end of what is above -120 dBFS, at the parameters' targets. [render]
    virtual std::int64_t tail_frames() const noexcept TUTTI_NONBLOCKING { return 0; }
    // Input and state have been below -120 dBFS for so long that nothing louder can come out. Asked on ticks. [render]
    virtual bool silent() const noexcept TUTTI_NONBLOCKING = 0;
    // What is no louder than `peak` would come out as it is, and nothing inside would change but the count of silence: frames may
    // then be left out. [render]
    bool passes(float peak) const noexcept TUTTI_NONBLOCKING { return !m_fresh && m_moving == 0 && lets_through(peak); }
    // Frames will be left out from here: parameters then jump to their targets at the next frame. [render]
    void suspend() noexcept TUTTI_NONBLOCKING { m_fresh = true; }

protected:
    virtual bool lets_through(float /*peak*/) const noexcept TUTTI_NONBLOCKING { return false; }
    virtual Status allocate() = 0;
    virtual void clear() noexcept = 0;
    // New targets for the coming tick. `jump`: take them at once (first tick, or the first after a pause).
    virtual void tick(bool jump) noexcept = 0;
    // Frames [begin, end) of the tick; left[0] and right[0] are frame `begin`.
    virtual void process(float* left, float* right, int begin, int end) noexcept = 0;

    double sample_rate() const noexcept { return m_rate; }
    double tempo() const noexcept { return m_tempo; }
    // The smoothed value of this tick in the parameter's own unit, and as log2 where the curve is exponential.
    float value(int index) const noexcept { return m_values[static_cast<std::size_t>(index)]; }
    float kernel(int index) const noexcept { return m_kernels[static_cast<std::size_t>(index)]; }
    int choice(int index) const noexcept { return static_cast<int>(value(index) + 0.5f); }
    // Any of these parameters moved at this tick: a bit each.
    bool moved(std::uint32_t mask) const noexcept { return (m_moved & mask) != 0; }
    std::uint32_t moved() const noexcept { return m_moved; }

private:
    void smooth(bool jump) noexcept;

    const EffectType& m_type;
    double m_rate = 0.0;
    double m_tempo = 120.0;
    int m_channels = 0;
    bool m_fresh = true;
    std::uint32_t m_moving = 0;
    std::uint32_t m_moved = 0;
    std::array<float, k_max_effect_parameters> m_targets{};  // in the parameter's unit
    std::array<float, k_max_effect_parameters> m_goals{};    // kernel domain
    std::array<float, k_max_effect_parameters> m_kernels{};  // kernel domain, smoothed
    std::array<float, k_max_effect_parameters> m_values{};   // smoothed, in the unit
    std::array<float, k_max_effect_parameters> m_speeds{};   // one-pole coefficient a tick
    std::array<float, k_max_effect_parameters> m_nearness{}; // so near counts as arrived
};

constexpr std::uint32_t bit(int index) noexcept {
    return std::uint32_t{1} << index;
}

// Equal-power-like dry and wet gains, exact at both ends: mix 0 is the dry signal bit for bit.
inline float dry_gain(float mix) noexcept {
    return 1.0f - mix * mix;
}
inline float wet_gain(float mix) noexcept {
    return 1.0f - (1.0f - mix) * (1.0f - mix);
}

// Not finite or beyond +120 dBFS: 0.
template <class F>
inline F sane(F x) noexcept {
    return select_less(magnitude(x), splat<F>(k_loudest), x, splat<F>(0.0f));
}

} // namespace tutti::engine
