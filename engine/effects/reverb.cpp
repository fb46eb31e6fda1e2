// SPDX-License-Identifier: MIT
#include "engine/effects/reverb.h"

#include <algorithm>
#include <cmath>

#include "engine/effects/delay_line.h"
#include "engine/effects/polynomials.h"

namespace tutti::engine {
namespace {

constexpr int k_lines = 16;
constexpr int k_groups = k_lines / 4;
constexpr int k_allpasses = 4;
constexpr float k_largest = 2.0f;            // size
constexpr float k_wander_seconds = 0.0006f;  // at modulation 1
constexpr double k_longest_pre_delay = 0.25; // seconds

constexpr Parameter k_parameters[reverb::parameter_count] = {
    {"decay", "Decay", "Reverb", Unit::seconds, 0.1f, 30.0f, 2.6f, Curve::exponential, 0.1f, nullptr, 0, true},
    {"size", "Size", "Reverb", Unit::percent, 0.25f, k_largest, 1.0f, Curve::exponential, 0.2f, nullptr, 0, true},
    {"pre-delay", "Pre-delay", "Reverb", Unit::seconds, 0.0f, 0.25f, 0.018f, Curve::linear, 0.1f, nullptr, 0, true},
    {"high-decay", "High decay", "Tone", Unit::percent, 0.05f, 1.0f, 0.4f, Curve::linear, 0.1f, nullptr, 0, true},
    {"damping", "Damping", "Tone", Unit::hertz, 500.0f, 16000.0f, 4200.0f, Curve::exponential, 0.1f, nullptr, 0, true},
    {"low-cut", "Low cut", "Tone", Unit::hertz, 10.0f, 1000.0f, 110.0f, Curve::exponential, 0.03f, nullptr, 0, true},
    {"diffusion", "Diffusion", "Reverb", Unit::percent, 0.0f, 1.0f, 0.85f, Curve::linear, 0.1f, nullptr, 0, true},
    {"modulation", "Modulation", "Reverb", Unit::percent, 0.0f, 1.0f, 0.35f, Curve::linear, 0.1f, nullptr, 0, true},
    {"width", "Width", "Reverb", Unit::percent, 0.0f, 1.0f, 1.0f, Curve::linear, 0.03f, nullptr, 0, true},
    {"mix", "Mix", "Reverb", Unit::percent, 0.0f, 1.0f, 0.3f, Curve::linear, 0.03f, nullptr, 0, true},
};

// Seconds at size 1: near a geometric series, no two with a small common measure. Together 0.8 s: 0.8 modes a hertz.
constexpr float k_line_seconds[k_lines] = {0.02267f, 0.02539f, 0.02791f, 0.03109f, 0.03371f, 0.03697f,
                                           0.04033f, 0.04391f, 0.04729f, 0.05171f, 0.05531f, 0.06011f,
                                           0.06593f, 0.07127f, 0.07873f, 0.08629f};
// Half of each side's lines move. The others stand on whole frames, which costs no interpolation and no treble; only a new
// size makes them glide.
constexpr bool moves(int line) {
    return (line & 2) == 0;
}
// Cycles a second of each line's wander, all different.
constexpr float k_wander_hertz[k_lines] = {0.43f, 0.91f, 0.61f, 0.73f, 0.37f, 0.83f, 0.53f, 0.67f,
                                           0.47f, 0.97f, 0.59f, 0.79f, 0.41f, 0.89f, 0.57f, 0.71f};
// Two sides differ, so that the diffused sides do, too.
constexpr float k_allpass_seconds[2][k_allpasses] = {{0.00421f, 0.00713f, 0.01129f, 0.01667f},
                                                     {0.00467f, 0.00653f, 0.01237f, 0.01583f}};
// Signs of what goes into a line (left into even lines, right into odd ones) and of what each side hears of it. The two
// output rows are orthogonal, and none is a row of the Hadamard matrix: that would be heard again whole from one line.
constexpr int k_in[k_lines] = {1, 1, -1, 1, 1, -1, -1, -1, 1, 1, 1, -1, -1, 1, -1, -1};
constexpr int k_left[k_lines] = {1, -1, 1, 1, -1, -1, 1, -1, 1, 1, -1, 1, 1, 1, -1, -1};
constexpr int k_right[k_lines] = {1, 1, -1, 1, 1, -1, 1, -1, -1, 1, 1, -1, -1, 1, 1, -1};

constexpr int product_of_sides() {
    int sum = 0;
    for (int i = 0; i < k_lines; ++i)
        sum += k_left[i] * k_right[i];
    return sum;
}
static_assert(product_of_sides() == 0, "the sides would be correlated");

// Fast Walsh-Hadamard transform of four values.
template <class F>
inline void hadamard(F& a, F& b, F& c, F& d) noexcept {
    const F ab = a + b, cd = c + d, ab2 = a - b, cd2 = c - d;
    a = ab + cd;
    b = ab2 + cd2;
    c = ab - cd;
    d = ab2 - cd2;
}

class Reverb final : public Effect {
public:
    Reverb() : Effect(reverb_type()) {}

