// SPDX-License-Identifier: MIT
#include "engine/effects/compressor.h"

#include <doctest/doctest.h>

#include "tests/engine/effects/support.h"

using namespace test;

namespace {

// A square wave: its peak level is its level at every frame, so the static curve shows alone.
Stereo square(std::size_t frames, double decibel) {
    Stereo s(frames);
    const auto level = static_cast<float>(std::pow(10.0, decibel / 20.0));
    for (std::size_t i = 0; i < frames; ++i)
        s.left[i] = s.right[i] = (i / 24) % 2 == 0 ? level : -level;
    return s;
}

// Giannoulis et al. 2012, equation 4.
double curve(double in, double threshold, double ratio, double knee) {
    const double over = in - threshold;
    if (2.0 * over < -knee) return in;
    if (2.0 * std::fabs(over) <= knee && knee > 0.0)
        return in + (1.0 / ratio - 1.0) * (over + knee / 2) * (over + knee / 2) / (2 * knee);
    return threshold + over / ratio;
}

} // namespace

TEST_CASE("compressor: the static curve, knee included, within 0.02 dB") {
    for (const double knee : {0.0, 6.0, 18.0})
        for (const double ratio : {1.0, 2.0, 4.0, 20.0})
            for (double in = -60.0; in <= 6.0; in += 3.0) {
                const auto effect = make("compressor", 48000.0,
                                         {{"threshold", -24.0f},
                                          {"ratio", static_cast<float>(ratio)},
                                          {"knee", static_cast<float>(knee)},
                                          {"attack", 0.001f},
                                          {"release", 0.01f},
                                          {"make-up", 0.0f}});
                Stereo s = square(4800, in);
                render(*effect, s);
                CAPTURE(knee);
                CAPTURE(ratio);
                CAPTURE(in);
                // 0.02 dB: a knee of 0 is 0.01 dB wide; the logarithm and power are good to 0.00001 dB.
                CHECK(std::fabs(decibels(static_cast<double>(peak(s.left, 4000))) - curve(in, -24.0, ratio, knee)) <
                      0.02);
            }
}

TEST_CASE("compressor: attack and release are the times to 63 %") {
    const double rate = 48000.0;
    for (const double attack : {0.002, 0.02}) {
        const auto effect = make("compressor", rate,
                                 {{"threshold", -20.0f},
                                  {"ratio", 4.0f},
                                  {"knee", 0.0f},
                                  {"attack", static_cast<float>(attack)},
                                  {"release", 0.2f},
                                  {"make-up", 0.0f}});
        // 20 dB above the threshold: 15 dB of reduction in the end; then 10 dB below it.
        Stereo s = square(48000, 0.0);
        const Stereo quiet = square(96000, -30.0);
        s.left.insert(s.left.end(), quiet.left.begin(), quiet.left.end());
        s.right = s.left;
        const std::vector<float> in = s.left;
        render(*effect, s);
        const auto reduction = [&](std::size_t i) {
            return -decibels(std::fabs(static_cast<double>(s.left[i]) / in[i]));
        };
        CHECK(reduction(47999) == doctest::Approx(15.0).epsilon(0.001));
        // One frame of the time's resolution, 1 %.
        CHECK(reduction(static_cast<std::size_t>(attack * rate)) ==
              doctest::Approx(15.0 * (1.0 - std::exp(-1.0))).epsilon(0.01));
        // The held reduction falls by the release; the attack's smoothing follows it, later by about its own time.
        const double late = attack;
        CHECK(reduction(48000 + static_cast<std::size_t>((0.2 + late) * rate)) ==
              doctest::Approx(15.0 * std::exp(-1.0)).epsilon(0.03));
    }
}

TEST_CASE("compressor: both sides by the louder one") {
    const auto effect = make("compressor");
    Stereo s = square(9600, -3.0);
    for (float& x : s.right)
        x *= 0.01f;
    const Stereo in = s;
    render(*effect, s);
    for (std::size_t i = 0; i < s.size(); i += 97)
        CHECK(s.left[i] / in.left[i] == doctest::Approx(s.right[i] / in.right[i]).epsilon(1e-5));
}

TEST_CASE("compressor: make-up in dB, and nothing below the knee but that") {
    const auto effect = make("compressor", 48000.0, {{"threshold", -12.0f}, {"knee", 6.0f}, {"make-up", 9.0f}});
    Stereo s = square(4800, -40.0);
    render(*effect, s);
    CHECK(decibels(static_cast<double>(peak(s.left))) == doctest::Approx(-31.0).epsilon(0.0003));
}

TEST_CASE("compressor: a steady bass tone is not made crooked") {
    // The detector holds peaks over the half-cycles: at 60 Hz and a release of 0.5 s the gain ripples by 0.3 dB at most.
    const auto effect =
        make("compressor", 48000.0,
             {{"threshold", -24.0f}, {"ratio", 4.0f}, {"attack", 0.02f}, {"release", 0.5f}, {"make-up", 0.0f}});
    Stereo s = sine(48000 * 2, 48000.0, 60.0, 0.7);
    render(*effect, s);
    const double first = std::abs(tone(s.left, 48000, 96000, 60.0 / 48000.0));
    const double third = std::abs(tone(s.left, 48000, 96000, 180.0 / 48000.0));
    CHECK(decibels(third / first) < -50.0);
}
