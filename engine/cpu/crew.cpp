// SPDX-License-Identifier: MIT
#include "engine/cpu/crew.h"

#include <tutti/trace.h>

#include "engine/cpu/flush.h"

namespace tutti::engine {
namespace {
constexpr int k_spins = 4000; // about 10 microseconds: longer than the gap between two blocks of a busy render thread

void relax() noexcept {
#if defined(__SSE__) || defined(_M_X64)
    _mm_pause();
#else
    std::this_thread::yield();
#endif
}
} // namespace

Crew::Crew(int helpers) {
    m_threads.reserve(static_cast<std::size_t>(helpers > 0 ? helpers : 0));
    for (int i = 0; i < helpers; ++i)
        m_threads.emplace_back([this, i] { serve(i); });
}

Crew::~Crew() {
    {
        const std::lock_guard<std::mutex> lock(m_mutex);
        m_stop.store(true, std::memory_order_relaxed); // ordered by the mutex
        m_loop.stir();
    }
    m_wake.notify_all();
    for (std::thread& thread : m_threads)
        thread.join();
}

void Crew::take(bool from_back) noexcept {
    // Who takes which number is free: the sum's order is not theirs.
    for (int number = m_loop.take(from_back); number >= 0; number = m_loop.take(from_back)) {
        m_work(m_context, number);
        m_loop.finish();
    }
}

void Crew::serve(int place) noexcept {
    trace::name_thread("render helper");
    const FlushScope flush;
    std::uint64_t seen = 0;
    for (;;) {
        std::uint64_t serial = m_loop.serial();
        for (int spin = 0; serial == seen && spin < k_spins; ++spin) {
            relax();
            serial = m_loop.serial();
        }
        if (serial == seen) {
            std::unique_lock<std::mutex> lock(m_mutex);
            m_loop.will_sleep();
            m_wake.wait(lock, [&] { return !m_loop.may_sleep(seen); });
            m_loop.awake();
            serial = m_loop.serial();
        }
        seen = serial;
        if (m_stop.load(std::memory_order_relaxed)) return; // ordered by m_loop
        if (place >= m_helpers.load(std::memory_order_relaxed)) continue;
        const trace::Span span("voices, helper");
        take(true);
    }
}

void Crew::run(Work work, void* context, int count, int helpers) noexcept {
    if (helpers > count - 1) helpers = count - 1;
    if (helpers <= 0 || m_threads.empty() || count > LoopWord<>::k_most) {
        for (int i = 0; i < count; ++i)
            work(context, i);
        return;
    }
    m_work = work;
    m_context = context;
    m_helpers.store(helpers, std::memory_order_relaxed);
    m_loop.begin(count); // also publishes the fields above
    if (m_loop.someone_sleeps()) {
        { const std::lock_guard<std::mutex> lock(m_mutex); } // a helper between its look and its wait is waited for
        m_wake.notify_all();
    }
    take(false);
    while (!m_loop.finished(count))
        relax();
}

} // namespace tutti::engine
