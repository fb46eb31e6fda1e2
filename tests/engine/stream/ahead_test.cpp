// SPDX-License-Identifier: MIT
// `ahead`: the ring, late blocks, real threads, several streams, hand-over; queue policies that all modes share.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstring>
#include <string>
#include <thread>

#include "engine/stream/clock.h"
#include "engine/stream/ring.h"
#include "tests/engine/stream/fake.h"

using tutti::Code;
using tutti::Event;
using tutti::Mode;

namespace {

std::vector<float> held_sine(fake::Rig& rig, int frames, int block, int skip_from = -1, int skip_to = -1) {
    std::vector<float> left(static_cast<std::size_t>(frames)), right(left);
    for (int at = 0; at < frames; at += block) {
        float* out[] = {left.data() + at, right.data() + at};
        rig.stream->pull(out, std::min(block, frames - at));
        if (at < skip_from || at >= skip_to) tutti::engine::render_once(*rig.engine);
    }
    return left;
}

float largest_step(const std::vector<float>& x, std::size_t begin, std::size_t end) {
    float most = 0.0f;
    for (std::size_t i = begin + 1; i < end; ++i)
        most = std::max(most, std::fabs(x[i] - x[i - 1]));
    return most;
}

tutti::StreamConfig ahead(int max_frames = 256) {
    tutti::StreamConfig config;
    config.mode = Mode::ahead;
    config.max_frames = max_frames;
    config.shed = false; // the machine may be busy
    return config;
}

} // namespace

namespace {

// Planted: gives a block free one too early; hands out blocks that are not ready yet.
struct EarlyRing : tutti::engine::BlockRing<> {
    void release_before(std::uint32_t block) noexcept { BlockRing::release_before(block + 1); }
};
struct HastyRing : tutti::engine::BlockRing<> {
    const float* channel_to_read(std::uint32_t block, int channel) const noexcept {
        return BlockRing::channel_to_read(block - 1, channel);
    }
};

// How many blocks came wrong, or counts were.
template <class Ring>
int ring_faults() {
    Ring ring;
    const std::uint32_t first = 0xffffffffu - 2;
    ring.prepare(5, 2, 64, first);
    int wrong = 0;
    std::uint32_t written = first, read = first;
    for (int round = 0; round < 100; ++round) {
        while (!ring.full()) {
            for (int c = 0; c < 2; ++c)
                std::fill_n(ring.channel_to_write(c), 64,
                            static_cast<float>((written & 0xffff) * 2 + static_cast<std::uint32_t>(c)));
            ring.publish();
            ++written;
        }
        wrong += ring.ready() != 8;
        for (int i = 0; i < 1 + round % 8; ++i, ++read)
            for (int c = 0; c < 2; ++c) {
                const float* block = ring.channel_to_read(read, c);
                wrong += block == nullptr ||
                         block[63] != static_cast<float>((read & 0xffff) * 2 + static_cast<std::uint32_t>(c));
            }
        ring.release_before(read);
    }
    wrong += ring.channel_to_read(written, 0) != nullptr;
    wrong += written >= 1000; // it did wrap
    return wrong;
}

} // namespace

TEST_CASE("fault 14: the ring's numbers wrap: every block once and in order, across 2^32") {
    CHECK(ring_faults<tutti::engine::BlockRing<>>() == 0);
    CHECK(ring_faults<EarlyRing>() > 0);
    CHECK(ring_faults<HastyRing>() > 0);
}

TEST_CASE("fault 13: a torn read of the ring: two threads see whole blocks only") {
    tutti::engine::BlockRing<> ring;
    ring.prepare(8, 1, 67, 0xfffffff0u);
    constexpr std::uint32_t k_blocks = 40000;
    std::atomic<int> wrong{0};
    std::thread writer([&] {
        for (std::uint32_t i = 0; i < k_blocks; ++i) {
            while (ring.full())
                std::this_thread::yield();
            std::fill_n(ring.channel_to_write(0), 67, static_cast<float>(i));
            ring.publish();
        }
    });
    std::uint32_t read = 0xfffffff0u;
    for (std::uint32_t i = 0; i < k_blocks; ++i, ++read) {
        const float* block;
        while ((block = ring.channel_to_read(read, 0)) == nullptr)
            std::this_thread::yield();
        for (int k = 0; k < 67; ++k)
            wrong += block[k] != static_cast<float>(i);
        ring.release_before(read + 1);
    }
    writer.join();
    CHECK(wrong.load() == 0);
}

