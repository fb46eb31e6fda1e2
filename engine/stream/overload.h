// SPDX-License-Identifier: MIT
// What is decided from the time that blocks take: how many voices must go, how far ahead to render, whether a thread has stalled.
// Plain arithmetic on numbers that are handed in: tests drive it with a clock of their own.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "engine/stream/histogram.h"

namespace tutti::engine {

// Overload: voices must go before a block is dropped.
class Overload {
public:
    static constexpr double k_full = 0.9;  // of a block's time: more cannot last
    static constexpr double k_aim = 0.7;   // after shedding
    static constexpr int k_rest = 8;       // blocks until the fades of 2 ms have ended and the load is seen again
    static constexpr int k_least = 4;      // voices that are left in any case: the load is not theirs then
    static constexpr double k_slack = 0.5; // of the look-ahead, below which it is time

    // After each block: the time it took over the time it lasts, the share of the look-ahead that was left when it was
    // ready, voices sounding. Returns how many to shed. A single long block is a hiccup of the machine, not a load: the less
    // of two counts. [render]
    int voices_to_shed(double load, double slack_left, int voices) noexcept {
        m_load[m_next++ % m_load.size()] = load;
        if (m_rest > 0) {
            --m_rest;
            return 0;
        }
        const double level = *std::min_element(m_load.begin(), m_load.end());
        if (level < k_full || slack_left >= k_slack || voices <= k_least) return 0;
        m_rest = k_rest;
        const auto keep = static_cast<int>(voices * (k_aim / level));
        return std::min(voices - k_least, std::max(1, voices - keep));
    }

private:
    std::array<double, 2> m_load{};
    std::size_t m_next = 0;
    int m_rest = 0;
};

// How many render blocks of look-ahead the machine needs, from how long blocks took to be ready.
class LookAhead {
public:
    // `late`: how long after it could begin a block was ready, in times of a block. [render]
    void block_ready(double late) noexcept {
        m_tail.add(std::max(0.0, late));
        // 16,384 blocks are 22 s at 48 kHz: what was before weighs half.
        if (++m_count % 16384 == 0) m_tail.halve();
    }
    // Half of the look-ahead is slept through on purpose: the longest of 10,000 must fit into the other half.
    // 0: fewer than a thousand blocks were seen. [any]
    int proposal() const noexcept {
        Histogram::Counts counts;
        m_tail.add_to(counts);
        if (counts.total < 1000) return 0;
        return static_cast<int>(std::clamp(std::ceil(2.0 * counts.quantile(0.9999)), 1.0, 256.0));
    }
    const Histogram& tail() const noexcept { return m_tail; }

private:
    Histogram m_tail;
    std::uint32_t m_count = 0;
};

// Tells a stalled render thread from one that has nothing to do. Looked at every k_look_ns by another thread.
class StallDetector {
public:
    static constexpr std::int64_t k_look_ns = 50'000'000;
    static constexpr std::int64_t k_stall_ns = 150'000'000; // with a look's delay: below 250 ms

    // `passes` rises whenever the thread has looked for work; `due`: blocks wait to be rendered. True while it stalls.
    bool look(std::int64_t now_ns, std::uint64_t passes, bool due) noexcept {
        if (passes != m_passes || !due) {
            m_passes = passes;
            m_since_ns = now_ns;
            return false;
        }
        return now_ns - m_since_ns >= k_stall_ns;
    }

private:
    std::uint64_t m_passes = 0;
    std::int64_t m_since_ns = 0;
};

} // namespace tutti::engine
