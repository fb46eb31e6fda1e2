// SPDX-License-Identifier: MIT
// What a voice type's recurrence sees of the world: its row's fields, the part's table, and small helpers that all types share.
//
// Keeps to C++14 without standard headers. A backend may bring its own Slots (registers, device memory) with the same names.
#pragma once

#include "dsp/approx.h"
#include "dsp/ringing.h"
#include "voices/fields.h"

namespace tutti {
namespace voices {
inline namespace TUTTI_ISA_SPACE {

using namespace dsp;

// The lanes of a row that one F holds.
template <class F>
class Slots {
public:
    typedef F Lane;
    TUTTI_INLINE explicit Slots(float TUTTI_DEVICE* fields = nullptr) : m_fields(fields) {}
    TUTTI_INLINE F get(int field) const { return load<F>(m_fields + field * k_row_slots); }
    TUTTI_INLINE UintOf<F> bits(int field) const { return load_bits<F>(m_fields + field * k_row_slots); }
    TUTTI_INLINE void set(int field, F x) const { store<F>(m_fields + field * k_row_slots, x); }
    TUTTI_INLINE void set_bits(int field, UintOf<F> u) const { store_bits<F>(m_fields + field * k_row_slots, u); }
    TUTTI_INLINE void prefetch(int field) const { TUTTI_PREFETCH(m_fields + field * k_row_slots); }

private:
    float TUTTI_DEVICE* m_fields;
};

static_assert(k_ringing_fields == k_ring_fields, "the fields hold all of it");
template <class F>
TUTTI_INLINE void load_ringing(Slots<F> v, int field, Ringing<F>& ring) {
    TUTTI_UNROLL for (int i = 0; i < k_ring_fields; ++i) ring.at[i] = v.get(field + i);
}
template <class F>
TUTTI_INLINE void store_ringing(Slots<F> v, int field, const Ringing<F>& ring) {
    TUTTI_UNROLL for (int i = 0; i < k_ring_fields; ++i) v.set(field + i, ring.at[i]);
}

// What is the same for all voices of a bank during a run of frames.
struct Context {
    const float TUTTI_DEVICE* table = nullptr; // part inputs, then parameters
    const Route TUTTI_DEVICE* routes = nullptr;
    int route_count = 0;
    unsigned long long shape = 0;
    int tier = 0;
    bool stereo = false;
    float increment_at_a = 0.0f; // of 440 Hz, in 2^-32 cycles a frame
    float log2_angle = 0.0f;     // log2(pi / rate): added to log2(cutoff in Hz)
    float tick_seconds = 0.0f;
    float rate = 0.0f;
    Word frame = 0;                   // low word of the stream's frame at the step's first frame
    Word tick = 0;                    // low word of that frame / 16
    Word sources = 0;                 // bit s: source s has a route
    bool gliding = false;             // some voice of the group has a pitch step
    bool muffled = false;             // some voice of the group has its low-pass closed
    Word routed[5] = {0, 0, 0, 0, 0}; // bit p: parameter p has a route
    TUTTI_INLINE float part(int input) const { return table[input]; }
    TUTTI_INLINE float parameter(int index) const { return table[part_input_count + index]; }
    TUTTI_INLINE bool is_routed(int index) const { return (routed[index >> 5] >> (index & 31) & 1u) != 0; }
};

// Envelopes: at the present tick (or edit), and at the next tick.
template <class V>
TUTTI_INLINE typename V::Lane envelope_now(V v, int e) {
    return v.get(envelope_field(e));
}
template <class V>
TUTTI_INLINE typename V::Lane envelope_next(V v, int e) {
    const int at = envelope_field(e);
    return fma(v.get(at), v.get(at + 1), v.get(at + 2));
}
template <class V>
TUTTI_INLINE void advance_envelope(V v, int e) {
    v.set(envelope_field(e), envelope_next(v, e));
}

// Which lanes take new targets, which of them begin, and the frames left to the next tick.
template <class F>
struct Change {
    MaskOf<F> which;
    MaskOf<F> begun;
    F frames, per_frame; // per_frame = 1/frames
    bool rest;           // also what rests while parameters and inputs rest
    bool some_begin;
};
template <class F>
TUTTI_INLINE Change<F> tick_change(bool rest) {
    return {lane_mask<F>(0xffffu), lane_mask<F>(0), F(16.0f), F(1.0f / 16.0f), rest, false};
}

// Where a group adds its sound: [frame][k_row_slots] from the step's first frame, at the group's first lane.
struct Accumulator {
    float TUTTI_SHARED* left;
    float TUTTI_SHARED* right; // null for mono
    bool fresh = false;        // what stands there counts as 0; only where the type runs through
};

template <class F>
TUTTI_INLINE void add_frame(float TUTTI_SHARED* to, F value) {
    store(to, load<F>(to) + value);
}

// Frames to the next tick from a frame of the step.
TUTTI_INLINE int frames_to_tick(const Context& c, int at) {
    return k_tick_frames - static_cast<int>((c.frame + static_cast<Word>(at)) & static_cast<Word>(k_tick_frames - 1));
}
TUTTI_INLINE int smaller(int a, int b) {
    return a < b ? a : b;
}

// One quantity that runs linearly from tick to tick: its value in field `at`, its change a frame in field `slope`.
//
// A target is reached within rounding at the next tick; there the value is laid on the target and the slope becomes 0
// ("settled") where no more than rounding is left. So a lane whose inputs rest gives the same bits whether or not its
// neighbours make the row compute targets. `which` lanes take the target; `begun` ones begin at `now`.
template <class V, class F>
TUTTI_INLINE MaskOf<F> retarget(V v, int at, int slope, MaskOf<F> which, MaskOf<F> begun, F now, F next, F per_frame) {
    const F value = select(begun, now, v.get(at));
    const F gap = next - value;
    const MaskOf<F> moving = abs(gap) > abs(next) * F(3.8147e-6f); // 2^-18
    v.set(at, select(which, select(moving, value, next), v.get(at)));
    v.set(slope, select(which, select(moving, gap * per_frame, F(0.0f)), v.get(slope)));
    return both(moving, which);
}
// The same for an increment: 32-bit integers, the change a frame cut towards zero.
template <class V, class F>
TUTTI_INLINE MaskOf<F> retarget_increment(V v, int at, int slope, MaskOf<F> which, MaskOf<F> begun, UintOf<F> now,
                                          UintOf<F> next, F per_frame) {
    const UintOf<F> value = select(begun, now, v.bits(at));
    const F gap = signed_to_float(next - value);
    const MaskOf<F> moving = abs(gap) > F(64.0f);
    v.set_bits(at, select(which, select(moving, value, next), v.bits(at)));
    v.set_bits(slope, select(which, select(moving, truncate_to_int(gap * per_frame), UintOf<F>(0u)), v.bits(slope)));
    return both(moving, which);
}
// Where the change a frame stands in the next field.
template <class V, class F>
TUTTI_INLINE MaskOf<F> retarget(V v, int at, MaskOf<F> which, MaskOf<F> begun, F now, F next, F per_frame) {
    return retarget(v, at, at + 1, which, begun, now, next, per_frame);
}
template <class V, class F>
TUTTI_INLINE MaskOf<F> retarget_increment(V v, int at, MaskOf<F> which, MaskOf<F> begun, UintOf<F> now, UintOf<F> next,
                                          F per_frame) {
    return retarget_increment(v, at, at + 1, which, begun, now, next, per_frame);
}
// For what gets a new target at every tick anyway: nothing to settle.
template <class V, class F>
TUTTI_INLINE void move_to(V v, int at, int slope, MaskOf<F> which, MaskOf<F> begun, F now, F next, F per_frame) {
    const F value = select(begun, now, v.get(at));
    v.set(at, value);
    v.set(slope, select(which, (next - value) * per_frame, v.get(slope)));
}

// 2^-32 cycles a frame from semitones; held below 0.49 of the rate.
template <class F>
TUTTI_INLINE UintOf<F> increment_of(F semitones, const Context& c) {
    const F x = exp2((semitones - F(69.0f)) * F(1.0f / 12.0f)) * F(c.increment_at_a);
    return truncate_to_int(min(x, F(2104533975.0f)) + F(0.5f));
}

// Values of the modulation sources of a bank's voices; only those with a route are filled.
template <class F>
struct Sources {
    F value[source_count];
};
template <class F>
TUTTI_INLINE F parameter(const Context& c, const Sources<F>& sources, int index) {
    F value(c.parameter(index));
    if (c.is_routed(index)) {
        for (int r = 0; r < c.route_count; ++r)
            if (c.routes[r].target == index) {
                F amount = sources.value[c.routes[r].source];
                if (c.routes[r].via != source_none) amount = amount * sources.value[c.routes[r].via];
                value = fma(F(c.routes[r].depth), amount, value);
            }
    }
    return value;
}
// The sources that come from the note's inputs and the part; the type fills its envelopes and LFOs.
template <class V, class F>
TUTTI_INLINE void common_sources(V v, const Context& c, Sources<F>& s) {
    if (c.sources >> source_velocity & 1u) s.value[source_velocity] = v.get(input_velocity);
    if (c.sources >> source_key & 1u) s.value[source_key] = v.get(input_key);
    if (c.sources >> source_pressure & 1u)
        s.value[source_pressure] = min(v.get(input_pressure) + F(c.part(part_pressure)), F(1.0f));
    if (c.sources >> source_timbre & 1u) s.value[source_timbre] = v.get(input_timbre);
    if (c.sources >> source_random & 1u) s.value[source_random] = v.get(input_random);
    if (c.sources >> source_unison & 1u) s.value[source_unison] = v.get(input_unison);
    if (c.sources >> source_bend & 1u) s.value[source_bend] = F(c.part(part_bend));
    if (c.sources >> source_wheel & 1u) s.value[source_wheel] = F(c.part(part_wheel));
    if (c.sources >> source_breath & 1u) s.value[source_breath] = F(c.part(part_breath));
    if (c.sources >> source_expression & 1u) s.value[source_expression] = F(c.part(part_expression));
    for (int m = 0; m < 8; ++m)
        if (c.sources >> (source_macro1 + m) & 1u) s.value[source_macro1 + m] = F(c.part(part_macro1 + m));
}

// Equal power; the centre is -3 dB on each side. `place` is held in -1..1.
template <class F>
TUTTI_INLINE void pan_gains(F place, F& left, F& right) {
    const F p = min(max(place, F(-1.0f)), F(1.0f)) * F(0.5f);
    left = sqrt(F(0.5f) - p);
    right = sqrt(F(0.5f) + p);
}

} // namespace TUTTI_ISA_SPACE
} // namespace voices
} // namespace tutti
