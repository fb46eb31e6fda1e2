// SPDX-License-Identifier: MIT
// The clock of a driver that has no device: when the next block is due.
#pragma once

#include <chrono>

namespace tutti::cli {

// Blocks come at a steady pace; one that is late is made up for by the next ones. A process that has stood still (suspended, in
// a debugger) does not make up for it: it goes on from there, without a burst.
class Pacer {
public:
    using Clock = std::chrono::steady_clock;
    static constexpr std::chrono::milliseconds k_most_behind{250};

    Pacer(double period_seconds, Clock::time_point now)
        : m_period(std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(period_seconds))),
          m_due(now) {}

    struct Next {
        Clock::time_point due;
        bool late; // it should have been there before `now`
    };
    // A block has been played at `now`.
    Next next(Clock::time_point now) {
        m_due += m_period;
        const bool late = now > m_due;
        if (now - m_due > k_most_behind || m_due - now > 2 * m_period + k_most_behind) m_due = now;
        return {m_due, late};
    }

private:
    Clock::duration m_period;
    Clock::time_point m_due;
};

} // namespace tutti::cli
