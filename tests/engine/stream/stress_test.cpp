// SPDX-License-Identifier: MIT
// Under stress: overload, stalls, a lost backend, late blocks. Time is a number that the tests move.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <functional>
#include <set>
#include <thread>

#include "engine/stream/overload.h"
#include "tests/engine/stream/fake.h"

using namespace tutti;
using engine::Histogram;
using engine::LookAhead;
using engine::Overload;
using engine::StallDetector;

namespace {

std::int64_t g_now = 1;
std::int64_t fake_clock() noexcept {
    return g_now;
}

// Renders as the fake backend does; each sounding voice takes time, in which the puller goes on.
class SlowBackend final : public engine::Backend {
public:
    SlowBackend(fake::Probe* probe, std::int64_t voice_ns, std::function<void(std::int64_t)>& pass_time)
        : m_fake(probe), m_voice_ns(voice_ns), m_pass_time(pass_time) {}
    const char* name() const noexcept override { return "slow"; }
    void render(engine::BankStep* steps, int count, int threads) noexcept override {
        m_fake.render(steps, count, threads);
        int voices = 0;
        for (int s = 0; s < count; ++s)
            for (int r = 0; r < steps[s].bank->row_count; ++r)
                voices += std::popcount(static_cast<unsigned>(steps[s].bank->rows[r].active));
        m_pass_time(voices * m_voice_ns);
    }

private:
    fake::FakeBackend m_fake;
    std::int64_t m_voice_ns;
    std::function<void(std::int64_t)>& m_pass_time;
};

// A device that pulls 64 frames each 1.333 ms while the render thread does its passes, all on one thread and a clock of its own.
// A hundred voices are all that a block has time for.
struct Simulation {
    static constexpr std::int64_t k_period_ns = 1'333'333;

    explicit Simulation(bool shed) {
        g_now = 1;
        engine::Hooks hooks = fake::hooks(true, &probe);
        hooks.clock = fake_clock;
        pass_time = [this](std::int64_t nanoseconds) {
            const std::int64_t end = g_now + nanoseconds;
            while (pulls_left > 0 && next_pull <= end)
                pull();
            g_now = end;
        };
        hooks.make_backend = [this](const EngineConfig&, int) -> Result<std::unique_ptr<engine::Backend>> {
            return std::unique_ptr<engine::Backend>(new SlowBackend(&probe, k_period_ns / 100, pass_time));
        };
        engine = engine::create_engine({}, hooks).value();
        StreamConfig config;
        config.mode = Mode::ahead;
        config.max_frames = 64;
        config.shed = shed;
        stream = engine->open(config).value();
        Patch patch = fake::patch();
        patch.voices = 200;
        patch.parameters["sustain"] = 1.0;
        REQUIRE(stream->set_patch(0, patch, 0).ok());
        sender = stream->make_sender().value();
    }
    void pull() {
        g_now = next_pull;
        float* out[] = {left, right};
        stream->pull(out, 64);
        next_pull += k_period_ns;
        --pulls_left;
    }
    void play(int blocks) {
        pulls_left = blocks;
        while (pulls_left > 0) {
            g_now = std::max(g_now, next_pull);
            pull();
            engine::render_once(*engine);
        }
    }
    fake::Probe probe;
    std::function<void(std::int64_t)> pass_time;
    std::unique_ptr<Engine> engine;
    std::shared_ptr<Stream> stream;
    Sender sender;
    std::int64_t next_pull = 1000;
    int pulls_left = 0;
    float left[64], right[64];
};

void hold(Simulation& simulation, int notes, int of) {
    // Keys and velocities in no order: 37 has no divisor in common with `of`.
    for (int i = 0; i < notes; ++i) {
        const int n = i * 37 % of;
        REQUIRE(simulation.sender.post(Event::note_on(k_asap, 0, n % 128, (n + 1.0) / (of + 1.0), n)));
    }
}

} // namespace

