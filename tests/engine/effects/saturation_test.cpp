// SPDX-License-Identifier: MIT
#include "engine/effects/saturation.h"

#include <doctest/doctest.h>

#include "tests/engine/effects/support.h"

using namespace test;

namespace {

// The loudest in 0.2..19.5 kHz that is no harmonic of `hertz`, against the fundamental, in dB. Above, where nobody hears it,
// the way down has its transition band.
double alias_db(const std::vector<float>& x, double hertz, double rate) {
    const std::size_t from = 4800;
    const std::size_t to = from + 16384;
    const double first = std::abs(tone(x, from, to, hertz / rate));
    double worst = 0.0;
    for (int n = 2; n < 200; ++n) { // folded harmonics
        double f = std::fmod(n * hertz, rate);
        if (f > rate / 2) f = rate - f;
        if (n * hertz < rate / 2 || f < 200.0 || f > 19500.0) continue;
        // Not where a true harmonic stands: eight bins of the window.
        const double off = std::fabs(f / hertz - std::round(f / hertz)) * hertz;
        if (off < 8.0 * rate / 16384.0) continue;
        worst = std::max(worst, std::abs(tone(x, from, to, f / rate)));
    }
    return decibels(worst / first);
}

} // namespace

TEST_CASE("saturation: far less aliasing than the same curve sample by sample") {
    const double rate = 48000.0;
    for (const double hertz : {1245.0, 2489.0, 4978.0}) {
        const float drive = 18.0f;
        const double factor = std::pow(10.0, drive / 20.0);
        const auto effect = make("saturation", rate, {{"drive", drive}, {"bias", 0.0f}});
        Stereo s = sine(24000, rate, hertz, 0.5);
        std::vector<float> naive = s.left;
        for (float& x : naive) {
            const double v = factor * x;
            x = static_cast<float>(v / std::sqrt(1.0 + v * v));
        }
        render(*effect, s);
        const double ours = alias_db(s.left, hertz, rate);
        const double theirs = alias_db(naive, hertz, rate);
        MESSAGE(hertz << " Hz, drive 18 dB: worst alias " << ours << " dB, sample by sample " << theirs << " dB");
        CHECK(ours < std::max(theirs - 20.0, -75.0));
        CHECK(ours < -55.0);
    }
}

TEST_CASE("saturation: the harmonics are those of the curve") {
    // Against a numerical Fourier integral of f(x) = x / sqrt(1 + x^2) over one cycle.
    const double rate = 48000.0;
    const double factor = std::pow(10.0, 12.0 / 20.0);
    const auto effect = make("saturation", rate, {{"drive", 12.0f}, {"bias", 0.0f}});
    Stereo s = sine(48000, rate, 300.0, 0.5);
    render(*effect, s);
    const auto expected = [&](int n) {
        double sum = 0.0;
        for (int i = 0; i < 4096; ++i) {
            const double u = 2.0 * k_pi * (i + 0.5) / 4096.0;
            const double v = factor * 0.5 * std::sin(u);
            sum += v / std::sqrt(1.0 + v * v) * std::sin(n * u) * 2.0 / 4096.0;
        }
        return sum;
    };
    const double first = std::abs(tone(s.left, 9600, 48000, 300.0 / rate));
    for (const int n : {3, 5, 7}) {
        const double ratio = std::abs(tone(s.left, 9600, 48000, n * 300.0 / rate)) / first;
        // 0.1 dB: the filters' ripple.
        CHECK(decibels(ratio) == doctest::Approx(decibels(std::fabs(expected(n) / expected(1)))).epsilon(0.004));
    }
    CHECK(decibels(std::abs(tone(s.left, 9600, 48000, 600.0 / rate)) / first) < -90.0); // no bias: no even harmonics
}

TEST_CASE("saturation: bias makes even harmonics and no offset") {
    const auto effect = make("saturation", 48000.0, {{"drive", 12.0f}, {"bias", 0.5f}});
    Stereo s = sine(96000, 48000.0, 300.0, 0.5);
    render(*effect, s);
    const double first = std::abs(tone(s.left, 48000, 96000, 300.0 / 48000.0));
    CHECK(decibels(std::abs(tone(s.left, 48000, 96000, 600.0 / 48000.0)) / first) > -30.0);
    double mean = 0.0;
    for (std::size_t i = 48000; i < 96000; ++i)
        mean += s.left[i] / 48000.0;
    CHECK(std::fabs(mean) < 1e-4);
}

TEST_CASE("saturation: small signals pass flat, after 15 frames") {
    const auto effect = make("saturation", 48000.0, {{"drive", 0.0f}, {"bias", 0.0f}});
    CHECK(effect->latency_frames() == 15);
    Stereo s = impulse(4800, 1e-3f);
    render(*effect, s);
    std::size_t best = 0;
    for (std::size_t i = 0; i < s.size(); ++i)
        if (s.left[i] > s.left[best]) best = i;
    CHECK(best == 15);
    const double low = response(s.left, 500.0 / 48000.0);
    CHECK(decibels(low / 1e-3) == doctest::Approx(0.26).epsilon(0.1)); // the level rule: a peak at -12 dBFS stays there
    for (const double hertz : {1000.0, 5000.0, 10000.0, 15000.0})
        CHECK(std::fabs(decibels(response(s.left, hertz / 48000.0) / low)) < 0.15);
}

TEST_CASE("saturation: a sine at -12 dBFS keeps its peak at any drive") {
    for (const float drive : {0.0f, 12.0f, 24.0f, 36.0f})
        for (const float bias : {0.0f, 0.5f}) {
            const auto effect = make("saturation", 48000.0, {{"drive", drive}, {"bias", bias}});
            Stereo s = sine(48000, 48000.0, 200.0, 0.25);
            render(*effect, s);
            CAPTURE(drive);
            CAPTURE(bias);
            // The blocker moves a crooked wave by its mean, and a square's edges ring by the filters: 3 dB.
            CHECK(std::fabs(decibels(peak(s.left, 24000) / 0.25)) < 3.0);
        }
}
