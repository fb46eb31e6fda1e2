// SPDX-License-Identifier: MIT
// Many more voices than can sound: those that would be heard best are rendered, the others go on in thought.
//
// A tracked voice is a note with a place, a gain and a priority. update() looks how loud each would be at the listener's ear
// and gives the engine the loudest as notes; one that drops out is faded within 2 ms, one that comes back starts at its age
// (envelopes as if it had sounded all the time) and fades in over 5 ms. A voice that sounds keeps its place until another is
// 3 dB above it, so that two of the same loudness do not take turns.
//
// Everything follows from the calls and the stream's frames: the same calls give the same notes.
#pragma once

#include <cstdint>

#include <tutti/event.h>

#include "engine/memory/memory.h"
#include "engine/stream/queue.h"

namespace tutti::engine {

struct TrackedVoice {
    int part = 0;
    int key = 60;
    float velocity = 1.0f;
    float gain = 1.0f;
    float pan = 0.0f;
    float pitch = 0.0f; // semitones
    float lowpass_hz = 0.0f;
    float send = 0.0f;
    float priority = 0.0f; // decibels added to its loudness where voices are compared
    float place[3] = {0.0f, 0.0f, 0.0f};
    float near_distance = 1.0f;
    float far_distance = 0.0f; // not above near_distance: no place, heard everywhere alike
    double seconds = 0.0;      // then it is let go; 0: when it is stopped
    bool around = false;       // on k_sectors parts that stand around the listener, in its own direction
};

enum class VoiceField : unsigned char { gain, pan, pitch, lowpass, send, priority };

// One thread at a time, which need not be that of the audio. Nothing allocates after prepare.
class VoiceTracker {
public:
    using Handle = std::uint64_t; // 0: none
    static constexpr std::size_t k_bytes_a_voice = 14 * 4 + 2 * 8 + 4 + 2 + 1 + 4 + 4 + 1;
    // Parts of a ring, 60 degrees apart: a part's two sides are 30 degrees to its left and right (stream/spread.h), so that a
    // voice's own pan moves it over its sector, and the last direction of one sector is the first of the next.
    static constexpr int k_sectors = 6;
    // [control]
    void prepare(int tracked, int audible, double sample_rate, EventQueue::Producer* sender);
    // The stream begins anew: all voices are gone.
    void set_ambisonic(bool yes) noexcept { m_ambisonic = yes; } // what the parts' sides go to
    void restart(double sample_rate, EventQueue::Producer* sender) noexcept;
    bool is_prepared() const noexcept { return m_capacity > 0; }

    // All below: by the thread that owns the tracker.
    Handle start(const TrackedVoice& voice, std::int64_t frame) noexcept; // 0: full
    bool stop(Handle handle, std::int64_t frame) noexcept;                // false: it has ended
    bool move(Handle handle, float x, float y, float z) noexcept;
    bool set(Handle handle, VoiceField field, float value) noexcept;
    bool is_tracked(Handle handle) const noexcept { return index_of(handle) >= 0; }
    bool is_audible(Handle handle) const noexcept;
    // `right`: a unit vector to the right of the listener.
    // `front`: to its front; without one the front that a right-handed system with y up has.
    void listen(const float place[3], const float right[3]) noexcept;
    void listen(const float place[3], const float right[3], const float front[3]) noexcept;
    // Chooses and posts; `frame` is the first that the next pull asks for.
    void update(std::int64_t frame) noexcept;

    int tracked() const noexcept { return m_count; }
    int audible() const noexcept { return m_heard_count; }

private:
    // What was posted of a voice that sounds.
    struct Heard {
        int index = -1;
        float score = 0.0f;
        std::int64_t settled = 0; // the fade-in ends here: gain is not touched before
        float gain = 0.0f, pan = 0.0f, pitch = 0.0f, lowpass = 0.0f, send = 0.0f;
    };

    int index_of(Handle handle) const noexcept;
    void free(int index) noexcept;
    float loudness(int index, float* pan) const noexcept;
    // Degrees to the right of the front.
    float azimuth(int index) const noexcept;
    float off_sector(int index) const noexcept;
    int part_of(int index) const noexcept; // where it sounds
    void loudnesses(int begin, int end) noexcept;
    bool hear(int index, float score, std::int64_t frame) noexcept; // false: the queue is full
    bool hush(int place, std::int64_t frame) noexcept; // fades and takes it out of m_heard; false: the queue is full
    void glide(Heard& heard, float to, std::int64_t frame, int steps) noexcept;
    void adjust(Heard& heard, std::int64_t frame) noexcept;
    bool post(const Event& event) noexcept { return m_sender->post(event); }
    std::int32_t note_id(int index) const noexcept { return static_cast<std::int32_t>(index) + k_first_note_id; }

    static constexpr std::int32_t k_first_note_id = 0x40000000; // the program's own notes are below

    int m_capacity = 0;
    int m_audible = 0;
    double m_rate = 48000.0;
    EventQueue::Producer* m_sender = nullptr;

    // [index]
    Vector<float> m_x, m_y, m_z, m_near, m_far, m_level, m_weight; // what every update reads: m_level = gain x velocity
    Vector<float> m_gain, m_pan, m_pitch, m_lowpass, m_send, m_velocity;
    Vector<float> m_score; // of the slice looked at last
    Vector<std::int64_t> m_start, m_end;
    Vector<std::uint32_t> m_generation; // odd: in use
    Vector<std::uint16_t> m_part;
    Vector<std::uint8_t> m_key;
    Vector<std::uint8_t> m_sector; // + 1; 0: not around
    Vector<std::int32_t> m_place;  // in m_heard, -1: not heard
    Vector<std::int32_t> m_free;   // stack
    Vector<Heard> m_heard;
    bool m_ambisonic = false;
    int m_count = 0;
    int m_highest = 0; // no index from here on is in use
    int m_heard_count = 0;
    int m_next = 0;            // where the slice begins
    std::int64_t m_frame = -1; // of the last update
    float m_listener[3] = {0.0f, 0.0f, 0.0f};
    float m_right[3] = {1.0f, 0.0f, 0.0f};
    float m_front[3] = {0.0f, 0.0f, -1.0f};
};

} // namespace tutti::engine
