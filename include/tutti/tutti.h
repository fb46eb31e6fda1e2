// SPDX-License-Identifier: MIT
// The C interface: an engine with one output, for games and for every language that can call C. C11 and C++11.
//
//     tutti_engine* engine = NULL;
//     tutti_config config = tutti_config_default();
//     if (tutti_create(&config, &engine) != TUTTI_OK) return 1;
//     tutti_set_patch(engine, 0, "soft-keys", TUTTI_NOW);
//     tutti_sender* sender = NULL;
//     tutti_sender_create(engine, &sender);
//     tutti_note_on(sender, TUTTI_NOW, 0, 60, 0.8, TUTTI_ANY_NOTE);
//     tutti_pull_interleaved(engine, samples, frames);
//
// Who may call, at the end of each comment: [any] any thread; [audio] the thread that pulls, one at a time; the sender's
// functions the thread that owns the sender; [control] any thread but that of the audio, one at a time an engine. What is
// [audio] never allocates, locks, waits, logs or calls the system. Strings are UTF-8; times are frames since the engine began.
#ifndef TUTTI_TUTTI_H
#define TUTTI_TUTTI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TUTTI_VERSION_MAJOR 0
#define TUTTI_VERSION_MINOR 1
#define TUTTI_VERSION_PATCH 0
#define TUTTI_VERSION_NUMBER (TUTTI_VERSION_MAJOR * 10000 + TUTTI_VERSION_MINOR * 100 + TUTTI_VERSION_PATCH)

#if defined(_WIN32) && defined(TUTTI_BUILDING_LIBRARY)
#define TUTTI_CAPI __declspec(dllexport)
#elif defined(_WIN32) && defined(TUTTI_SHARED_LIBRARY)
#define TUTTI_CAPI __declspec(dllimport)
#elif defined(__GNUC__) || defined(__clang__)
#define TUTTI_CAPI __attribute__((visibility("default")))
#else
#define TUTTI_CAPI
#endif
#if defined(__cplusplus)
#define TUTTI_NOEXCEPT noexcept
#else
#define TUTTI_NOEXCEPT
#endif
#ifndef TUTTI_NONBLOCKING // as in platform.h: clang 20 and later then check it
#if defined(__cplusplus) && defined(__clang__) && __clang_major__ >= 20
#define TUTTI_NONBLOCKING [[clang::nonblocking]]
#else
#define TUTTI_NONBLOCKING
#endif
#endif

