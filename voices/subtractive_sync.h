// SPDX-License-Identifier: MIT
// Hard sync: oscillator 2 begun anew with each cycle of oscillator 1, band-limited in every tier.
//
// Between two resets the wave is a closed form of the phases, and so are the places of its jumps and corners: those behind
// the sample, those ahead of it up to the reset to come, those on the other side of the resets. Each takes the residual of
// its tier (dsp/oscillator.h; `ultra` those of dsp/residuals.h) times its own height: a reset jumps from where the wave has got to back to its beginning, and
// bends by the difference of the two slopes (E. Brandt, "Hard Sync Without Aliasing", ICMC 2001; polyBLAMP as there).
#pragma once

#include "dsp/oscillator.h"
#include "dsp/residuals.h"
#include "voices/subtractive_ramp.h"

namespace tutti {
namespace voices {
inline namespace TUTTI_ISA_SPACE {
namespace subtractive_kernel {

// The residual of a jump of 1, at a distance in frames on either side: 1/2 at 0.
template <int tier, class F>
TUTTI_INLINE F step_tail(F distance) {
    if (tier == tier_ultra) return F(0.5f) * residual(k_step_residual, distance + distance);
    if (tier == tier_eco) return near_jump(distance);
    const F outer = max(F(2.0f) - distance, F(0.0f)), inner = max(F(1.0f) - distance, F(0.0f));
    const F a = outer * outer, b = inner * inner;
    return fma(a, a, F(-4.0f) * (b * b)) * F(1.0f / 24.0f);
}
// The residual of a change of slope of 1 a frame.
template <int tier, class F>
TUTTI_INLINE F corner_tail(F distance) {
    if (tier == tier_ultra) return residual(k_corner_residual, distance + distance);
    const F inner = max(F(1.0f) - distance, F(0.0f)), b = inner * inner;
    if (tier == tier_eco) return inner * b * F(1.0f / 6.0f);
    const F outer = max(F(2.0f) - distance, F(0.0f)), a = outer * outer;
    return fma(a * a, outer, F(-4.0f) * (b * b * inner)) * F(1.0f / 120.0f);
}
constexpr float tail_frames(int tier) {
    return tier == tier_eco ? 1.0f : tier == tier_standard ? 2.0f : 16.0f;
}

// `count` jumps of 1, the first one `distance` frames away, the next ones a period (more than 2 frames) further each.
template <int tier, class F>
TUTTI_INLINE F step_row(F distance, F count, F period) {
    if (tier != tier_ultra) return select(F(0.5f) < count, step_tail<tier>(distance), F(0.0f));
    F sum(0.0f);
    for (int j = 0; j < 8; ++j) {
        const MaskOf<F> counts = both(distance < F(16.0f), F(static_cast<float>(j) + 0.5f) < count);
        if (!any(counts)) break;
        sum = sum + select(counts, step_tail<tier>(distance), F(0.0f));
        distance = distance + period;
    }
    return sum;
}
// The same for corners of alternating sign, the first one +1; they stand more than 1 frame apart.
template <int tier, class F>
TUTTI_INLINE F corner_row(F distance, F count, F period) {
    F sum(0.0f);
    for (int j = 0; j < (tier == tier_ultra ? 16 : 2); ++j) {
        const MaskOf<F> counts = both(distance < F(tail_frames(tier)), F(static_cast<float>(j) + 0.5f) < count);
        if (!any(counts)) break;
        const F one = select(counts, corner_tail<tier>(distance), F(0.0f));
        sum = (j & 1) != 0 ? sum - one : sum + one;
        distance = distance + period;
    }
    return sum;
}

// Where a sample stands between two resets; frames, and cycles of oscillator 2.
template <class F>
struct SyncPlace {
    F since, to;      // the resets behind and ahead
    F cycle1, cycle2; // lengths of the cycles
    F at, cycles;     // the place in the present cycle, 0..1; all cycles since the reset
    F to_cycles;      // `to` in cycles of oscillator 2
    F end, last;      // cycles from reset to reset: of this one, of the one before
};

template <class F>
TUTTI_INLINE F fraction_of(UintOf<F> phase) {
    return signed_to_float(shift_right(phase, 1)) * F(1.0f / 2147483648.0f);
}

// The sum of one(since, to, cycles that ended at the reset behind) over the resets that can be heard, the nearest first.
template <int tier, class F, class One>
TUTTI_INLINE F every_reset(const SyncPlace<F>& p, One one) {
    F sum = one(p.since, p.to, p.last);
    if (tier != tier_ultra) return sum;
    F since = p.since + p.cycle1, to = p.to + p.cycle1;
    for (int m = 0; m < 8 && any(min(since, to) < F(16.0f)); ++m) {
        sum = sum + one(since, to, p.end);
        since = since + p.cycle1;
        to = to + p.cycle1;
    }
    return sum;
}

// What a saw at `at` of its cycle, begun at `first` after each reset, lacks; in halves of its height.
template <int tier, class F>
TUTTI_INLINE F saw_sync(const SyncPlace<F>& p, F at, F first) {
    const F done = round_small(p.cycles + first - at).value;
    const F ahead = floor_small(at + p.to_cycles);
    const F end = p.end + first, jumps = floor_small(end);
    F sum = step_row<tier>(at * p.cycle2, done, p.cycle2) - step_row<tier>((F(1.0f) - at) * p.cycle2, ahead, p.cycle2);
    F height =
        first - (at + p.to_cycles - ahead); // by the same sum as `ahead`, or a jump beside it counted twice or never
    sum = sum + every_reset<tier>(p, [&](F since, F to, F before) {
              const F came = before + first, came_jumps = floor_small(came), rest = came - came_jumps;
              F s = step_row<tier>(fma(rest, p.cycle2, since), came_jumps, p.cycle2) -
                    step_row<tier>(fma(F(1.0f) - first, p.cycle2, to), jumps, p.cycle2);
              s = fnma(first - rest, step_tail<tier>(since), s);
              s = fma(height, step_tail<tier>(to), s);
              height = first - (end - jumps);
              return s;
          });
    return sum + sum;
}

// The triangle's, begun at its lowest point; its height is -1..1.
template <int tier, class F>
TUTTI_INLINE F triangle_sync(const SyncPlace<F>& p) {
    const F one(1.0f), half(0.5f);
    const F spacing = p.cycle2 * half;
    const F corner = F(8.0f) / p.cycle2; // change of slope at a corner, a frame
    // +1 at the lowest points, -1 at the highest.
    const auto turn = [&](F sum, MaskOf<F> highest) { return select(highest, F(0.0f) - sum, sum); };
    const auto value = [&](F x) { return select(x < half, fma(F(4.0f), x, F(-1.0f)), fma(F(-4.0f), x, F(3.0f))); };
    const MaskOf<F> falling = p.at >= half;
    const F halves = p.at + p.at, into = halves - select(falling, one, F(0.0f));
    const F whole = round_small(p.cycles - p.at).value;
    const F done = fma(F(2.0f), whole, select(falling, one, F(0.0f)));
    const F end_halves = p.end + p.end;
    const F way = fma(F(2.0f), p.to_cycles, into), ahead = floor_small(way);
    // Where the reset to come finds the wave: by the same sum as `ahead`, or a corner beside it would count twice or never.
    const F odd = ahead + select(falling, one, F(0.0f));
    F left = half * (way - ahead + odd) - floor_small(half * odd);
    F bend = turn(corner_row<tier>(into * spacing, done, spacing), falling) -
             turn(corner_row<tier>((one - into) * spacing, ahead, spacing), falling);
    F step(0.0f);
    bend = bend + every_reset<tier>(p, [&](F since, F to, F before) {
               const F came = before - floor_small(before), came_halves = came + came;
               const MaskOf<F> came_falling = came >= half;
               const F came_into = came_halves - select(came_falling, one, F(0.0f));
               F b = turn(corner_row<tier>(fma(came_into, spacing, since), floor_small(before + before), spacing),
                          came_falling) -
                     corner_row<tier>(to + spacing, floor_small(end_halves), spacing);
               step = fnma(F(-1.0f) - value(came), step_tail<tier>(since), step);
               step = fma(F(-1.0f) - value(left), step_tail<tier>(to), step);
               b = b + select(came_falling, corner_tail<tier>(since), F(0.0f));
               b = b + select(left < half, F(0.0f), corner_tail<tier>(to));
               left = p.end - floor_small(p.end);
               return b;
           });
    return fma(corner, bend, step);
}

// The sine's, begun at its falling zero.
template <int tier, class F>
TUTTI_INLINE F sine_sync(const SyncPlace<F>& p) {
    const F turn = F(6.28318531f) / p.cycle2;
    const auto at_reset = [&](F cycles, F& height, F& bend) {
        const F x = cycles - floor_small(cycles), s = sin_pi(x);
        height = F(0.0f) - sin_pi(fma(F(2.0f), x, F(-1.0f)));
        bend = F(-2.0f) * turn * s * s;
    };
    return every_reset<tier>(p, [&](F since, F to, F before) {
        F height, bend;
        at_reset(before, height, bend);
        F sum = fnma(height, step_tail<tier>(since), bend * corner_tail<tier>(since));
        at_reset(p.end, height, bend);
        sum = fma(height, step_tail<tier>(to), sum);
        return fma(bend, corner_tail<tier>(to), sum);
    });
}

template <int tier, class F>
void sync_frames(Slots<F> v, int wave, Frames<F>& out, int n) {
    UintOf<F> master = v.bits(f_osc1), phase = v.bits(f_osc2);
    IntegerRamp<F> step1(v, f_osc1 + f_osc_increment), step2(v, f_osc2 + f_osc_increment), width(v, f_width2);
    const UintOf<F> half(0x80000000u);
    F next = v.get(f_sync_next);
    SyncPlace<F> p;
    p.last = v.get(f_sync_last);
    for (int i = 0; i < n; ++i) {
        const UintOf<F> inc1 = step1.next(), inc2 = step2.next(), shift = width.next();
        const F float1 = max(signed_to_float(inc1), F(1.0f)), float2 = max(signed_to_float(inc2), F(1.0f));
        p.cycle1 = F(4294967296.0f) / float1;
        p.cycle2 = F(4294967296.0f) / float2;
        master = master + inc1;
        phase = phase + inc2;
        const UintOf<F> place = master ^ half; // 0 at the reset
        p.since = fraction_of<F>(place) * p.cycle1;
        const F left = fraction_of<F>(UintOf<F>(0u) - place) * p.cycle1;
        p.to = select(F(0.0f) < left, left, p.cycle1);
        const MaskOf<F> reset = less_unsigned(place, inc1);
        phase = select(reset, half + truncate_to_int(min(p.since * float2, F(2147483520.0f))), phase);
        p.last = select(reset, next, p.last);
        const UintOf<F> begun = phase - half;
        p.at = fraction_of<F>(begun);
        p.cycles = p.since / p.cycle2;
        p.to_cycles = p.to / p.cycle2;
        // As many as can be heard: 16 frames hold at most 8.
        const F end = min(round_small(p.cycles - p.at).value, F(1024.0f)) + p.at + p.to_cycles,
                whole = floor_small(end);
        p.end = end - whole + min(whole, F(16.0f));
        next = p.end;
        F y;
        if (wave == wave_sine) {
            y = (sine_of_phase<F>(phase) + sine_sync<tier>(p)) * F(k_cycle_half);
        } else if (wave == wave_triangle) {
            const F s = signed_to_float(phase);
            y = fma(triangle_sync<tier>(p), F(k_cycle_half), fma(F(-2.0f), abs(s), F(k_cycle_half)));
        } else {
            y = fma(saw_sync<tier>(p, p.at, F(0.0f)), F(k_cycle_half), signed_to_float(phase));
            if (wave == wave_pulse) {
                const F other = saw_sync<tier>(p, fraction_of<F>(begun + shift), fraction_of<F>(shift));
                y = y - fma(other, F(k_cycle_half), signed_to_float(phase + shift));
            }
        }
        out.at[i] = y;
    }
    v.set_bits(f_osc2, phase);
    v.set_bits(f_osc2 + f_osc_increment, step2.value);
    v.set_bits(f_width2, width.value);
    v.set(f_sync_next, next);
    v.set(f_sync_last, p.last);
    Ramp<F> slope(v, f_osc2 + f_osc_slope), offset(v, f_osc2 + f_osc_offset); // not used here, kept in step
    for (int i = 0; i < n; ++i) {
        slope.next();
        offset.next();
    }
    v.set(f_osc2 + f_osc_slope, slope.value);
    v.set(f_osc2 + f_osc_offset, offset.value);
}

} // namespace subtractive_kernel
} // namespace TUTTI_ISA_SPACE
} // namespace voices
} // namespace tutti
