// SPDX-License-Identifier: MIT
// The polynomials against the library in double precision, over their ranges, for one voice and for lanes.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <functional>

#include "dsp/approx.h"
#include "dsp/ladder.h"
#include "dsp/reduce.h"
#include "dsp/svf.h"

using namespace tutti::dsp;

namespace {

// Applies f to x in lane 0 of both lane types; they agree bit for bit where the machine has FMA, nearly where not.
template <class Scalar, class Wide>
float both_ways(Scalar scalar, Wide wide, float x) {
    alignas(64) float lanes[16];
    for (float& lane : lanes)
        lane = x;
    const float a = scalar(x);
    store(lanes, wide(load<NativeLanes>(lanes)));
#if defined(__FMA__)
    CHECK(std::memcmp(&a, lanes, 4) == 0);
#else
    CHECK(lanes[0] == doctest::Approx(a).epsilon(1e-5));
#endif
    return a;
}

#define TUTTI_BOTH(name, x) both_ways([](float z) { return name(z); }, [](NativeLanes z) { return name(z); }, x)

} // namespace

TEST_CASE("exp2: relative error below 1.5e-7, or a step of the result") {
    double worst = 0.0;
    for (int i = -12600; i <= 12600; ++i) {
        const float x = static_cast<float>(i) * 0.01f;
        worst = std::max(worst, std::fabs(TUTTI_BOTH(exp2, x) / std::exp2(double(x)) - 1.0));
    }
    CHECK(worst < 1.5e-7);
    CHECK(exp2(1000.0f) == std::exp2(126.0f));
    CHECK(exp2(-1000.0f) == std::exp2(-126.0f));
}

TEST_CASE("log2, sin, cos, tan within FP32") {
    for (double x = 1e-6; x < 1e9; x *= 1.0173) {
        const float f = static_cast<float>(x);
        const double exact = std::log2(double(f));
        CHECK(std::fabs(TUTTI_BOTH(log2, f) - exact) < 2e-7 + 1.2e-7 * std::fabs(exact));
    }
    for (int i = -1000; i <= 1000; ++i) {
        const float x = static_cast<float>(i) * 0.001f;
        CHECK(std::fabs(TUTTI_BOTH(sin_pi, x) - std::sin(3.14159265358979324 * double(x))) < 2.5e-7);
    }
    for (int i = 1; i <= 1570; ++i) {
        const float x = static_cast<float>(i) * 0.001f;
        float s = 0.0f, c = 0.0f;
        sin_cos_quarter(x, s, c);
        CHECK(std::fabs(s / std::sin(double(x)) - 1.0) < 2e-7);
        CHECK(std::fabs(c - std::cos(double(x))) < 2e-7);
    }
}

TEST_CASE("soft_clip is odd, monotonic, bounded by 1, of slope 1") {
    float before = -1.1f;
    for (int i = -600; i <= 600; ++i) {
        const float x = static_cast<float>(i) * 0.01f;
        const float y = TUTTI_BOTH(soft_clip, x);
        CHECK(y == -soft_clip(-x));
        CHECK(y >= before - 1.2e-7f);
        CHECK(std::fabs(y) <= 1.0f + 1.2e-7f); // a step of FP32
        before = y;
    }
    CHECK(soft_clip(1e-3f) == doctest::Approx(1e-3f));
}

TEST_CASE("The state-variable filter's update never grows, for any cutoff and damping, nor between two of them") {
    // The spectral norm of [A1, -A2; A2, 1 - A3], by the larger root of its Gram matrix's characteristic polynomial.
    const auto norm = [](double a1, double a2, double a3) {
        const double p = a1 * a1 + a2 * a2, q = a2 * a2 + (1 - a3) * (1 - a3), r = -a1 * a2 + a2 * (1 - a3);
        return std::sqrt(0.5 * (p + q + std::sqrt((p - q) * (p - q) + 4 * r * r)));
    };
    for (float angle = -12.0f; angle < 1.0f; angle += 0.37f)
        for (float damping = 0.0f; damping < 2.0f; damping += 0.21f) {
            const auto a = svf_coefficients(angle, damping), b = svf_coefficients(-3.0f - angle, 2.0f - damping);
            CHECK(norm(a.a1, a.a2, a.a3) < 1.0 + 1e-6);
            CHECK(norm(0.5 * (a.a1 + b.a1), 0.5 * (a.a2 + b.a2), 0.5 * (a.a3 + b.a3)) < 1.0 + 1e-6);
        }
}

TEST_CASE("Lanes are summed at distances 8, 4, 2, 1, whatever the number of frames") {
    alignas(64) float from[64 * 16];
    for (int i = 0; i < 64 * 16; ++i)
        from[i] = static_cast<float>(std::sin(i * 12.9898) * 43758.5453);
    for (int frames = 1; frames <= 64; ++frames) {
        float to[64];
        sum_lanes(from, to, frames);
        for (int f = 0; f < frames; ++f) {
            float lane[16];
            std::memcpy(lane, from + f * 16, sizeof lane);
            for (int distance = 8; distance > 0; distance /= 2)
                for (int i = 0; i < distance; ++i)
                    lane[i] = lane[i] + lane[i + distance];
            CHECK(std::memcmp(&to[f], lane, 4) == 0);
        }
    }
}

TEST_CASE("Masks, selects and unsigned comparison, lane by lane") {
    const int width = width_of<NativeLanes>();
    alignas(64) float a[16], b[16], out[16];
    for (int i = 0; i < 16; ++i) {
        a[i] = float_of_bits(0x10000001u * static_cast<Word>(i * 7 % 16));
        b[i] = float_of_bits(0x10000001u * static_cast<Word>(i));
    }
    Word expected = 0;
    for (int i = 0; i < width; ++i)
        expected |= (bits_of(a[i]) < bits_of(b[i]) ? 1u : 0u) << i;
    CHECK(mask_bits(less_unsigned(load_bits<NativeLanes>(a), load_bits<NativeLanes>(b))) == expected);
    store(out, select(lane_mask<NativeLanes>(5u), NativeLanes(1.0f), NativeLanes(2.0f)));
    for (int i = 0; i < width; ++i)
        CHECK(out[i] == ((5u >> i & 1u) != 0 ? 1.0f : 2.0f));
    CHECK(hash_word(12345u) != hash_word(12346u));
}
