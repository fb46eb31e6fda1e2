// SPDX-License-Identifier: MIT
// Parts whose effects have less latency than another part's wait for it: what begins together is heard together.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/memory/memory.h"

namespace tutti::engine {

// The longest latency of a stream's parts, in frames, and when it became that.
struct LongestLatency {
    int frames = 0;
    int before = 0;
    std::int64_t since = 0;

    void set(int longest, std::int64_t frame) noexcept {
        if (longest == frames) return;
        if (frame != since) before = frames; // one step of several on a frame
        frames = longest;
        since = frame;
    }
};

// A delay of whole frames on a part's bus, after its effects. Another length comes in over 64 frames, counted from the event that
// asks for it: the same bits however steps are cut. A stream without latency pays for a look.
class Alignment {
public:
    static constexpr int k_most = 240; // frames: 16 effects of 15

    // [control]
    void prepare(int channels) { m_past.assign(static_cast<std::size_t>(channels) * k_size, 0.0f); }

    // All below: [render].
    // The part came on `frame`: it waits from its first frame on for what the others wait for.
    void begin(std::int64_t frame) noexcept { m_begun = frame; }
    // False where the bus is as it should be; `sounds`: there is something on it in this step.
    bool due(const LongestLatency& longest, int own, std::int64_t frame, bool sounds) const noexcept {
        const bool waits = longest.frames > own || (longest.before > own && frame < longest.since + k_fade);
        return waits && (sounds || frame < m_silent_from);
    }
    // io[channel][frames] in place, the first of which is `frame`; `own`: the latency that the part has already.
    void render(float* const* io, int channels, int frames, std::int64_t frame, const LongestLatency& longest, int own,
                bool sounds) noexcept {
        if (frame != m_next_frame) std::fill(m_past.begin(), m_past.end(), 0.0f); // what went by unseen
        m_next_frame = frame + frames;
        if (sounds) m_silent_from = frame + frames + k_size;
        const auto delay = static_cast<unsigned>(std::clamp(longest.frames - own, 0, k_most));
        const auto before = static_cast<unsigned>(std::clamp(longest.before - own, 0, k_most));
        // The past holds nothing from before the change: the fade waits until it reaches back far enough.
        const std::int64_t fades = longest.since + static_cast<std::int64_t>(delay);
        const std::int64_t faded = m_begun >= longest.since ? frame : fades + k_fade;
        for (int c = 0; c < channels; ++c) {
            float* const past = m_past.data() + static_cast<unsigned>(c) * k_size;
            auto at = static_cast<unsigned>(frame);
            if (faded <=
                frame) { // a step ends with its block of 64 frames: what is written does not wrap, what is read may
                const auto count = static_cast<unsigned>(frames);
                std::copy_n(io[c], count, past + (at & k_mask));
                const unsigned from = (at - delay) & k_mask, whole = std::min(count, k_size - from);
                std::copy_n(past + from, whole, io[c]);
                std::copy_n(past, count - whole, io[c] + whole);
                continue;
            }
            for (int i = 0; i < frames; ++i, ++at) {
                past[at & k_mask] = io[c][i];
                const float now = past[(at - delay) & k_mask];
                io[c][i] = now;
                if (frame + i >= faded) continue;
                const float old = past[(at - before) & k_mask];
                const auto since = static_cast<float>(std::max<std::int64_t>(0, frame + i - fades));
                io[c][i] = old + (now - old) * (since * (1.0f / k_fade));
            }
        }
    }

private:
    static constexpr unsigned k_size = 256;
    static constexpr unsigned k_mask = k_size - 1;
    static constexpr int k_fade = 64;
    Vector<float> m_past; // [channel][frame of the stream % k_size]
    std::int64_t m_begun = 0;
    std::int64_t m_next_frame = 0;
    std::int64_t m_silent_from = 0; // nothing of the past sounds from here on
};

} // namespace tutti::engine