    std::int64_t tail_frames() const noexcept override {
        // Two times -60 dB, then what the network and the diffusers hold.
        const double seconds = 2.0 * parameter(reverb::decay) + parameter(reverb::pre_delay) + 0.1 +
                               k_line_seconds[k_lines - 1] * static_cast<double>(parameter(reverb::size));
        return static_cast<std::int64_t>(seconds * sample_rate());
    }
    bool silent() const noexcept override { return m_quiet.frames() > m_hold_frames; }

private:
    Status allocate() override {
        const auto frames = [this](double seconds) { return static_cast<int>(seconds * sample_rate()) + 64; };
        for (int side = 0; side < 2; ++side) {
            m_pre[side].allocate(frames(k_longest_pre_delay));
            for (int i = 0; i < k_allpasses; ++i) {
                m_allpass[side][i].allocate(frames(k_allpass_seconds[side][i]));
                m_allpass_frames[side][i] =
                    std::max(k_tick_frames, static_cast<int>(std::lround(k_allpass_seconds[side][i] * sample_rate())));
            }
        }
        for (int i = 0; i < k_lines; ++i)
            m_line[i].allocate(frames(k_largest * k_line_seconds[i] + k_wander_seconds));
        // Sound that is inside comes by an output at least once in this time.
        m_hold_frames = frames(k_longest_pre_delay + 0.06 + k_largest * k_line_seconds[k_lines - 1]);
        return {};
    }

    void clear() noexcept override {
        for (int side = 0; side < 2; ++side) {
            m_pre[side].clear();
            for (DelayLine& line : m_allpass[side])
                line.clear();
            m_low[side] = 0.0f;
        }
        for (int i = 0; i < k_lines; ++i) {
            m_line[i].clear();
            m_shelf[i] = 0.0f;
            m_phase[i] = static_cast<float>(i * 7 % k_lines) / k_lines;
        }
        m_quiet.clear();
    }

    void tick(bool jump) noexcept override {
        m_quiet.tick();
        m_position += k_tick_frames;
        const auto rate = static_cast<float>(sample_rate());
        move_lines(rate, jump);
        if (moved(bit(reverb::decay) | bit(reverb::size) | bit(reverb::high_decay))) set_losses();
        if (moved(bit(reverb::damping))) m_shelf_speed = one_pole(value(reverb::damping));
        if (moved(bit(reverb::low_cut))) m_low_speed = one_pole(value(reverb::low_cut));
        move(m_pre_delay, greater_of(value(reverb::pre_delay) * rate, 2.0f), jump);
        m_diffusion.move(0.75f * value(reverb::diffusion), jump);
        m_width.move(value(reverb::width), jump);
        m_dry.move(dry_gain(value(reverb::mix)), jump);
        m_wet.move(wet_gain(value(reverb::mix)), jump);
    }

    float one_pole(float hertz) const noexcept {
        const double cycles = std::min(hertz / sample_rate(), 0.45);
        return static_cast<float>(1.0 - std::exp(-6.283185307179586 * cycles));
    }

    static void move(MovingDelay& delay, float target, bool jump) noexcept {
        if (jump) delay.jump(target);
        delay.move(target);
    }

