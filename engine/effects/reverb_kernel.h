// SPDX-License-Identifier: MIT
// The reverb's loop (engine/effects/reverb.h): pre-delay, low cut, diffusers, the network of sixteen lines.
#pragma once

#include "engine/effects/kernels.h"
#include "engine/effects/ring.h"

namespace tutti::engine {
inline namespace TUTTI_ISA_SPACE {

// Signs of what goes into a line (left into even lines, right into odd ones) and of what each side hears of it. The two
// output rows are orthogonal, and both are bent: no row of the Hadamard matrix holds more than a quarter of them, so
// that no line gives back more of what was heard than any other.
constexpr int k_in[k_reverb_lines] = {1, 1, -1, 1, 1, -1, -1, -1, 1, 1, 1, -1, -1, 1, -1, -1};
constexpr int k_left[k_reverb_lines] = {1, 1, 1, -1, 1, 1, 1, -1, 1, 1, 1, -1, -1, -1, -1, 1};
constexpr int k_right[k_reverb_lines] = {1, 1, -1, 1, -1, -1, 1, -1, 1, 1, -1, 1, 1, 1, -1, 1};

constexpr int product_of_sides() {
    int sum = 0;
    for (int i = 0; i < k_reverb_lines; ++i)
        sum += k_left[i] * k_right[i];
    return sum;
}
static_assert(product_of_sides() == 0, "the sides would be correlated");

// Walsh-Hadamard transform of four values.
template <class F>
inline void hadamard(F& a, F& b, F& c, F& d) noexcept {
    const F ab = a + b, cd = c + d, ab2 = a - b, cd2 = c - d;
    a = ab + cd;
    b = ab2 + cd2;
    c = ab - cd;
    d = ab2 - cd2;
}

class ReverbKernel {
public:
    static float render(ReverbState& state, float* left, float* right, int begin, int end) noexcept {
        alignas(64) float wet[2][k_tick_frames];
        float* const io[2] = {left - begin, right - begin};
        Peak peak;
        ReverbKernel kernel(state);
        for (int side = 0; side < 2; ++side)
            kernel.feed(side, io[side], wet[side], peak, begin, end);
        kernel.cut(wet, begin, end);
        for (int side = 0; side < 2; ++side)
            for (int i = 0; i < k_reverb_allpasses; ++i)
                kernel.diffuse(state.allpass[side][i], state.allpass_frames[side][i], wet[side], begin, end);
        const Ramp width = state.width, dry = state.dry, gain = state.wet; // copies: no store below can change them
        for_frames(begin, end, [&](auto lane, int k) {
            using F = decltype(lane);
            const F in[2] = {load<F>(wet[0] + k), load<F>(wet[1] + k)};
            F out[2];
            kernel.network(k, in, out);
            peak.note(out[0]);
            peak.note(out[1]);
            const F mid = splat<F>(0.5f) * (out[0] + out[1]);
            const F side = splat<F>(0.5f) * (out[0] - out[1]) * ramp_at<F>(width, k);
            const F d = ramp_at<F>(dry, k);
            const F g = ramp_at<F>(gain, k);
            store(io[0] + k, d * load<F>(io[0] + k) + g * (mid + side));
            store(io[1] + k, d * load<F>(io[1] + k) + g * (mid - side));
        });
        if (end == k_tick_frames)
            for (const Ring& line : state.line)
                end_tick(line, state.position);
        return peak.value();
    }

private:
    explicit ReverbKernel(ReverbState& state) noexcept : m_state(state), m_tick(state.position) {}

    // Pre-delay: written first, so that it may be as short as the stencil.
    void feed(int side, const float* in, float* out, Peak& peak, int begin, int end) noexcept {
        const Ring ring = m_state.pre[side];
        for_frames(begin, end, [&](auto lane, int k) {
            using F = decltype(lane);
            const F x = load<F>(in + k);
            write(ring, m_tick + static_cast<std::uint32_t>(k), x);
            peak.note(x);
        });
        for_frames(begin, end, [&](auto lane, int k) {
            using F = decltype(lane);
            store(out + k, Reader<F>::read(ring, m_tick, k, m_state.pre_delay));
        });
    }

    void cut(float (*wet)[k_tick_frames], int begin, int end) noexcept {
        const float speed = m_state.low_speed;
        const float keep = 1.0f - speed;
        float left = m_state.low[0], right = m_state.low[1];
        for (int k = begin; k < end; ++k) {
            left = keep * left + speed * wet[0][k];
            right = keep * right + speed * wet[1][k];
            wet[0][k] -= left;
            wet[1][k] -= right;
        }
        m_state.low[0] = left;
        m_state.low[1] = right;
    }

    void diffuse(const Ring& line, int frames, float* io, int begin, int end) noexcept {
        const float* const past = frame_at(line, m_tick - static_cast<std::uint32_t>(frames));
        const Ring ring = line;
        const Ramp diffusion = m_state.diffusion;
        for_frames(begin, end, [&](auto lane, int k) {
            using F = decltype(lane);
            const F gain = ramp_at<F>(diffusion, k);
            const F old = load<F>(past + k);
            const F kept = load<F>(io + k) + gain * old;
            put(ring, m_tick + static_cast<std::uint32_t>(k), kept);
            store(io + k, old - gain * kept);
        });
        if (end == k_tick_frames) end_tick(ring, m_tick);
    }

    // The lines' losses. The shelf's low-pass needs frames in order: frames of lines are turned into lines of frames, four
    // lines a quad, and back. s = (1 - speed) s + (speed x): the chain is one product and one sum.
    void damp(Quad* y) noexcept {
        const Quad speed = splat<Quad>(m_state.shelf_speed);
        const Quad keep = splat<Quad>(1.0f - m_state.shelf_speed);
        for (int g = 0; g < 4; ++g) {
            Quad x[4];
            for (int i = 0; i < 4; ++i)
                x[i] = speed * y[4 * g + i];
            transpose(x[0], x[1], x[2], x[3]);
            Quad shelf = load<Quad>(m_state.shelf + 4 * g);
            for (Quad& frame : x)
                frame = shelf = keep * shelf + frame;
            store(m_state.shelf + 4 * g, shelf);
            transpose(x[0], x[1], x[2], x[3]);
            lose(g, y + 4 * g, x);
        }
    }
    void damp(float* y) noexcept {
        const float keep = 1.0f - m_state.shelf_speed;
        for (int g = 0; g < 4; ++g) {
            float x[4];
            for (int i = 0; i < 4; ++i) {
                float& shelf = m_state.shelf[4 * g + i];
                x[i] = shelf = keep * shelf + m_state.shelf_speed * y[4 * g + i];
            }
            lose(g, y + 4 * g, x);
        }
    }
#if defined(TUTTI_EFFECTS_WIDE)
    void damp(Wide* y) noexcept {
        constexpr int k_quads = k_wide / 4;
        const Wide speed = splat<Wide>(m_state.shelf_speed);
        const Quad keep = splat<Quad>(1.0f - m_state.shelf_speed);
        Quad frames[4][4][k_quads]; // [group][frame of its quad][quad]
        for (int g = 0; g < 4; ++g) {
            Wide x[4];
            for (int i = 0; i < 4; ++i)
                x[i] = speed * y[4 * g + i];
            transpose(x[0], x[1], x[2], x[3]);
            for (int i = 0; i < 4; ++i)
                split(x[i], frames[g][i]);
        }
        // Four chains side by side: each alone would wait for itself.
        Quad shelf[4];
        for (int g = 0; g < 4; ++g)
            shelf[g] = load<Quad>(m_state.shelf + 4 * g);
        for (int q = 0; q < k_quads; ++q)
            for (int i = 0; i < 4; ++i)
                for (int g = 0; g < 4; ++g)
                    frames[g][i][q] = shelf[g] = keep * shelf[g] + frames[g][i][q];
        for (int g = 0; g < 4; ++g) {
            store(m_state.shelf + 4 * g, shelf[g]);
            Wide x[4];
            for (int i = 0; i < 4; ++i)
                x[i] = join(frames[g][i]);
            transpose(x[0], x[1], x[2], x[3]);
            lose(g, y + 4 * g, x);
        }
    }
#endif
    template <class F>
    void lose(int group, F* y, const F* shelf) noexcept {
        for (int i = 0; i < 4; ++i)
            y[i] = splat<F>(m_state.loss_high[4 * group + i]) * y[i] +
                   splat<F>(m_state.loss_low[4 * group + i]) * shelf[i];
    }

    // What line i gives now, and its part in both sides' sums.
    template <int i, class F>
    F take(int k, F* sum) const noexcept {
        const F y = Reader<F>::read(m_state.line[i], m_tick, k, m_state.delay[i]);
        sum[0] = k_left[i] > 0 ? sum[0] + y : sum[0] - y;
        sum[1] = k_right[i] > 0 ? sum[1] + y : sum[1] - y;
        return y;
    }
    template <int g, class F>
    void take_group(int k, F* y, F* sum) noexcept {
        y[0] = take<4 * g>(k, sum);
        y[1] = take<4 * g + 1>(k, sum);
        y[2] = take<4 * g + 2>(k, sum);
        y[3] = take<4 * g + 3>(k, sum);
    }
    template <int i, class F>
    void give(int k, F mixed, const F* in) noexcept {
        put(m_state.line[i], m_tick + static_cast<std::uint32_t>(k),
            k_in[i] > 0 ? mixed + in[i & 1] : mixed - in[i & 1]);
    }
    template <int i, class F>
    void give_group(int k, F* x, const F* in) noexcept {
        hadamard(x[i], x[i + 4], x[i + 8], x[i + 12]);
        give<i>(k, x[i], in);
        give<i + 4>(k, x[i + 4], in);
        give<i + 8>(k, x[i + 8], in);
        give<i + 12>(k, x[i + 12], in);
    }

    template <class F>
    void network(int k, const F* wet, F* sum) noexcept {
        const F in[2] = {splat<F>(m_state.gain) * wet[0], splat<F>(m_state.gain) * wet[1]};
        sum[0] = sum[1] = splat<F>(0.0f);
        F x[k_reverb_lines];
        take_group<0>(k, x, sum);
        take_group<1>(k, x + 4, sum);
        take_group<2>(k, x + 8, sum);
        take_group<3>(k, x + 12, sum);
        damp(x);
        for (int g = 0; g < k_reverb_lines; g += 4)
            hadamard(x[g], x[g + 1], x[g + 2], x[g + 3]);
        give_group<0>(k, x, in);
        give_group<1>(k, x, in);
        give_group<2>(k, x, in);
        give_group<3>(k, x, in);
    }

    ReverbState& m_state;
    const std::uint32_t m_tick;
};

} // namespace TUTTI_ISA_SPACE
} // namespace tutti::engine
