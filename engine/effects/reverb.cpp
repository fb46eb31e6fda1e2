// SPDX-License-Identifier: MIT
#include "engine/effects/reverb.h"

#include <algorithm>
#include <cmath>

#include "engine/effects/delay_line.h"
#include "engine/effects/kernels.h"
#include "engine/effects/polynomials.h"
#include "engine/effects/ring.h"

namespace tutti::engine {
namespace {

constexpr int k_lines = k_reverb_lines;
constexpr int k_allpasses = k_reverb_allpasses;
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
            m_pre[side].allocate(frames(k_longest_pre_delay), 24 + side);
            for (int i = 0; i < k_allpasses; ++i) {
                m_allpass[side][i].allocate(frames(k_allpass_seconds[side][i]), 16 + 4 * side + i);
                m_state.allpass[side][i] = m_allpass[side][i].ring();
                m_state.allpass_frames[side][i] =
                    std::max(k_tick_frames, static_cast<int>(std::lround(k_allpass_seconds[side][i] * sample_rate())));
            }
        }
        for (int i = 0; i < k_lines; ++i)
            m_line[i].allocate(line_frames(i, k_largest), i);
        // Sound that is inside comes by an output at least once in this time.
        m_hold_frames = frames(k_longest_pre_delay + 0.06 + k_largest * k_line_seconds[k_lines - 1]);
        return {};
    }

    void clear() noexcept override {
        for (int side = 0; side < 2; ++side) {
            m_pre[side].clear(static_cast<int>(parameter(reverb::pre_delay) * sample_rate()) + 64);
            for (DelayLine& line : m_allpass[side])
                line.clear();
            m_state.low[side] = 0.0f;
        }
        for (int i = 0; i < k_lines; ++i) {
            m_line[i].clear(line_frames(i, parameter(reverb::size)));
            m_state.shelf[i] = 0.0f;
            m_phase[i] = static_cast<float>(i * 7 % k_lines) / k_lines;
        }
        m_quiet.clear();
    }

    void tick(bool jump) noexcept override {
        m_quiet.tick();
        m_state.position += k_tick_frames;
        const auto rate = static_cast<float>(sample_rate());
        if (moved(bit(reverb::size) | bit(reverb::pre_delay)) || jump) reach(rate);
        move_lines(rate, jump);
        if (moved(bit(reverb::decay) | bit(reverb::size) | bit(reverb::high_decay))) set_losses();
        if (moved(bit(reverb::damping))) m_state.shelf_speed = one_pole(value(reverb::damping));
        if (moved(bit(reverb::low_cut))) m_state.low_speed = one_pole(value(reverb::low_cut));
        move(m_state.pre_delay, greater_of(value(reverb::pre_delay) * rate, 2.0f), jump);
        m_state.diffusion.move(0.75f * value(reverb::diffusion), jump);
        m_state.width.move(value(reverb::width), jump);
        m_state.dry.move(dry_gain(value(reverb::mix)), jump);
        m_state.wet.move(wet_gain(value(reverb::mix)), jump);
    }

    float one_pole(float hertz) const noexcept {
        const double cycles = std::min(hertz / sample_rate(), 0.45);
        return static_cast<float>(1.0 - std::exp(-6.283185307179586 * cycles));
    }

    int line_frames(int line, float size) const noexcept {
        return static_cast<int>((size * k_line_seconds[line] + k_wander_seconds) * sample_rate()) + 64;
    }

    // Rings as long as the delays on their way will be: at their longest they are four times what the default size needs,
    // and a reverb of that length does not stay in a core's cache.
    void reach(float rate) noexcept {
        const float size = greater_of(value(reverb::size), parameter(reverb::size));
        const float pre_delay = greater_of(value(reverb::pre_delay), parameter(reverb::pre_delay));
        for (int i = 0; i < k_lines; ++i) {
            m_line[i].reach(line_frames(i, size), m_state.position);
            m_state.line[i] = m_line[i].ring();
        }
        for (int side = 0; side < 2; ++side) {
            m_pre[side].reach(static_cast<int>(pre_delay * rate) + 64, m_state.position);
            m_state.pre[side] = m_pre[side].ring();
        }
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
            if (moves(i)) move(m_state.delay[i], targets[i], jump);
        // The others glide to whole frames and stay.
        if (moved(bit(reverb::size)))
            for (int i = 0; i < k_lines; ++i)
                m_whole[i] = std::floor(greater_of(k_line_seconds[i] * value(reverb::size) * rate, 20.0f) + 0.5f);
        for (int i = 0; i < k_lines; ++i)
            if (!moves(i) && !(m_state.delay[i].arrived(m_whole[i]) && !jump)) move(m_state.delay[i], m_whole[i], jump);
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
            m_state.loss_high[i] = 0.25f * keep_high;
            m_state.loss_low[i] = 0.25f * (keep - keep_high);
            energy += keep * keep * (1.0f / k_lines);
        }
        // White noise of power 1 a side leaves with power 1 a side: 16 lines of b^2 / (1 - keep^2) each.
        m_state.gain = 0.25f * square_root(1.0f - energy);
    }

    void process(float* left, float* right, int begin, int end) noexcept override {
        m_quiet.note(m_kernels.reverb(m_state, left, right, begin, end));
    }

    ReverbState m_state;
    const EffectKernels& m_kernels = effect_kernels();
    DelayLine m_pre[2];
    DelayLine m_allpass[2][k_allpasses];
    DelayLine m_line[k_lines];
    float m_whole[k_lines] = {};             // frames: where the lines that do not move stand
    alignas(16) float m_phase[k_lines] = {}; // cycles of the wander
    QuietCounter m_quiet;
    std::int64_t m_hold_frames = 0;
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