namespace {

// What is wrong with the stretch round a gap at 20,480 frames of a sine: a click, sound where there was none to give, or
// frames that came back elsewhere. Empty: nothing.
std::string concealment_faults(const std::vector<float>& smooth, const std::vector<float>& gapped) {
    std::string faults;
    const float own = largest_step(smooth, 4000, 48000);
    const float peak = *std::max_element(smooth.begin() + 4000, smooth.end());
    // The sine's own slope, and the raised cosine's over 2 ms from full height: nothing steeper.
    if (!(largest_step(gapped, 4000, 48000) < own + peak * 1.5708f / 96.0f)) faults += "click ";
    if (*std::max_element(gapped.begin() + 21400, gapped.begin() + 22400) != 0.0f) faults += "sound ";
    // After it, the frames are those of the undisturbed stream: none was shifted.
    if (!std::equal(gapped.begin() + 23000, gapped.end(), smooth.begin() + 23000)) faults += "shift ";
    return faults;
}

} // namespace

TEST_CASE("fault 7: late blocks: concealed without a click, counted, thrown away; the clock is not stretched") {
    const auto play = [](int skip_from, int skip_to, std::int64_t* late) {
        fake::Rig rig(ahead(), true);
        tutti::Patch patch = fake::patch();
        patch.parameters["sustain"] = 1.0;
        REQUIRE(rig.stream->set_patch(0, patch).ok());
        auto sender = rig.stream->make_sender().value();
        REQUIRE(sender.post(Event::note_on(0, 0, 69, 1.0)));
        auto left = held_sine(rig, 48000, 64, skip_from, skip_to);
        *late = rig.stream->stats().late_blocks;
        return left;
    };
    std::int64_t late = 0;
    const auto smooth = play(-1, -1, &late);
    CHECK(late == 0);
    // The render thread misses 2,048 frames; what is ahead, L = 512, covers the first of them.
    const auto gapped = play(20480, 20480 + 2048, &late);
    CHECK(late == (2048 - 512) / 64 + 1); // the pull that ends the gap comes before the pass that ends it
    CHECK(concealment_faults(smooth, gapped) == "");
    // Red controls: a gap without fades, the last block again and again, a clock that was stretched by a block.
    auto planted = smooth;
    std::fill(planted.begin() + 20992, planted.begin() + 22528, 0.0f);
    CHECK(concealment_faults(smooth, planted) == "click ");
    planted = gapped;
    for (std::size_t i = 20992; i < 22528; ++i)
        planted[i] = smooth[20992 - 480 + (i - 20992) % 480]; // whole periods of 400 Hz would fit, 440 Hz do not
    CHECK(concealment_faults(smooth, planted).find("sound") != std::string::npos);
    planted = gapped;
    planted.insert(planted.begin() + 22528, 64, 0.0f);
    planted.resize(smooth.size());
    CHECK(concealment_faults(smooth, planted).find("shift") != std::string::npos);
}

TEST_CASE("larger pulls than declared are refused in silence; odd ones are taken") {
    fake::Rig rig(ahead(128), true);
    CHECK(rig.stream->latency_frames() == 128 + 4 * 64);
    std::vector<float> left(1024, 1.0f), right(1024, 1.0f);
    float* out[] = {left.data(), right.data()};
    CHECK_FALSE(rig.stream->pull(out, 129));
    CHECK(std::all_of(left.begin(), left.begin() + 129, [](float x) { return x == 0.0f; }));
    CHECK(rig.stream->stats().frames == 0);
    CHECK(rig.stream->pull(out, 0));
    CHECK(rig.stream->pull(out, 127));
    CHECK_FALSE(rig.stream->pull(nullptr, 10));
    CHECK(rig.stream->stats().refused_pulls == 2);
}

