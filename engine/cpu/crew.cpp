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
        m_loop.fetch_add(std::uint64_t{1} << 32, std::memory_order_release);
    }
    m_wake.notify_all();
    for (std::thread& thread : m_threads)
        thread.join();
}

void Crew::take(bool from_back) noexcept {
    // Acquire: what run() wrote before it published the loop. Who takes which number is free: the sum's order is not theirs.
    std::uint64_t loop = m_loop.load(std::memory_order_acquire);
    for (;;) {
        const auto first = static_cast<int>(loop & 0xffffu), behind = static_cast<int>(loop >> 16 & 0xffffu);
        if (first >= behind) return;
        const std::uint64_t rest = from_back ? loop - 0x10000u : loop + 1u;
        // A failure means that another has taken a number: no one waits.
        if (!m_loop.compare_exchange_weak(loop, rest, std::memory_order_acquire, std::memory_order_acquire)) continue;
        m_work(m_context, from_back ? behind - 1 : first);
        m_done.fetch_add(1, std::memory_order_release); // publishes what was written
        loop = m_loop.load(std::memory_order_acquire);
    }
}

void Crew::serve(int place) noexcept {
    trace::name_thread("render helper");
    const FlushScope flush;
    std::uint64_t seen = 0;
    const auto serial_now = [&](std::memory_order order) { return m_loop.load(order) >> 32; };
    for (;;) {
        std::uint64_t serial = serial_now(std::memory_order_acquire);
        for (int spin = 0; serial == seen && spin < k_spins; ++spin) {
            relax();
            serial = serial_now(std::memory_order_acquire);
        }
        if (serial == seen) {
            std::unique_lock<std::mutex> lock(m_mutex);
            m_sleeping.fetch_add(1, std::memory_order_seq_cst); // before the last look at m_loop, see run()
            m_wake.wait(lock, [&] { return serial_now(std::memory_order_seq_cst) != seen; });
            m_sleeping.fetch_sub(1, std::memory_order_relaxed);
            serial = serial_now(std::memory_order_acquire);
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
    if (helpers <= 0 || m_threads.empty() || count > k_most) {
        for (int i = 0; i < count; ++i)
            work(context, i);
        return;
    }
    m_work = work;
    m_context = context;
    m_helpers.store(helpers, std::memory_order_relaxed);
    m_done.store(0, std::memory_order_relaxed);
    const std::uint64_t serial = (m_loop.load(std::memory_order_relaxed) >> 32) + 1;
    // Before the look at m_sleeping: one of the two sees the other. Also publishes the fields above.
    m_loop.store(serial << 32 | static_cast<std::uint64_t>(count) << 16, std::memory_order_seq_cst);
    if (m_sleeping.load(std::memory_order_seq_cst) > 0) {
        { const std::lock_guard<std::mutex> lock(m_mutex); } // a helper between its look and its wait is waited for
        m_wake.notify_all();
    }
    take(false);
    while (m_done.load(std::memory_order_acquire) < count) // acquires what the helpers wrote
        relax();
}

} // namespace tutti::engine
