// SPDX-License-Identifier: MIT
// A stream behind its public face: queue, renderer, the three modes, and what the control side owns.
#pragma once

#include <atomic>
#include <bitset>
#include <cstdint>
#include <memory>
#include <mutex>

#include "engine/memory/memory.h"
#include "engine/stream/clock.h"
#include "engine/stream/core.h"
#include "engine/stream/hooks.h"
#include "engine/stream/overload.h"
#include "engine/stream/ring.h"

namespace tutti::engine {

class StreamState {
public:
    // [control]
    StreamState(const StreamConfig& config, const Hooks& hooks, std::unique_ptr<Backend> backend, int threads);

    // [control]
    static Status check(const StreamConfig& config);
    Status set_patch(int part, const Patch& patch, std::int64_t frame);
    Status set_tuning(int part, const double* pitches, const std::bitset<128>& silent, std::int64_t frame);
    Status set_tuning(int part, const Tuning& tuning, std::int64_t frame);
    Status tune(const TuningMessage& message, std::int64_t frame);
    Status set_patch(int part, const PatchImage& image, std::int64_t frame); // `part` is one that exists
    Status set_effects(std::span<const PatchEffect> effects, std::int64_t frame);
    Status set_effects(std::span<const EffectImage> effects, std::int64_t frame);
    Status set_send(int send, std::span<const PatchEffect> effects, std::int64_t frame);
    Result<Clip> play(int part, std::shared_ptr<ClipPlayer> player, std::int64_t frame);
    Status stop(const ClipPlayer& player, std::int64_t frame);
    Status place(int part, float azimuth, float elevation, std::int64_t frame);
    std::int64_t closed() const noexcept TUTTI_NONBLOCKING { return m_queue->closed(); }
    void set_backend(std::unique_ptr<Backend> backend) { m_backend = std::move(backend); } // inactive
    int number() const noexcept { return m_number; }
    void set_number(int number) noexcept { m_number = number; } // before the first pull: its name in traces
    void set_mode(Mode mode); // inactive: nobody pulls, the render thread does not know the stream
    std::shared_ptr<EventQueue> queue() const { return m_queue; }

    bool pull(float* const* out, int frames) noexcept TUTTI_NONBLOCKING; // [audio]

    // The render thread's side of `ahead`. [device]
    bool block_due() const noexcept; // a closed block waits to be rendered, and there is room for it
    bool block_wanted() noexcept;    // a closed block is not rendered yet: takes what was posted
    int begin_step(BankStep* banks, int& count) noexcept;
    bool end_step() noexcept; // true where the block is done and published
    // The block that end_step() has published took `load` of the time it lasts and was seen done at `done_ns`; the
    // thread had meant to begin at `woken_ns`.
    void block_done(double load, std::int64_t woken_ns, std::int64_t done_ns) noexcept;
    Core& core() noexcept { return m_core; }

    const StreamConfig& config() const noexcept { return m_config; }
    Mode mode() const noexcept { return m_mode_seen.load(std::memory_order_relaxed); }
    const Histogram& load() const noexcept { return m_load; }
    const Histogram& audio_load() const noexcept { return m_audio_load; }
    int latency_frames() const noexcept {
        return (mode() == Mode::ahead ? m_latency : 0) + m_effect_latency.load(std::memory_order_relaxed) +
               m_longest_part_latency.load(std::memory_order_relaxed);
    }
    std::int64_t tail_frames() const noexcept { return m_core.tail_frames(); }
    std::int64_t now() const noexcept TUTTI_NONBLOCKING;
    PullMark mark() const noexcept TUTTI_NONBLOCKING { return m_clock.get(); }
    StreamStats stats() const noexcept;
    // `ahead`: pull may wait for the render thread (a host's offline bounce). [control]
    void set_waiting(bool on) noexcept { m_may_wait.store(on, std::memory_order_relaxed); }
    bool waiting() const noexcept { return m_may_wait.load(std::memory_order_relaxed); }

private:
    void render_here(float* const* out, int frames) noexcept;
    void take_ready(float* const* out, int frames, std::int64_t from) noexcept;
    void give(float* const* out, int at, const float* const* block, int offset, int frames) noexcept;
    void trace_voices() noexcept;
    void collect();
    Status post_tuning(std::unique_ptr<TuningTable> table, Event event);
    Status post_effects(int place, std::span<const EffectImage> effects, std::int64_t frame);
    Status ready_sends(const PatchImage& image);
    void prepare_ring();
    const voices::VoiceType* find_type(const std::string& id) const;

    StreamConfig m_config;
    const Hooks& m_hooks;
    std::shared_ptr<EventQueue> m_queue;
    Core m_core;
    std::unique_ptr<Backend> m_backend; // of the puller
    const int m_threads;
    Vector<BankStep> m_banks; // of the puller
    PullClock m_clock;
    std::atomic<Mode> m_mode_seen; // for threads that do not drive the stream
    Histogram m_load;              // of rendering, one value a pull or block [render]
    Histogram m_audio_load;        // of a pull [audio]
    int m_number = 0;
    std::atomic<std::int64_t> m_refused{0};

    // `ahead`
    BlockRing<> m_ring;
    int m_latency = 0;
    std::int64_t m_ring_start = 0; // first frame that went into the ring
    Vector<float> m_return;        // [frame] 0..1, raised cosine of 2 ms
    Vector<float> m_hold;          // [channel] last sample before the gap [audio]
    Vector<float> m_last;          // [channel] last sample given [audio]
    int m_gap_frames = 0;          // since the gap began [audio]
    int m_back_frames = 0;         // since samples are back [audio]
    std::int64_t m_last_late = -1; // block counted last [audio]
    std::atomic<std::int64_t> m_late_blocks{0};
    std::atomic<bool> m_may_wait{false};
    Overload m_overload;    // [device]
    LookAhead m_look_ahead; // [device]
    std::atomic<int> m_effect_latency{0};
    std::atomic<int> m_longest_part_latency{0};

    // [control]
    std::mutex m_mutex;
    std::unique_ptr<EventQueue::Producer> m_own;
    Vector<std::unique_ptr<Instance>> m_instances;
    Vector<std::unique_ptr<TuningTable>> m_tunings;
    Vector<int> m_tuning_numbers; // of TuningPrograms: those that were sent
    Vector<int> m_part_latency;   // of each part's present effects, frames
    Vector<std::unique_ptr<MasterEffects>> m_effects;
    bool m_send_ready[k_sends] = {};
    Vector<std::unique_ptr<ClipStart>> m_clips;
};

} // namespace tutti::engine
