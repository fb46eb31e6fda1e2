// SPDX-License-Identifier: MIT
// A ring of frames that is read and written many frames at a time.
//
// The first 32 frames are repeated behind the end, so that a tick with its interpolation stencil is always contiguous.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/effects/quad.h"

namespace tutti::engine {

// A delay in frames that moves in a straight line over a tick, made ready for reading: four frames share a whole delay.
class MovingDelay {
public:
    // Four frames' fraction may leave 0..1 by three slopes; the stencil spans -1..2.
    static constexpr float k_steepest = 0.2f; // frames a frame

    void jump(float frames) noexcept { m_now = frames; }
    // Over this tick, towards `target` as far as k_steepest allows.
    void move(float target) noexcept {
        constexpr float k_limit = k_steepest * k_ticks;
        const float step = lesser_of(greater_of(target - m_now, -k_limit), k_limit);
        slope = step * (1.0f / k_ticks);
        for (int q = 0; q < 4; ++q) {
            const float frames = m_now + slope * static_cast<float>(4 * q);
            const auto down = static_cast<std::int32_t>(frames);
            whole[q] = static_cast<std::uint32_t>(down);
            fraction[q] = frames - static_cast<float>(down);
        }
        still = slope == 0.0f && fraction[0] == 0.0f;
        m_now += step;
    }

    std::uint32_t whole[4] = {};
    float fraction[4] = {};
    float slope = 0.0f;
    bool still = true; // a whole delay that does not move: no interpolation

private:
    static constexpr float k_ticks = 16.0f; // frames of a tick
    float m_now = 0.0f;                     // at the tick's end
};

class DelayLine {
public:
    // Delays up to max_frames can be read after this. [control]
    void allocate(int max_frames) {
        std::uint32_t size = 64;
        while (size < static_cast<std::uint32_t>(max_frames) + 32)
            size *= 2;
        m_mask = size - 1;
        // An odd number of cache lines more than a power of two: rings of one effect do not fall on the same cache sets.
        m_data.assign(static_cast<std::size_t>(size) + k_guard + 16, 0.0f);
    }
    void clear() noexcept { std::fill(m_data.begin(), m_data.end(), 0.0f); }

    // The frame at `position`; 32 frames are contiguous from there.
    const float* at(std::uint32_t position) const noexcept { return m_data.data() + (position & m_mask); }

    // One frame, or four where `position` is a multiple of four.
    template <class F>
    void write(std::uint32_t position, F frames) noexcept {
        const std::uint32_t place = position & m_mask;
        store(m_data.data() + place, frames);
        if (place < k_guard) store(m_data.data() + place + m_mask + 1, frames);
    }

    // The same without the repeat at the end, for rings read at least a tick behind: end_tick() makes it good.
    template <class F>
    void put(std::uint32_t position, F frames) noexcept {
        store(m_data.data() + (position & m_mask), frames);
    }
    void end_tick(std::uint32_t tick) noexcept {
        const std::uint32_t place = tick & m_mask;
        if (place < k_guard) std::copy_n(m_data.data() + place, 16, m_data.data() + place + m_mask + 1);
    }

    // The frame(s) `delay` before `tick + k`, by Lagrange's cubic. Where frames are read before they are written, the delay
    // is at least 20 frames; elsewhere at least 2.
    template <class F>
    F read(std::uint32_t tick, int k, const MovingDelay& delay) const noexcept {
        const int q = k >> 2;
        const float* p = at(tick + static_cast<std::uint32_t>(k) - delay.whole[q] - 2);
        if (delay.still) return load<F>(p + 2);
        const F t = splat<F>(delay.fraction[q]) + splat<F>(delay.slope) * count_from<F>(k & 3);
        const F u = t - splat<F>(1.0f);
        const F v = t - splat<F>(2.0f);
        const F s = t + splat<F>(1.0f);
        const F tu = t * u * splat<F>(1.0f / 3.0f);
        const F sv = s * v;
        const F outer = tu * (s * load<F>(p) - v * load<F>(p + 3));
        const F inner = sv * (u * load<F>(p + 2) - t * load<F>(p + 1));
        return (outer + inner) * splat<F>(0.5f);
    }

private:
    static constexpr std::uint32_t k_guard = 32;
    std::vector<float> m_data;
    std::uint32_t m_mask = 0;
};

} // namespace tutti::engine
