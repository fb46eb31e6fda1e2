// SPDX-License-Identifier: MIT
#include "engine/effects/reverb.h"

#include <doctest/doctest.h>

#include "tests/engine/effects/support.h"

using namespace test;

namespace {

// A band of an octave around `hertz` by two passes of a Butterworth band-pass (trapezoidal state-variable filter, Q 1.41).
std::vector<double> octave(const std::vector<float>& x, double hertz, double rate) {
    std::vector<double> y(x.begin(), x.end());
    for (int pass = 0; pass < 2; ++pass) {
        const double g = std::tan(k_pi * hertz / rate);
        const double k = 1.0 / 1.41421356;
        double s1 = 0.0;
        double s2 = 0.0;
        for (double& v : y) {
            const double v3 = v - s2;
            const double v1 = (s1 + g * v3) / (1.0 + g * (g + k));
            const double v2 = s2 + g * v1;
            s1 = 2.0 * v1 - s1;
            s2 = 2.0 * v2 - s2;
            v = k * v1;
        }
    }
    return y;
}

struct Decay {
    double seconds = 0.0;   // to -60 dB, from the straight line through -5..-35 dB (ISO 3382's T30)
    double deviation = 0.0; // dB, the energy decay curve's greatest distance from that line
};

// Schroeder's backward integration (1965).
Decay decay_of(const std::vector<double>& x, double rate) {
    std::vector<double> energy(x.size() + 1, 0.0);
    for (std::size_t i = x.size(); i-- > 0;)
        energy[i] = energy[i + 1] + x[i] * x[i];
    const auto level = [&](std::size_t i) { return 10.0 * std::log10(energy[i] / energy[0] + 1e-30); };
    std::size_t first = 0;
    std::size_t last = 0;
    while (level(first) > -5.0)
        ++first;
    last = first;
    while (level(last) > -35.0)
        ++last;
    double n = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
    for (std::size_t i = first; i < last; i += 64) {
        const double t = static_cast<double>(i) / rate;
        n += 1;
        sx += t;
        sy += level(i);
        sxx += t * t;
        sxy += t * level(i);
    }
    const double slope = (n * sxy - sx * sy) / (n * sxx - sx * sx);
    const double offset = (sy - slope * sx) / n;
    Decay result{-60.0 / slope, 0.0};
    for (std::size_t i = first; i < last; i += 64)
        result.deviation =
            std::max(result.deviation, std::fabs(level(i) - offset - slope * static_cast<double>(i) / rate));
    return result;
}

Stereo tail(double rate, double seconds, const Values& values) {
    Values all = values;
    all["mix"] = 1.0f;
    const auto effect = make("reverb", rate, all);
    Stereo s = impulse(static_cast<std::size_t>(rate * seconds));
    render(*effect, s);
    return s;
}

double correlation(const Stereo& s, std::size_t from, std::size_t to) {
    double lr = 0, ll = 0, rr = 0;
    for (std::size_t i = from; i < to; ++i) {
        lr += static_cast<double>(s.left[i]) * s.right[i];
        ll += static_cast<double>(s.left[i]) * s.left[i];
        rr += static_cast<double>(s.right[i]) * s.right[i];
    }
    return lr / std::sqrt(ll * rr);
}

} // namespace

TEST_CASE("reverb: the decay is what was set, in every octave, at every rate and size") {
    for (const double rate : {8000.0, 44100.0, 48000.0})
        for (const float seconds : {0.5f, 2.0f})
            for (const float size : {0.5f, 1.0f}) {
                const Stereo s = tail(rate, 1.5 * static_cast<double>(seconds) + 0.4,
                                      {{"decay", seconds}, {"size", size}, {"high-decay", 1.0f}, {"low-cut", 10.0f}});
                for (const double hertz : {250.0, 500.0, 1000.0, 2000.0}) {
                    if (hertz > rate / 8.0) continue; // the cubic's loss counts from there on
                    CAPTURE(rate);
                    CAPTURE(seconds);
                    CAPTURE(size);
                    CAPTURE(hertz);
                    const Decay decay = decay_of(octave(s.left, hertz, rate), rate);
                    // 8 %: a T30 over so few modes varies that much with the band (at 0.5 s, size 0.5 and 250 Hz some 100
                    // modes).
                    CHECK(decay.seconds == doctest::Approx(static_cast<double>(seconds)).epsilon(0.08));
                }
            }
}

