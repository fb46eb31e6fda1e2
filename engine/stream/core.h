// SPDX-License-Identifier: MIT
// The renderer of one stream: events in frame order, voices and tables, part buses, mix. The same in every mode.
//
// One thread at a time drives it: the puller in `inline` and `offline`, the render thread in `ahead`. A pull is cut into
// steps that never cross a multiple of 64; a step may also end early, and nothing in the result shows where.
#pragma once

#include <atomic>
#include <cstdint>

#include <tutti/engine.h>

#include "engine/memory/memory.h"
#include "engine/stream/master.h"
#include "engine/stream/part.h"
#include "engine/stream/queue.h"

namespace tutti::engine {

// A clip on its way to a part, with a bus for parts that have no patch.
struct ClipStart : FromMemory {
    std::shared_ptr<ClipPlayer> player;
    std::unique_ptr<Instance> bus;
};

class Core {
public:
    // Throws std::bad_alloc. [control]
    Core(const StreamConfig& config, EventQueue& queue);
    Core(const Core&) = delete;
    Core& operator=(const Core&) = delete;

    // Most banks of a step. Instances beyond it may not be prepared. [control]
    int bank_capacity() const noexcept { return static_cast<int>(m_banks.size()); }

    // All below: [render].
    std::int64_t frame() const noexcept { return m_frame; } // the first that is not rendered
    int voices() const noexcept { return m_counts.notes; }  // sounding or fading
    int sounding_slots() const noexcept { return m_counts.slots; }
    // Takes what was posted. Before the first step of a pull or of a closed block.
    void drain() noexcept TUTTI_NONBLOCKING;
    // Overload: so many of the quietest voices fade out at the next step's beginning, as their control records say.
    void shed(int voices) noexcept TUTTI_NONBLOCKING { m_shed_wanted = voices; }
    // Begins a step of at most `frames`; returns its length. Appends its banks to `banks` and returns how many in `count`.
    int begin_step(int frames, BankStep* banks, int& count) noexcept TUTTI_NONBLOCKING;
    // Where pull may wait (`offline`): until the step's frames of written clips are there. After begin_step.
    void wait_for_clips() noexcept;
    // After the backend: the parts' effects, in jobs that share nothing, on any threads; returns how many. Then end_step.
    int effect_jobs() noexcept TUTTI_NONBLOCKING;
    // `apart`: beside others on another thread, so it has a span of its own. Not so in a row: a look at the clock takes as long as
    // a hundredth of a short chain.
    void run_effect_job(int job, bool apart) noexcept TUTTI_NONBLOCKING;
    // Both on a backend's threads. Few chains are done sooner than a helper has heard of them.
    static constexpr int k_jobs_worth_sharing = 4;
    void run_effects(Backend& backend, int threads) noexcept {
        const int jobs = effect_jobs();
        const auto run = [](void* core, int i) noexcept { static_cast<Core*>(core)->run_effect_job(i, true); };
        if (threads > 1 && jobs >= k_jobs_worth_sharing) return backend.each(run, this, jobs, threads);
        for (int job = 0; job < jobs; ++job)
            run_effect_job(job, false);
    }
    // Mix, sends and the stream's effects; the step's frames go to out[channel][at..].
    void end_step(float* const* out, int at) noexcept TUTTI_NONBLOCKING;
    // The same on several threads, in place of the backend's render(), run_effects() and end_step(): each part's voices and effects
    // are one job, and beside them runs what follows the mix of the step before, whose frames are in their place after finish()
    // or the next run_side_by_side(). False where a part waits for clips.
    bool can_run_side_by_side() const noexcept;
    void run_side_by_side(Backend& backend, BankStep* banks, int count, int threads) noexcept;
    void end_step_later(float* const* out, int at) noexcept TUTTI_NONBLOCKING;
    void finish() noexcept TUTTI_NONBLOCKING;

    // Counters for StreamStats. [any]
    void add_to(StreamStats& stats) const noexcept;
    std::int64_t tail_frames() const noexcept { return m_tail_seen.load(std::memory_order_relaxed); }

private:
    bool splits(const Item& item) const noexcept;
    bool next_batch() noexcept;
    bool nothing_comes(std::int64_t end) noexcept;
    bool is_still() const noexcept;
    void try_to_rest() noexcept;
    float mix_resting(float* const* out, int at) noexcept;
    void run_part_job(int job) noexcept;
    void count_muted() noexcept;
    void mix_parts(bool aligned) noexcept;
    void begin_finish(float* const* out, int at) noexcept;
    void publish_peak(std::int64_t end) noexcept;
    void step_done() noexcept;
    void apply(const Item& item, std::int64_t frame) noexcept;
    void apply_to_part(const Event& event, int part, std::int64_t frame) noexcept;
    bool room(const Event& event) const noexcept;
    void refresh_active(std::int64_t frame) noexcept;
    void shed_quietest(std::int64_t frame) noexcept;
    void publish() noexcept;
    std::int64_t tail() noexcept;

    EventQueue& m_queue;
    const StreamConfig m_config;
    TimerWheel m_wheel;
    VoiceCounts m_counts;
    Transport m_transport;
    TuningPrograms m_tunings;
    Vector<StreamPart> m_parts;
    Vector<int> m_active;     // parts that have an instance, ascending
    LongestLatency m_longest; // of the parts' present effects
    Vector<Bank> m_banks;     // of the step
    struct EffectJob {
        Instance* instance = nullptr;
        int part = 0;
    };
    Vector<EffectJob> m_jobs; // of the step: those whose effects have something to do
    Vector<Item> m_waiting;   // heap, the earliest on top
    Vector<Item> m_batch;     // of the next frame that has events, in order
    std::size_t m_batch_next = 0;
    Master m_master;
    SendBus m_sends[k_sends];
    Vector<float> m_mix;      // [channel][64]
    std::int64_t m_frame = 0; // of the next step
    std::int64_t m_step_frame = 0;
    int m_step_frames = 0;
    int m_bank_count = 0;
    // Resting: this step's banks are as the last step's were, and nothing but the backend has anything to do. A stream among many
    // then costs a look at a few lines of memory: what it is made of lies scattered, and the voices between push it out of the cache.
    bool m_resting = false;
    bool m_plain = false; // and its mix is the banks' buses times these gains
    struct RestGain {
        float side[3]; // left, right, all other channels
    };
    Vector<RestGain> m_rest_gains; // [bank]
    struct Finish {                // what of a step is left to do once its parts are mixed
        bool pending = false;
        std::int64_t frame = 0;
        int frames = 0;
        float* out[k_max_channels] = {};
    };
    Finish m_finish;
    // A note that may be shed. Those of more than k_most_candidates are looked at in the order of their parts.
    struct Candidate {
        double loudness = 0.0;
        Voices* voices = nullptr;
        int slot = 0;
        int copies = 1;
    };
    static constexpr std::size_t k_most_candidates = 8192;
    Vector<Candidate> m_candidates;
    int m_shed_wanted = 0; // slots
    std::int64_t m_late = 0;
    std::int64_t m_muted = 0;
    std::int64_t m_dry = 0;
    float m_peak = 0.0f;
    std::int64_t m_soft_start = 0; // frames of the fade-in
    // What stats() reads.
    std::atomic<std::int64_t> m_late_seen{0}, m_stolen_seen{0}, m_shed_seen{0}, m_muted_seen{0}, m_dry_seen{0};
    std::atomic<std::int64_t> m_tail_seen{0};
    std::atomic<int> m_voices_seen{0};
    std::atomic<float> m_peak_seen{0.0f};
};

} // namespace tutti::engine