TEST_CASE("several streams of different rates share the render thread; each sounds as if it were alone") {
    const double rates[] = {48000.0, 44100.0, 32000.0};
    std::vector<std::vector<float>> alone;
    const auto set_up = [](tutti::Stream& stream) {
        REQUIRE(stream.set_patch(0, fake::patch(), 0).ok());
        auto sender = stream.make_sender().value();
        for (int i = 0; i < 20; ++i) {
            REQUIRE(sender.post(Event::note_on(i * 701, 0, 50 + i, 0.9)));
            REQUIRE(sender.post(Event::note_off(i * 701 + 3000, 0, 50 + i)));
        }
        return sender;
    };
    for (const double rate : rates) {
        tutti::StreamConfig config = ahead();
        config.sample_rate = rate;
        fake::Rig rig(config, true);
        const auto sender = set_up(*rig.stream);
        alone.push_back(held_sine(rig, 24000, 96));
        CHECK(*std::max_element(alone.back().begin(), alone.back().end()) > 0.01f);
    }
    auto engine = tutti::engine::create_engine({}, fake::hooks(true)).value();
    std::vector<std::shared_ptr<tutti::Stream>> streams;
    std::vector<tutti::Sender> senders;
    std::vector<std::vector<float>> together(3, std::vector<float>(24000));
    for (const double rate : rates) {
        tutti::StreamConfig config = ahead();
        config.sample_rate = rate;
        streams.push_back(engine->open(config).value());
        senders.push_back(set_up(*streams.back()));
    }
    std::vector<float> right(256);
    for (int at = 0; at < 24000; at += 96) {
        for (std::size_t s = 0; s < 3; ++s) {
            float* out[] = {together[s].data() + at, right.data()};
            streams[s]->pull(out, 96);
        }
        tutti::engine::render_once(*engine);
    }
    for (std::size_t s = 0; s < 3; ++s)
        CHECK(together[s] == alone[s]);
}

TEST_CASE("modes are handed over while nobody pulls; time goes on and held notes with it") {
    fake::Rig rig({.max_frames = 256}, true);
    REQUIRE(rig.stream->set_patch(0, fake::patch(), 0).ok());
    auto sender = rig.stream->make_sender().value();
    REQUIRE(sender.post(Event::note_on(0, 0, 69, 1.0)));
    auto first = held_sine(rig, 1000, 100);
    REQUIRE(rig.stream->set_mode(Mode::ahead).ok());
    const int latency = rig.stream->latency_frames();
    const auto second = held_sine(rig, 6400, 100);
    CHECK(std::all_of(second.begin(), second.begin() + latency, [](float x) { return x == 0.0f; }));
    REQUIRE(rig.stream->set_mode(Mode::inline_).ok());
    CHECK(rig.stream->latency_frames() == 0);
    const auto third = held_sine(rig, 1000, 100);
    CHECK(rig.stream->stats().frames == 8400);
    // The same stream, never handed over.
    fake::Rig steady({.max_frames = 256}, true);
    REQUIRE(steady.stream->set_patch(0, fake::patch(), 0).ok());
    auto other = steady.stream->make_sender().value();
    REQUIRE(other.post(Event::note_on(0, 0, 69, 1.0)));
    const auto whole = held_sine(steady, 8400, 100);
    CHECK(std::equal(first.begin(), first.end(), whole.begin()));
    CHECK(std::equal(second.begin() + latency, second.end(), whole.begin() + 1000));
    CHECK(std::equal(third.begin(), third.end(), whole.begin() + 7400));
}

TEST_CASE("fault 17: a stream goes while threads use it: streams come, play, change and go under a pulling thread") {
    auto engine = tutti::engine::create_engine({}, fake::hooks()).value();
#ifdef NDEBUG
    constexpr int k_rounds = 60;
#else
    constexpr int k_rounds = 20;
#endif
    for (int round = 0; round < k_rounds; ++round) {
        tutti::StreamConfig config = ahead(64 + round);
        config.parts = 2;
        if (round % 3 == 2) config.mode = Mode::inline_;
        auto stream = engine->open(config).value();
        std::atomic<bool> stop{false};
        std::thread puller([&] {
            std::vector<float> left(256), right(256);
            float* out[] = {left.data(), right.data()};
            while (!stop.load())
                stream->pull(out, 1 + round);
        });
        std::thread poster([&] {
            auto sender = stream->make_sender().value();
            for (int i = 0; i < 200; ++i) {
                sender.post(Event::note_on(stream->now(), i % 2, 40 + i % 40, 0.5));
                sender.post(Event::note_off(stream->now() + 100, i % 2, 40 + i % 40));
            }
        });
        for (int i = 0; i < 5; ++i) {
            (void)stream->set_patch(i % 2, fake::patch()).ok();
            (void)stream->stats();
        }
        poster.join();
        stop = true;
        puller.join();
    }
    CHECK(true); // what is asserted here is asserted by the thread and address sanitizers
}

