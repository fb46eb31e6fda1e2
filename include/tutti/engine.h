// SPDX-License-Identifier: MIT
// Engine and Stream: what sounds, and how it is asked for.
//
//     auto engine = tutti::Engine::create().value();
//     auto stream = engine->open({.sample_rate = 48000.0}).value();
//     stream->set_patch(0, tutti::Patch::factory("warm-pad").value());
//     auto sender = stream->make_sender().value();
//     sender.post(tutti::Event::note_on(0, 0, 60, 0.8));
//     stream->pull(out, frames);
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include <tutti/clip.h>
#include <tutti/event.h>
#include <tutti/patch.h>
#include <tutti/status.h>
#include <tutti/tuning.h>

namespace tutti {

// Who renders. All three give the same samples; `ahead` delays them by Stream::latency_frames().
enum class Mode : std::uint8_t { inline_, ahead, offline };

// What the channels are; order as in WAVE files. Parts stand where Event::place puts them; at the front at first.
enum class Layout : std::uint8_t {
    discrete,     // channels 0 and 1 are left and right, others stay silent unless a clip fills them
    surround_5_1, // L R C LFE Ls Rs
    surround_7_1, // L R C LFE Lb Rb Ls Rs
    ambisonic,    // ACN, SN3D; 4, 9 or 16 channels: order 1, 2 or 3
};

struct EngineConfig {
    int threads = 0;              // that serve `ahead` and `offline`, the caller included; 0: one a core, at most 8
    std::string backend = "auto"; // "auto", "cpu"
};

struct StreamConfig {
    double sample_rate = 48000.0; // 8,000..192,000 Hz, any real number
    int channels = 2;             // 1..16
    Layout layout = Layout::discrete;
    Mode mode = Mode::inline_;
    int max_frames = 8192;     // largest block of a pull; in `ahead` larger ones are refused
    int look_ahead_blocks = 4; // render blocks of 64 frames, `ahead` only
    int parts = 16;            // 1..256
    int voices = 512;  // that may sound at once in the whole stream, unison copies counted; stolen ones fade besides
    int senders = 8;   // most senders at once
    int events = 8192; // events that may wait, 16..32768
    std::uint64_t seed = 1; // of noise, drift and humanising
    bool limiter = true;
    bool soft_start = false; // 20 ms fade-in, for live devices
    bool shed = true; // `ahead`: under overload the quietest voices are faded out and counted before a block is dropped
};

// Counters since the stream was opened, and its present state. Readable at any time.
struct StreamStats {
    std::int64_t frames = 0;         // closed frames: asked of pull so far
    std::int64_t late_events = 0;    // took effect later than their frame
    std::int64_t dropped_events = 0; // the queue was full
    std::int64_t late_blocks = 0;    // `ahead`: not ready when asked for, concealed
    std::int64_t refused_pulls = 0;  // larger than max_frames in `ahead`, null buffers
    std::int64_t stolen_voices = 0;
    std::int64_t shed_voices = 0;
    std::int64_t muted_voices = 0; // not finite, silenced alone
    std::int64_t dry_clips = 0;    // gaps of written clips whose writer was late
    int voices = 0;                // sounding now
    int ring_blocks = 0;           // ready in the ring
    int proposed_look_ahead = 0;   // `ahead`: render blocks that this machine needs, as measured; 0: not known yet
    float peak = 0.0f;             // of the last block, linear
};

// A distribution: half of the values are at or below p50, 999 of 1,000 at or below p999; each at most a sixteenth too high.
struct Distribution {
    double p50 = 0.0;
    double p99 = 0.0;
    double p999 = 0.0;
    double max = 0.0;
    std::int64_t count = 0;
};

// The whole engine since it was made: all streams, open and closed. Loads are time taken over the time that the sound lasts.
struct EngineStats {
    Distribution load;          // of rendering a block, whoever renders it
    Distribution audio_load;    // of the audio threads: all of a pull
    std::int64_t underruns = 0; // late blocks
    std::int64_t dropped_events = 0;
    std::int64_t late_events = 0;
    std::int64_t refused_pulls = 0;
    std::int64_t stolen_voices = 0;
    std::int64_t shed_voices = 0;
    std::int64_t muted_voices = 0;
    int streams = 0;                 // open now
    int voices = 0;                  // sounding now
    int ring_blocks = 0;             // ready now, in the ring that holds the fewest
    int look_ahead_blocks = 0;       // the most that an open stream in `ahead` has; 0: none is
    int proposed_look_ahead = 0;     // the most that one of them needs, as measured; 0: not known yet
    std::int64_t stalls = 0;         // of the render thread, each seen within 250 ms
    std::int64_t rescued_passes = 0; // of a stalled render thread, done by its watchdog
    bool stalled = false;            // it stalls now
    bool real_time = false;          // the render thread has real-time priority
    int threads = 0;                 // that render `ahead` and `offline`
    std::int64_t memory_bytes = 0;   // resident, of the process, as the last control call saw it
    const char* backend = "";        // what was chosen: "cpu (avx512)"
    const char* fallback = ""; // why something else renders, or runs without what it wished for; empty: nothing to say
};

class Engine;
class Stream;
class Worker;
namespace engine {
struct EngineAccess;
}

// Posts events to one stream. Used by one thread at a time; at most StreamConfig::senders at once. Movable.
class TUTTI_API Sender {
public:
    Sender() noexcept;
    Sender(Sender&&) noexcept;
    Sender& operator=(Sender&&) noexcept;
    ~Sender();
    // false: the queue is full or the sender is empty; the event is dropped and counted. [audio] [any thread that owns the sender]
    bool post(const Event& event) noexcept TUTTI_NONBLOCKING;
    explicit operator bool() const noexcept { return m_queue != nullptr; } // [any]

private:
    friend class Stream;
    struct Queue;
    Queue* m_queue = nullptr;
    std::shared_ptr<void> m_keep;
};

class TUTTI_API Stream {
public:
    ~Stream();
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    const StreamConfig& config() const noexcept; // [any]

