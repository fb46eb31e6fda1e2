// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/engine/stream/fake.h"

namespace {

std::shared_ptr<tutti::Sound> sine(double rate, int frames, double hertz, int channels = 1) {
    std::vector<std::vector<float>> samples(static_cast<std::size_t>(channels),
                                            std::vector<float>(static_cast<std::size_t>(frames)));
    for (auto& channel : samples)
        for (int i = 0; i < frames; ++i)
            channel[static_cast<std::size_t>(i)] =
                static_cast<float>(0.5 * std::sin(6.283185307179586 * hertz * i / rate));
    return std::make_shared<tutti::Sound>(rate, std::move(samples));
}

double rising_zeros(const std::vector<float>& x, int begin, int end) {
    int count = 0;
    for (int i = begin + 1; i < end; ++i)
        count += x[static_cast<std::size_t>(i - 1)] < 0.0f && x[static_cast<std::size_t>(i)] >= 0.0f;
    return count;
}

double largest_step(const std::vector<float>& x, int begin, int end) {
    double most = 0.0;
    for (int i = begin + 1; i < end; ++i)
        most = std::max(
            most, static_cast<double>(std::fabs(x[static_cast<std::size_t>(i)] - x[static_cast<std::size_t>(i - 1)])));
    return most;
}

} // namespace

TEST_CASE("a clip at the stream's rate passes sample by sample, from its own frame") {
    fake::Rig rig;
    const auto sound = sine(48000.0, 3000, 440.0, 2);
    auto clip = rig.stream->play(3, sound, {.fade_seconds = 0.0}, 101);
    REQUIRE(clip.ok());
    const auto out = rig.render(4000, 77);
    const auto wrong_frames = [&](const std::vector<float>& x, int begin) {
        int wrong = 0;
        for (int i = 0; i < 4000; ++i) {
            const float expected =
                i >= begin && i < begin + 3000 ? sound->channels[0][static_cast<std::size_t>(i - begin)] : 0.0f;
            wrong += x[static_cast<std::size_t>(i)] != expected;
        }
        return wrong;
    };
    CHECK(wrong_frames(out[0], 101) == 0);
    // Red control: one frame late, or one frame of it lost, is found.
    CHECK(wrong_frames(out[0], 102) > 2000);
    auto planted = out[0];
    planted.erase(planted.begin() + 1500);
    planted.push_back(0.0f);
    CHECK(wrong_frames(planted, 101) > 1000);
    CHECK(clip->ended());
}

TEST_CASE("pitch and sample rate give the right speed; loops go on; a stop fades") {
    fake::Rig rig;
    // 1 s of 441 Hz at 44.1 kHz, an octave up: 882 Hz. The loop is a whole number of periods.
    auto clip = rig.stream->play(0, sine(44100.0, 44100, 441.0), {.pitch = 12.0, .loop = true}, 0);
    REQUIRE(clip.ok());
    auto out = rig.render(96000);
    CHECK(rising_zeros(out[0], 0, 96000) == doctest::Approx(882.0 * 2.0).epsilon(0.002));
    const double slope = largest_step(out[0], 1000, 90000);
    CHECK(slope < 1.1 * 0.5 * 6.2832 * 882.0 / 48000.0); // no step at the loop beyond the sine's own slope
    REQUIRE(clip->stop().ok());
    out = rig.render(4800);
    CHECK(largest_step(out[0], 0, 4800) < 1.1 * slope);
    CHECK(out[0][4000] == 0.0f);
    CHECK(clip->ended());
}

TEST_CASE("interpolation: a 1 kHz sine at another rate keeps its shape within -60 dB") {
    fake::Rig rig;
    REQUIRE(rig.stream->play(0, sine(44100.0, 44100, 1000.0), {.fade_seconds = 0.0}, 0).ok());
    const auto out = rig.render(40000);
    double error = 0.0, power = 0.0;
    for (int i = 100; i < 40000; ++i) {
        const double expected = 0.5 * std::sin(6.283185307179586 * 1000.0 * i / 48000.0);
        error += std::pow(static_cast<double>(out[0][static_cast<std::size_t>(i)]) - expected, 2.0);
        power += expected * expected;
    }
    CHECK(10.0 * std::log10(error / power) < -60.0); // Catmull-Rom at 44 points a period: about -70 dB
}