TEST_CASE("a histogram's quantiles are at most a sixteenth too high and never too low") {
    Histogram histogram;
    for (int i = 1; i <= 10000; ++i)
        histogram.add(i * 1e-4);
    Histogram::Counts counts;
    histogram.add_to(counts);
    CHECK(counts.total == 10000);
    for (const double q : {0.01, 0.5, 0.9, 0.99, 0.999}) {
        CHECK(counts.quantile(q) >= q);
        CHECK(counts.quantile(q) <= q * (1.0 + 1.0 / 16.0) + 1e-4);
    }
    CHECK(counts.max == 1.0);
    CHECK(counts.quantile(1.0) == 1.0);
    // Ends of the range, and beyond.
    CHECK(Histogram::bin_of(0.0) == 0);
    CHECK(Histogram::bin_of(1e9) == Histogram::k_bins - 1);
    CHECK(Histogram::Counts{}.quantile(0.5) == 0.0);
    histogram.halve();
    Histogram::Counts half;
    histogram.add_to(half);
    CHECK(half.total <= 5000);
    CHECK(half.total > 4700);
}

TEST_CASE("the look-ahead that is proposed holds the longest of ten thousand blocks twice") {
    LookAhead steady;
    CHECK(steady.proposal() == 0);
    for (int i = 0; i < 20000; ++i)
        steady.block_ready(0.2);
    CHECK(steady.proposal() == 1);
    LookAhead tails;
    for (int i = 0; i < 20000; ++i)
        tails.block_ready(i % 1000 == 0 ? 3.0 : 0.2); // one of a thousand takes three blocks' time
    CHECK(tails.proposal() >= 6);
    CHECK(tails.proposal() <= 7);
    // The machine gets quiet: what was long ago is forgotten.
    for (int i = 0; i < 400000; ++i)
        tails.block_ready(0.2);
    CHECK(tails.proposal() == 1);
}

TEST_CASE("a single long block is no overload; a lasting one is") {
    Overload hiccup;
    int shed = 0;
    for (int i = 0; i < 1000; ++i)
        shed += hiccup.voices_to_shed(i % 10 == 0 ? 8.0 : 0.5, i % 10 == 0 ? -1.0 : 0.2, 100);
    CHECK(shed == 0);
    Overload lasting;
    CHECK(lasting.voices_to_shed(1.4, 0.9, 100) == 0);
    CHECK(lasting.voices_to_shed(1.4, 0.7, 100) == 0);
    CHECK(lasting.voices_to_shed(1.4, 0.4, 100) == 50); // to 0.7 of the time
    CHECK(lasting.voices_to_shed(1.4, 0.3, 50) == 0);   // not again before the fades have ended
    Overload others;                                    // the load is not the voices'
    for (int i = 0; i < 100; ++i)
        CHECK(others.voices_to_shed(2.0, 0.0, Overload::k_least) == 0);
}

TEST_CASE("fault 66: a backend that is slow: the quietest voices are shed and no block is dropped; without shedding "
          "blocks are") {
    for (const bool shed : {true, false}) {
        Simulation simulation(shed);
        hold(simulation, 60, 150);
        simulation.play(200);
        CHECK(simulation.stream->stats().late_blocks == 0);
        CHECK(simulation.stream->stats().shed_voices == 0); // 60 % of the time: it fits
        hold(simulation, 150, 150);                         // the same 60 again, and 90 more: 210 sound, 200 may
        simulation.play(1000);
        const StreamStats stats = simulation.stream->stats();
        if (!shed) {
            // Red control: the load is real.
            CHECK(stats.late_blocks > 100);
            CHECK(stats.shed_voices == 0);
            continue;
        }
        CHECK(stats.late_blocks == 0);
        CHECK(stats.shed_voices > 50);
        CHECK(stats.voices > 40); // but no more than needed
        CHECK(stats.voices < 100);
        CHECK(simulation.engine->stats().shed_voices == stats.shed_voices);
        // Those that sound are the loudest.
        std::vector<float> velocity;
        for (const fake::Probe::Lane& lane : simulation.probe.banks.at(0).lanes)
            velocity.push_back(lane.input(voices::input_velocity));
        std::sort(velocity.begin(), velocity.end());
        const double least = (150.0 - static_cast<double>(velocity.size())) / 151.0;
        CHECK(static_cast<double>(velocity.front()) > least - 0.1); // struck twice, some stand twice
    }
}

