// SPDX-License-Identifier: MIT
#include <models/nn/team.h>

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace tutti::models {

struct Team::State {
    std::mutex mutex;
    std::condition_variable begin;
    std::condition_variable end;
    const std::function<void(int, int)>* work = nullptr;
    std::uint64_t round = 0;
    int parts = 1;
    int running = 0;
    bool stop = false;
    std::vector<std::thread> others;
};

Team::Team(int threads) : m_state(std::make_unique<State>()) {
    State& s = *m_state;
    s.parts = threads < 1 ? 1 : threads;
    for (int part = 1; part < s.parts; ++part)
        s.others.emplace_back([&s, part] {
            std::uint64_t seen = 0;
            std::unique_lock lock(s.mutex);
            for (;;) {
                s.begin.wait(lock, [&] { return s.stop || s.round != seen; });
                if (s.stop) return;
                seen = s.round;
                const auto* work = s.work;
                lock.unlock();
                (*work)(part, s.parts);
                lock.lock();
                if (--s.running == 0) s.end.notify_one();
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
    return m_state->parts;
}

void Team::run(const std::function<void(int, int)>& work) {
    State& s = *m_state;
    if (s.parts > 1) {
        {
            const std::lock_guard lock(s.mutex);
            s.work = &work;
            s.running = s.parts - 1;
            ++s.round;
        }
        s.begin.notify_all();
    }
    work(0, s.parts);
    if (s.parts > 1) {
        std::unique_lock lock(s.mutex);
        s.end.wait(lock, [&] { return s.running == 0; });
    }
}

} // namespace tutti::models
