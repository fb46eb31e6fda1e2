// SPDX-License-Identifier: MIT
#include "engine/stream/render_thread.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "engine/cpu/flush.h"

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#include <sched.h>
#include <time.h>
#endif

namespace tutti::engine {

namespace {

constexpr double k_longest_sleep_ns = 5e6;
constexpr double k_shortest_cap_ns = 2.5e6;
constexpr double k_idle_after_ns = 0.25e9; // nobody has pulled for so long

// Refused without privileges (RLIMIT_RTPRIO 0): the thread then runs like any other.
bool ask_for_real_time() noexcept {
#if defined(__unix__)
    sched_param parameter{};
    parameter.sched_priority = 60; // below the audio device's own threads (JACK 70..80)
    return pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameter) == 0;
#else
    return false;
#endif
}

void sleep_to(std::int64_t time_ns) noexcept {
#if defined(__linux__)
    timespec until{};
    until.tv_sec = static_cast<time_t>(time_ns / 1000000000);
    until.tv_nsec = static_cast<long>(time_ns % 1000000000);
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
#else
    std::this_thread::sleep_until(std::chrono::steady_clock::time_point(std::chrono::nanoseconds(time_ns)));
#endif
}

} // namespace

RenderThread::RenderThread(std::unique_ptr<Backend> backend, int threads, bool manual)
    : m_backend(std::move(backend)), m_threads(threads), m_manual(manual) {
    if (!m_manual) m_thread = std::thread([this] { run(); });
}

RenderThread::~RenderThread() {
    {
        const std::lock_guard lock(m_mutex);
        m_stop = true;
    }
    m_changed.notify_all();
    if (m_thread.joinable()) m_thread.join();
}

void RenderThread::add(StreamState& stream) {
    {
        const std::lock_guard lock(m_mutex);
        m_entries.push_back({&stream, -1, 0.0});
        m_busy.reserve(m_entries.size());
        m_banks.resize(m_banks.size() + static_cast<std::size_t>(stream.core().bank_capacity()));
    }
    m_changed.notify_all();
}

void RenderThread::remove(StreamState& stream) {
    const std::lock_guard lock(m_mutex);
    std::erase_if(m_entries, [&](const Entry& entry) { return entry.stream == &stream; });
}

bool RenderThread::render_once() {
    const std::lock_guard lock(m_mutex);
    return render_locked();
}

bool RenderThread::render_locked() noexcept {
    const FlushScope flush;
    bool any = false;
    for (;;) {
        m_busy.clear();
        for (const Entry& entry : m_entries)
            if (entry.stream->block_wanted()) m_busy.push_back(entry.stream);
        if (m_busy.empty()) return any;
        any = true;
        // A block may take several steps (tables or shapes that change inside it); streams go on side by side.
        while (!m_busy.empty()) {
            int count = 0;
            for (StreamState* stream : m_busy) {
                int own = 0;
                stream->begin_step(m_banks.data() + count, own);
                count += own;
            }
            if (count > 0) m_backend->render(m_banks.data(), count, m_threads);
            std::erase_if(m_busy, [](StreamState* stream) { return stream->end_step(); });
        }
    }
}

// A block is needed look_ahead_blocks after its close: that is the slack. A wake costs 5 to 20 microseconds, so this sleeps to
// the next close expected, but through half of the slack where passes are short: two passes' time is always kept.
std::int64_t RenderThread::next_wake_ns() noexcept {
    const auto now = static_cast<double>(monotonic_ns());
    double wake = now + k_longest_sleep_ns;
    for (Entry& entry : m_entries) {
        const StreamConfig& config = entry.stream->config();
        const PullMark mark = entry.stream->mark();
        const double slack = config.look_ahead_blocks * voices::k_block_frames / config.sample_rate * 1e9;
        const double idle = now + std::min(0.5 * slack, k_longest_sleep_ns);
        if (mark.closed <= 0 || now - static_cast<double>(mark.time_ns) > k_idle_after_ns) {
            wake = std::min(wake, idle);
            continue;
        }
        if (mark.closed != entry.closed) {
            const double period = static_cast<double>(mark.frames) / config.sample_rate * 1e9;
            const double error = static_cast<double>(mark.time_ns) - entry.expected_ns;
            // A tenth of each pull's lateness: jitter of a millisecond moves the clock by a tenth of it. A jump is followed.
            const double from = entry.closed < 0 || std::fabs(error) > 0.05e9 ? static_cast<double>(mark.time_ns)
                                                                              : entry.expected_ns + 0.1 * error;
            entry.expected_ns = from + period;
            entry.closed = mark.closed;
        }
        const double soon = now + std::clamp(0.5 * slack - 2.0 * m_pass_ns, 0.0, k_shortest_cap_ns);
        wake = std::min(wake, std::clamp(entry.expected_ns + 20e3, soon, std::max(soon, idle)));
    }
    return static_cast<std::int64_t>(wake);
}

void RenderThread::run() {
    m_real_time.store(ask_for_real_time(), std::memory_order_relaxed);
    std::unique_lock lock(m_mutex);
    while (!m_stop) {
        if (m_entries.empty()) {
            m_changed.wait(lock);
            continue;
        }
        const std::int64_t begin = monotonic_ns();
        render_locked();
        // The longest of late, forgotten within some hundred passes.
        m_pass_ns = std::max(static_cast<double>(monotonic_ns() - begin), 0.99 * m_pass_ns);
        const std::int64_t wake = next_wake_ns();
        lock.unlock();
        sleep_to(wake);
        lock.lock();
    }
}

} // namespace tutti::engine