    // Prepares the patch and lets it take over the part at `frame`; sounding notes end with the patch they began with.
    // Errors: not_found (voice type, effect, parameter), out_of_range (part), full (voices). [control]
    Status set_patch(int part, const Patch& patch, std::int64_t frame = k_asap);
    // The pitch of each key in semitones on MIDI's scale (69.0 is 440 Hz); sounding notes follow. [control]
    Status set_tuning(int part, const std::array<double, 128>& semitones, std::int64_t frame = k_asap);
    // Keys that the tuning leaves out stay silent from then on. [control]
    Status set_tuning(int part, const Tuning& tuning, std::int64_t frame = k_asap);
    // A message of the MIDI Tuning Standard changes the tuning program that it names, and with it what the parts play that have
    // chosen that program (by RPN 3 and, for its bank, RPN 4; at first program 0 of bank 0); one for channels changes what these play.
    // Sounding notes follow real-time messages alone. A stream keeps 16 programs. set_tuning() is another way to say what a part
    // plays, until it chooses a program. Errors: full, out_of_range. [control]
    Status tune(const TuningMessage& message, std::int64_t frame = k_asap);
    // The stream's own effects, after the mix of all parts and before the limiter; taken over within 20 ms. Errors: as
    // set_patch. [control]
    Status set_effects(std::span<const PatchEffect> effects, std::int64_t frame = k_asap);
    // What parts send to, besides the mix: 0 is the room, 1 the hall (Patch::room_send, Patch::hall_send; controller 91 scales
    // both). Without this call they are reverbs of 1.8 and 3.4 s, made when a patch first sends there. Errors: as set_effects,
    // out_of_range (send). [control]
    Status set_send(int send, std::span<const PatchEffect> effects, std::int64_t frame = k_asap);
    // Plays a sound on a part from `frame` on. Errors: out_of_range (part, config), invalid_argument (no samples). [control]
    Result<Clip> play(int part, std::shared_ptr<const Sound> sound, const ClipConfig& config = {},
                      std::int64_t frame = k_asap);
    // A clip that a worker writes while it plays, through a ring of `buffer_seconds` (0.01..60); channels 1..16. [control]
    Result<Clip> play_written(int part, int channels, double sample_rate, double buffer_seconds = 1.0,
                              const ClipConfig& config = {}, std::int64_t frame = k_asap);
    // Errors: full (StreamConfig::senders are in use). [control]
    Result<Sender> make_sender();
    // Only while nobody pulls. Time goes on; towards `ahead` the first latency_frames() are silent. [control]
    Status set_mode(Mode mode);
    // A host's offline bounce in `ahead`: pull may then wait for the render thread. Set before the bounce begins. [control]
    void set_bounce(bool on) noexcept;

    // Gives the next `frames` frames to out[channel][frame]. Always fills `out`; false where the call was refused (silence).
    // inline and offline: [n, n+frames); ahead: [n-L, n+frames-L). [audio], by one thread at a time
    bool pull(float* const* out, int frames) noexcept TUTTI_NONBLOCKING;

    // The closed frame plus the time since the last pull: the stamp for live input. [any]
    std::int64_t now() const noexcept TUTTI_NONBLOCKING;
    // Of the mode, of the stream's effects, and the longest of the parts' effects (others of its parts are not delayed). [any]
    int latency_frames() const noexcept;
    std::int64_t tail_frames() const noexcept; // how long effects may go on sounding after the last voice [any]
    StreamStats stats() const noexcept;        // [any]
    double sample_rate() const noexcept;       // [any]

private:
    friend class Engine;
    struct Impl;
    explicit Stream(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> m_impl;
};

class TUTTI_API Engine {
public:
    // Errors: unsupported (backend, instruction set forced by TUTTI_ISA). [control]
    static Result<std::unique_ptr<Engine>> create(const EngineConfig& config = {});
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    // Allocates everything the stream will need. Errors: out_of_range (which field and its range). [control]
    Result<std::shared_ptr<Stream>> open(const StreamConfig& config = {});
    // "cpu (avx512)". [any]
    const char* backend() const noexcept;
    // Heavy jobs beside the audio (tutti/worker.h); made at the first call, ends with the engine. Jobs are told to use one
    // thread while a stream of this engine is pulled live, and every core while none is. [control]
    Worker& worker();
    // A snapshot of counters, loads and states; takes no lock. [any]
    EngineStats stats() const noexcept;

private:
    friend struct engine::EngineAccess;
    struct Impl;
    explicit Engine(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> m_impl;
};

} // namespace tutti
