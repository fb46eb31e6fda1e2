// SPDX-License-Identifier: MIT
// The sum of a bank's chunks in design order, whatever order of threads they come from.
#pragma once

#include <cstdint>
#include <cstring>

#include "voices/fields.h"

namespace tutti::engine {

struct Sum {
    float channel[2][voices::k_block_frames];
};

inline void add(Sum& to, const Sum& from, int frames, bool stereo) noexcept {
    for (int i = 0; i < frames; ++i)
        to.channel[0][i] += from.channel[0][i];
    if (!stereo) return;
    for (int i = 0; i < frames; ++i)
        to.channel[1][i] += from.channel[1][i];
}

// Adds what comes in order of index as a pairwise tree would: equal sums of 1, 2, 4, ... members wait for their like. A silent
// member adds a zero, and so is only remembered: all that the zero would do is to make a zero that is below zero a plain one.
class TreeSum {
public:
    // Where the next member goes.
    Sum& next() noexcept { return m_waiting[m_depth]; }
    void push(int frames, bool stereo) noexcept {
        m_silent[m_depth++] = false;
        settle(frames, stereo);
    }
    void push_silence(int frames, bool stereo) noexcept {
        m_silent[m_depth++] = m_padded = true;
        settle(frames, stereo);
    }
    // The same with a member that stands elsewhere; every second one is added where it is.
    void push(const Sum& from, int frames, bool stereo) noexcept {
        if ((m_count & 1u) == 0 || m_silent[m_depth - 1]) {
            copy(m_waiting[m_depth], from, frames, stereo);
            return push(frames, stereo);
        }
        ++m_count;
        add(m_waiting[m_depth - 1], from, frames, stereo);
        for (std::uint32_t n = m_count >> 1; (n & 1u) == 0; n >>= 1)
            join(frames, stereo);
    }
    // Null: silence.
    const Sum* finish(int frames, bool stereo) noexcept {
        while (m_depth > 1)
            join(frames, stereo);
        return m_depth == 1 && !m_silent[0] ? &m_waiting[0] : nullptr;
    }
    bool padded() const noexcept { return m_padded; } // add a zero to each frame of the sum
    // Begins anew.
    void clear() noexcept {
        m_depth = 0;
        m_count = 0;
        m_padded = false;
    }

private:
    static void copy(Sum& to, const Sum& from, int frames, bool stereo) noexcept {
        for (int c = 0; c < (stereo ? 2 : 1); ++c)
            std::memcpy(to.channel[c], from.channel[c], static_cast<std::size_t>(frames) * sizeof(float));
    }
    void settle(int frames, bool stereo) noexcept {
        for (std::uint32_t n = ++m_count; (n & 1u) == 0; n >>= 1)
            join(frames, stereo);
    }
    void join(int frames, bool stereo) noexcept {
        --m_depth;
        if (m_silent[m_depth]) return;
        if (m_silent[m_depth - 1])
            copy(m_waiting[m_depth - 1], m_waiting[m_depth], frames, stereo);
        else
            add(m_waiting[m_depth - 1], m_waiting[m_depth], frames, stereo);
        m_silent[m_depth - 1] = false;
    }
    Sum m_waiting[34];
    bool m_silent[34] = {};
    bool m_padded = false;
    int m_depth = 0;
    std::uint32_t m_count = 0;
};

} // namespace tutti::engine
