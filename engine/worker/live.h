// SPDX-License-Identifier: MIT
// Whether audio is live: somebody has pulled a stream that was not opened offline within the last half second.
#pragma once

#include <algorithm>
#include <memory>
#include <mutex>
#include <vector>

#include <tutti/engine.h>

#include "engine/worker/record.h"

namespace tutti::engine {

class LiveStreams {
public:
    // [control]
    void add(const std::shared_ptr<Stream>& stream) {
        const std::lock_guard lock(m_mutex);
        std::erase_if(m_streams, [](const Seen& one) { return one.stream.expired(); });
        if (stream->config().mode == Mode::offline) return;
        m_streams.push_back({stream, stream->stats().frames});
    }
    // Looks at the clocks since it was last asked; the audio threads do nothing for it. [any]
    bool any() {
        const std::lock_guard lock(m_mutex);
        const TimePoint now = SteadyClock::now();
        for (Seen& one : m_streams) {
            const auto stream = one.stream.lock();
            if (!stream) continue;
            const std::int64_t frames = stream->stats().frames;
            if (frames != one.frames) {
                m_pulled = now;
                m_ever = true;
            }
            one.frames = frames;
        }
        return m_ever && now - m_pulled < std::chrono::milliseconds(500);
    }

private:
    struct Seen {
        std::weak_ptr<Stream> stream;
        std::int64_t frames = 0;
    };
    std::mutex m_mutex;
    std::vector<Seen> m_streams;
    TimePoint m_pulled{};
    bool m_ever = false;
};

} // namespace tutti::engine