TEST_CASE("reverb: above the damping frequency the decay is high-decay times as long") {
    const double rate = 48000.0;
    const Stereo s = tail(rate, 4.0, {{"decay", 3.0f}, {"high-decay", 0.4f}, {"damping", 1000.0f}, {"low-cut", 10.0f}});
    const double low = decay_of(octave(s.left, 125.0, rate), rate).seconds;
    const double high = decay_of(octave(s.left, 8000.0, rate), rate).seconds;
    // A first-order shelf has not quite come to its ends three octaves away: 1.5 % of its way.
    CHECK(low == doctest::Approx(3.0).epsilon(0.08));
    CHECK(high == doctest::Approx(1.2).epsilon(0.08));
}

TEST_CASE("reverb: the energy falls smoothly: no ringing tone outlives the rest") {
    const double rate = 48000.0;
    for (const float modulation : {0.0f, 0.35f}) {
        const Stereo s =
            tail(rate, 4.0, {{"decay", 2.5f}, {"modulation", modulation}, {"high-decay", 1.0f}, {"low-cut", 10.0f}});
        for (const double hertz : {250.0, 500.0, 1000.0, 2000.0, 4000.0}) {
            CAPTURE(hertz);
            const Decay decay = decay_of(octave(s.left, hertz, rate), rate);
            // 1.5 dB is what noise with this decay shows at 250 Hz; a mode that stands out bends the curve by more.
            CHECK(decay.deviation < 1.5);
        }
        // No tone in the late tail stands out of its neighbourhood: of 250 independent bins of Gaussian noise the loudest
        // is 7.4 dB above the mean, 11 dB once in 1,000 tries; without modulation the lines' 0.8 modes a hertz are nearly
        // resolved here, which spreads them a little more.
        double power = 0.0;
        double most = 0.0;
        int count = 0;
        for (double hertz = 400.0; hertz < 900.0; hertz += 1.0) {
            const double level = std::norm(tone(s.left, 48000, 48000 * 3, hertz / rate));
            power += level;
            most = std::max(most, level);
            ++count;
        }
        MESSAGE("modulation " << modulation << ": loudest tone " << 10.0 * std::log10(most / (power / count))
                              << " dB over the mean");
        CHECK(10.0 * std::log10(most / (power / count)) < 13.5);
    }
}

TEST_CASE("red control: a comb filter is found by the same measures") {
    // One line of 10 ms with the same decay: its spectrum is teeth.
    std::vector<float> comb(48000 * 4, 0.0f);
    comb[0] = 1.0f;
    for (std::size_t i = 480; i < comb.size(); ++i)
        comb[i] = 0.9727f * comb[i - 480]; // -60 dB in 2.5 s
    double power = 0.0;
    double most = 0.0;
    int count = 0;
    for (double hertz = 400.0; hertz < 900.0; hertz += 1.0) {
        const double level = std::norm(tone(comb, 48000, 48000 * 3, hertz / 48000.0));
        power += level;
        most = std::max(most, level);
        ++count;
    }
    MESSAGE("comb: " << 10.0 * std::log10(most / (power / count)));
    CHECK(10.0 * std::log10(most / (power / count)) > 13.5);
}

TEST_CASE("reverb: dense soon: Abel and Huang's normalised echo density") {
    const double rate = 48000.0;
    const Stereo s = tail(rate, 1.0, {{"pre-delay", 0.0f}});
    const auto density = [&](double seconds) {
        // Share of samples beyond one standard deviation in 40 ms, over that of Gaussian noise (0.3173).
        const auto from = static_cast<std::size_t>((seconds - 0.02) * rate);
        const std::size_t to = from + static_cast<std::size_t>(0.04 * rate);
        const double sigma = rms(s.left, from, to);
        double beyond = 0.0;
        for (std::size_t i = from; i < to; ++i)
            beyond += std::fabs(s.left[i]) > sigma ? 1.0 : 0.0;
        return beyond / static_cast<double>(to - from) / 0.3173;
    };
    CHECK(density(0.06) > 0.5);
    CHECK(density(0.15) > 0.85);
    for (double t = 0.2; t < 0.9; t += 0.05)
        CHECK(density(t) == doctest::Approx(1.0).epsilon(0.15)); // 1,920 frames: one in 20 is beyond 7 %
}

