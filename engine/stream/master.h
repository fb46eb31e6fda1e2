// SPDX-License-Identifier: MIT
// What follows the mix of all parts: the stream's effects and, always last, the limiter; and what parts send to.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>

#include "engine/backend.h"
#include "engine/effects/chain.h"
#include "engine/effects/limiter.h"
#include "engine/memory/memory.h"
#include "engine/memory/retired.h"

namespace tutti::engine {

inline constexpr int k_sends = 2; // the room and the hall

struct MasterEffects : FromMemory {
    std::unique_ptr<EffectChain> chain;
    Retired retired; // set by the renderer, read by [control]
};

// `mix` is [channel][64], of which the step's frames are rendered.
class Master {
public:
    // [control]
    void prepare(double sample_rate, int channels, bool limiter) {
        m_channels = channels;
        m_fade = std::max<std::int64_t>(64, static_cast<std::int64_t>(0.02 * sample_rate));
        m_old_mix.assign(static_cast<std::size_t>(channels) * voices::k_block_frames, 0.0f);
        for (int c = 0; limiter && c < channels; c += 2) {
            m_limiters.push_back(limiter_type().create());
            // Rate and channels were checked when the stream was opened.
            (void)m_limiters.back()->prepare(sample_rate, std::min(2, channels - c)).ok();
        }
    }

    // All below: [render].
    void take(MasterEffects* effects, double tempo, std::int64_t frame) noexcept TUTTI_NONBLOCKING {
        if (m_old != nullptr) retire(m_old);
        m_old = m_now;
        m_now = effects;
        m_taken = frame;
        m_fading = true;
        set_tempo(tempo);
    }
    void set_tempo(double tempo) noexcept TUTTI_NONBLOCKING {
        for (MasterEffects* effects : {m_now, m_old})
            if (effects != nullptr) effects->chain->set_tempo(tempo);
    }
    void set_parameter(int effect, int parameter, float value) noexcept TUTTI_NONBLOCKING {
        if (m_now != nullptr) m_now->chain->set_parameter(effect, parameter, value);
    }
    std::int64_t tail_frames() const noexcept TUTTI_NONBLOCKING {
        return m_now != nullptr ? m_now->chain->tail_frames() : 0;
    }

    void render_effects(float* mix, std::int64_t frame, int frames) noexcept TUTTI_NONBLOCKING {
        if (m_now == nullptr) return;
        float *now[k_max_channels], *old[k_max_channels];
        const int first = static_cast<int>(frame % voices::k_block_frames);
        for (int c = 0; c < m_channels; ++c) {
            now[c] = mix + c * voices::k_block_frames + first;
            old[c] = m_old_mix.data() + c * voices::k_block_frames + first;
            if (m_fading) std::copy_n(now[c], frames, old[c]);
        }
        m_now->chain->render(now, frames, frame);
        if (!m_fading) return;
        // The new ones come in over 20 ms while the old ones (or the dry mix) go.
        if (m_old != nullptr) m_old->chain->render(old, frames, frame);
        for (int c = 0; c < m_channels; ++c)
            for (int i = 0; i < frames; ++i) {
                const std::int64_t since = std::clamp<std::int64_t>(frame + i - m_taken, 0, m_fade);
                if (since == m_fade) continue; // the new ones alone, bit for bit
                const float share = static_cast<float>(since) / static_cast<float>(m_fade);
                now[c][i] = old[c][i] + (now[c][i] - old[c][i]) * share;
            }
        if (frame + frames < m_taken + m_fade) return;
        m_fading = false;
        if (m_old != nullptr) retire(m_old);
        m_old = nullptr;
    }

    bool has_effects() const noexcept { return m_now != nullptr; }

