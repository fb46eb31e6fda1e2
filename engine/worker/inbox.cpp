// SPDX-License-Identifier: MIT
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>

#include <tutti/worker.h>

#include "engine/worker/record.h"

namespace tutti {

struct Inbox::State {
    std::mutex mutex;
    std::condition_variable come;
    std::deque<std::function<void()>> waiting;
};

Inbox::Inbox() : m_state(std::make_shared<State>()) {}

Executor Inbox::executor() const {
    return [state = m_state](std::function<void()> what) {
        {
            const std::lock_guard lock(state->mutex);
            state->waiting.push_back(std::move(what));
        }
        state->come.notify_one();
    };
}

int Inbox::run() {
    std::deque<std::function<void()>> all;
    {
        const std::lock_guard lock(m_state->mutex);
        all.swap(m_state->waiting);
    }
    for (auto& one : all)
        engine::call({}, std::move(one));
    return static_cast<int>(all.size());
}

int Inbox::run_within(double seconds) {
    {
        std::unique_lock lock(m_state->mutex);
        m_state->come.wait_until(lock, engine::after(engine::SteadyClock::now(), seconds),
                                 [&] { return !m_state->waiting.empty(); });
    }
    return run();
}

} // namespace tutti
