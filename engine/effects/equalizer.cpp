// SPDX-License-Identifier: MIT
#include "engine/effects/equalizer.h"

#include <algorithm>
#include <cmath>

namespace tutti::engine {
namespace {

using namespace equalizer;

constexpr float k_butterworth = 0.70710678f;
constexpr double k_highest = 0.45; // of the rate

constexpr Parameter hertz(const char* id, const char* name, const char* group, float low, float high, float fallback) {
    return {id, name, group, Unit::hertz, low, high, fallback, Curve::exponential, 0.03f, nullptr, 0, true};
}
constexpr Parameter gain(const char* id, const char* name, const char* group) {
    return {id, name, group, Unit::decibels, -18.0f, 18.0f, 0.0f, Curve::linear, 0.03f, nullptr, 0, true};
}
constexpr Parameter q(const char* id, const char* name, const char* group) {
    return {id, name, group, Unit::none, 0.2f, 12.0f, 0.9f, Curve::exponential, 0.03f, nullptr, 0, true};
}

constexpr Parameter k_parameters[parameter_count] = {
    hertz("low-cut", "Low cut", "Cuts", 10.0f, 1000.0f, 10.0f),
    hertz("low-frequency", "Low frequency", "Low shelf", 30.0f, 1000.0f, 120.0f),
    gain("low-gain", "Low gain", "Low shelf"),
    hertz("peak1-frequency", "Peak 1 frequency", "Peak 1", 30.0f, 16000.0f, 450.0f),
    gain("peak1-gain", "Peak 1 gain", "Peak 1"),
    q("peak1-q", "Peak 1 Q", "Peak 1"),
    hertz("peak2-frequency", "Peak 2 frequency", "Peak 2", 30.0f, 16000.0f, 2800.0f),
    gain("peak2-gain", "Peak 2 gain", "Peak 2"),
    q("peak2-q", "Peak 2 Q", "Peak 2"),
    hertz("high-frequency", "High frequency", "High shelf", 1000.0f, 16000.0f, 7000.0f),
    gain("high-gain", "High gain", "High shelf"),
    hertz("high-cut", "High cut", "Cuts", 500.0f, 20000.0f, 20000.0f),
};

enum Band { cut_low, shelf_low, peak_1, peak_2, shelf_high, cut_high, band_count };

constexpr std::uint32_t k_inputs[band_count] = {
    bit(low_cut),
    bit(low_frequency) | bit(low_gain),
    bit(peak1_frequency) | bit(peak1_gain) | bit(peak1_q),
    bit(peak2_frequency) | bit(peak2_gain) | bit(peak2_q),
    bit(high_frequency) | bit(high_gain),
    bit(high_cut),
};

enum Coefficient { a1, a2, a3, m0, m1, m2, coefficient_count };

struct Filter {
    bool used = false;
    bool moving = false;
    Ramp ramps[coefficient_count];
    Quad state1 = splat_quad(0.0f); // left, right, -, -
    Quad state2 = splat_quad(0.0f);

    void clear() noexcept { state1 = state2 = splat_quad(0.0f); }
};

class Equalizer final : public Effect {
public:
    Equalizer() : Effect(equalizer_type()) {}

    std::int64_t tail_frames() const noexcept override {
        // The narrowest band rings longest: Q / (pi f) is the time to -8.7 dB; 120 dB are 13.8 of them.
        double seconds = 0.0;
        const auto band = [&](bool used, float frequency, float width) {
            if (used) seconds = std::max(seconds, 13.8 * std::max(width, k_butterworth) / (3.14159 * frequency));
        };
        band(parameter(low_cut) > 10.0f, parameter(low_cut), 0.0f);
        band(parameter(low_gain) != 0.0f, parameter(low_frequency), 1.0f);
        band(parameter(peak1_gain) != 0.0f, parameter(peak1_frequency), stretched(peak1_q, peak1_gain));
        band(parameter(peak2_gain) != 0.0f, parameter(peak2_frequency), stretched(peak2_q, peak2_gain));
        band(parameter(high_gain) != 0.0f, parameter(high_frequency), 1.0f);
        band(parameter(high_cut) < 20000.0f, parameter(high_cut), 0.0f);
        return static_cast<std::int64_t>(seconds * sample_rate());
    }
    bool silent() const noexcept override { return m_quiet.frames() >= k_tick_frames; }

private:
    // A bell's pole Q: Q times the root of the gain.
    float stretched(int q_index, int gain_index) const noexcept {
        return parameter(q_index) * std::pow(10.0f, std::fabs(parameter(gain_index)) / 40.0f) * 2.0f;
    }

