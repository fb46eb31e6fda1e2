// SPDX-License-Identifier: MIT
// The open streams of an engine, walked by any thread without a lock while others come and go.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "engine/stream/state.h"

namespace tutti::engine {

// Places are never freed, only used again. What closed streams have counted stands in one object that is replaced whole; it names
// the stream that went last, which may still be in its place. So a walker begins anew only where a stream has gone completely
// meanwhile, whatever another thread is held up in. What a walker may still look at is freed by the control side after all
// walkers of that moment have left (read-copy-update with two counters).
class StreamList {
public:
    StreamList() : m_closed(new Closed) {}
    StreamList(const StreamList&) = delete;
    StreamList& operator=(const StreamList&) = delete;
    ~StreamList() {
        delete m_closed.load(std::memory_order_relaxed);
        for (Place* place = m_first.load(std::memory_order_relaxed); place != nullptr;)
            delete std::exchange(place, place->next);
    }

    // Throws std::bad_alloc. [control]
    void add(const StreamState& stream) {
        const std::lock_guard lock(m_mutex);
        for (Place* place = m_first.load(std::memory_order_relaxed); place != nullptr; place = place->next) {
            if (place->stream.load(std::memory_order_relaxed) != nullptr) continue;
            place->stream.store(&stream, std::memory_order_release); // the stream is whole before it is seen
            return;
        }
        auto* const place = new Place;
        place->stream.store(&stream, std::memory_order_relaxed);
        place->next = m_first.load(std::memory_order_relaxed);
        m_first.store(place, std::memory_order_release); // the place is whole before it is seen
    }
    // The stream's counts go into the sums of what was closed; nobody drives it any more. [control]
    void remove(const StreamState& stream) {
        const std::lock_guard lock(m_mutex);
        for (Place* place = m_first.load(std::memory_order_relaxed); place != nullptr; place = place->next) {
            if (place->stream.load(std::memory_order_relaxed) != &stream) continue;
            const Closed* const old = m_closed.load(std::memory_order_relaxed);
            auto* const sum = new Closed(*old);
            add_counts(stream.stats(), sum->counts);
            stream.load().add_to(sum->load);
            stream.audio_load().add_to(sum->audio);
            sum->last = stream.number();
            // Sequentially consistent, as are the walkers' counters: who counts itself in after wait() sees both stores.
            m_closed.store(sum, std::memory_order_seq_cst);
            place->stream.store(nullptr, std::memory_order_seq_cst);
            wait_for_walkers();
            delete old;
            return;
        }
    }

    // Adds up closed and open streams: counters, loads, and what the open ones are like. A stream that goes meanwhile makes it
    // look again, at most 16 times. [any]
    void add_to(EngineStats& stats) const noexcept {
        const unsigned side = m_epoch.load(std::memory_order_seq_cst) % 2;
        m_walkers[side].fetch_add(1, std::memory_order_seq_cst);
        for (int left = 16;;) {
            const Closed* const closed = m_closed.load(std::memory_order_seq_cst);
            EngineStats sum = stats;
            Histogram::Counts load = closed->load, audio = closed->audio;
            add_sums(closed->counts, sum);
            for (const Place* place = m_first.load(std::memory_order_acquire); place != nullptr; place = place->next) {
                const StreamState* const stream = place->stream.load(std::memory_order_seq_cst);
                if (stream == nullptr || stream->number() == closed->last) continue;
                add_open(*stream, sum);
                stream->load().add_to(load);
                stream->audio_load().add_to(audio);
            }
            if (--left > 0 && m_closed.load(std::memory_order_seq_cst) != closed) continue;
            sum.load = load.distribution();
            sum.audio_load = audio.distribution();
            stats = sum;
            break;
        }
        m_walkers[side].fetch_sub(1, std::memory_order_release); // the looks come first
    }

private:
    struct Place {
        std::atomic<const StreamState*> stream{nullptr};
        Place* next = nullptr; // never changes once the place is seen
    };
    struct Closed {
        StreamStats counts;
        Histogram::Counts load, audio;
        int last = 0; // number of the stream that went last
    };
    static void add_counts(const StreamStats& from, StreamStats& to) noexcept {
        to.late_blocks += from.late_blocks;
        to.dropped_events += from.dropped_events;
        to.late_events += from.late_events;
        to.refused_pulls += from.refused_pulls;
        to.stolen_voices += from.stolen_voices;
        to.shed_voices += from.shed_voices;
        to.muted_voices += from.muted_voices;
    }
    static void add_sums(const StreamStats& from, EngineStats& to) noexcept {
        to.underruns += from.late_blocks;
        to.dropped_events += from.dropped_events;
        to.late_events += from.late_events;
        to.refused_pulls += from.refused_pulls;
        to.stolen_voices += from.stolen_voices;
        to.shed_voices += from.shed_voices;
        to.muted_voices += from.muted_voices;
    }
    static void add_open(const StreamState& stream, EngineStats& sum) noexcept {
        const StreamStats stats = stream.stats();
        add_sums(stats, sum);
        ++sum.streams;
        sum.voices += stats.voices;
        if (stream.mode() != Mode::ahead) return;
        sum.ring_blocks = sum.look_ahead_blocks == 0 ? stats.ring_blocks : std::min(sum.ring_blocks, stats.ring_blocks);
        sum.look_ahead_blocks = std::max(sum.look_ahead_blocks, stream.config().look_ahead_blocks);
        sum.proposed_look_ahead = std::max(sum.proposed_look_ahead, stats.proposed_look_ahead);
    }
    // Twice: a walker may have read the epoch before it changed and counted itself in after.
    void wait_for_walkers() noexcept {
        for (int side = 0; side < 2; ++side) {
            const unsigned old = m_epoch.fetch_add(1, std::memory_order_seq_cst) % 2;
            while (m_walkers[old].load(std::memory_order_seq_cst) != 0)
                std::this_thread::yield();
        }
    }

    std::mutex m_mutex;
    std::atomic<Place*> m_first{nullptr};
    std::atomic<const Closed*> m_closed;
    std::atomic<unsigned> m_epoch{0};
    mutable std::atomic<int> m_walkers[2] = {0, 0};
};

} // namespace tutti::engine
