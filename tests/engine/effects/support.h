// SPDX-License-Identifier: MIT
// What the tests of the effects share: signals, splitting, and measuring by projection on a sine.
#pragma once

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/effects/chain.h"

namespace test {

using namespace tutti;
using namespace tutti::engine;

constexpr double k_pi = 3.14159265358979323846;

struct Stereo {
    std::vector<float> left, right;
    explicit Stereo(std::size_t frames = 0) : left(frames), right(frames) {}
    std::size_t size() const { return left.size(); }
    // Bit for bit: -0 is not 0 here.
    bool operator==(const Stereo& other) const {
        const auto same = [](const std::vector<float>& a, const std::vector<float>& b) {
            return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
        };
        return same(left, other.left) && same(right, other.right);
    }
};

// A linear congruential generator: the same noise everywhere.
class Random {
public:
    explicit Random(std::uint32_t seed) : m_state(seed) {}
    std::uint32_t next() {
        m_state = m_state * 1664525u + 1013904223u;
        return m_state >> 8;
    }
    int below(int limit) { return static_cast<int>(next() % static_cast<std::uint32_t>(limit)); }
    float bipolar() { return static_cast<float>(next()) / 8388608.0f - 1.0f; }

private:
    std::uint32_t m_state;
};

inline Stereo noise(std::size_t frames, float level, std::uint32_t seed = 1) {
    Random random(seed);
    Stereo s(frames);
    for (std::size_t i = 0; i < frames; ++i) {
        s.left[i] = level * random.bipolar();
        s.right[i] = level * random.bipolar();
    }
    return s;
}

inline Stereo impulse(std::size_t frames, float level = 1.0f) {
    Stereo s(frames);
    s.left[0] = s.right[0] = level;
    return s;
}

inline Stereo sine(std::size_t frames, double rate, double hertz, double level) {
    Stereo s(frames);
    for (std::size_t i = 0; i < frames; ++i)
        s.left[i] = s.right[i] =
            static_cast<float>(level * std::sin(2.0 * k_pi * hertz * static_cast<double>(i) / rate));
    return s;
}

using Values = std::map<std::string, float>;

// Throws where the test itself is wrong: an unknown type, parameter or rate.
inline std::unique_ptr<Effect> make(const char* id, double rate = 48000.0, const Values& values = {},
                                    int channels = 2) {
    const EffectType* type = find_effect_type(id);
    if (type == nullptr) throw std::runtime_error(std::string("no effect ") + id);
    std::unique_ptr<Effect> effect = type->create();
    for (const auto& row : values) {
        const int index = type->find(row.first);
        if (index < 0) throw std::runtime_error(std::string(id) + " has no parameter " + row.first);
        effect->set_parameter(index, row.second);
    }
    const Status status = effect->prepare(rate, channels);
    if (!status) throw std::runtime_error(status.message());
    return effect;
}

template <class Renderer>
void render(Renderer& effect, Stereo& s, std::size_t first, std::size_t frames, std::int64_t clock) {
    float* const io[2] = {s.left.data() + first, s.right.data() + first};
    effect.render(io, static_cast<int>(frames), clock);
}

template <class Renderer>
void render(Renderer& effect, Stereo& s) {
    render(effect, s, 0, s.size(), 0);
}

inline float peak(const std::vector<float>& x, std::size_t from = 0, std::size_t to = SIZE_MAX) {
    float most = 0.0f;
    for (std::size_t i = from; i < std::min(to, x.size()); ++i)
        most = std::max(most, std::fabs(x[i]));
    return most;
}

inline double rms(const std::vector<float>& x, std::size_t from, std::size_t to) {
    double sum = 0.0;
    for (std::size_t i = from; i < to; ++i)
        sum += static_cast<double>(x[i]) * x[i];
    return std::sqrt(sum / static_cast<double>(to - from));
}

inline double decibels(double ratio) {
    return 20.0 * std::log10(ratio);
}

// The complex amplitude of a sine in x[from, to), by a Blackman-Harris window: other tones more than four bins away count
// less than -92 dB.
inline std::complex<double> tone(const std::vector<float>& x, std::size_t from, std::size_t to,
                                 double cycles_per_frame) {
    std::complex<double> sum = 0.0;
    double weight = 0.0;
    const std::complex<double> turn = std::polar(1.0, -2.0 * k_pi * cycles_per_frame);
    const std::complex<double> slide = std::polar(1.0, 2.0 * k_pi / static_cast<double>(to - from));
    std::complex<double> phase = std::polar(1.0, -2.0 * k_pi * cycles_per_frame * static_cast<double>(from));
    std::complex<double> window = std::sqrt(slide);
    for (std::size_t i = from; i < to; ++i) {
        const double c = window.real();
        const double w = 0.35875 - 0.48829 * c + 0.14128 * (2 * c * c - 1) - 0.01168 * (4 * c * c - 3) * c;
        sum += w * static_cast<double>(x[i]) * phase;
        weight += w;
        phase *= turn;
        window *= slide;
    }
    return 2.0 * sum / weight;
}

// |H(f)| of an impulse response.
inline double response(const std::vector<float>& x, double cycles_per_frame) {
    std::complex<double> sum = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i)
        sum += static_cast<double>(x[i]) * std::polar(1.0, -2.0 * k_pi * cycles_per_frame * static_cast<double>(i));
    return std::abs(sum);
}

} // namespace test
