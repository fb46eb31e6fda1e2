// SPDX-License-Identifier: MIT
// The open streams of an engine, and what streams that were closed have counted.
#pragma once

#include <algorithm>

#include "engine/stream/state.h"
#include "engine/stream/walked_list.h"

namespace tutti::engine {

class StreamList {
public:
    // Throws std::bad_alloc. [control]
    void add(const StreamState& stream) { m_list.add(stream); }
    // The stream's counts go into the sums of what was closed; nobody drives it any more. [control]
    void remove(const StreamState& stream) {
        m_list.remove(stream, [&](Sums& sums) {
            add_counts(stream.stats(), sums.counts);
            stream.load().add_to(sums.load);
            stream.audio_load().add_to(sums.audio);
        });
    }

    // Adds up closed and open streams: counters, loads, and what the open ones are like. [any]
    void add_to(EngineStats& stats) const noexcept {
        EngineStats sum;
        Histogram::Counts load, audio;
        m_list.walk(
            [&](const Sums& closed) {
                sum = stats;
                load = closed.load;
                audio = closed.audio;
                add_sums(closed.counts, sum);
            },
            [&](const StreamState& stream) {
                add_open(stream, sum);
                stream.load().add_to(load);
                stream.audio_load().add_to(audio);
            });
        sum.load = load.distribution();
        sum.audio_load = audio.distribution();
        stats = sum;
    }

private:
    struct Sums {
        StreamStats counts;
        Histogram::Counts load, audio;
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

    WalkedList<StreamState, Sums> m_list;
};

} // namespace tutti::engine
