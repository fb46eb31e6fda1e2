// SPDX-License-Identifier: MIT
// The last stage of a voice: ramped gains for two sides, the voice's own low-pass, the sum over slots.
#pragma once

#include "voices/slots.h"

namespace tutti {
namespace voices {
inline namespace TUTTI_ISA_SPACE {

// Fields of the output stage, from a field of the type's choice on.
constexpr int k_output_left = 0;         // pair: gain and its change a frame
constexpr int k_output_right = 2;        // pair
constexpr int k_output_memory = 4;       // of the low-pass, left
constexpr int k_output_memory_right = 5; // right
constexpr int k_output_field_count = 6;

// Carried in registers through some frames: load, add a frame each, store.
template <class F>
class Output {
public:
    // `fresh`: nothing stands there yet.
    TUTTI_INLINE Output(Slots<F> v, const Context& c, int at, int first, Accumulator to, bool fresh = false)
        : m_left(v.get(at + k_output_left)), m_right(v.get(at + k_output_right)),
          m_left_slope(v.get(at + k_output_left + 1)), m_right_slope(v.get(at + k_output_right + 1)),
          m_memory(v.get(at + k_output_memory)), m_memory_right(v.get(at + k_output_memory_right)),
          m_open(v.get(input_lowpass)), m_muffled(both(F(0.0f) < m_open, m_open < F(1.0f))), m_muffle(any(m_muffled)),
          m_stereo(c.stereo), m_fresh(fresh), m_to_left(to.left + first * k_row_slots),
          m_to_right(c.stereo ? to.right + first * k_row_slots : nullptr) {}

    // A voice of one channel.
    TUTTI_INLINE void add(F y) {
        if (m_muffle) y = pass(y, m_memory);
        m_left = m_left + m_left_slope;
        put(m_to_left, y * m_left);
        m_to_left += k_row_slots;
        if (!m_stereo) return;
        m_right = m_right + m_right_slope;
        put(m_to_right, y * m_right);
        m_to_right += k_row_slots;
    }
    // A voice of two channels; a mono stream hears their mean.
    TUTTI_INLINE void add(F left, F right) {
        if (!m_stereo) return add((left + right) * F(0.5f));
        if (m_muffle) {
            left = pass(left, m_memory);
            right = pass(right, m_memory_right);
        }
        m_left = m_left + m_left_slope;
        m_right = m_right + m_right_slope;
        put(m_to_left, left * m_left);
        put(m_to_right, right * m_right);
        m_to_left += k_row_slots;
        m_to_right += k_row_slots;
    }
    TUTTI_INLINE void store_to(Slots<F> v, int at) const {
        v.set(at + k_output_left, m_left);
        v.set(at + k_output_right, m_right);
        if (!m_muffle) return;
        v.set(at + k_output_memory, m_memory);
        v.set(at + k_output_memory_right, m_memory_right);
    }

private:
    TUTTI_INLINE void put(float TUTTI_SHARED* to, F value) const {
        if (m_fresh)
            store(to, F(0.0f) + value); // as if it were added: no -0
        else
            add_frame(to, value);
    }
    TUTTI_INLINE F pass(F y, F& memory) const {
        memory = select(m_muffled, fma(m_open, y - memory, memory), memory);
        return select(m_muffled, memory, y);
    }

    F m_left, m_right, m_left_slope, m_right_slope, m_memory, m_memory_right, m_open;
    MaskOf<F> m_muffled;
    bool m_muffle, m_stereo, m_fresh;
    float TUTTI_SHARED* m_to_left;
    float TUTTI_SHARED* m_to_right;
};

// New targets of the gains; `moving` is what retarget() says of them.
template <class V, class F>
TUTTI_INLINE MaskOf<F> output_target(V v, const Context& c, const Change<F>& k, int at, F left_now, F right_now, F left,
                                     F right) {
    MaskOf<F> moving = retarget(v, at + k_output_left, k.which, k.begun, left_now, left, k.per_frame);
    if (c.stereo)
        moving = either(moving, retarget(v, at + k_output_right, k.which, k.begun, right_now, right, k.per_frame));
    return moving;
}

// Decibels to a linear gain.
template <class F>
TUTTI_INLINE F gain_of(F decibels) {
    return exp2(decibels * F(1.0f / 6.0206f));
}

} // namespace TUTTI_ISA_SPACE
} // namespace voices
} // namespace tutti
