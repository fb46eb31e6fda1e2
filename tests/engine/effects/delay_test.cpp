// SPDX-License-Identifier: MIT
#include "engine/effects/delay.h"

#include <doctest/doctest.h>

#include "tests/engine/effects/support.h"

using namespace test;

namespace {

// Wide open: each echo is the input but for the filters' first frames.
Values open(Values more) {
    more.insert({{"low-cut", 10.0f}, {"high-cut", 20000.0f}, {"mix", 1.0f}});
    return more;
}

std::size_t loudest(const std::vector<float>& x, std::size_t from, std::size_t to) {
    std::size_t best = from;
    for (std::size_t i = from; i < to; ++i)
        if (std::fabs(x[i]) > std::fabs(x[best])) best = i;
    return best;
}

} // namespace

TEST_CASE("delay: note values at a tempo are exact in frames") {
    struct Row {
        int choice;
        double tempo;
        double rate;
        std::size_t frames;
    };
    // 9 is 1/4, 6 is 1/8, 8 is 1/8., 7 is 1/4T, 15 is 1/1.
    for (const Row& row : {Row{9, 120.0, 48000.0, 24000}, Row{6, 90.0, 48000.0, 16000}, Row{8, 120.0, 44100.0, 16538},
                           Row{7, 100.0, 48000.0, 19200}, Row{9, 60.0, 8000.0, 8000}, Row{9, 140.0, 192000.0, 82286},
                           Row{15, 60.0, 48000.0, 96000} /* 4 s, halved to the 2 s that fit */}) {
        CAPTURE(row.choice);
        CAPTURE(row.rate);
        const auto effect = make("delay", row.rate,
                                 open({{"left", static_cast<float>(row.choice)}, {"right", 0.0f}, {"feedback", 0.0f}}));
        effect->set_tempo(row.tempo);
        Stereo s = impulse(row.frames + 1000);
        render(*effect, s);
        CHECK(loudest(s.left, 1, s.size()) == row.frames);
        CHECK(loudest(s.right, 1, s.size()) == row.frames);
    }
}

TEST_CASE("delay: free time in frames, and each echo is `feedback` times the last") {
    const auto effect =
        make("delay", 48000.0, open({{"left", 0.0f}, {"right", 0.0f}, {"time", 0.1f}, {"feedback", 0.5f}}));
    Stereo s(48000);
    for (std::size_t i = 0; i < 480; ++i) // 1 kHz, ten cycles: the loop's filters are flat there
        s.left[i] = s.right[i] = static_cast<float>(std::sin(2.0 * k_pi * static_cast<double>(i) / 48.0));
    render(*effect, s);
    for (std::size_t echo = 1; echo < 8; ++echo) {
        const double ratio =
            rms(s.left, (echo + 1) * 4800, (echo + 1) * 4800 + 480) / rms(s.left, echo * 4800, echo * 4800 + 480);
        CHECK(ratio == doctest::Approx(0.5).epsilon(0.01)); // the cuts at 10 Hz and 20 kHz cost 0.3 %
    }
}

TEST_CASE("delay: ping-pong goes left, right, left") {
    const auto effect = make(
        "delay", 48000.0, open({{"mode", 1.0f}, {"left", 0.0f}, {"right", 0.0f}, {"time", 0.1f}, {"feedback", 0.6f}}));
    Stereo s = impulse(48000);
    render(*effect, s);
    for (std::size_t echo = 1; echo < 7; ++echo) {
        const float left = peak(s.left, echo * 4800 - 100, echo * 4800 + 100);
        const float right = peak(s.right, echo * 4800 - 100, echo * 4800 + 100);
        CAPTURE(echo);
        if (echo % 2 == 1)
            CHECK(left > 20.0f * right);
        else
            CHECK(right > 20.0f * left);
    }
}

TEST_CASE("delay: a new tempo fades the new time in without a click") {
    const auto effect = make("delay", 48000.0, open({{"left", 9.0f}, {"right", 0.0f}, {"feedback", 0.3f}}));
    Stereo s = sine(48000 * 4, 48000.0, 200.0, 0.5);
    render(*effect, s, 0, 96000, 0);
    effect->set_tempo(97.0);
    render(*effect, s, 96000, 96000, 96000);
    float before = 0.0f;
    float during = 0.0f;
    for (std::size_t i = 60000; i < 130000; ++i) {
        const float step = std::fabs(s.left[i] - s.left[i - 1]);
        (i < 96000 ? before : during) = std::max(i < 96000 ? before : during, step);
    }
    // Two sines out of phase add to at most twice the steps; a hard switch would jump by up to 40 times.
    CHECK(during < 2.0f * before);
    // And the time did change: an impulse afterwards comes back after the new quarter note.
    Stereo probe = impulse(40000);
    effect->reset();
    render(*effect, probe, 0, 40000, 192000);
    CHECK(loudest(probe.left, 1, 40000) == static_cast<std::size_t>(std::lround(60.0 / 97.0 * 48000.0)));
}

TEST_CASE("delay: every echo is darker and thinner") {
    const auto effect = make("delay", 48000.0,
                             {{"left", 0.0f},
                              {"right", 0.0f},
                              {"time", 0.1f},
                              {"feedback", 0.9f},
                              {"mix", 1.0f},
                              {"low-cut", 200.0f},
                              {"high-cut", 4000.0f}});
    Stereo s = impulse(48000);
    render(*effect, s);
    const auto level = [&](std::size_t echo, double hertz) {
        const std::vector<float> part(s.left.begin() + static_cast<std::ptrdiff_t>(echo * 4800),
                                      s.left.begin() + static_cast<std::ptrdiff_t>(echo * 4800 + 4800));
        return response(part, hertz / 48000.0);
    };
    // One-pole cuts: -3 dB at 4 kHz (the discrete pole is 0.3 dB off there), and each echo passes once more.
    CHECK(decibels(level(1, 4000.0) / level(1, 900.0)) == doctest::Approx(-2.8).epsilon(0.15));
    for (std::size_t echo = 1; echo < 5; ++echo) {
        CHECK(level(echo + 1, 8000.0) / level(echo + 1, 900.0) < 0.7 * level(echo, 8000.0) / level(echo, 900.0));
        CHECK(level(echo + 1, 60.0) / level(echo + 1, 900.0) < 0.7 * level(echo, 60.0) / level(echo, 900.0));
    }
}
