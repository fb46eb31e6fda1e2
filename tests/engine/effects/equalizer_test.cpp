// SPDX-License-Identifier: MIT
#include "engine/effects/equalizer.h"

#include <doctest/doctest.h>

#include "tests/engine/effects/support.h"

using namespace test;

namespace {

// R. Bristow-Johnson, "Cookbook formulae for audio EQ biquad filter coefficients", written out from the text.
struct Cookbook {
    double b0, b1, b2, a0, a1, a2;

    double magnitude(double w) const {
        const std::complex<double> z = std::polar(1.0, -w);
        return std::abs((b0 + b1 * z + b2 * z * z) / (a0 + a1 * z + a2 * z * z));
    }
};

enum class Kind { low_pass, high_pass, peak, low_shelf, high_shelf };

Cookbook cookbook(Kind kind, double hertz, double q, double gain_db, double rate) {
    const double A = std::pow(10.0, gain_db / 40.0);
    const double w = 2.0 * k_pi * hertz / rate;
    const double c = std::cos(w);
    const double alpha = std::sin(w) / (2.0 * q);
    const double r = 2.0 * std::sqrt(A) * alpha;
    switch (kind) {
    case Kind::low_pass:
        return {(1 - c) / 2, 1 - c, (1 - c) / 2, 1 + alpha, -2 * c, 1 - alpha};
    case Kind::high_pass:
        return {(1 + c) / 2, -(1 + c), (1 + c) / 2, 1 + alpha, -2 * c, 1 - alpha};
    case Kind::peak:
        return {1 + alpha * A, -2 * c, 1 - alpha * A, 1 + alpha / A, -2 * c, 1 - alpha / A};
    case Kind::low_shelf:
        return {A * ((A + 1) - (A - 1) * c + r), 2 * A * ((A - 1) - (A + 1) * c), A * ((A + 1) - (A - 1) * c - r),
                (A + 1) + (A - 1) * c + r,       -2 * ((A - 1) + (A + 1) * c),    (A + 1) + (A - 1) * c - r};
    default:
        return {A * ((A + 1) + (A - 1) * c + r), -2 * A * ((A - 1) + (A + 1) * c), A * ((A + 1) + (A - 1) * c - r),
                (A + 1) - (A - 1) * c + r,       2 * ((A - 1) - (A + 1) * c),      (A + 1) - (A - 1) * c - r};
    }
}

double worst_difference(const Values& values, const std::vector<Cookbook>& expected, double rate) {
    const auto effect = make("equalizer", rate, values);
    Stereo s = impulse(static_cast<std::size_t>(rate)); // 1 s: everything has rung out
    render(*effect, s);
    double worst = 0.0;
    for (double hertz = 25.0; hertz < 0.45 * rate; hertz *= 1.19) {
        double wanted = 1.0;
        for (const Cookbook& band : expected)
            wanted *= band.magnitude(2.0 * k_pi * hertz / rate);
        if (wanted < 1e-3) continue; // -60 dB: rounding of the float state shows below
        worst = std::max(worst, std::fabs(decibels(response(s.left, hertz / rate) / wanted)));
    }
    return worst;
}

} // namespace

TEST_CASE("equaliser: each band has the cookbook's magnitude") {
    for (const double rate : {16000.0, 44100.0, 48000.0, 192000.0})
        for (const double gain : {-18.0, -6.0, 3.0, 18.0}) {
            CAPTURE(rate);
            CAPTURE(gain);
            const auto g = static_cast<float>(gain);
            // 0.02 dB: the float state at the lowest corner and the highest rate.
            CHECK(worst_difference({{"low-frequency", 120.0f}, {"low-gain", g}},
                                   {cookbook(Kind::low_shelf, 120.0, std::sqrt(0.5), gain, rate)}, rate) < 0.02);
            CHECK(worst_difference({{"peak1-frequency", 450.0f}, {"peak1-gain", g}, {"peak1-q", 2.0f}},
                                   {cookbook(Kind::peak, 450.0, 2.0, gain, rate)}, rate) < 0.02);
            CHECK(worst_difference({{"peak2-frequency", 3000.0f}, {"peak2-gain", g}, {"peak2-q", 0.5f}},
                                   {cookbook(Kind::peak, 3000.0, 0.5, gain, rate)}, rate) < 0.02);
            CHECK(worst_difference({{"high-frequency", 5000.0f}, {"high-gain", g}},
                                   {cookbook(Kind::high_shelf, 5000.0, std::sqrt(0.5), gain, rate)}, rate) < 0.02);
        }
    CHECK(worst_difference({{"low-cut", 80.0f}}, {cookbook(Kind::high_pass, 80.0, std::sqrt(0.5), 0.0, 48000.0)},
                           48000.0) < 0.02);
    CHECK(worst_difference({{"high-cut", 6000.0f}}, {cookbook(Kind::low_pass, 6000.0, std::sqrt(0.5), 0.0, 48000.0)},
                           48000.0) < 0.02);
}