TEST_CASE("fault 15: a full queue: it drops, says so and counts; future events count as waiting") {
    tutti::StreamConfig config;
    config.events = 64;
    config.senders = 2;
    fake::Rig rig(config);
    auto a = rig.stream->make_sender().value();
    auto b = rig.stream->make_sender().value();
    CHECK(rig.stream->make_sender().status().code() == Code::full);
    int taken = 0;
    for (int i = 0; i < 100; ++i)
        taken += (i % 2 != 0 ? a : b).post(Event::note_on(100000, 0, 60, 1.0));
    CHECK(taken == 64);
    CHECK(rig.stream->stats().dropped_events == 36);
    rig.render(4096);
    CHECK_FALSE(a.post(Event::note_on(0, 0, 60, 1.0))); // still waiting for their frame
    rig.render(100000);
    CHECK(a.post(Event::note_on(0, 0, 60, 1.0)));
    // The engine's own events have room of their own.
    for (int i = 0; i < 100; ++i)
        (void)a.post(Event::note_on(1 << 30, 0, 60, 1.0));
    CHECK(rig.stream->set_patch(0, fake::patch()).ok());
    // A sender that goes makes room for another, which takes its number.
    { const tutti::Sender gone = std::move(b); }
    CHECK(rig.stream->make_sender().ok());
    tutti::Sender none;
    CHECK_FALSE(none.post(Event::note_on(0, 0, 60, 1.0)));
}

TEST_CASE("fault 45: late events: they take the first frame not rendered and count; k_asap is never late") {
    fake::Rig rig;
    REQUIRE(rig.stream->set_patch(0, fake::patch()).ok());
    auto sender = rig.stream->make_sender().value();
    rig.render(1000);
    REQUIRE(sender.post(Event::note_on(10, 0, 69, 1.0)));
    REQUIRE(sender.post(Event::note_on(tutti::k_asap, 0, 70, 1.0)));
    const auto out = rig.render(100);
    CHECK(rig.stream->stats().late_events == 1);
    CHECK(out[0][1] != 0.0f);
}

TEST_CASE("order of effect: frame, then sender, then posting") {
    // Off and on of one key on one frame, by two senders, posted in the wrong order of time.
    for (const bool swapped : {false, true}) {
        fake::Rig rig;
        REQUIRE(rig.stream->set_patch(0, fake::patch()).ok());
        auto first = rig.stream->make_sender().value();
        auto second = rig.stream->make_sender().value();
        REQUIRE((swapped ? first : second).post(Event::note_off(500, 0, 60)));
        REQUIRE((swapped ? second : first).post(Event::note_on(500, 0, 60, 1.0)));
        REQUIRE(second.post(Event::note_on(400, 0, 72, 1.0)));
        REQUIRE(second.post(Event::note_off(400, 0, 72)));
        rig.render(20000);
        CHECK(rig.stream->stats().voices == (swapped ? 1 : 0)); // off before on: it sounds on
    }
}

TEST_CASE("fault 45: thirty thousand events on one frame: time is bounded, none is lost, the bits are the same") {
    std::vector<std::vector<float>> whole;
    for (const int block : {512, 33}) {
        tutti::StreamConfig config;
        config.events = 32768;
        fake::Rig rig(config);
        REQUIRE(rig.stream->set_patch(0, fake::patch()).ok());
        auto sender = rig.stream->make_sender().value();
        int posted = 0;
        for (int i = 0; i < 30000; ++i)
            posted += sender.post(Event::note_on(100, 0, 50 + i % 60, 0.5, i));
        CHECK(posted == 30000);
        const auto out = rig.render(9600, block);
        if (whole.empty())
            whole = out;
        else
            CHECK(out == whole);
        CHECK(rig.stream->stats().voices == 32);
        CHECK(rig.stream->stats().stolen_voices == 30000 - 32);
    }
}

TEST_CASE("now() goes on between pulls, but never more than one pull ahead") {
    fake::Rig rig;
    CHECK(rig.stream->now() == 0);
    rig.render(480, 480);
    CHECK(rig.stream->now() >= 480);
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    CHECK(rig.stream->now() == 960);
}

TEST_CASE("fault 18: patches that rang out: freed by the next control call, never by the renderer") {
    fake::Rig rig({.parts = 1});
    auto sender = rig.stream->make_sender().value();
    for (int i = 0; i < 200; ++i) {
        REQUIRE(rig.stream->set_patch(0, fake::patch()).ok()); // 20 at once is the bound of this stream
        REQUIRE(sender.post(Event::note_on(tutti::k_asap, 0, 60, 1.0)));
        rig.render(960, 64);
        REQUIRE(sender.post(Event::note_off(tutti::k_asap, 0, 60)));
        rig.render(9600, 64);
    }
    // Without pulls nothing can ring out: it is said, not lost.
    tutti::Status status;
    for (int i = 0; i < 30 && status.ok(); ++i)
        status = rig.stream->set_patch(0, fake::patch());
    CHECK(status.code() == Code::full);
}