#if defined(__cplusplus)
extern "C" {
#endif

#define TUTTI_NOW ((int64_t)-1)      // frame: the first one that is not rendered yet
#define TUTTI_ANY_NOTE ((int32_t)-1) // note id: whatever note has this key
#define TUTTI_EVERY_PART 0xffff      // part
#define TUTTI_MAX_CHANNELS 16

// Families by hundreds: 100 the caller's words, 200 files and data, 300 state, 400 devices and backends.
typedef enum tutti_result {
    TUTTI_OK = 0,
    TUTTI_INVALID_ARGUMENT = 100,
    TUTTI_OUT_OF_RANGE = 101,
    TUTTI_NOT_FOUND = 102,
    TUTTI_UNSUPPORTED = 103,
    TUTTI_FILE_NOT_FOUND = 200,
    TUTTI_FILE_UNREADABLE = 201,
    TUTTI_FILE_UNWRITABLE = 202,
    TUTTI_MALFORMED = 203,
    TUTTI_TRUNCATED = 204,
    TUTTI_TOO_LARGE = 205,
    TUTTI_WRONG_STATE = 300,
    TUTTI_FULL = 301,
    TUTTI_CANCELLED = 302,
    TUTTI_OUT_OF_MEMORY = 303,
    TUTTI_DEADLINE = 304,
    TUTTI_NO_DEVICE = 400,
    TUTTI_DEVICE_FAILED = 401,
    TUTTI_BACKEND_FAILED = 402,
    TUTTI_INTERNAL = 900
} tutti_result;

typedef struct tutti_engine tutti_engine;
typedef struct tutti_sender tutti_sender; // posts events; one thread at a time
typedef struct tutti_clip tutti_clip;     // sound from memory, at work on a part
typedef uint64_t tutti_voice;             // a tracked voice; 0 is none

// --- What can be asked without an engine

// TUTTI_VERSION_NUMBER of the library that runs, "0.1.0". [any]
TUTTI_CAPI uint32_t tutti_version(void) TUTTI_NOEXCEPT;
TUTTI_CAPI const char* tutti_version_string(void) TUTTI_NOEXCEPT;
// "TUTTI_NOT_FOUND", and a sentence for people; never null, static. [any]
TUTTI_CAPI const char* tutti_result_name(tutti_result result) TUTTI_NOEXCEPT;
TUTTI_CAPI const char* tutti_result_text(tutti_result result) TUTTI_NOEXCEPT;

// Voice types and effects by place, 0 and up; null behind the last. Static. [any]
TUTTI_CAPI const char* tutti_voice_type(int32_t place) TUTTI_NOEXCEPT;
TUTTI_CAPI const char* tutti_effect_type(int32_t place) TUTTI_NOEXCEPT;
TUTTI_CAPI const char* tutti_factory_patch(int32_t place) TUTTI_NOEXCEPT;

typedef struct tutti_parameter {
    uint32_t struct_size;
    int32_t choice_count; // 0: a number
    const char* id;       // stable for ever
    const char* name;
    const char* group;
    const char* const* choices;
    float minimum, maximum, initial;
} tutti_parameter;
// Parameter `index` of a voice type or an effect. Errors: not_found, out_of_range (behind the last). [any]
TUTTI_CAPI tutti_result tutti_parameter_info(const char* type, int32_t index, tutti_parameter* out) TUTTI_NOEXCEPT;
// Its index by id, -1 where there is none. [any]
TUTTI_CAPI int32_t tutti_parameter_index(const char* type, const char* id) TUTTI_NOEXCEPT;

// --- The engine

typedef enum tutti_mode {
    TUTTI_MODE_INLINE = 0, // the caller of pull renders; no thread of ours
    TUTTI_MODE_AHEAD = 1,  // a thread of ours renders, pull copies; adds tutti_latency_frames()
    TUTTI_MODE_OFFLINE = 2 // the caller renders, helped by threads, as fast as it goes
} tutti_mode;

typedef enum tutti_layout { // what the channels are; order as in WAVE files
    TUTTI_DISCRETE = 0,     // channel 0 and 1 are left and right, others stay silent unless a clip fills them
    TUTTI_SURROUND_5_1 = 1, // L R C LFE Ls Rs
    TUTTI_SURROUND_7_1 = 2, // L R C LFE Lb Rb Ls Rs
    TUTTI_AMBISONIC = 3     // ACN, SN3D; 4, 9 or 16 channels: order 1, 2 or 3
} tutti_layout;

typedef enum tutti_log_level { TUTTI_LOG_NONE = 0, TUTTI_LOG_ERROR = 1, TUTTI_LOG_INFO = 2 } tutti_log_level;

typedef struct tutti_allocator {
    void* user;
    void* (*allocate)(void* user, size_t size, size_t alignment); // null: there is no more
    void (*release)(void* user, void* place, size_t size, size_t alignment);
} tutti_allocator;

typedef struct tutti_config {
    uint32_t struct_size;
    double sample_rate;        // 8,000..192,000 Hz
    int32_t channels;          // 1..16
    tutti_layout layout;       // must fit the channels
    tutti_mode mode;           // only TUTTI_MODE_INLINE in a block of the caller's
    int32_t max_frames;        // largest block of a pull in TUTTI_MODE_AHEAD
    int32_t look_ahead_blocks; // of 64 frames, TUTTI_MODE_AHEAD only
    int32_t threads;           // of TUTTI_MODE_AHEAD and TUTTI_MODE_OFFLINE; 0: one a core, at most 8
    int32_t parts;             // 1..256
    int32_t voices;            // that may sound at once
    int32_t senders;           // most at once, 1..256
    int32_t events;            // that may wait, 16..32768
    int32_t tracked_voices;    // 0: none; see tutti_voice_start
    int32_t audible_voices;    // of them, that sound at once
    uint64_t seed;             // of noise, drift and humanising: the same seed and events give the same samples
    size_t patch_bytes;        // kept for patches, effects and clips in tutti_memory_size()
    bool limiter;
    bool soft_start;           // 20 ms fade-in
    tutti_allocator allocator; // both functions null: the system's; not for tutti_create_in
    tutti_log_level log_level;
    void (*log)(void* user, tutti_log_level level, const char* text); // from control calls only; null: silence
    void* log_user;
} tutti_config;

// Fills `config` with defaults as far as `size` goes and writes struct_size. [any]
TUTTI_CAPI void tutti_config_init(tutti_config* config, size_t size) TUTTI_NOEXCEPT;

// Errors: out_of_range (the detail names the field), unsupported, out_of_memory. *engine is null then. [control]
TUTTI_CAPI tutti_result tutti_create(const tutti_config* config, tutti_engine** engine) TUTTI_NOEXCEPT;
// How large a block tutti_create_in wants; 0 where the config is wrong. [any]
TUTTI_CAPI size_t tutti_memory_size(const tutti_config* config) TUTTI_NOEXCEPT;
// Everything the engine will ever need lies in [memory, memory + size): no heap, no threads, neither now nor later. The block
// belongs to the engine until tutti_destroy. Errors: as tutti_create; unsupported for modes with threads. [control]
TUTTI_CAPI tutti_result tutti_create_in(void* memory, size_t size, const tutti_config* config,
                                        tutti_engine** engine) TUTTI_NOEXCEPT;
// Nobody pulls or posts any more; its senders and clips become invalid. Null is allowed. [control]
TUTTI_CAPI void tutti_destroy(tutti_engine* engine) TUTTI_NOEXCEPT;
// What the last call that failed had to say, "" where none did; null: the last failed create of this thread. Valid until the
// next failure. [control]
TUTTI_CAPI const char* tutti_last_error(const tutti_engine* engine) TUTTI_NOEXCEPT;

// --- Sound

// Fills out[channel][frame], any number of frames; silence where it returns an error. Errors: invalid_argument (null),
// wrong_state (more than max_frames in TUTTI_MODE_AHEAD). [audio]
TUTTI_CAPI tutti_result tutti_pull(tutti_engine* engine, float* const* out,
                                   uint32_t frames) TUTTI_NOEXCEPT TUTTI_NONBLOCKING;
// The same to out[frame * channels + channel]. [audio]
TUTTI_CAPI tutti_result tutti_pull_interleaved(tutti_engine* engine, float* out,
                                               uint32_t frames) TUTTI_NOEXCEPT TUTTI_NONBLOCKING;
// Paused, pulls fade out within 5 ms and then give silence; time stands still. [any]
TUTTI_CAPI void tutti_pause(tutti_engine* engine, bool paused) TUTTI_NOEXCEPT TUTTI_NONBLOCKING;
// While nobody pulls or posts: the engine begins anew at frame 0 with the same patches, tunings, effects and senders; notes,
// clips and tracked voices are gone. Errors: out_of_range, out_of_memory (it then keeps its rate). [control]
TUTTI_CAPI tutti_result tutti_set_sample_rate(tutti_engine* engine, double sample_rate) TUTTI_NOEXCEPT;
// The first frame that the next pull asks for: an event at an offset into that block has this frame plus the offset. [any]
TUTTI_CAPI int64_t tutti_frame(const tutti_engine* engine) TUTTI_NOEXCEPT TUTTI_NONBLOCKING;
TUTTI_CAPI int32_t tutti_latency_frames(const tutti_engine* engine) TUTTI_NOEXCEPT TUTTI_NONBLOCKING;
TUTTI_CAPI int64_t tutti_tail_frames(const tutti_engine* engine) TUTTI_NOEXCEPT TUTTI_NONBLOCKING;

typedef struct tutti_stats {
    uint32_t struct_size;
    int32_t voices;                              // sounding now
    int32_t tracked_voices, audible_voices;      // now
    int64_t frames, late_events, dropped_events; // since the beginning, as all below
    int64_t late_blocks, refused_pulls, stolen_voices, shed_voices, muted_voices;
    float peak; // of the last block, linear
    uint32_t reserved;
    uint64_t memory_used, memory_most, memory_size; // bytes; of a caller's block, else 0
} tutti_stats;
// Fills as far as stats->struct_size goes. [any]
TUTTI_CAPI tutti_result tutti_get_stats(const tutti_engine* engine, tutti_stats* stats) TUTTI_NOEXCEPT;
// "cpu (avx512)"; valid as long as the engine. [any]
TUTTI_CAPI const char* tutti_backend(const tutti_engine* engine) TUTTI_NOEXCEPT;

// --- Patches

// Reads up to `size` bytes to `to`; 0 at the end, less than 0 where it failed.
typedef struct tutti_reader {
    void* user;
    int64_t (*read)(void* user, void* to, size_t size);
} tutti_reader;

// A factory patch by name takes over the part at `frame`. Errors: not_found, out_of_range (part), full (too many patches still
// ring out), out_of_memory. [control]
TUTTI_CAPI tutti_result tutti_set_patch(tutti_engine* engine, int32_t part, const char* name,
                                        int64_t frame) TUTTI_NOEXCEPT;
// One from a patch file's text, in memory or read piece by piece. Errors: as above; malformed, too_large (64 KiB). [control]
TUTTI_CAPI tutti_result tutti_set_patch_text(tutti_engine* engine, int32_t part, const void* text, size_t size,
                                             int64_t frame) TUTTI_NOEXCEPT;
TUTTI_CAPI tutti_result tutti_set_patch_from(tutti_engine* engine, int32_t part, const tutti_reader* reader,
                                             int64_t frame) TUTTI_NOEXCEPT;
// Effects of the whole output, a JSON list as under "effects" in a patch file: [{"type": "reverb"}]. [control]
TUTTI_CAPI tutti_result tutti_set_effects(tutti_engine* engine, const void* text, size_t size,
                                          int64_t frame) TUTTI_NOEXCEPT;
// The pitch of each key in semitones on MIDI's scale. Errors: out_of_range. [control]
TUTTI_CAPI tutti_result tutti_set_tuning(tutti_engine* engine, int32_t part, const double semitones[128],
                                         int64_t frame) TUTTI_NOEXCEPT;
// Where a part stands around the listener: degrees to the right of the front, degrees up; layouts other than discrete. [control]
TUTTI_CAPI tutti_result tutti_place_part(tutti_engine* engine, int32_t part, float azimuth,
                                         float elevation) TUTTI_NOEXCEPT;

// --- Events. False: the queue is full or an argument is wrong; dropped and, where the queue was full, counted.

// Errors: full. [control]
TUTTI_CAPI tutti_result tutti_sender_create(tutti_engine* engine, tutti_sender** sender) TUTTI_NOEXCEPT;
TUTTI_CAPI void tutti_sender_destroy(tutti_sender* sender) TUTTI_NOEXCEPT;

typedef enum tutti_expression {
    TUTTI_PITCH = 0,    // semitones, -120..120
    TUTTI_GAIN = 1,     // linear, 0..4
    TUTTI_PAN = 2,      // -1..1
    TUTTI_PRESSURE = 3, // 0..1
    TUTTI_TIMBRE = 4,   // 0..1
    TUTTI_SEND = 5,     // 0..1
    TUTTI_LOWPASS = 6   // cutoff in Hz, 0 is open
} tutti_expression;

// key 0..127, velocity 0..1, an id of the caller's choice to find the note again. [audio] by the thread that owns the sender
TUTTI_CAPI bool tutti_note_on(tutti_sender* sender, int64_t frame, int32_t part, int32_t key, double velocity,
                              int32_t note_id) TUTTI_NOEXCEPT TUTTI_NONBLOCKING;
TUTTI_CAPI bool tutti_note_off(tutti_sender* sender, int64_t frame, int32_t part, int32_t key,
                               int32_t note_id) TUTTI_NOEXCEPT TUTTI_NONBLOCKING;
TUTTI_CAPI bool tutti_note_choke(tutti_sender* sender, int64_t frame, int32_t part, int32_t key,
                                 int32_t note_id) TUTTI_NOEXCEPT TUTTI_NONBLOCKING; // fades within 2 ms
TUTTI_CAPI bool tutti_note_express(tutti_sender* sender, int64_t frame, int32_t part, int32_t key, int32_t note_id,
                                   tutti_expression expression, double value) TUTTI_NOEXCEPT TUTTI_NONBLOCKING;
// A MIDI 1.0 channel message: status byte, two data bytes. Program change does nothing: see tutti_set_patch.
TUTTI_CAPI bool tutti_midi(tutti_sender* sender, int64_t frame, int32_t part, uint8_t status, uint8_t data1,
                           uint8_t data2) TUTTI_NOEXCEPT TUTTI_NONBLOCKING; // [audio]
// Parameter by index in the table of the part's voice type, in its own unit; of the part's effect number `effect` (part
// TUTTI_EVERY_PART: the output's); macro 0..7, 0..1. [audio] by the thread that owns the sender
TUTTI_CAPI bool tutti_parameter_set(tutti_sender* sender, int64_t frame, int32_t part, int32_t parameter,
                                    double value) TUTTI_NOEXCEPT TUTTI_NONBLOCKING;
TUTTI_CAPI bool tutti_effect_set(tutti_sender* sender, int64_t frame, int32_t part, int32_t effect, int32_t parameter,
                                 double value) TUTTI_NOEXCEPT TUTTI_NONBLOCKING;
TUTTI_CAPI bool tutti_macro_set(tutti_sender* sender, int64_t frame, int32_t part, int32_t macro,
                                double value) TUTTI_NOEXCEPT TUTTI_NONBLOCKING;
TUTTI_CAPI bool tutti_tempo_set(tutti_sender* sender, int64_t frame,
                                double beats_per_minute) TUTTI_NOEXCEPT TUTTI_NONBLOCKING;
// Releases every note of the part; `at_once` fades them within 2 ms instead. [audio] by the thread that owns the sender
TUTTI_CAPI bool tutti_notes_off(tutti_sender* sender, int64_t frame, int32_t part,
                                bool at_once) TUTTI_NOEXCEPT TUTTI_NONBLOCKING;

// --- Clips

typedef struct tutti_sound {
    uint32_t struct_size;
    int32_t channels;            // 1..16
    const float* const* samples; // samples[channel][frame]
    int64_t frames;
    double sample_rate; // 1..1,000,000 Hz
    bool borrow;        // the samples stay where they are until the clip is released; else they are copied
    bool loop;          // for ever from loop_begin
    int64_t loop_begin;
    double gain_db, pitch; // semitones, -48..48
    double fade_seconds;   // at its beginning and where it is stopped
} tutti_sound;
// Errors: invalid_argument, out_of_range, full, out_of_memory. [control]
TUTTI_CAPI tutti_result tutti_play(tutti_engine* engine, int32_t part, const tutti_sound* sound, int64_t frame,
                                   tutti_clip** clip) TUTTI_NOEXCEPT;
// A clip that is written while it plays: voice chat, streamed music, decoded films. `samples` and `frames` are not used. [control]
TUTTI_CAPI tutti_result tutti_play_written(tutti_engine* engine, int32_t part, const tutti_sound* sound,
                                           double buffer_seconds, int64_t frame, tutti_clip** clip) TUTTI_NOEXCEPT;
// How many frames fitted. [worker] any one thread
TUTTI_CAPI uint32_t tutti_clip_write(tutti_clip* clip, const float* const* samples, uint32_t frames) TUTTI_NOEXCEPT;
TUTTI_CAPI void tutti_clip_finish(tutti_clip* clip) TUTTI_NOEXCEPT; // nothing more will come [worker]
TUTTI_CAPI tutti_result tutti_clip_stop(tutti_clip* clip, int64_t frame) TUTTI_NOEXCEPT; // [control]
TUTTI_CAPI bool tutti_clip_ended(const tutti_clip* clip) TUTTI_NOEXCEPT;                 // [any]
// Lets the handle go; the clip plays on unless its samples are borrowed: then it must have ended (wrong_state). [control]
TUTTI_CAPI tutti_result tutti_clip_release(tutti_clip* clip) TUTTI_NOEXCEPT;

// --- Tracked voices: many more than can sound. The loudest at the listener's ear are rendered, the others go on in thought and
// come back at their age. Needs config.tracked_voices, and parts whose patches are polyphonic. By one thread at a time an engine,
// which need be none of the others.

typedef struct tutti_voice_start_info {
    uint32_t struct_size;
    int32_t part, key;
    float velocity, gain, pan; // as of notes
    float pitch;               // semitones
    float lowpass_hz, send;
    float priority;      // decibels added to its loudness where voices are compared
    float x, y, z;       // where it stands; y is up
    float near_distance; // full loudness up to here, then less with the distance
    float far_distance;  // nothing from here on; 0: no place, heard everywhere alike
    double seconds;      // then it is let go; 0: when it is stopped
    int32_t around; // 1: on six parts from `part` on, placed at 0, 60, .. 300 degrees, it stands in its own direction
} tutti_voice_start_info;
// Velocity 0.8, gain 1, near distance 1; the rest 0. [any]
TUTTI_CAPI void tutti_voice_init(tutti_voice_start_info* info, size_t size) TUTTI_NOEXCEPT;
// 0: as many as config.tracked_voices are there, or the part does not exist. [control] by the thread of the voices
TUTTI_CAPI tutti_voice tutti_voice_start(tutti_engine* engine, const tutti_voice_start_info* info) TUTTI_NOEXCEPT;
// Lets it go as a key is. False, here and below: it has ended. [control] by the thread of the voices
TUTTI_CAPI bool tutti_voice_stop(tutti_engine* engine, tutti_voice voice) TUTTI_NOEXCEPT;
TUTTI_CAPI bool tutti_voice_move(tutti_engine* engine, tutti_voice voice, float x, float y, float z) TUTTI_NOEXCEPT;
// TUTTI_PITCH, TUTTI_GAIN, TUTTI_PAN, TUTTI_SEND, TUTTI_LOWPASS. [control] by the thread of the voices
TUTTI_CAPI bool tutti_voice_set(tutti_engine* engine, tutti_voice voice, tutti_expression field,
                                float value) TUTTI_NOEXCEPT;
TUTTI_CAPI bool tutti_voice_is_audible(const tutti_engine* engine, tutti_voice voice) TUTTI_NOEXCEPT;
// Where the listener is, and a vector to its right. [control] by the thread of the voices
TUTTI_CAPI void tutti_listener_move(tutti_engine* engine, const float place[3], const float right[3]) TUTTI_NOEXCEPT;
// The same and a vector to its front, for voices `around`: more than two loudspeakers, ambisonic. [control] as above
TUTTI_CAPI void tutti_listener_face(tutti_engine* engine, const float place[3], const float right[3],
                                    const float front[3]) TUTTI_NOEXCEPT;
// Chooses who sounds and posts what has changed: once a picture, or once a block. [control] by the thread of the voices
TUTTI_CAPI void tutti_voices_update(tutti_engine* engine) TUTTI_NOEXCEPT;

// --- Jobs: work of the caller's on a thread beside the audio: loading, decoding, generating

typedef struct tutti_job tutti_job;
typedef struct tutti_job_context tutti_job_context; // as long as the work runs
typedef tutti_result (*tutti_job_work)(void* user, tutti_job_context* context);
// Begins when a thread of the worker is free; the first job starts them. Errors: unsupported (an engine in a block of the
// caller's), invalid_argument, out_of_memory. [control]
TUTTI_CAPI tutti_result tutti_job_start(tutti_engine* engine, const char* name, int32_t priority, tutti_job_work work,
                                        void* user, tutti_job** job) TUTTI_NOEXCEPT;
// True once it has ended; its result and progress 0..1 where they are not null. [any]
TUTTI_CAPI bool tutti_job_poll(const tutti_job* job, tutti_result* result, double* progress) TUTTI_NOEXCEPT;
TUTTI_CAPI void tutti_job_cancel(tutti_job* job) TUTTI_NOEXCEPT; // it ends soon [any]
// False: it has not ended within `seconds`; less than 0: waits for ever. [control]
TUTTI_CAPI bool tutti_job_wait(tutti_job* job, double seconds) TUTTI_NOEXCEPT;
TUTTI_CAPI void tutti_job_release(tutti_job* job) TUTTI_NOEXCEPT; // the handle; the job goes on [control]
TUTTI_CAPI bool tutti_job_is_cancelled(const tutti_job_context* context) TUTTI_NOEXCEPT; // [worker]
TUTTI_CAPI void tutti_job_report(tutti_job_context* context, const char* stage,
                                 double progress) TUTTI_NOEXCEPT; // [worker]

#if defined(__cplusplus)
}
#endif

// The defaults: stereo at 48 kHz, 16 parts, 64 voices, inline. [any]
static inline tutti_config tutti_config_default(void) {
    tutti_config config;
    tutti_config_init(&config, sizeof config);
    return config;
}
// The defaults of a tracked voice. [any]
static inline tutti_voice_start_info tutti_voice_default(void) {
    tutti_voice_start_info info;
    tutti_voice_init(&info, sizeof info);
    return info;
}

#endif
