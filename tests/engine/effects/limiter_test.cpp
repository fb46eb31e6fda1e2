// SPDX-License-Identifier: MIT
#include "engine/effects/limiter.h"

#include <doctest/doctest.h>

#include "tests/engine/effects/support.h"

using namespace test;

namespace {

constexpr float k_threshold = 0.89125094f; // -1 dBFS

} // namespace

TEST_CASE("limiter: below -1 dBFS every bit passes") {
    const auto effect = make("limiter");
    const Stereo input = noise(200000, k_threshold);
    Stereo s = input;
    render(*effect, s);
    CHECK(s == input);
    // Red control: one frame above, and the bits are not the same.
    Stereo louder = input;
    louder.left[100] = 0.9f;
    Stereo out = louder;
    const auto second = make("limiter");
    render(*second, out);
    CHECK_FALSE(out == louder);
}

TEST_CASE("fault 26: loud bursts: 10,000 random ones up to +60 dBFS never leave the limiter above 0 dBFS") {
    for (const double rate : {8000.0, 48000.0, 192000.0}) {
        const auto effect = make("limiter", rate);
        Random random(17);
        float most = 0.0f;
        std::int64_t clock = 0;
        for (int burst = 0; burst < 10000; ++burst) {
            const auto frames = static_cast<std::size_t>(1 + random.below(60));
            const float level = std::pow(10.0f, 3.0f * (0.5f + 0.5f * random.bipolar()));
            Stereo s = noise(frames, level, random.next());
            if (random.below(4) == 0) std::fill(s.left.begin(), s.left.end(), random.bipolar() > 0.0f ? level : -level);
            render(*effect, s, 0, frames, clock);
            clock += static_cast<std::int64_t>(frames);
            most = std::max({most, peak(s.left), peak(s.right)});
        }
        MESSAGE("rate " << rate << ": loudest frame " << most);
        CHECK(most <= 1.0f);
        CHECK(most > 0.95f);
    }
}

TEST_CASE("limiter: the curve above -1 dBFS is soft and rises all the way") {
    float before = 0.0f;
    for (const float level : {0.89f, 0.9f, 0.95f, 1.0f, 1.2f, 2.0f, 10.0f, 1000.0f}) {
        const auto effect = make("limiter");
        Stereo s(64);
        std::fill(s.left.begin(), s.left.end(), level);
        render(*effect, s);
        // The first frame already: instant attack, no latency.
        const float over = (level - k_threshold) / (1.0f - k_threshold);
        const float expected = over <= 0.0f ? level : k_threshold + (1.0f - k_threshold) * over / (1.0f + over);
        CHECK(s.left[0] == doctest::Approx(expected).epsilon(1e-6));
        CHECK(s.left[0] > before);
        before = s.left[0];
    }
    CHECK(make("limiter")->latency_frames() == 0);
}

TEST_CASE("limiter: the gain is the same on both sides and recovers by its release") {
    const auto effect = make("limiter", 48000.0, {{"release", 0.1f}});
    Stereo s(48000 * 2);
    for (std::size_t i = 0; i < s.size(); ++i) {
        s.left[i] = 0.2f;
        s.right[i] = -0.4f;
    }
    s.left[1000] = 4.0f;
    render(*effect, s);
    const float fall = 1.0f - s.left[1001] / 0.2f;
    CHECK(s.right[1001] / -0.4f == doctest::Approx(s.left[1001] / 0.2f).epsilon(1e-6));
    CHECK(fall > 0.7f);
    // 1 - 1/e of the way after the release time; 1 % for the frame at which it is read.
    const float later = 1.0f - s.left[1000 + 4800] / 0.2f;
    CHECK(later / fall == doctest::Approx(std::exp(-1.0)).epsilon(0.01));
    CHECK(s.left[90000] == 0.2f); // back to bit-exact
}

TEST_CASE("limiter: switched off it passes everything") {
    const auto effect = make("limiter", 48000.0, {{"active", 0.0f}});
    const Stereo input = noise(5000, 20.0f);
    Stereo s = input;
    render(*effect, s);
    CHECK(s == input);
}