    // True where a mix no louder than `peak` needs no limit(): it would come out as it is. What has passed once passes until
    // limit() is called, for nothing else moves a limiter.
    bool passes(float peak) noexcept TUTTI_NONBLOCKING {
        if (peak <= m_passed) return true;
        for (const auto& limiter : m_limiters)
            if (!limiter->passes(peak)) return false;
        m_passed = peak;
        return true;
    }
    void limit(float* mix, std::int64_t frame, int frames) noexcept TUTTI_NONBLOCKING {
        m_passed = -1.0f;
        for (std::size_t i = 0; i < m_limiters.size(); ++i) {
            float* io[2];
            for (int c = 0; c < 2; ++c) {
                const int channel = std::min(m_channels - 1, static_cast<int>(2 * i) + c);
                io[c] = mix + channel * voices::k_block_frames + frame % voices::k_block_frames;
            }
            m_limiters[i]->render(io, frames, frame);
        }
    }

private:
    static void retire(MasterEffects* effects) noexcept {
        // Release: every use of it came before.
        effects->retired.set();
    }
    Vector<std::unique_ptr<Effect>> m_limiters; // one a pair of channels
    Vector<float> m_old_mix;
    MasterEffects* m_now = nullptr;
    MasterEffects* m_old = nullptr;
    std::int64_t m_taken = 0; // frame on which m_now came
    std::int64_t m_fade = 960;
    int m_channels = 2;
    float m_passed = -1.0f;
    bool m_fading = false;
};

// A bus that parts send to: effects whose input is what was sent and whose output joins the mix.
class SendBus {
public:
    // [control]
    void prepare(int channels) {
        m_channels = channels;
        m_bus.assign(static_cast<std::size_t>(channels) * voices::k_block_frames, 0.0f);
    }

    // All below: [render].
    // The old effects are cut off: what rings is not worth a second reverb.
    void take(MasterEffects* effects, double tempo) noexcept TUTTI_NONBLOCKING {
        // Release: every use of it came before.
        if (m_effects != nullptr) m_effects->retired.set();
        m_effects = effects;
        set_tempo(tempo);
    }
    void set_tempo(double tempo) noexcept TUTTI_NONBLOCKING {
        if (m_effects != nullptr) m_effects->chain->set_tempo(tempo);
    }
    bool has_effects() const noexcept { return m_effects != nullptr; }
    std::int64_t tail_frames() const noexcept TUTTI_NONBLOCKING {
        return m_effects != nullptr ? m_effects->chain->tail_frames() : 0;
    }
    // Frames [first, last) of the block, empty until something is sent.
    float* open(int channel, int first, int last) noexcept TUTTI_NONBLOCKING {
        if (!m_open)
            for (int c = 0; c < m_channels; ++c)
                std::fill(m_bus.data() + c * voices::k_block_frames + first,
                          m_bus.data() + c * voices::k_block_frames + last, 0.0f);
        m_open = true;
        return m_bus.data() + channel * voices::k_block_frames;
    }
    // The effects, alone on their bus: may run beside anything but the buses of parts.
    void render(std::int64_t frame, int frames) noexcept TUTTI_NONBLOCKING {
        const int first = static_cast<int>(frame % voices::k_block_frames);
        m_sounds = m_effects != nullptr && (m_open || !m_effects->chain->asleep());
        if (!m_sounds) {
            m_open = false;
            return;
        }
        float* io[k_max_channels];
        for (int c = 0; c < m_channels; ++c)
            io[c] = open(c, first, first + frames) + first;
        m_effects->chain->render(io, frames, frame);
        m_open = false;
    }
    void add_to(float* mix, std::int64_t frame, int frames) const noexcept TUTTI_NONBLOCKING {
        if (!m_sounds) return;
        const int first = static_cast<int>(frame % voices::k_block_frames);
        for (int c = 0; c < m_channels; ++c) {
            const float* const from = m_bus.data() + c * voices::k_block_frames + first;
            float* const to = mix + c * voices::k_block_frames + first;
            for (int i = 0; i < frames; ++i)
                to[i] += from[i];
        }
    }

private:
    Vector<float> m_bus; // [channel][64]
    MasterEffects* m_effects = nullptr;
    int m_channels = 2;
    bool m_open = false;   // something was sent in this step
    bool m_sounds = false; // the step's frames are on the bus
};

} // namespace tutti::engine
