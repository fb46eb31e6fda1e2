// SPDX-License-Identifier: MIT
// A few threads that share one piece of work at a time. In between they spin for some 20 us, then sleep.
#pragma once

#include <functional>
#include <memory>

namespace tutti::models {

class Team {
public:
    explicit Team(int threads); // the caller is one of them; 1 starts none
    ~Team();
    Team(const Team&) = delete;
    Team& operator=(const Team&) = delete;

    int threads() const noexcept; // that run() uses now
    // From the next run() on; at most as many as it was made with. While audio is live that is one. [worker]
    void set_threads(int threads) noexcept;
    // Calls work(part, parts) once for each part, on all threads, and returns when all are done. [worker]
    void run(const std::function<void(int part, int parts)>& work);

private:
    struct State;
    std::unique_ptr<State> m_state;
};

} // namespace tutti::models
