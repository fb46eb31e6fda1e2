// SPDX-License-Identifier: MIT
// Clips: a part's sound from memory, or written as it plays by a worker thread.
//
//     auto sound = std::make_shared<tutti::Sound>(48000.0, samples);        // samples[channel][frame]
//     auto clip = stream->play(0, sound, {.gain_db = -3.0, .loop = true}).value();
//     clip.stop();
//
// A clip joins its part's bus before the part's effects. It sounds at its own pitch at any stream rate.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <tutti/event.h>
#include <tutti/status.h>

namespace tutti {

// Sound in memory. Not changed once it is played.
struct Sound {
    // Silence, or these samples. [control]
    Sound() = default;
    Sound(double rate, std::vector<std::vector<float>> samples) : sample_rate(rate), channels(std::move(samples)) {}
    double sample_rate = 48000.0;
    std::vector<std::vector<float>> channels; // [channel][frame], all of one length; one channel goes to every output
};

// Frames are the sound's own.
struct ClipConfig {
    double gain_db = 0.0;
    double pitch = 0.0; // semitones, -48..48; the length changes with it
    std::int64_t begin = 0;
    std::int64_t end = -1; // -1: the sound's end
    bool loop = false;     // from loop_begin to `end` for ever (not for a written clip)
    std::int64_t loop_begin = 0;
    double fade_seconds = 0.005; // at its beginning and where it is stopped; 0..10
};

namespace engine {
class ClipPlayer;
class StreamState;
} // namespace engine

// A clip at work. Letting the handle go does not stop it. One thread at a time.
class TUTTI_API Clip {
public:
    // Fades it out from `frame` on. Errors: full (event queue). [control]
    Status stop(std::int64_t frame = k_asap);
    // It has ended or was stopped, and has rung out. [any]
    bool ended() const noexcept;

    // Written clips only; used by one thread, which need not be the control thread. Where the writer is late the clip fades,
    // counts (StreamStats::dry_clips) and goes on where it was; in `offline` pull waits for it instead, up to 10 s without a
    // frame, so there the writer must be another thread or be ahead. Takes up to `frames` frames of
    // in[channel][frame] and returns how many fitted. [worker]
    int write(const float* const* in, int frames) noexcept;
    int room() const noexcept; // frames that fit now [worker]
    // Nothing more will come: the clip ends when all has been played. [worker]
    void finish() noexcept;

private:
    friend class Stream;
    friend class engine::StreamState;
    std::shared_ptr<engine::ClipPlayer> m_player;
    std::weak_ptr<void> m_stream;
};

} // namespace tutti