    void move_lines(float rate, bool jump) noexcept {
        const float wander = value(reverb::modulation) * k_wander_seconds * rate;
        const float ticks = k_tick_frames / rate;
        alignas(16) float targets[k_lines];
        for (int i = 0; i < k_lines; i += 4) {
            Quad phase = load_quad(m_phase + i) + load_quad(k_wander_hertz + i) * splat_quad(ticks);
            phase = phase - towards_zero(phase);
            store(m_phase + i, phase);
            const Quad middle = load_quad(k_line_seconds + i) * splat_quad(value(reverb::size) * rate);
            // A tick is read before it is written: 20 frames at least.
            store(targets + i, greater_of(middle + splat_quad(wander) * sine_cycles(phase), splat_quad(20.0f)));
        }
        for (int i = 0; i < k_lines; ++i)
            move(m_delay[i], moves(i) ? targets[i] : std::floor(targets[i] + 0.5f), jump);
    }

    // Loss of each line for the decay below and above the shelf; the Hadamard matrix's 1/4 is in it.
    void set_losses() noexcept {
        const float size = value(reverb::size);
        const float low = -9.9657843f / value(reverb::decay); // log2(1e-3) a second
        const float high = low / value(reverb::high_decay);
        float energy = 0.0f;
        for (int i = 0; i < k_lines; ++i) {
            const float seconds = k_line_seconds[i] * size;
            const float keep = exp2_poly(low * seconds);
            const float keep_high = exp2_poly(high * seconds);
            m_loss_high[i] = 0.25f * keep_high;
            m_loss_low[i] = 0.25f * (keep - keep_high);
            energy += keep * keep * (1.0f / k_lines);
        }
        // White noise of power 1 a side leaves with power 1 a side: 16 lines of b^2 / (1 - keep^2) each.
        m_gain = 0.25f * square_root(1.0f - energy);
    }

    void process(float* left, float* right, int begin, int end) noexcept override {
        alignas(16) float wet[2][k_tick_frames];
        float* io[2] = {left - begin, right - begin};
        for (int side = 0; side < 2; ++side)
            feed(side, io[side], wet[side], begin, end);
        for (int k = begin; k < end; ++k)
            for (int side = 0; side < 2; ++side) {
                m_low[side] += m_low_speed * (wet[side][k] - m_low[side]);
                wet[side][k] -= m_low[side];
            }
        for (int side = 0; side < 2; ++side)
            for (int i = 0; i < k_allpasses; ++i)
                diffuse(m_allpass[side][i], m_allpass_frames[side][i], wet[side], begin, end);
        Peak peak;
        for_frames(begin, end, [&](auto lane, int k) {
            using F = decltype(lane);
            const F in[2] = {load<F>(wet[0] + k), load<F>(wet[1] + k)};
            F out[2];
            network(k, in, out);
            peak.note(out[0]);
            peak.note(out[1]);
            const F mid = splat<F>(0.5f) * (out[0] + out[1]);
            const F side = splat<F>(0.5f) * (out[0] - out[1]) * m_width.at<F>(k);
            const F dry = m_dry.at<F>(k);
            const F gain = m_wet.at<F>(k);
            store(io[0] + k, dry * load<F>(io[0] + k) + gain * (mid + side));
            store(io[1] + k, dry * load<F>(io[1] + k) + gain * (mid - side));
        });
        m_quiet.note(peak);
        if (end == k_tick_frames)
            for (DelayLine& line : m_line)
                line.end_tick(m_position);
    }

    // Pre-delay: written first, so that it may be as short as the stencil.
    void feed(int side, const float* in, float* out, int begin, int end) noexcept {
        Peak peak;
        for_frames(begin, end, [&](auto lane, int k) {
            using F = decltype(lane);
            const F x = load<F>(in + k);
            m_pre[side].write(m_position + static_cast<std::uint32_t>(k), x);
            peak.note(x);
        });
        for_frames(begin, end, [&](auto lane, int k) {
            using F = decltype(lane);
            store(out + k, m_pre[side].read<F>(m_position, k, m_pre_delay));
        });
        m_quiet.note(peak);
    }