TEST_CASE("equaliser: gains at the bands' centres, and -3.01 dB at the cuts") {
    const double rate = 48000.0;
    const auto gain_at = [&](const Values& values, double hertz) {
        const auto effect = make("equalizer", rate, values);
        Stereo s = impulse(48000);
        render(*effect, s);
        return decibels(response(s.left, hertz / rate));
    };
    CHECK(gain_at({{"peak1-frequency", 1000.0f}, {"peak1-gain", 7.5f}}, 1000.0) == doctest::Approx(7.5).epsilon(0.001));
    CHECK(gain_at({{"low-frequency", 200.0f}, {"low-gain", -9.0f}}, 200.0) == doctest::Approx(-4.5).epsilon(0.002));
    CHECK(gain_at({{"high-frequency", 4000.0f}, {"high-gain", 10.0f}}, 4000.0) == doctest::Approx(5.0).epsilon(0.002));
    CHECK(gain_at({{"low-cut", 100.0f}}, 100.0) == doctest::Approx(-3.0103).epsilon(0.002));
    CHECK(gain_at({{"high-cut", 5000.0f}}, 5000.0) == doctest::Approx(-3.0103).epsilon(0.002));
    // All bands at once are their sum.
    CHECK(worst_difference({{"low-cut", 60.0f},
                            {"low-gain", 4.0f},
                            {"peak1-gain", -5.0f},
                            {"peak2-gain", 6.0f},
                            {"high-gain", -3.0f},
                            {"high-cut", 12000.0f}},
                           {cookbook(Kind::high_pass, 60.0, std::sqrt(0.5), 0.0, rate),
                            cookbook(Kind::low_shelf, 120.0, std::sqrt(0.5), 4.0, rate),
                            cookbook(Kind::peak, 450.0, 0.9, -5.0, rate), cookbook(Kind::peak, 2800.0, 0.9, 6.0, rate),
                            cookbook(Kind::high_shelf, 7000.0, std::sqrt(0.5), -3.0, rate),
                            cookbook(Kind::low_pass, 12000.0, std::sqrt(0.5), 0.0, rate)},
                           rate) < 0.05);
}

TEST_CASE("red control: a band 0.1 dB off is seen") {
    CHECK(worst_difference({{"peak1-gain", 6.1f}}, {cookbook(Kind::peak, 450.0, 0.9, 6.0, 48000.0)}, 48000.0) > 0.05);
}

TEST_CASE("equaliser: flat it does not touch a bit, and flat again it stops") {
    const auto effect = make("equalizer");
    const Stereo input = noise(96000, 0.5f);
    Stereo s = input;
    render(*effect, s, 0, 16000, 0);
    CHECK(std::equal(s.left.begin(), s.left.begin() + 16000, input.left.begin()));
    effect->set_parameter(equalizer::peak1_gain, 12.0f);
    render(*effect, s, 16000, 16000, 16000);
    CHECK_FALSE(std::equal(s.left.begin() + 16000, s.left.begin() + 32000, input.left.begin() + 16000));
    effect->set_parameter(equalizer::peak1_gain, 0.0f);
    render(*effect, s, 32000, 64000, 32000);
    CHECK(std::equal(s.left.begin() + 80000, s.left.end(), input.left.begin() + 80000)); // 1 s of 30 ms steps later
}