TEST_CASE("the same bits for any pulls, and through the part's effects") {
    std::vector<std::vector<float>> whole;
    for (const int block : {8192, 1, 97}) {
        fake::Rig rig;
        tutti::Patch patch = fake::patch();
        patch.effects = {{"delay", {}, true}};
        REQUIRE(rig.stream->set_patch(0, patch, 0).ok());
        auto clip = rig.stream->play(0, sine(32000.0, 5000, 300.0),
                                     {.gain_db = -3.0, .pitch = 1.5, .loop = true, .loop_begin = 1000}, 333);
        REQUIRE(clip.ok());
        REQUIRE(clip->stop(20011).ok());
        const auto out = rig.render(48000, block);
        if (whole.empty())
            whole = out;
        else
            CHECK(out == whole);
    }
    CHECK(
        std::any_of(whole[0].begin() + 30000, whole[0].end(), [](float x) { return std::fabs(x) > 1e-4f; })); // echoes
}

TEST_CASE("a written clip that runs dry fades, counts, waits and goes on where it was") {
    fake::Rig rig;
    auto clip = rig.stream->play_written(0, 1, 48000.0, 0.5, {}, 0);
    REQUIRE(clip.ok());
    const auto sound = sine(48000.0, 24000, 200.0);
    const float* in[] = {sound->channels[0].data()};
    CHECK(clip->write(in, 8000) == 8000);
    auto out = rig.render(12000)[0];
    CHECK(rig.stream->stats().dry_clips == 1);
    CHECK(out[9000] == 0.0f);
    in[0] += 8000;
    CHECK(clip->write(in, 8000) == 8000);
    clip->finish();
    const auto more = rig.render(12000)[0];
    CHECK(rig.stream->stats().dry_clips == 1);
    CHECK(clip->ended());
    out.insert(out.end(), more.begin(), more.end());
    // The sine's own slope and the 2 ms raised cosine's over its whole height: no edge beyond both.
    const double bound = 0.5 * 6.2832 * 200.0 / 48000.0 + 0.5 * 1.5708 / 96.0;
    CHECK(largest_step(out, 0, 24000 - 8100) < bound);
    // Red control: the same gap without its fades is found.
    auto planted = out;
    std::copy_n(sound->channels[0].begin(), 8000, planted.begin());
    planted[7999] = 0.5f;
    std::fill(planted.begin() + 8000, planted.begin() + 12000, 0.0f);
    CHECK(largest_step(planted, 0, 24000 - 8100) > bound);
    // Nothing was lost: where it goes on it is as if it had never stopped.
    int resumed = 12000;
    double best = 1.0;
    for (int shift = 3900; shift < 4100; ++shift) {
        double error = 0.0;
        for (int i = 8500; i < 15000; ++i)
            error = std::max(error, static_cast<double>(std::fabs(out[static_cast<std::size_t>(i + shift)] -
                                                                  sound->channels[0][static_cast<std::size_t>(i)])));
        if (error < best) {
            best = error;
            resumed = shift;
        }
    }
    CAPTURE(resumed);
    CHECK(best == 0.0);
}

TEST_CASE("what cannot be played is refused with a reason") {
    fake::Rig rig;
    CHECK(rig.stream->play(0, nullptr).status().code() == tutti::Code::invalid_argument);
    CHECK(rig.stream->play(99, sine(48000.0, 10, 1.0)).status().code() == tutti::Code::out_of_range);
    CHECK(rig.stream->play(0, sine(48000.0, 10, 1.0), {.begin = 11}).status().code() == tutti::Code::out_of_range);
    CHECK(rig.stream->play(0, sine(48000.0, 10, 1.0), {.loop = true, .loop_begin = 10}).status().code() ==
          tutti::Code::out_of_range);
    CHECK(rig.stream->play_written(0, 1, 48000.0, 1e9).status().code() == tutti::Code::out_of_range);
}