    void diffuse(DelayLine& line, int frames, float* io, int begin, int end) noexcept {
        const float* past = line.at(m_position - static_cast<std::uint32_t>(frames));
        const Ramp diffusion = m_diffusion; // a copy: the stores below cannot change it
        for_frames(begin, end, [&](auto lane, int k) {
            using F = decltype(lane);
            const F gain = diffusion.at<F>(k);
            const F old = load<F>(past + k);
            const F kept = load<F>(io + k) + gain * old;
            line.put(m_position + static_cast<std::uint32_t>(k), kept);
            store(io + k, old - gain * kept);
        });
        if (end == k_tick_frames) line.end_tick(m_position);
    }

    // The lines' losses, four lines at once: frames of lines are turned into lines of frames and back.
    void damp(int group, Quad& a, Quad& b, Quad& c, Quad& d) noexcept {
        transpose(a, b, c, d);
        Quad shelf = load_quad(m_shelf + 4 * group);
        const Quad low = load_quad(m_loss_low + 4 * group);
        const Quad high = load_quad(m_loss_high + 4 * group);
        const Quad speed = splat_quad(m_shelf_speed);
        for (Quad* frame : {&a, &b, &c, &d}) {
            shelf = shelf + speed * (*frame - shelf);
            *frame = high * *frame + low * shelf;
        }
        store(m_shelf + 4 * group, shelf);
        transpose(a, b, c, d);
    }
    void damp(int group, float& a, float& b, float& c, float& d) noexcept {
        int i = 4 * group;
        for (float* line : {&a, &b, &c, &d}) {
            m_shelf[i] = m_shelf[i] + m_shelf_speed * (*line - m_shelf[i]);
            *line = m_loss_high[i] * *line + m_loss_low[i] * m_shelf[i];
            ++i;
        }
    }

    // What line i gives now, and its part in both sides' sums.
    template <int i, class F>
    F take(int k, F* sum) const noexcept {
        const F y = m_line[i].template read<F>(m_position, k, m_delay[i]);
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
        damp(g, y[0], y[1], y[2], y[3]);
        hadamard(y[0], y[1], y[2], y[3]);
    }
    template <int i, class F>
    void give(int k, F mixed, const F* in) noexcept {
        m_line[i].put(m_position + static_cast<std::uint32_t>(k), k_in[i] > 0 ? mixed + in[i & 1] : mixed - in[i & 1]);
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
        const F in[2] = {splat<F>(m_gain) * wet[0], splat<F>(m_gain) * wet[1]};
        sum[0] = sum[1] = splat<F>(0.0f);
        F x[k_lines];
        take_group<0>(k, x, sum);
        take_group<1>(k, x + 4, sum);
        take_group<2>(k, x + 8, sum);
        take_group<3>(k, x + 12, sum);
        give_group<0>(k, x, in);
        give_group<1>(k, x, in);
        give_group<2>(k, x, in);
        give_group<3>(k, x, in);
    }

    DelayLine m_pre[2];
    DelayLine m_allpass[2][k_allpasses];
    int m_allpass_frames[2][k_allpasses] = {};
    DelayLine m_line[k_lines];
    MovingDelay m_delay[k_lines];
    MovingDelay m_pre_delay;
    alignas(16) float m_phase[k_lines] = {}; // cycles of the wander
    alignas(16) float m_shelf[k_lines] = {}; // the shelf's state
    alignas(16) float m_loss_low[k_lines] = {};
    alignas(16) float m_loss_high[k_lines] = {};
    float m_gain = 0.0f; // into the lines
    float m_shelf_speed = 1.0f;
    float m_low[2] = {}; // the low cut's state
    float m_low_speed = 0.0f;
    Ramp m_diffusion, m_width, m_dry, m_wet;
    QuietCounter m_quiet;
    std::int64_t m_hold_frames = 0;
    std::uint32_t m_position = 0; // of the tick's first frame in all lines
};

std::unique_ptr<Effect> create() {
    return std::make_unique<Reverb>();
}

} // namespace

const EffectType& reverb_type() noexcept {
    static constexpr EffectType k_type = {"reverb",
                                          "Reverb",
                                          "Sixteen-line feedback delay network: dense and smooth.",
                                          k_parameters,
                                          reverb::parameter_count,
                                          create};
    return k_type;
}

} // namespace tutti::engine
