// SPDX-License-Identifier: MIT
// A wheel of timers counted in ticks: arming, moving and firing cost the same however many notes sound.
#pragma once

#include <array>
#include <cstdint>

#include <tutti/platform.h>

namespace tutti::engine {

struct Timer {
    Timer* prev = nullptr;
    Timer* next = nullptr;
    std::int64_t tick = -1; // tick number it is armed for, -1: not armed
};

// 512 slots of one tick each; a timer further away is passed over once a turn (0.17 s at 48 kHz). Order within a tick is
// that of arming. All of it [render].
class TimerWheel {
public:
    TimerWheel() noexcept {
        for (Timer& head : m_heads)
            head.prev = head.next = &head;
    }
    TimerWheel(const TimerWheel&) = delete;
    TimerWheel& operator=(const TimerWheel&) = delete;

    void arm(Timer& timer, std::int64_t tick) noexcept TUTTI_NONBLOCKING {
        disarm(timer);
        const std::size_t place = static_cast<std::size_t>(tick) & k_mask;
        Timer& head = m_heads[place];
        m_armed[place / 64] |= std::uint64_t{1} << (place % 64);
        timer.prev = head.prev;
        timer.next = &head;
        head.prev->next = &timer;
        head.prev = &timer;
        timer.tick = tick;
    }
    void disarm(Timer& timer) noexcept TUTTI_NONBLOCKING {
        if (timer.tick < 0) return;
        timer.prev->next = timer.next;
        timer.next->prev = timer.prev;
        timer.tick = -1;
    }
    // False where none can be due. A quiet wheel is asked for 64 bytes and not for its heads, which no cache keeps.
    bool any(std::int64_t tick) const noexcept {
        const std::size_t place = static_cast<std::size_t>(tick) & k_mask;
        return (m_armed[place / 64] >> (place % 64) & 1u) != 0 && m_heads[place].next != &m_heads[place];
    }
    // Calls fire(Timer&) for each timer of `tick`, disarmed first; fire may arm any timer for a later tick.
    template <class Fire>
    void run(std::int64_t tick, Fire&& fire) noexcept {
        if (!any(tick)) return;
        const std::size_t place = static_cast<std::size_t>(tick) & k_mask;
        Timer& head = m_heads[place];
        for (Timer* timer = head.next; timer != &head;) {
            Timer* const next = timer->next;
            if (timer->tick == tick) {
                disarm(*timer);
                fire(*timer);
            }
            timer = next;
        }
        if (head.next == &head) m_armed[place / 64] &= ~(std::uint64_t{1} << (place % 64));
    }

private:
    static constexpr std::size_t k_mask = 511;
    alignas(64) std::array<std::uint64_t, (k_mask + 1) / 64> m_armed{}; // bit: the head may have timers
    std::array<Timer, k_mask + 1> m_heads;
};

} // namespace tutti::engine