    Status allocate() override { return {}; }

    void clear() noexcept override {
        for (Filter& filter : m_filters)
            filter.clear();
        m_quiet.clear();
    }

    void tick(bool jump) noexcept override {
        m_quiet.tick();
        for (int band = 0; band < band_count; ++band) {
            Filter& filter = m_filters[band];
            if (!moved(k_inputs[band]) && !filter.moving) continue;
            float wanted[coefficient_count];
            const bool used = design(band, wanted);
            // A band that comes in starts from the identity with an empty state; one that goes ends there.
            const bool was = filter.used && !jump;
            filter.moving = false;
            for (int i = 0; i < coefficient_count; ++i) {
                Ramp& ramp = filter.ramps[i];
                if (!was) ramp.jump(jump || i < m0 ? wanted[i] : i == m0 ? 1.0f : 0.0f);
                ramp.next(wanted[i]);
                filter.moving = filter.moving || !ramp.still();
            }
            if (!was && !jump) filter.clear();
            filter.used = used || filter.moving;
        }
    }

    // false: the band is flat, and the coefficients are the identity's.
    bool design(int band, float* c) const noexcept {
        float frequency = 0.0f;
        float width = k_butterworth;
        float decibels = 0.0f;
        bool flat = false;
        switch (band) {
        case cut_low:
            frequency = value(low_cut);
            flat = frequency <= 10.0f;
            break;
        case shelf_low:
            frequency = value(low_frequency);
            decibels = value(low_gain);
            break;
        case peak_1:
            frequency = value(peak1_frequency);
            decibels = value(peak1_gain);
            width = value(peak1_q);
            break;
        case peak_2:
            frequency = value(peak2_frequency);
            decibels = value(peak2_gain);
            width = value(peak2_q);
            break;
        case shelf_high:
            frequency = value(high_frequency);
            decibels = value(high_gain);
            break;
        default:
            frequency = value(high_cut);
            flat = frequency >= 20000.0f || frequency >= k_highest * sample_rate();
            break;
        }
        if (band != cut_low && band != cut_high) flat = decibels == 0.0f;
        const double cycles = std::min(frequency / sample_rate(), k_highest);
        const double root = std::pow(10.0, decibels / 40.0); // the cookbook's A
        double g = std::tan(3.141592653589793 * cycles);
        double k = 1.0 / width;
        double mix[3] = {1.0, 0.0, 0.0};
        switch (band) {
        case cut_low:
            mix[1] = -k;
            mix[2] = -1.0;
            break;
        case shelf_low:
            g /= std::sqrt(root);
            mix[1] = k * (root - 1.0);
            mix[2] = root * root - 1.0;
            break;
        case shelf_high:
            g *= std::sqrt(root);
            mix[0] = root * root;
            mix[1] = k * (1.0 - root) * root;
            mix[2] = 1.0 - root * root;
            break;
        case cut_high:
            mix[0] = 0.0;
            mix[2] = 1.0;
            break;
        default:
            k /= root;
            mix[1] = k * (root * root - 1.0);
            break;
        }
        const double first = 1.0 / (1.0 + g * (g + k));
        c[a1] = static_cast<float>(first);
        c[a2] = static_cast<float>(g * first);
        c[a3] = static_cast<float>(g * g * first);
        for (int i = 0; i < 3; ++i)
            c[m0 + i] = flat ? (i == 0 ? 1.0f : 0.0f) : static_cast<float>(mix[i]);
        return !flat;
    }

