// SPDX-License-Identifier: MIT
// A tuning as it sounds: the pitch of what a stream gives out, measured.
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include <tutti/engine.h>
#include <tutti/tuning.h>

using namespace tutti;

namespace {

constexpr double k_rate = 48000.0;
constexpr double k_pi = 3.14159265358979323846;

// A plain sine on `key`, from its second tenth of a second on.
std::vector<float> sine(const Tuning& tuning, int key) {
    auto engine = Engine::create().value();
    auto stream = engine->open({.sample_rate = k_rate, .mode = Mode::offline}).value();
    Patch patch;
    patch.parameters = {{"osc1_wave", 3.0}, {"filter_type", 0.0}, {"env1_sustain", 1.0}};
    REQUIRE(stream->set_patch(0, patch, 0).ok());
    REQUIRE(stream->set_tuning(0, tuning, 0).ok());
    auto sender = stream->make_sender().value();
    sender.post(Event::note_on(0, 0, key, 1.0));
    std::vector<float> left(52800), right(52800);
    for (std::size_t at = 0; at < left.size(); at += 4800) {
        float* out[2] = {left.data() + at, right.data() + at};
        REQUIRE(stream->pull(out, 4800));
    }
    return {left.begin() + 4800, left.end()};
}

// Phase of the component at `hertz` in a windowed half second; the advance from one to the next gives the exact pitch.
double phase(const std::vector<float>& x, std::size_t from, double hertz) {
    double re = 0.0, im = 0.0;
    constexpr std::size_t k_length = 24000;
    for (std::size_t i = 0; i < k_length; ++i) {
        const double window = 0.5 - 0.5 * std::cos(2.0 * k_pi * static_cast<double>(i) / k_length);
        const double turn = 2.0 * k_pi * hertz * static_cast<double>(from + i) / k_rate;
        re += window * static_cast<double>(x[from + i]) * std::cos(turn);
        im -= window * static_cast<double>(x[from + i]) * std::sin(turn);
    }
    return std::atan2(im, re);
}

double cents_off(const std::vector<float>& x, double expected) {
    constexpr double k_apart = 24000.0;
    const double turned = std::remainder(phase(x, 24000, expected) - phase(x, 0, expected), 2.0 * k_pi);
    const double hertz = expected + turned * k_rate / (2.0 * k_pi * k_apart);
    return 1200.0 * std::log2(hertz / expected);
}

} // namespace

TEST_CASE("keys sound where the tuning puts them, within 0.01 cent") {
    const Tuning equal = *Tuning::equal(31);
    const Tuning just = *Tuning::from_scala("five-limit\n3\n5/4\n3/2\n2/1\n");
    for (const auto& [tuning, key] :
         {std::pair{equal, 69}, {equal, 70}, {equal, 100}, {just, 61}, {just, 62}, {just, 63}}) {
        CAPTURE(key);
        CHECK(std::fabs(cents_off(sine(tuning, key), tuning.hertz(key))) < 0.01);
    }
    // The measure sees a tenth of a cent.
    CHECK(std::fabs(cents_off(sine(equal, 70), equal.hertz(70) * std::exp2(0.1 / 1200.0))) ==
          doctest::Approx(0.1).epsilon(0.02));
}

TEST_CASE("a key that the mapping leaves out stays silent, its neighbour does not") {
    const Tuning tuning = *Tuning::from_scala("", "2\n0\n127\n60\n60\n261.6\n1\n0\nx\n");
    REQUIRE_FALSE(tuning.mapped(61));
    const auto peak = [](const std::vector<float>& x) {
        float most = 0.0f;
        for (float y : x)
            most = std::max(most, std::fabs(y));
        return most;
    };
    CHECK(peak(sine(tuning, 61)) == 0.0f);
    CHECK(peak(sine(tuning, 60)) > 0.1f);
}
