// SPDX-License-Identifier: MIT
// The render thread's side of a stream in `ahead`.
#include <algorithm>

#include <tutti/trace.h>

#include "engine/cpu/prefetch.h"
#include "engine/stream/state.h"

namespace tutti::engine {

using voices::k_block_frames;

bool StreamState::block_due() const noexcept {
    return m_queue->closed() >= (m_core.frame() / k_block_frames + 1) * k_block_frames && !m_ring.full();
}

bool StreamState::block_wanted() noexcept {
    if (!block_due()) return false;
    m_core.drain();
    return true;
}

int StreamState::begin_step(BankStep* banks, int& count) noexcept {
    // The puller's core has read these last; by the mix they are here, and no store waits for them.
    constexpr int k_line = 64 / sizeof(float);
    for (int c = 0; c < m_config.channels; ++c)
        for (int at = 0; at < k_block_frames; at += k_line)
            TUTTI_PREFETCH_TO_WRITE(m_ring.channel_to_write(c) + at);
    return m_core.begin_step(k_block_frames, banks, count);
}

bool StreamState::end_step() noexcept {
    float* out[k_max_channels];
    for (int c = 0; c < m_config.channels; ++c)
        out[c] = m_ring.channel_to_write(c);
    m_core.end_step(out, static_cast<int>(m_core.frame() % k_block_frames));
    if (m_core.frame() % k_block_frames != 0) return false;
    m_ring.publish();
    trace_voices();
    return true;
}

void StreamState::block_done(double load, std::int64_t woken_ns, std::int64_t done_ns) noexcept {
    m_load.add(load);
    const double block_ns = k_block_frames / m_config.sample_rate * 1e9;
    const PullMark mark = m_clock.get();
    // When the block's last frame was closed: pulls after it are one behind the other.
    const double closed_ns = static_cast<double>(mark.time_ns) -
                             static_cast<double>(mark.closed - m_core.frame()) / m_config.sample_rate * 1e9;
    const auto now = static_cast<double>(done_ns);
    m_look_ahead.block_ready((now - std::max(closed_ns, static_cast<double>(woken_ns))) / block_ns);
    if (!m_config.shed || m_may_wait.load(std::memory_order_relaxed)) return;
    const double left = 1.0 - (now - closed_ns) / (m_config.look_ahead_blocks * block_ns);
    const int voices = m_overload.voices_to_shed(load, left, m_core.sounding_slots());
    if (voices == 0) return;
    m_core.shed(voices);
    trace::instant("voices shed", voices);
}

} // namespace tutti::engine
