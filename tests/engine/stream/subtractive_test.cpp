// SPDX-License-Identifier: MIT
// The real backend behind the public interface: a note in tune, and the same bits for any pulls, mode and thread count.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

#include <tutti/engine.h>

using namespace tutti;

namespace {

std::vector<float> song(Mode mode, int threads, int block) {
    auto engine = Engine::create({.threads = threads}).value();
    StreamConfig config;
    config.mode = mode;
    config.parts = 4;
    config.voices = 400;
    config.shed = false; // the machine may be busy
    auto stream = engine->open(config).value();
    Patch patch;
    patch.voices = 100;
    for (int p = 0; p < 4; ++p) {
        patch.glide_seconds = p == 1 ? 0.05 : 0.0;
        REQUIRE(stream->set_patch(p, patch, 0).ok());
    }
    auto sender = stream->make_sender().value();
    std::mt19937 random(9);
    for (int i = 0; i < 900; ++i) {
        const int frame = static_cast<int>(random() % 48000), part = i % 4, key = 30 + static_cast<int>(random() % 60);
        REQUIRE(sender.post(Event::note_on(frame, part, key, 0.1 + 0.001 * (i % 800), i)));
        REQUIRE(sender.post(Event::note_off(frame + 5000, part, key, 0.5, i)));
        if (i % 10 == 0) REQUIRE(sender.post(Event::midi(frame, part, i % 20 != 0 ? 0xb0 : 0xe0, 1, i % 128)));
        if (i % 9 == 0) REQUIRE(sender.post(Event::set_parameter(frame, part, static_cast<int>(random() % 40), 0.5)));
    }
    stream->set_bounce(true);
    const int latency = stream->latency_frames(), total = 60000 + latency;
    std::vector<float> left(static_cast<std::size_t>(total)), right(left);
    for (int at = 0; at < total; at += block) {
        float* out[] = {left.data() + at, right.data() + at};
        REQUIRE(stream->pull(out, std::min(block, total - at)));
    }
    CHECK(stream->stats().late_events == 0);
    CHECK(stream->stats().muted_voices == 0);
    left.erase(left.begin(), left.begin() + latency);
    left.insert(left.end(), right.begin() + latency, right.end());
    return left;
}

bool same(const std::vector<float>& a, const std::vector<float>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

} // namespace

TEST_CASE("a note of the default patch sounds, in tune") {
    auto engine = Engine::create().value();
    auto stream = engine->open().value();
    REQUIRE(stream->set_patch(0, Patch{}).ok());
    auto sender = stream->make_sender().value();
    REQUIRE(sender.post(Event::note_on(0, 0, 69, 0.8)));
    std::vector<float> left(96000), right(left);
    float* out[] = {left.data(), right.data()};
    REQUIRE(stream->pull(out, 96000));
    CHECK(*std::max_element(left.begin(), left.end()) > 0.01f);
    // Best lag of the autocorrelation over 1 s, refined by a parabola.
    const auto likeness = [&](int lag) {
        double sum = 0.0;
        for (std::size_t i = 20000; i < 60000; ++i)
            sum += static_cast<double>(left[i]) * static_cast<double>(left[i + static_cast<std::size_t>(lag)]);
        return sum;
    };
    int best = 100 * 48000 / 440 - 20;
    for (int lag = best; lag < 100 * 48000 / 440 + 20; ++lag)
        if (likeness(lag) > likeness(best)) best = lag;
    const double a = likeness(best - 1), b = likeness(best), c = likeness(best + 1);
    const double period = (best + 0.5 * (a - c) / (a - 2.0 * b + c)) / 100.0;
    CHECK(std::fabs(1200.0 * std::log2(48000.0 / period / 440.0)) < 1.0);
}

TEST_CASE("the same bits for any pulls, mode and thread count") {
    const auto whole = song(Mode::inline_, 1, 8192);
    CHECK(*std::max_element(whole.begin(), whole.end()) > 0.01f);
    CHECK(same(whole, song(Mode::inline_, 1, 1)));
    CHECK(same(whole, song(Mode::inline_, 1, 37)));
    CHECK(same(whole, song(Mode::offline, 1, 5000)));
    CHECK(same(whole, song(Mode::offline, 2, 64)));
    CHECK(same(whole, song(Mode::offline, 4, 999)));
    CHECK(same(whole, song(Mode::ahead, 1, 512)));
    CHECK(same(whole, song(Mode::ahead, 3, 100)));
}
