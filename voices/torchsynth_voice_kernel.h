// SPDX-License-Identifier: MIT
// Torchsynth voice: the recurrence as a backend runs it (the functions every voice type provides, see voices/subtractive.h).
#pragma once

#include "voices/torchsynth_voice_sound.h"

namespace tutti {
namespace voices {
inline namespace TUTTI_ISA_SPACE {

template <class F>
struct TorchsynthVoice {
    typedef Slots<F> View;
    static constexpr int k_envelope_count = torchsynth_voice::k_envelopes;
    static constexpr int k_field_count = torchsynth_voice::f_count;

    static void advance(View v, const Context&) { torchsynth_kernel::advance(v); }
    static Word retarget(View v, const Context& c, Word which, Word begun, int frames_left) {
        const float frames = static_cast<float>(frames_left);
        torchsynth_kernel::compute_targets(
            v, c, Change<F>{lane_mask<F>(which), lane_mask<F>(begun), F(frames), F(1.0f / frames), true, begun != 0});
        return 0;
    }
    static Word retarget_tick(View v, const Context& c, bool rest) {
        torchsynth_kernel::compute_targets(v, c, tick_change<F>(rest));
        return 0;
    }
    // The fields hold all that ticks need.
    static bool runs_through(const Context&) { return true; }
    template <int G>
    static void run(const View* v, const Context& c, int first, int last, bool through, bool tick, Accumulator to) {
        for (int g = 0; g < G; ++g, to.fresh = false)
            for (int at = first; at < last;) {
                if (through && (tick || at > first)) {
                    torchsynth_kernel::advance(v[g]);
                    torchsynth_kernel::aim(v[g], c.stereo, tick_change<F>(false));
                }
                const int stop = smaller(last, at + frames_to_tick(c, at));
                torchsynth_kernel::frames(v[g], c, at, stop, to);
                at = stop;
            }
    }
    static void prefetch(View, const Context&) {}
    // Rows that rest may be rendered in pieces of four lanes beside others, whatever their parameters.
    static constexpr int k_packed_count = k_field_count;
    struct Packed {
        int in[k_field_count], out[k_field_count];
        int in_count, out_count;
    };
    static Packed packed_fields(const Context&) {
        Packed p;
        for (int f = 0; f < k_field_count; ++f)
            p.in[f] = p.out[f] = f;
        p.in_count = p.out_count = k_field_count;
        return p;
    }
    static constexpr int k_memory_count = 2;
    static constexpr int k_memories[k_memory_count] = {torchsynth_voice::f_output + k_output_left,
                                                       torchsynth_voice::f_output + k_output_memory};
    static int bundle_kind(const Context&) { return 2; } // subtractive has 0 and 1
    static F health(View v, const Context&) {
        using namespace torchsynth_voice;
        return abs(v.get(f_output + k_output_left)) + abs(v.get(f_output + k_output_right)) +
               abs(v.get(f_output + k_output_memory)) + abs(v.get(f_output + k_output_memory_right)) +
               abs(v.get(f_point + 2));
    }
};

} // namespace TUTTI_ISA_SPACE
} // namespace voices
} // namespace tutti