TEST_CASE("a bounce that may wait is never thinned out") {
    Simulation simulation(true);
    simulation.stream->set_bounce(true);
    hold(simulation, 60, 150);
    simulation.play(50);
    CHECK(simulation.stream->stats().shed_voices == 0);
}

TEST_CASE("fault 9: a stall: seen within 250 ms of the last pass, and idleness is none") {
    for (const std::int64_t offset : {0, 7, 49}) { // milliseconds between the last pass and the next look
        StallDetector detector;
        std::int64_t now = 0;
        for (int i = 0; i < 100; ++i, now += StallDetector::k_look_ns)
            CHECK_FALSE(detector.look(now, static_cast<std::uint64_t>(i + 1), true));
        const std::int64_t last_pass = now - StallDetector::k_look_ns + offset * 1'000'000;
        // One pass more comes after that look; then none.
        bool seen = false;
        while (!seen) {
            seen = detector.look(now, 101, true);
            now += StallDetector::k_look_ns;
        }
        CHECK(now - StallDetector::k_look_ns - last_pass < 250'000'000);
    }
    StallDetector idle;
    for (int i = 0; i < 100; ++i)
        CHECK_FALSE(idle.look(i * StallDetector::k_look_ns, 5, false));
    CHECK_FALSE(idle.look(100 * StallDetector::k_look_ns, 5, true)); // work has just come
}

TEST_CASE("fault 9: a render thread that stalls: its watchdog stands in, sound goes on, and it is counted") {
    std::atomic<bool> stuck{false};
    std::atomic<int> waiting{0};
    engine::Hooks hooks = fake::hooks();
    hooks.before_pass = [&] {
        waiting.fetch_add(1);
        while (stuck.load())
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        waiting.fetch_sub(1);
    };
    auto engine = engine::create_engine({}, hooks).value();
    StreamConfig config;
    config.mode = Mode::ahead;
    config.max_frames = 256;
    auto stream = engine->open(config).value();
    Patch patch = fake::patch();
    patch.parameters["sustain"] = 1.0;
    REQUIRE(stream->set_patch(0, patch, 0).ok());
    auto sender = stream->make_sender().value();
    REQUIRE(sender.post(Event::note_on(0, 0, 69, 1.0)));
    std::vector<float> left(256), right(256);
    float* out[] = {left.data(), right.data()};
    // A bounce waits for blocks: whatever the machine does, every block is the render thread's or the watchdog's.
    stream->set_bounce(true);
    const auto loud = [&](int pulls) {
        int found = 0;
        for (int i = 0; i < pulls; ++i) {
            stream->pull(out, 256);
            found += *std::max_element(left.begin(), left.end()) > 0.01f ? 1 : 0;
        }
        return found;
    };
    CHECK(loud(40) > 30);
    stuck = true;
    while (waiting.load() == 0)
        std::this_thread::yield();
    CHECK(loud(40) == 40);
    const EngineStats during = engine->stats();
    CHECK(during.stalls >= 1);
    CHECK(during.rescued_passes >= 1);
    CHECK(during.stalled);
    stuck = false;
    while (engine->stats().stalled)
        std::this_thread::yield();
    CHECK(loud(40) == 40);
    CHECK(engine->stats().underruns == 0);
}

