// SPDX-License-Identifier: MIT
#include "engine/stream/render_thread.h"

#include <algorithm>
#include <chrono>

#include <tutti/trace.h>

#include "engine/cpu/flush.h"

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#include <sched.h>
#include <time.h>
#endif

namespace tutti::engine {

namespace {

// Refused without privileges (RLIMIT_RTPRIO 0): the thread then runs like any other.
bool ask_for_real_time(int priority) noexcept {
#if defined(__unix__)
    sched_param parameter{};
    parameter.sched_priority = priority;
    return pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameter) == 0;
#else
    static_cast<void>(priority);
    return false;
#endif
}
constexpr int k_priority = 60; // below the audio device's own threads (JACK 70..80); the watchdog is one above

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

RenderThread::RenderThread(std::unique_ptr<Backend> backend, int threads, const Hooks& hooks)
    : m_hooks(hooks), m_backend(std::move(backend)), m_threads(threads) {
    if (hooks.make_fallback) m_spare = hooks.make_fallback(threads);
    if (hooks.manual) return;
    m_thread = std::thread([this] { run(); });
    m_watchdog = std::thread([this] { watch(); });
}

RenderThread::~RenderThread() {
    {
        const std::lock_guard lock(m_mutex);
        m_stop = true;
    }
    m_changed.notify_all();
    if (m_thread.joinable()) m_thread.join();
    if (m_watchdog.joinable()) m_watchdog.join();
}

void RenderThread::add(StreamState& stream) {
    {
        const std::lock_guard lock(m_mutex);
        m_entries.push_back({&stream, {}});
        m_busy.reserve(m_entries.size());
        m_done.reserve(m_entries.size());
        m_jobs.reserve(m_banks.size() + static_cast<std::size_t>(stream.core().bank_capacity()));
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

// The effects of all parts of all busy streams, beside each other.
void RenderThread::render_effects() noexcept {
    m_jobs.clear();
    for (StreamState* stream : m_busy)
        for (int i = 0, jobs = stream->core().effect_jobs(); i < jobs; ++i)
            m_jobs.push_back({&stream->core(), i}); // room was made in add()
    if (m_threads == 1 || m_jobs.size() < static_cast<std::size_t>(Core::k_jobs_worth_sharing)) {
        for (const EffectJob& job : m_jobs)
            job.core->run_effect_job(job.index, false);
        return;
    }
    const auto run_job = [](void* jobs, int i) noexcept {
        const EffectJob& job = static_cast<const EffectJob*>(jobs)[i];
        job.core->run_effect_job(job.index, true);
    };
    m_backend->each(run_job, m_jobs.data(), static_cast<int>(m_jobs.size()), m_threads);
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
        const std::int64_t began = now_ns(m_hooks);
        // Of the shortest block among them: that is what must be kept up with.
        double seconds = 1.0;
        for (const StreamState* stream : m_busy)
            seconds = std::min(seconds, voices::k_block_frames / stream->config().sample_rate);
        const trace::Span span("render block", static_cast<std::int32_t>(m_busy.size()));
        trace::Stages stages;
        // A block may take several steps (tables or shapes that change inside it); streams go on side by side.
        while (!m_busy.empty()) {
            int count = 0;
            stages.next("control");
            for (StreamState* stream : m_busy) {
                int own = 0;
                stream->begin_step(m_banks.data() + count, own);
                count += own;
            }
            stages.next("voices");
            if (count > 0) render_banks(count);
            stages.next("effects");
            render_effects();
            stages.next("mix");
            std::erase_if(m_busy, [&](StreamState* stream) {
                if (!stream->end_step()) return false;
                m_done.push_back(stream); // room was made in add()
                return true;
            });
            if (m_done.empty()) continue;
            // One look at the clock for all of them: it costs as much as a stream's mix.
            const std::int64_t now = now_ns(m_hooks);
            for (StreamState* stream : m_done)
                stream->block_done(static_cast<double>(now - began) * 1e-9 / seconds, m_woken_ns, now);
            m_done.clear();
        }
    }
}

void RenderThread::render_banks(int count) noexcept {
    m_backend->render(m_banks.data(), count, m_threads);
    const char* const why = m_backend->lost();
    if (why == nullptr || !m_spare) return;
    // Rows and buses are as they were: the same step again. The lost backend is kept until the end: freeing it may wait.
    m_lost.store(why, std::memory_order_relaxed);
    trace::instant("backend lost");
    std::swap(m_backend, m_spare);
    m_backend->render(m_banks.data(), count, m_threads);
}

void RenderThread::add_to(EngineStats& stats) const noexcept {
    stats.stalls = m_stalls.load(std::memory_order_relaxed);
    stats.rescued_passes = m_rescued.load(std::memory_order_relaxed);
    stats.stalled = m_stalled.load(std::memory_order_relaxed);
    stats.real_time = m_real_time.load(std::memory_order_relaxed);
    if (const char* const why = m_lost.load(std::memory_order_relaxed))
        stats.fallback = why;
    else if (m_asked.load(std::memory_order_acquire) && !stats.real_time)
        stats.fallback = "the system gives the render thread no real-time priority: it runs like any other";
}

std::int64_t RenderThread::next_wake_ns() noexcept {
    const auto now = static_cast<double>(monotonic_ns());
    double wake = now + PullForecast::k_longest_sleep_ns;
    for (Entry& entry : m_entries) {
        const StreamConfig& config = entry.stream->config();
        const double slack = config.look_ahead_blocks * voices::k_block_frames / config.sample_rate * 1e9;
        const double one = entry.forecast.wake_ns(
            {now, entry.stream->mark(), config.sample_rate, slack, m_pass_ns, entry.stream->waiting()});
        wake = std::min(wake, one);
    }
    return static_cast<std::int64_t>(wake);
}

void RenderThread::run() {
    trace::name_thread("render thread");
    m_real_time.store(ask_for_real_time(k_priority), std::memory_order_relaxed);
    m_asked.store(true, std::memory_order_release); // the answer is seen with it
    std::unique_lock lock(m_mutex);
    while (!m_stop) {
        if (m_entries.empty()) {
            m_changed.wait(lock);
            continue;
        }
        if (m_hooks.before_pass) {
            lock.unlock();
            m_hooks.before_pass();
            lock.lock();
        }
        m_passes.fetch_add(1, std::memory_order_relaxed);
        const std::int64_t begin = monotonic_ns();
        render_locked();
        // The longest of late, forgotten within some hundred passes.
        m_pass_ns = std::max(static_cast<double>(monotonic_ns() - begin), 0.99 * m_pass_ns);
        const std::int64_t wake = next_wake_ns();
        m_woken_ns = wake;
        lock.unlock();
        sleep_to(wake);
        lock.lock();
    }
}

void RenderThread::watch() {
    trace::name_thread("watchdog");
    ask_for_real_time(k_priority + 1);
    StallDetector detector;
    std::unique_lock lock(m_mutex);
    for (;;) {
        m_changed.wait_for(lock, std::chrono::nanoseconds(StallDetector::k_look_ns), [this] { return m_stop; });
        if (m_stop) return;
        lock.unlock();
        // A pass that takes long holds the mutex: then blocks are due, as far as can be told.
        const auto look = [&] {
            bool due = true;
            if (lock.try_lock()) {
                due = std::any_of(m_entries.begin(), m_entries.end(),
                                  [](const Entry& entry) { return entry.stream->block_due(); });
                lock.unlock();
            }
            return detector.look(monotonic_ns(), m_passes.load(std::memory_order_relaxed), due);
        };
        if (look()) {
            m_stalls.fetch_add(1, std::memory_order_relaxed);
            m_stalled.store(true, std::memory_order_relaxed);
            trace::instant("render thread stalls");
            const std::uint64_t passes = m_passes.load(std::memory_order_relaxed);
            while (m_passes.load(std::memory_order_relaxed) == passes) {
                if (lock.try_lock()) {
                    if (m_stop) return;
                    if (render_locked()) m_rescued.fetch_add(1, std::memory_order_relaxed);
                    lock.unlock();
                }
                sleep_to(monotonic_ns() + 1'000'000);
            }
            m_stalled.store(false, std::memory_order_relaxed);
        }
        lock.lock();
    }
}

} // namespace tutti::engine
