// SPDX-License-Identifier: MIT
#include "engine/effects/chorus.h"

#include <doctest/doctest.h>

#include "tests/engine/effects/support.h"

using namespace test;

namespace {

constexpr double k_rate = 48000.0;

// The line's delay of one tap at frame n, as the header says.
double delay_frames(double n, int tap, double hertz, double delay, double depth) {
    return k_rate * (delay + depth * std::sin(2.0 * k_pi * (hertz * n / k_rate + tap / 3.0)));
}

} // namespace

TEST_CASE("chorus: three taps a third of a cycle apart; the pitch moves by 2 pi rate depth") {
    const double hertz = 0.8;
    const double delay = 0.012;
    const double depth = 0.004;
    const auto effect = make("chorus", k_rate,
                             {{"rate", static_cast<float>(hertz)},
                              {"depth", static_cast<float>(depth)},
                              {"delay", static_cast<float>(delay)},
                              {"mix", 1.0f}});
    Stereo s(48000 * 5);
    for (std::size_t i = 0; i < s.size(); i += 2400)
        s.left[i] = 1.0f; // clicks: each comes back three times, at the taps' delays of that moment
    render(*effect, s);
    int found = 0;
    double steepest = 0.0;
    double last[3] = {0.0, 0.0, 0.0};
    for (std::size_t click = 2400; click + 2400 <= s.size(); click += 2400) {
        double now[3] = {0.0, 0.0, 0.0};
        for (std::size_t i = click + 100; i < click + 2300; ++i) {
            const float x = std::fabs(s.left[i]);
            if (x < 0.25f || x < std::fabs(s.left[i - 1]) || x <= std::fabs(s.left[i + 1])) continue;
            double nearest = 1e9;
            for (int tap = 0; tap < 3; ++tap) {
                const double off =
                    static_cast<double>(i - click) - delay_frames(static_cast<double>(i), tap, hertz, delay, depth);
                nearest = std::fabs(off) < std::fabs(nearest) ? off : nearest;
                if (std::fabs(off) < 1.5) now[tap] = static_cast<double>(i - click);
            }
            CHECK(std::fabs(nearest) < 1.5); // a whole frame for the peak, half for the tick's straight line
            ++found;
        }
        for (int tap = 0; tap < 3; ++tap) {
            if (last[tap] > 0.0 && now[tap] > 0.0)
                steepest = std::max(steepest, std::fabs(now[tap] - last[tap]) / 2400.0);
            last[tap] = now[tap];
        }
    }
    CHECK(found > 250); // 99 clicks, three taps, less those that fall together
    const double expected = 1200.0 * std::log2(1.0 + 2.0 * k_pi * hertz * depth);
    const double measured = 1200.0 * std::log2(1.0 + steepest);
    MESSAGE("pitch deviation " << measured << " cents, by the formula " << expected);
    // A frame up or down on both ends of 2,400 frames: 1.4 cents.
    CHECK(std::fabs(measured - expected) < 1.5);
}

TEST_CASE("chorus: without depth the pitch stands still") {
    const auto still = make("chorus", k_rate, {{"depth", 0.0f}, {"mix", 1.0f}});
    Stereo s = sine(96000, k_rate, 1000.0, 0.5);
    render(*still, s);
    const double early = std::arg(tone(s.left, 9600, 28800, 1000.0 / k_rate));
    const double late = std::arg(tone(s.left, 67200, 86400, 1000.0 / k_rate));
    CHECK(std::fabs(early - late) < 1e-5); // radians over 1.2 s: below 1e-5 cents
}

TEST_CASE("chorus: the sides differ with spread and agree without") {
    for (const float spread : {0.0f, 1.0f}) {
        const auto effect = make("chorus", 48000.0, {{"spread", spread}, {"mix", 1.0f}});
        Stereo s = noise(96000, 0.5f);
        s.right = s.left;
        render(*effect, s);
        double cross = 0.0;
        double power = 0.0;
        for (std::size_t i = 4800; i < s.size(); ++i) {
            cross += static_cast<double>(s.left[i]) * s.right[i];
            power += static_cast<double>(s.left[i]) * s.left[i];
        }
        if (spread == 0.0f)
            CHECK(s.left == s.right);
        else
            CHECK(std::fabs(cross / power) < 0.35);
    }
}

TEST_CASE("chorus: Lagrange's cubic keeps the treble") {
    // One tap at the worst fraction loses 1.07 dB at a quarter of the rate; linear interpolation would lose 3 dB.
    const auto effect = make("chorus", 48000.0, {{"depth", 0.0f}, {"delay", 480.5f / 48000.0f}, {"mix", 1.0f}});
    Stereo s = impulse(4000);
    render(*effect, s);
    const double low = response(s.left, 100.0 / 48000.0);
    CHECK(low == doctest::Approx(std::sqrt(3.0)).epsilon(0.001)); // three taps as one
    CHECK(decibels(response(s.left, 0.25) / low) == doctest::Approx(-1.07).epsilon(0.03));
    CHECK(decibels(response(s.left, 0.125) / low) > -0.1);
}

TEST_CASE("chorus: feedback at its ends stays bounded") {
    for (const float feedback : {-0.9f, 0.9f}) {
        const auto effect = make("chorus", 48000.0, {{"feedback", feedback}, {"depth", 0.0f}, {"mix", 1.0f}});
        Stereo s = noise(200000, 0.5f);
        render(*effect, s);
        // 1 / (1 - 0.9) times three taps of 0.577 times 0.5: below 9.
        CHECK(peak(s.left, 100000) < 9.0f);
    }
}
