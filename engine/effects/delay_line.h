// SPDX-License-Identifier: MIT
// A ring that owns its memory.
#pragma once

#include <algorithm>
#include <cstddef>

#include "engine/effects/state.h"
#include "engine/memory/memory.h"

namespace tutti::engine {

class DelayLine {
public:
    // Delays up to max_frames can be read after this. [control]
    void allocate(int max_frames) {
        std::uint32_t size = 64;
        while (size < static_cast<std::uint32_t>(max_frames) + 32)
            size *= 2;
        // A cache line more than a power of two: rings of one effect do not fall on the same cache sets.
        m_data.assign(static_cast<std::size_t>(size) + Ring::k_guard + 16, 0.0f);
        m_ring = {m_data.data(), size - 1};
    }
    void clear() noexcept { std::fill(m_data.begin(), m_data.end(), 0.0f); }
    const Ring& ring() const noexcept { return m_ring; }

private:
    Vector<float> m_data;
    Ring m_ring;
};

} // namespace tutti::engine
