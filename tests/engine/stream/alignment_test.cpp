// SPDX-License-Identifier: MIT
// Parts whose effects have different latency are heard together; a latency that comes or goes makes no click; the same bits for
// any pulls. Saturation with mix 0 is its latency of 15 frames and nothing else.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include <tutti/engine.h>

using namespace tutti;

namespace {

constexpr int k_frames = 48000;
constexpr int k_latency = 15;

enum class Other { none, from_start, later };

struct Plan {
    bool own = false; // the part that plays has the effect itself
    Other other = Other::none;
    int block = 64;
};

std::vector<float> render(const Plan& plan, int* latency = nullptr) {
    auto engine = Engine::create().value();
    StreamConfig config;
    config.mode = Mode::inline_;
    config.limiter = false;
    auto stream = engine->open(config).value();
    auto sender = stream->make_sender().value();
    Patch plain;
    plain.parameters = {{"osc1_wave", 3}, {"filter_type", 0}, {"env1_sustain", 1}};
    Patch late = plain;
    late.effects = {{"saturation", {{"mix", 0.0}}, true, "{}"}};
    REQUIRE(stream->set_patch(0, plan.own ? late : plain, 0).ok());
    if (plan.other != Other::none) REQUIRE(stream->set_patch(1, late, plan.other == Other::later ? 24007 : 0).ok());
    if (plan.other == Other::later) REQUIRE(stream->set_patch(1, plain, 36003).ok());
    sender.post(Event::note_on(100, 0, 57, 1.0));
    if (latency != nullptr) *latency = stream->latency_frames();
    std::vector<float> sound(2 * k_frames);
    for (int at = 0; at < k_frames;) {
        const int frames = std::min(plan.block, k_frames - at);
        float* out[2] = {sound.data() + at, sound.data() + k_frames + at};
        REQUIRE(stream->pull(out, frames));
        at += frames;
    }
    return sound;
}

bool same(const std::vector<float>& a, const std::vector<float>& b) {
    return std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

double largest_step(const std::vector<float>& sound) {
    float most = 0.0f;
    for (int i = 12000; i + 1 < k_frames; ++i)
        most = std::max(most, std::fabs(sound[static_cast<std::size_t>(i + 1)] - sound[static_cast<std::size_t>(i)]));
    return static_cast<double>(most);
}

} // namespace

TEST_CASE("a part without latency waits for another's, bit for bit as if it had it itself") {
    int alone = 0, both = 0;
    const std::vector<float> plain = render({}, &alone);
    const std::vector<float> own = render({true});
    const std::vector<float> waits = render({false, Other::from_start}, &both);
    CHECK(alone == 0);
    CHECK(both == k_latency);
    CHECK(same(waits, own));
    CHECK(!same(waits, plain)); // red control: without the wait it would be this
    CHECK(std::equal(waits.begin() + k_latency, waits.begin() + k_frames, plain.begin()));
}

TEST_CASE("a latency that comes and goes moves a sounding part without a click, on the same frame for any pulls") {
    const std::vector<float> plain = render({});
    const std::vector<float> moved = render({false, Other::later});
    const auto at = [](int frame) { return static_cast<std::ptrdiff_t>(frame); };
    CHECK(std::equal(moved.begin(), moved.begin() + at(24007), plain.begin()));
    CHECK(std::equal(moved.begin() + at(24007 + 64 + k_latency), moved.begin() + at(36003),
                     plain.begin() + at(24007 + 64)));
    CHECK(std::equal(moved.begin() + at(36003 + 64), moved.begin() + at(k_frames), plain.begin() + at(36003 + 64)));
    // A jump of 15 frames of 220 Hz would be up to thirty times its steepest step.
    CHECK(largest_step(moved) < 1.5 * largest_step(plain));
    for (const int block : {1000, 17})
        CHECK(same(moved, render({false, Other::later, block})));
}
