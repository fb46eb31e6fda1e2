// SPDX-License-Identifier: MIT
// Reading and writing rings and ramps, one frame or many at a time.
#pragma once

#include "engine/effects/state.h"
#include "engine/effects/wide.h"

namespace tutti::engine {
inline namespace TUTTI_ISA_SPACE {

template <class F>
inline F ramp_at(const Ramp& ramp, int k) noexcept {
    return splat<F>(ramp.from) + splat<F>(ramp.slope) * count_from<F>(k);
}

// Over this tick, towards `target` as far as k_steepest allows; at once where it jumps.
inline void move(MovingDelay& delay, float target, bool jump) noexcept {
    constexpr float k_ticks = 16.0f; // frames of a tick
    constexpr float k_limit = MovingDelay::k_steepest * k_ticks;
    if (jump) delay.now = target;
    float step = target - delay.now;
    step = step < -k_limit ? -k_limit : step > k_limit ? k_limit : step;
    const float slope = step * (1.0f / k_ticks);
    const Quad frames = splat_quad(delay.now) + splat_quad(slope) * quad(0.0f, 4.0f, 8.0f, 12.0f);
    store_whole(delay.whole, frames);
    store(delay.fraction, frames - towards_zero(frames));
    delay.slope = slope;
    delay.still = slope == 0.0f && delay.fraction[0] == 0.0f;
    delay.now += step;
}

// The frame at `position`; 32 frames are contiguous from there.
inline const float* frame_at(const Ring& ring, std::uint32_t position) noexcept {
    return ring.data + (position & ring.mask);
}

// One frame, or several where `position` is a multiple of their number.
template <class F>
inline void write(const Ring& ring, std::uint32_t position, F frames) noexcept {
    const std::uint32_t place = position & ring.mask;
    store(ring.data + place, frames);
    if (place < Ring::k_guard) store(ring.data + place + ring.mask + 1, frames);
}

// The same without the repeat at the end, for rings read at least a tick behind: end_tick() makes it good.
template <class F>
inline void put(const Ring& ring, std::uint32_t position, F frames) noexcept {
    store(ring.data + (position & ring.mask), frames);
}
inline void end_tick(const Ring& ring, std::uint32_t tick) noexcept {
    const std::uint32_t place = tick & ring.mask;
    if (place >= Ring::k_guard) return;
    for (int k = 0; k < k_tick_frames; k += 4)
        store(ring.data + place + ring.mask + 1 + k, load<Quad>(ring.data + place + k));
}

// Lagrange's cubic through p[0..3], t frames back from p[2].
template <class F>
inline F lagrange(const float* p, F t) noexcept {
    const F u = t - splat<F>(1.0f);
    const F v = t - splat<F>(2.0f);
    const F s = t + splat<F>(1.0f);
    const F tu = t * u * splat<F>(1.0f / 3.0f);
    const F sv = s * v;
    const F outer = tu * (s * load<F>(p) - v * load<F>(p + 3));
    const F inner = sv * (u * load<F>(p + 2) - t * load<F>(p + 1));
    return (outer + inner) * splat<F>(0.5f);
}

// The frame(s) `delay` before `tick + k`. Where frames are read before they are written, the delay is at least 20 frames;
// elsewhere at least 2.
template <class F>
struct Reader {
    static F read(const Ring& ring, std::uint32_t tick, int k, const MovingDelay& delay) noexcept {
        const int q = k >> 2;
        const float* p = frame_at(ring, tick + static_cast<std::uint32_t>(k) - delay.whole[q] - 2);
        if (delay.still) return load<F>(p + 2);
        return lagrange(p, splat<F>(delay.fraction[q]) + splat<F>(delay.slope) * count_from<F>(k & 3));
    }
};
#if defined(TUTTI_EFFECTS_WIDE)
template <>
struct Reader<Wide> {
    static Wide read(const Ring& ring, std::uint32_t tick, int k, const MovingDelay& delay) noexcept {
        const int q = k >> 2;
        const float* p = frame_at(ring, tick + static_cast<std::uint32_t>(k) - delay.whole[q] - 2);
        if (delay.still) return load<Wide>(p + 2);
        if (delay.whole[q] == delay.whole[q + k_wide / 4 - 1]) // a straight line: so are those between
            return lagrange(p, each_four_times(delay.fraction + q) + splat<Wide>(delay.slope) * four_counts());
        Quad quads[k_wide / 4];
        for (int i = 0; i < k_wide / 4; ++i)
            quads[i] = Reader<Quad>::read(ring, tick, k + 4 * i, delay);
        return join(quads);
    }
};
#endif

} // namespace TUTTI_ISA_SPACE
} // namespace tutti::engine
