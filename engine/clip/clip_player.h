// SPDX-License-Identifier: MIT
// One clip at work: reads its sound at its own speed and adds it to a bus.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include <tutti/clip.h>

#include "engine/clip/clip_ring.h"
#include "engine/memory/memory.h"
#include "engine/memory/retired.h"

namespace tutti::engine {

struct SoundView {
    static constexpr int k_most_channels = 16;
    const float* channel[k_most_channels] = {};
    int channels = 0;
    std::int64_t frames = 0;
    double sample_rate = 48000.0;
};

// Where the read position is, is a fixed-point sum of one step a frame (32.32): the same for any blocks.
class ClipPlayer {
public:
    // A sound in memory, kept alive by `keep`. [control]
    ClipPlayer(const SoundView& sound, std::shared_ptr<const void> keep, const ClipConfig& config, double sample_rate);
    ClipPlayer(std::shared_ptr<const Sound> sound, const ClipConfig& config, double sample_rate);
    // One that is written as it plays: `capacity` frames of `channels` at `rate`. [control]
    ClipPlayer(int channels, double rate, int capacity, const ClipConfig& config, double sample_rate);
    static Status check(const ClipConfig& config, std::int64_t length);

    bool is_written() const noexcept { return m_sound.channels == 0; } // [any]

    // [worker]
    int write(const float* const* in, int frames) noexcept;
    int room() const noexcept { return m_ring.room(); }
    void finish() noexcept { m_ring.finish(); } // after the last write

    // [render]
    void start(std::int64_t frame) noexcept { m_start = frame; }
    void stop(std::int64_t frame) noexcept;
    // `offline`: waits until what frames [frame, frame + frames) need is written, as long as the writer goes on.
    void wait(std::int64_t frame, int frames) const noexcept;
    // Adds frames [frame, frame + frames) to bus[channel][0..]; returns false where it was still silent. `dry` counts gaps.
    bool add_to(float* const* bus, int channels, std::int64_t frame, int frames, std::int64_t& dry) noexcept;
    bool ended() const noexcept { return m_ended; }

    ClipPlayer* next = nullptr;  // of the part [render]
    Retired retired;             // set by the renderer, read by [control]
    std::atomic<int> pending{0}; // events on their way that name it

private:
    static constexpr int k_most_channels = SoundView::k_most_channels;
    float sample(int channel, std::int64_t index) const noexcept;
    float interpolate(int channel) const noexcept;
    void advance() noexcept;

    SoundView m_sound; // no channels: written
    std::shared_ptr<const void> m_keep;
    ClipConfig m_config;
    int m_channels = 1;
    std::int64_t m_end = 0; // of the sound, exclusive; a written one: none
    float m_gain = 1.0f;
    std::uint64_t m_step = 0; // 32.32 frames of the sound a frame of the stream
    std::int64_t m_index = 0; // whole frames of the read position
    std::uint32_t m_fraction = 0;
    std::int64_t m_fade = 240; // frames
    std::int64_t m_start = 0;  // first frame of the stream [render]
    std::int64_t m_stop = -1;  // where the fade-out begins
    bool m_ended = false;
    // Written clips.
    ClipRing<> m_ring;
    int m_gap_fade = 96; // frames of the fade round a gap
    int m_gap = 0;       // frames since it ran dry, up to m_gap_fade
    int m_back = 0;      // frames since it goes on
    bool m_waiting = false;
    float m_hold[k_most_channels] = {};
    float m_last[k_most_channels] = {};
};

} // namespace tutti::engine
