// SPDX-License-Identifier: MIT
#include "engine/cpu/crew.h"

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
        m_serial.fetch_add(1, std::memory_order_release);
    }
    m_wake.notify_all();
    for (std::thread& thread : m_threads)
        thread.join();
}

void Crew::take() noexcept {
    for (;;) {
        const int i =
            m_next.fetch_add(1, std::memory_order_relaxed); // who takes which is free: the sum's order is not theirs
        if (i >= m_count) return;
        m_work(m_context, i);
    }
}

void Crew::serve(int place) noexcept {
    const FlushScope flush;
    std::uint64_t seen = 0;
    for (;;) {
        std::uint64_t serial = m_serial.load(std::memory_order_acquire); // acquires the loop that it announces
        for (int spin = 0; serial == seen && spin < k_spins; ++spin) {
            relax();
            serial = m_serial.load(std::memory_order_acquire);
        }
        if (serial == seen) {
            std::unique_lock<std::mutex> lock(m_mutex);
            m_sleeping.fetch_add(1, std::memory_order_seq_cst); // before the last look at m_serial, see run()
            m_wake.wait(lock, [&] { return m_serial.load(std::memory_order_seq_cst) != seen; });
            m_sleeping.fetch_sub(1, std::memory_order_relaxed);
            serial = m_serial.load(std::memory_order_acquire);
        }
        seen = serial;
        if (m_stop.load(std::memory_order_relaxed)) return; // ordered by m_serial
        if (place < m_helpers) take();
        m_busy.fetch_sub(1, std::memory_order_release); // publishes what was written
    }
}

void Crew::run(Work work, void* context, int count, int helpers) noexcept {
    if (helpers > count - 1) helpers = count - 1;
    if (helpers <= 0 || m_threads.empty()) {
        for (int i = 0; i < count; ++i)
            work(context, i);
        return;
    }
    m_work = work;
    m_context = context;
    m_count = count;
    m_helpers = helpers;
    m_next.store(0, std::memory_order_relaxed); // published by m_serial
    m_busy.store(static_cast<int>(m_threads.size()), std::memory_order_relaxed);
    m_serial.fetch_add(1, std::memory_order_seq_cst); // before the look at m_sleeping: one of the two sees the other
    if (m_sleeping.load(std::memory_order_seq_cst) > 0) {
        { const std::lock_guard<std::mutex> lock(m_mutex); } // a helper between its look and its wait is waited for
        m_wake.notify_all();
    }
    take();
    while (m_busy.load(std::memory_order_acquire) > 0) // acquires what the helpers wrote
        relax();
}

} // namespace tutti::engine
