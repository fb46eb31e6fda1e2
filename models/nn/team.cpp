// SPDX-License-Identifier: MIT
#include <models/nn/team.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#if defined(__SSE2__) || defined(_M_X64)
#include <emmintrin.h>
#endif

namespace tutti::models {
namespace {

// About 20 us: longer than between two products of a decoder's step, shorter than what a sleeping thread needs to wake twice.
constexpr int k_spins = 1000;

void breathe() noexcept {
#if defined(__SSE2__) || defined(_M_X64)
    _mm_pause();
#endif
}

} // namespace

struct Team::State {
    std::mutex mutex;
    std::condition_variable begin;
    std::condition_variable end;
    const std::function<void(int, int)>* work = nullptr;
    std::atomic<std::uint64_t> round{0}; // released by run() under the mutex, acquired by who spins
    std::atomic<int> running{0};         // released by each part that is done
    std::atomic<bool> stop{false};
    int parts = 1;
    int in_round = 1; // threads that the present round is for
    std::atomic<int> active{1};
    std::vector<std::thread> others;
};

Team::Team(int threads) : m_state(std::make_unique<State>()) {
    State& s = *m_state;
    s.parts = threads < 1 ? 1 : threads;
    s.active = s.parts;
    for (int part = 1; part < s.parts; ++part)
        s.others.emplace_back([&s, part] {
            std::uint64_t seen = 0;
            for (;;) {
                for (int i = 0; i < k_spins && s.round.load(std::memory_order_acquire) == seen; ++i)
                    breathe();
                int active = 0;
                {
                    std::unique_lock lock(s.mutex);
                    s.begin.wait(lock, [&] { return s.stop || s.round.load(std::memory_order_relaxed) != seen; });
                    if (s.stop) return;
                    seen = s.round.load(std::memory_order_relaxed);
                    active = s.in_round;
                }
                if (part >= active) continue;
                (*s.work)(part, active);
                if (s.running.fetch_sub(1, std::memory_order_acq_rel) == 1) {
                    const std::lock_guard lock(s.mutex); // the caller may be about to sleep
                    s.end.notify_one();
                }
            }
        });
}

Team::~Team() {
    {
        const std::lock_guard lock(m_state->mutex);
        m_state->stop = true;
    }
    m_state->begin.notify_all();
    for (std::thread& other : m_state->others)
        other.join();
}

int Team::threads() const noexcept {
    return m_state->active;
}

void Team::set_threads(int threads) noexcept {
    m_state->active = threads < 1 ? 1 : threads < m_state->parts ? threads : m_state->parts;
}

void Team::run(const std::function<void(int, int)>& work) {
    State& s = *m_state;
    const int active = s.active;
    if (active == 1) return work(0, 1);
    {
        const std::lock_guard lock(s.mutex);
        s.work = &work;
        s.in_round = active;
        s.running.store(active - 1, std::memory_order_relaxed);
        s.round.fetch_add(1, std::memory_order_release);
    }
    s.begin.notify_all();
    work(0, active);
    for (int i = 0; i < k_spins && s.running.load(std::memory_order_acquire) != 0; ++i)
        breathe();
    if (s.running.load(std::memory_order_acquire) == 0) return;
    std::unique_lock lock(s.mutex);
    s.end.wait(lock, [&] { return s.running.load(std::memory_order_acquire) == 0; });
}

} // namespace tutti::models