TEST_CASE("reverb: no flutter: the late tail does not resemble itself moved") {
    const double rate = 48000.0;
    const Stereo s = tail(rate, 2.0, {{"high-decay", 1.0f}});
    const std::size_t from = 14400;
    const std::size_t to = 62400;
    double power = 0.0;
    for (std::size_t i = from; i < to; ++i)
        power += static_cast<double>(s.left[i]) * s.left[i];
    for (std::size_t lag = 480; lag < 9600; lag += 1) { // 10 to 200 ms
        double sum = 0.0;
        for (std::size_t i = from; i + lag < to; i += 3)
            sum += static_cast<double>(s.left[i]) * s.left[i + lag];
        // An echo heard again whole would be near 1; 0.25 is a single line's share of the mix.
        if (std::fabs(3.0 * sum / power) >= 0.25) {
            CAPTURE(lag);
            CHECK(std::fabs(3.0 * sum / power) < 0.25);
        }
    }
}

TEST_CASE("reverb: the sides are decorrelated, and width 0 makes them one") {
    const Stereo wide = tail(48000.0, 2.0, {});
    CHECK(std::fabs(correlation(wide, 4800, 72000)) < 0.1);
    const Stereo narrow = tail(48000.0, 1.0, {{"width", 0.0f}});
    CHECK(narrow.left == narrow.right);
}

TEST_CASE("reverb: white noise comes out about as loud as it went in, whatever the decay") {
    for (const float seconds : {0.5f, 2.0f, 8.0f}) {
        const auto effect =
            make("reverb", 48000.0, {{"decay", seconds}, {"high-decay", 1.0f}, {"low-cut", 10.0f}, {"mix", 1.0f}});
        const auto frames = static_cast<std::size_t>(48000.0f * (2.0f * seconds + 2.0f));
        Stereo s = noise(frames, 0.2f);
        const double in = rms(s.left, 0, frames);
        render(*effect, s);
        const double out = rms(s.left, frames - 48000, frames);
        CAPTURE(seconds);
        // Half of the lines interpolate, which loses treble on each turn: up to 3 dB of white noise.
        CHECK(decibels(out / in) > -3.5);
        CHECK(decibels(out / in) < 1.0);
    }
}

TEST_CASE("reverb: the pre-delay comes first, in frames") {
    for (const float seconds : {0.0f, 0.05f}) {
        const Stereo s = tail(48000.0, 0.5, {{"pre-delay", seconds}, {"modulation", 0.0f}});
        std::size_t first = 0;
        while (std::fabs(s.left[first]) < 1e-4f)
            ++first;
        // The shortest line is 22.67 ms, the shortest pre-delay 2 frames, and the cubic's stencil looks one ahead.
        const auto expected =
            static_cast<std::int64_t>(std::lround((static_cast<double>(seconds) + 0.02267) * 48000.0));
        CHECK(std::abs(static_cast<std::int64_t>(first) - expected) <= 4);
    }
}

TEST_CASE("reverb: a new size glides without a click") {
    const auto effect = make("reverb", 48000.0, {{"mix", 1.0f}, {"decay", 10.0f}, {"modulation", 0.0f}});
    Stereo s = sine(48000 * 4, 48000.0, 150.0, 0.3);
    render(*effect, s, 0, 96000, 0);
    effect->set_parameter(reverb::size, 1.7f);
    render(*effect, s, 96000, 96000, 96000);
    float before = 0.0f;
    float during = 0.0f;
    for (std::size_t i = 60000; i < s.size(); ++i) {
        const float step = std::fabs(s.left[i] - s.left[i - 1]);
        (i < 96000 ? before : during) = std::max(i < 96000 ? before : during, step);
    }
    // The glide shifts pitch by up to a fifth of an octave and moves through resonances; a jump would be 30 times.
    CHECK(during < 6.0f * before);
}
