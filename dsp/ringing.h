// SPDX-License-Identifier: MIT
// The `ultra` tier's band limit: what a jump or a corner leaves behind in an elliptic low-pass of order eight, as damped waves
// that ring on by themselves.
//
// A wave with jumps through such a filter is the wave without any filter, less the slope's delay, plus for each jump what the
// filter's step response lacks of a step: four damped waves, begun at the jump's true place between two frames.
// All jumps of a voice, however close and of whatever waves, ring in the same eight numbers, so a voice pays for its jumps as
// they come and not for each sample near one; no table is looked up, and every instruction set does the same. The method is
// the closed form of band-limited steps by an analogue filter's impulse-invariant response: E. Brandt, ICMC 2001 (causal,
// minimum-phase steps); S. Tassart, IEEE Transactions on Audio, Speech and Language Processing 21(3), 2013 (one-pole sections).
//
// The filter: pass band within 0.2 dB to 0.4 of the rate (19.2 kHz at 48 kHz), 75 dB down from 0.523 on. The polynomials in
// the place within a frame are exact to 3e-6 of the jump.
#pragma once

#include "dsp/lane.h"

namespace tutti {
namespace dsp {
inline namespace TUTTI_ISA_SPACE {

constexpr int k_ring_waves = 4;
constexpr int k_ring_fields = 2 * k_ring_waves;
constexpr float k_ring_delay = 1.963972208e+00f; // frames at 0 Hz

// A wave's next value from its last two.
constexpr float k_ring_last[k_ring_waves] = {6.778879380e-01f, -1.600611728e-01f, -1.003508452e+00f, -1.524220846e+00f};
constexpr float k_ring_before[k_ring_waves] = {-1.830260663e-01f, -3.121850514e-01f, -5.565799436e-01f,
                                               -8.438335089e-01f};

// [power of the frames since the jump][wave now, wave a frame before, ...]
constexpr float k_ring_step[7][k_ring_fields] = {
    {-1.660107549e+00f, -1.028324586e+00f, 8.100143691e-01f, 2.895664066e-01f, -1.312571435e-01f, -1.533121516e-01f,
     -1.847841525e-02f, 6.153326347e-02f},
    {4.680786368e-01f, -2.424274355e+00f, -9.527513736e-01f, 2.414621037e+00f, 6.706273442e-01f, -8.253291212e-01f,
     -1.865241578e-01f, 1.359521980e-01f},
    {5.585023730e-01f, 2.650654818e+00f, -7.735135046e-01f, -1.877429742e+00f, 1.583466302e-01f, 6.538894187e-01f,
     7.594750423e-02f, -2.105841708e-01f},
    {-4.061533091e-01f, -1.036108442e+00f, 8.223519063e-01f, -6.069195527e-01f, -6.322596839e-01f, 6.342221313e-01f,
     1.975726392e-01f, -1.419175903e-01f},
    {1.193373549e-01f, 1.883567889e-01f, -3.142334359e-02f, 7.347859197e-01f, 6.869915778e-03f, -4.332327176e-01f,
     -4.663114657e-02f, 1.369981641e-01f},
    {-1.792043125e-02f, -8.405063776e-03f, -1.254566031e-01f, -1.365903291e-01f, 1.998509563e-01f, -6.360568739e-02f,
     -7.186367864e-02f, 2.088272269e-02f},
    {1.106240537e-03f, -2.006827009e-03f, 3.072931452e-02f, -8.020758981e-03f, -5.513165006e-02f, 5.611377016e-02f,
     2.621959270e-02f, -2.134400527e-02f},
};
constexpr float k_ring_corner[7][k_ring_fields] = {
    {2.041476620e+00f, 3.621430004e+00f, 2.985712113e-03f, -8.393985216e-01f, -1.096429475e-01f, 1.690483916e-01f,
     2.915290550e-02f, -2.251416504e-02f},
    {-1.660109349e+00f, -1.028320572e+00f, 8.099603925e-01f, 2.895892776e-01f, -1.311634402e-01f, -1.534194264e-01f,
     -1.852396909e-02f, 6.157417084e-02f},
    {2.340685317e-01f, -1.212198803e+00f, -4.755177257e-01f, 1.206984914e+00f, 3.338098089e-01f, -4.109954497e-01f,
     -9.253509925e-02f, 6.733966360e-02f},
    {1.859903102e-01f, 8.839094491e-01f, -2.629569907e-01f, -6.240425948e-01f, 6.181926191e-02f, 2.081758675e-01f,
     2.096706824e-02f, -6.646418332e-02f},
    {-1.010280491e-01f, -2.600226549e-01f, 2.201451189e-01f, -1.563570049e-01f, -1.839037657e-01f, 1.859885277e-01f,
     6.178085768e-02f, -4.593071071e-02f},
    {2.311420755e-02f, 3.909958309e-02f, -2.754902413e-02f, 1.532401486e-01f, 3.928132352e-02f, -1.262351161e-01f,
     -2.744318798e-02f, 4.247389658e-02f},
    {-2.436023355e-03f, -2.420375358e-03f, -5.498212429e-03f, -2.703102443e-02f, 5.739052591e-03f, 1.779438104e-02f,
     1.164077659e-03f, -7.325919396e-03f},
};

template <class F>
struct Ringing {
    F at[k_ring_fields]; // as in the tables

    // A frame passes.
    TUTTI_INLINE void next() {
        TUTTI_UNROLL for (int w = 0; w < k_ring_waves; ++w) {
            const F now = fma(at[2 * w], F(k_ring_last[w]), at[2 * w + 1] * F(k_ring_before[w]));
            at[2 * w + 1] = at[2 * w];
            at[2 * w] = now;
        }
    }
    // In this frame a jump of the height `jump` was `since` frames ago, 0..1, in the lanes of `which`; a corner alike, with its
    // change of slope a frame.
    TUTTI_INLINE void jumped(MaskOf<F> which, F since, F jump) { add_polynomials(at, k_ring_step, which, since, jump); }
    TUTTI_INLINE void turned(MaskOf<F> which, F since, F corner) {
        add_polynomials(at, k_ring_corner, which, since, corner);
    }
    // What rings in this frame.
    TUTTI_INLINE F sum() const { return (at[0] + at[2]) + (at[4] + at[6]); }
};

} // namespace TUTTI_ISA_SPACE
} // namespace dsp
} // namespace tutti