    void process(float* left, float* right, int begin, int end) noexcept override {
        int used[band_count];
        int count = 0;
        bool moving = false;
        for (int band = 0; band < band_count; ++band)
            if (m_filters[band].used) {
                used[count++] = band;
                moving = moving || m_filters[band].moving;
            }
        Peak peak;
        for_frames(0, end - begin, [&](auto lane, int k) {
            using F = decltype(lane);
            peak.note(load<F>(left + k));
            peak.note(load<F>(right + k));
        });
        switch (moving ? -count : count) {
        case 0:
            break;
        case 1:
            run<1>(used, left, right, begin, end);
            break;
        case 2:
            run<2>(used, left, right, begin, end);
            break;
        case 3:
            run<3>(used, left, right, begin, end);
            break;
        default:
            run_any(used, count, moving, left, right, begin, end);
            break;
        }
        for (int i = 0; i < count; ++i) {
            peak.note(m_filters[used[i]].state1);
            peak.note(m_filters[used[i]].state2);
        }
        m_quiet.note(peak);
    }

    // A band at one frame. The state's two chains are three operations long each; what is heard hangs beside them.
    struct Step {
        Quad a1, a2, a3, twice_a1, twice_a2, twice_a3, m0, m1, m2;

        template <class Read>
        explicit Step(Read c) noexcept
            : a1(c(Coefficient::a1)), a2(c(Coefficient::a2)), a3(c(Coefficient::a3)),
              twice_a1(a1 + a1 - splat_quad(1.0f)), twice_a2(a2 + a2), twice_a3(a3 + a3), m0(c(Coefficient::m0)),
              m1(c(Coefficient::m1)), m2(c(Coefficient::m2)) {}
        Quad operator()(Quad x, Quad& state1, Quad& state2) const noexcept {
            const Quad v3 = x - state2;
            const Quad v1 = a1 * state1 + a2 * v3;
            const Quad v2 = state2 + a2 * state1 + a3 * v3;
            const Quad next = twice_a1 * state1 + twice_a2 * v3;
            state2 = (state2 + twice_a2 * state1) + twice_a3 * v3;
            state1 = next;
            return m0 * x + m1 * v1 + m2 * v2;
        }
    };

    // Frames outside, bands inside: the bands' chains overlap in the processor.
    template <int count>
    void run(const int* used, float* left, float* right, int begin, int end) noexcept {
        Quad state1[count], state2[count];
        for (int i = 0; i < count; ++i) {
            state1[i] = m_filters[used[i]].state1;
            state2[i] = m_filters[used[i]].state2;
        }
        const auto step = [&](int i) {
            return Step([&](int c) { return splat_quad(m_filters[used[i]].ramps[c].from); });
        };
        const Step steps[3] = {step(0), step(count > 1 ? 1 : 0), step(count > 2 ? 2 : 0)};
        for (int k = 0; k < end - begin; ++k) {
            Quad x = quad(left[k], right[k], 0.0f, 0.0f);
            for (int i = 0; i < count; ++i)
                x = steps[i](x, state1[i], state2[i]);
            put(x, left + k, right + k);
        }
        for (int i = 0; i < count; ++i) {
            m_filters[used[i]].state1 = state1[i];
            m_filters[used[i]].state2 = state2[i];
        }
    }
    void run_any(const int* used, int count, bool moving, float* left, float* right, int begin, int end) noexcept {
        for (int k = begin; k < end; ++k) {
            Quad x = quad(left[k - begin], right[k - begin], 0.0f, 0.0f);
            for (int i = 0; i < count; ++i) {
                Filter& filter = m_filters[used[i]];
                const Step step([&](int c) {
                    return splat_quad(moving ? ramp_at<float>(filter.ramps[c], k) : filter.ramps[c].from);
                });
                x = step(x, filter.state1, filter.state2);
            }
            put(x, left + k - begin, right + k - begin);
        }
    }
    static void put(Quad x, float* left, float* right) noexcept {
        float out[4];
        store(out, x);
        *left = out[0];
        *right = out[1];
    }

    Filter m_filters[band_count];
    QuietCounter m_quiet;
};

std::unique_ptr<Effect> create() {
    return std::make_unique<Equalizer>();
}

} // namespace

const EffectType& equalizer_type() noexcept {
    static constexpr EffectType k_type = {
        "equalizer",  "Equalizer",     "Low cut, low shelf, two peaks, high shelf, high cut.",
        k_parameters, parameter_count, create};
    return k_type;
}

} // namespace tutti::engine