TEST_CASE("fault 65: a backend that is lost: the CPU renders the same step, the reason stands, nobody asks it again") {
    struct Losing final : engine::Backend {
        Losing(int last_call, int& counted) : last(last_call), calls(counted) {}
        const char* name() const noexcept override { return "device"; }
        void render(engine::BankStep* steps, int count, int threads) noexcept override {
            if (++calls > last) return; // rows and buses as they were
            fake.render(steps, count, threads);
        }
        const char* lost() const noexcept override { return calls > last ? "the device was lost" : nullptr; }
        int last;
        int& calls;
        fake::FakeBackend fake;
    };
    std::vector<std::vector<float>> sound;
    for (const int last : {1 << 30, 0, 17}) {
        int calls = 0;
        engine::Hooks hooks = fake::hooks(true);
        hooks.make_backend = [&](const EngineConfig&, int) -> Result<std::unique_ptr<engine::Backend>> {
            return std::unique_ptr<engine::Backend>(new Losing(last, calls));
        };
        hooks.make_fallback = [](int) { return std::unique_ptr<engine::Backend>(new fake::FakeBackend); };
        auto engine = engine::create_engine({}, hooks).value();
        StreamConfig config;
        config.mode = Mode::ahead;
        config.max_frames = 64;
        auto stream = engine->open(config).value();
        REQUIRE(stream->set_patch(0, fake::patch(), 0).ok());
        auto sender = stream->make_sender().value();
        for (int i = 0; i < 30; ++i)
            REQUIRE(sender.post(Event::note_on(i * 100, 0, 40 + i, 0.9)));
        std::vector<float> left(64 * 200), right(left);
        for (int i = 0; i < 200; ++i) {
            float* out[] = {left.data() + 64 * i, right.data()};
            stream->pull(out, 64);
            engine::render_once(*engine);
        }
        CHECK(stream->stats().late_blocks == 0);
        const EngineStats stats = engine->stats();
        if (last < 1000) {
            CHECK(std::string(stats.fallback) == "the device was lost");
            CHECK(calls == last + 1);
        } else {
            CHECK(std::string(stats.fallback).empty());
            CHECK(calls >= 200);
        }
        sound.push_back(std::move(left));
    }
    CHECK(*std::max_element(sound[0].begin(), sound[0].end()) > 0.01f);
    CHECK(sound[1] == sound[0]);
    CHECK(sound[2] == sound[0]);
}

namespace {
// The largest step between two frames at the edges of silence, over the peak: what the ear hears as a click.
double click_db(const std::vector<float>& sound, const std::vector<std::size_t>& edges) {
    float step = 0.0f, peak = 1e-9f;
    for (const float x : sound)
        peak = std::max(peak, std::fabs(x));
    for (const std::size_t edge : edges)
        step = std::max(step, std::fabs(sound[edge] - sound[edge - 1]));
    return 20.0 * std::log10(std::max(1e-9f, step / peak));
}
} // namespace

TEST_CASE("fault 8: the click of a late block: the edges step by less than -60 dB of the peak; cut off hard, they "
          "would not") {
    // A square wave stands at its peak whatever the frame: the worst case for an edge.
    StreamConfig config;
    config.mode = Mode::ahead;
    config.max_frames = 64;
    fake::Rig rig(config, true);
    Patch patch = fake::patch();
    patch.parameters["sustain"] = 1.0;
    patch.parameters["wave"] = 1.0;
    REQUIRE(rig.stream->set_patch(0, patch, 0).ok());
    auto sender = rig.stream->make_sender().value();
    REQUIRE(sender.post(Event::note_on(0, 0, 12, 1.0))); // 16 Hz: no slope of its own near the edges
    std::vector<float> left(64 * 400), right(left);
    for (int i = 0; i < 400; ++i) {
        float* out[] = {left.data() + 64 * i, right.data()};
        rig.stream->pull(out, 64);
        if (i < 100 || i >= 130) engine::render_once(*rig.engine);
    }
    // L is 64 + 4 x 64: the pull that wants the first block that is not there is number 100 + 5 - 1, counted from 0; the pass of
    // round 130 comes after its pull.
    const std::size_t gap = 64 * 105, back = 64 * 131;
    CHECK(rig.stream->stats().late_blocks == 26);
    CHECK(std::fabs(left[gap - 1]) > 0.01f);
    CHECK(left[gap + 200] == 0.0f);
    CHECK(left[back - 1] == 0.0f);
    CHECK(std::fabs(left[back + 200]) > 0.01f);
    CHECK(click_db(left, {gap, back}) < -60.0);
    // Red control: the same gap without the fades.
    std::vector<float> cut = left;
    for (std::size_t i = gap; i < back + 96; ++i)
        cut[i] = i < back ? 0.0f : left[back + 200];
    CHECK(click_db(cut, {gap, back}) > -6.0);
}
