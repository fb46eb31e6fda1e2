// SPDX-License-Identifier: MIT
// A ring that owns its memory, of which it uses as little as the delay at hand needs: what is not used stays out of the cache.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "engine/effects/state.h"
#include "engine/memory/memory.h"

namespace tutti::engine {

class DelayLine {
public:
    // Delays up to max_frames can be read after this, where reach() has been asked for them. `place` differs between the
    // rings of an effect: it keeps them off each other's cache sets. [control]
    void allocate(int max_frames, int place = 0) {
        m_most = size_for(max_frames);
        m_offset = static_cast<std::size_t>(place) % 32 * 32;
        m_data.assign(m_most + Ring::k_guard + m_offset + 16, 0.0f);
        const auto ragged = reinterpret_cast<std::uintptr_t>(m_data.data()) % 64;
        m_ring = {m_data.data() + (64 - ragged) % 64 / sizeof(float) + m_offset, m_most - 1};
        clear();
    }
    // Empty, and as long as can be.
    void clear() noexcept {
        m_ring.mask = m_most - 1;
        std::fill_n(m_ring.data, m_most + Ring::k_guard, 0.0f);
    }
    // Empty, and as short as delays up to `frames` allow.
    void clear(int frames) noexcept {
        clear();
        m_ring.mask = std::min(size_for(frames), m_most) - 1;
    }
    // Lengthens the ring for delays up to `frames`; what it holds stays where it is heard. `position` is the next frame that
    // will be written. Touches the whole ring where it grows, which a delay does a few times at most. [render]
    void reach(int frames, std::uint32_t position) noexcept {
        const std::uint32_t wanted = std::min(size_for(frames), m_most);
        while (m_ring.mask + 1 < wanted)
            double_size(position);
    }
    const Ring& ring() const noexcept { return m_ring; }

private:
    static std::uint32_t size_for(int frames) noexcept {
        std::uint32_t size = 64;
        while (size < static_cast<std::uint32_t>(frames) + 32)
            size *= 2;
        return size;
    }
    // The last `size` positions before `position` find their places among twice as many: one run of them moves up.
    void double_size(std::uint32_t position) noexcept {
        const std::uint32_t size = m_ring.mask + 1;
        const std::uint32_t end = position & (2 * size - 1);
        const std::uint32_t from = end < size ? end : 0, to = end < size ? size : end - size;
        float* const data = m_ring.data;
        std::fill_n(data + size, size + Ring::k_guard, 0.0f);
        std::copy(data + from, data + to, data + size + from);
        std::fill(data + from, data + to, 0.0f);
        m_ring.mask = 2 * size - 1;
        std::copy_n(data, Ring::k_guard, data + 2 * size);
    }

    Vector<float> m_data;
    Ring m_ring;
    std::uint32_t m_most = 0;
    std::size_t m_offset = 0;
};

} // namespace tutti::engine
