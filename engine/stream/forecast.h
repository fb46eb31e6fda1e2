// SPDX-License-Identifier: MIT
// When the render thread is to wake for a stream: a clock that follows its pulls smoothly.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "engine/stream/clock.h"

namespace tutti::engine {

// A block is needed look_ahead_blocks after its close: that is the slack. A wake costs 5 to 20 microseconds, so the thread
// sleeps to the next close expected, but through half of the slack where passes are short: two passes' time is always kept.
// Whatever the marks say, a clock that jumped included, the answer lies between now and k_longest_sleep_ns later.
class PullForecast {
public:
    static constexpr double k_longest_sleep_ns = 5e6;

    struct Situation {
        double now_ns;
        PullMark mark; // of the last pull
        double sample_rate;
        double slack_ns;
        double pass_ns; // how long a pass takes
        bool bounce;    // the puller waits for every block, and there is no clock to follow
    };
    // [render]
    double wake_ns(const Situation& at) noexcept {
        const double now = at.now_ns;
        const double idle = now + std::min(0.5 * at.slack_ns, k_longest_sleep_ns);
        if (at.mark.closed <= 0 || now - static_cast<double>(at.mark.time_ns) > k_idle_after_ns) return idle;
        if (at.bounce) {
            m_closed = at.mark.closed;
            m_expected_ns = now;
            return now + k_bounce_sleep_ns;
        }
        if (at.mark.closed != m_closed) {
            const double period = static_cast<double>(at.mark.frames) / at.sample_rate * 1e9;
            const double error = static_cast<double>(at.mark.time_ns) - m_expected_ns;
            // A tenth of each pull's lateness: jitter of a millisecond moves the clock by a tenth of it. A jump is followed.
            const double from = m_closed < 0 || std::fabs(error) > 0.05e9 ? static_cast<double>(at.mark.time_ns)
                                                                          : m_expected_ns + 0.1 * error;
            m_expected_ns = from + period;
            m_closed = at.mark.closed;
        }
        const double soon = now + std::clamp(0.5 * at.slack_ns - 2.0 * at.pass_ns, 0.0, k_shortest_cap_ns);
        return std::clamp(m_expected_ns + 20e3, soon, std::max(soon, idle));
    }

private:
    static constexpr double k_shortest_cap_ns = 2.5e6;
    static constexpr double k_bounce_sleep_ns = 50e3;
    static constexpr double k_idle_after_ns = 0.25e9; // nobody has pulled for so long

    std::int64_t m_closed = -1;
    double m_expected_ns = 0.0; // of the next pull
};

} // namespace tutti::engine
