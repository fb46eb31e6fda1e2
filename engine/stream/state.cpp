// SPDX-License-Identifier: MIT
#include "engine/stream/state.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <string>
#include <thread>

#include <tutti/trace.h>

#include "engine/cpu/flush.h"

namespace tutti::engine {

using voices::k_block_frames;

Status StreamState::check(const StreamConfig& config) {
    const auto outside = [](const char* name, double value, const char* range) {
        return Status(Code::out_of_range, std::string(name) + " is " + std::to_string(value),
                      "the stream was not opened", std::string("choose ") + range);
    };
    if (!(config.sample_rate >= 8000.0 && config.sample_rate <= 192000.0))
        return outside("sample_rate", config.sample_rate, "8000..192000 Hz");
    const struct {
        const char* name;
        int value, low, high;
        const char* range;
    } fields[] = {{"channels", config.channels, 1, 16, "1..16"},
                  {"max_frames", config.max_frames, 1, 65536, "1..65536 frames"},
                  {"look_ahead_blocks", config.look_ahead_blocks, 1, 256, "1..256 blocks"},
                  {"parts", config.parts, 1, 256, "1..256"},
                  {"voices", config.voices, 1, 1 << 20, "1..1048576"},
                  {"senders", config.senders, 1, 256, "1..256"},
                  {"events", config.events, 16, 32768, "16..32768"}};
    const int layout_channels[] = {config.channels, 6, 8, config.channels};
    const bool is_cube = config.channels == 4 || config.channels == 9 || config.channels == 16;
    if (config.channels != layout_channels[static_cast<std::size_t>(config.layout)] ||
        (config.layout == Layout::ambisonic && !is_cube))
        return outside("channels", config.channels, "6 for 5.1, 8 for 7.1, 4, 9 or 16 for ambisonic");
    for (const auto& field : fields)
        if (field.value < field.low || field.value > field.high) return outside(field.name, field.value, field.range);
    return {};
}

StreamState::StreamState(const StreamConfig& config, const Hooks& hooks, std::unique_ptr<Backend> backend, int threads)
    : m_config(config), m_hooks(hooks), m_queue(make_shared_here<EventQueue>(config.events, config.senders + 1)),
      m_core(config, *m_queue), m_backend(std::move(backend)), m_threads(threads), m_mode_seen(config.mode) {
    m_own = m_queue->make_producer();
    m_part_latency.assign(static_cast<std::size_t>(config.parts), 0);
    m_banks.resize(static_cast<std::size_t>(m_core.bank_capacity()));
    const int fade = std::max(8, static_cast<int>(0.002 * config.sample_rate));
    for (int i = 0; i <= fade; ++i)
        m_return.push_back(static_cast<float>(0.5 - 0.5 * std::cos(3.141592653589793 * i / fade)));
    m_hold.assign(static_cast<std::size_t>(config.channels), 0.0f);
    m_last = m_hold;
    prepare_ring();
}

void StreamState::prepare_ring() {
    if (m_config.mode != Mode::ahead) return;
    m_latency = m_config.max_frames + m_config.look_ahead_blocks * k_block_frames;
    m_ring_start = m_core.frame();
    m_ring.prepare(m_latency / k_block_frames + 4, m_config.channels, k_block_frames,
                   static_cast<std::uint32_t>(m_ring_start / k_block_frames));
    m_gap_frames = m_back_frames = static_cast<int>(m_return.size()) - 1;
    m_last_late = -1;
}

void StreamState::set_mode(Mode mode) {
    if (mode == m_config.mode) return;
    if (m_config.mode == Mode::ahead) {
        // What was closed but not rendered is rendered for its state's sake; its samples nobody hears.
        const FlushScope flush;
        m_core.drain();
        while (m_core.frame() < m_queue->closed()) {
            int count = 0;
            m_core.begin_step(
                static_cast<int>(std::min<std::int64_t>(m_queue->closed() - m_core.frame(), k_block_frames)),
                m_banks.data(), count);
            m_backend->render(m_banks.data(), count, 1);
            m_core.run_effects(*m_backend, 1);
            m_core.end_step(nullptr, 0);
        }
    }
    m_config.mode = mode;
    prepare_ring();
    m_mode_seen.store(mode, std::memory_order_relaxed);
}

// --- audio

bool StreamState::pull(float* const* out, int frames) noexcept {
    bool sound = out != nullptr && frames >= 0;
    for (int c = 0; sound && c < m_config.channels; ++c)
        sound = out[c] != nullptr;
    if (sound && m_config.mode == Mode::ahead && frames > m_config.max_frames) {
        for (int c = 0; c < m_config.channels; ++c)
            std::fill_n(out[c], frames, 0.0f);
        sound = false;
    }
    if (!sound) {
        m_refused.fetch_add(1, std::memory_order_relaxed);
        return false;
    }
    if (frames == 0) return true;
    const trace::Span span("pull", frames);
    const std::int64_t begin = m_queue->closed();
    m_queue->close(begin + frames);
    const std::int64_t began = now_ns(m_hooks);
    m_clock.set({begin + frames, began, frames});
    if (m_config.mode == Mode::ahead)
        take_ready(out, frames, begin - m_latency);
    else
        render_here(out, frames);
    const double load = static_cast<double>(now_ns(m_hooks) - began) * 1e-9 * m_config.sample_rate / frames;
    m_audio_load.add(load);
    if (m_config.mode != Mode::ahead) m_load.add(load);
    return true;
}

void StreamState::render_here(float* const* out, int frames) noexcept {
    const FlushScope flush;
    trace::Stages stages("events");
    m_core.drain();
    const int threads = m_config.mode == Mode::offline ? m_threads : 1;
    for (int done = 0; done < frames;) {
        int count = 0;
        stages.next("control");
        const int step = m_core.begin_step(frames - done, m_banks.data(), count);
        if (threads > 1 && m_core.can_run_side_by_side()) {
            stages.next("voices"); // and their effects
            m_core.run_side_by_side(*m_backend, m_banks.data(), count, threads);
            stages.next("mix");
            m_core.end_step_later(out, done);
            done += step;
            continue;
        }
        stages.next("voices");
        if (count > 0) m_backend->render(m_banks.data(), count, threads);
        if (m_config.mode == Mode::offline) m_core.wait_for_clips();
        stages.next("effects");
        m_core.run_effects(*m_backend, threads);
        stages.next("mix");
        m_core.end_step(out, done);
        done += step;
    }
    m_core.finish();
    trace_voices();
}

void StreamState::trace_voices() noexcept {
    if (trace::on()) trace::counter("sounding voices", m_core.voices(), m_number);
}

void StreamState::take_ready(float* const* out, int frames, std::int64_t from) noexcept {
    const float* block[k_max_channels];
    for (int done = 0; done < frames;) {
        const std::int64_t frame = from + done;
        // Before the stream, or before it changed to this mode: silence.
        if (frame < m_ring_start) {
            const int count = static_cast<int>(std::min<std::int64_t>(frames - done, m_ring_start - frame));
            for (int c = 0; c < m_config.channels; ++c)
                std::fill_n(out[c] + done, count, 0.0f);
            done += count;
            continue;
        }
        const int offset = static_cast<int>(frame % k_block_frames);
        const int count = std::min(frames - done, k_block_frames - offset);
        const std::int64_t number = frame / k_block_frames;
        const auto wrapped = static_cast<std::uint32_t>(number);
        bool ready = m_ring.channel_to_read(wrapped, 0) != nullptr;
        while (!ready && m_may_wait.load(std::memory_order_relaxed)) {
            std::this_thread::sleep_for(std::chrono::microseconds(50));
            ready = m_ring.channel_to_read(wrapped, 0) != nullptr;
        }
        if (!ready && number != m_last_late) {
            m_last_late = number;
            m_late_blocks.fetch_add(1, std::memory_order_relaxed);
            trace::instant("late block", m_number);
        }
        for (int c = 0; ready && c < m_config.channels; ++c)
            block[c] = m_ring.channel_to_read(wrapped, c);
        give(out, done, ready ? block : nullptr, offset, count);
        done += count;
    }
    const std::int64_t next = from + frames;
    if (next > m_ring_start) m_ring.release_before(static_cast<std::uint32_t>(next / k_block_frames));
    if (trace::on()) trace::counter("ring blocks", m_ring.ready(), m_number);
}

// A gap is the last sample let down over 2 ms, then silence; what comes after it is let up over 2 ms.
void StreamState::give(float* const* out, int at, const float* const* block, int offset, int frames) noexcept {
    const int fade = static_cast<int>(m_return.size()) - 1;
    if (block == nullptr && m_back_frames > 0) {
        m_hold = m_last; // same size: copies, does not allocate
        m_gap_frames = m_back_frames = 0;
    }
    const bool whole = block != nullptr && m_gap_frames >= fade && m_back_frames >= fade;
    for (int c = 0; c < m_config.channels; ++c) {
        float* const to = out[c] + at;
        if (whole) {
            std::memcpy(to, block[c] + offset, static_cast<std::size_t>(frames) * sizeof(float));
        } else {
            const float hold = m_hold[static_cast<std::size_t>(c)];
            for (int i = 0; i < frames; ++i) {
                const auto gap = static_cast<std::size_t>(std::min(fade, m_gap_frames + i + 1));
                to[i] = hold * (1.0f - m_return[gap]);
                if (block == nullptr) continue;
                const auto back = static_cast<std::size_t>(std::min(fade, m_back_frames + i + 1));
                to[i] += block[c][offset + i] * m_return[back];
            }
        }
        m_last[static_cast<std::size_t>(c)] = to[frames - 1];
    }
    m_gap_frames = std::min(fade, m_gap_frames + frames);
    if (block != nullptr) m_back_frames = std::min(fade, m_back_frames + frames);
}

std::int64_t StreamState::now() const noexcept {
    const PullMark mark = m_clock.get();
    if (mark.time_ns == 0) return m_queue->closed();
    const double since = static_cast<double>(now_ns(m_hooks) - mark.time_ns) * 1e-9 * m_config.sample_rate;
    // A stream that is not pulled does not run away: at most one pull further.
    return mark.closed + std::min(static_cast<std::int64_t>(std::max(0.0, since)), mark.frames);
}

StreamStats StreamState::stats() const noexcept {
    StreamStats stats;
    m_core.add_to(stats);
    stats.frames = m_queue->closed();
    stats.dropped_events = m_queue->dropped();
    stats.refused_pulls = m_refused.load(std::memory_order_relaxed);
    stats.late_blocks = m_late_blocks.load(std::memory_order_relaxed);
    if (mode() == Mode::ahead) {
        stats.ring_blocks = m_ring.ready();
        stats.proposed_look_ahead = m_look_ahead.proposal();
    }
    return stats;
}

} // namespace tutti::engine
