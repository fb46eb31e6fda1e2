// SPDX-License-Identifier: MIT
// Sounds that jobs make: on their frame, in time when they are late, and written while they play.
#include <chrono>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <tutti/engine.h>
#include <tutti/worker.h>

using namespace tutti;

namespace {

// A ramp: sample i is (i + 1) / 8192, so that every frame says where in the sound it stands.
float ramp(std::int64_t i) {
    return static_cast<float>(i + 1) / 8192.0f;
}

std::shared_ptr<const Sound> ramp_sound(int frames) {
    std::vector<float> samples(static_cast<std::size_t>(frames));
    for (int i = 0; i < frames; ++i)
        samples[static_cast<std::size_t>(i)] = ramp(i);
    return std::make_shared<Sound>(48000.0, std::vector<std::vector<float>>{std::move(samples)});
}

struct Rig {
    std::unique_ptr<Engine> engine = Engine::create().value();
    std::shared_ptr<Stream> stream;
    std::vector<float> left, right;

    explicit Rig(Mode mode) { stream = engine->open({.channels = 2, .mode = mode, .limiter = false}).value(); }
    void pull(int frames) {
        const std::size_t old = left.size();
        left.resize(old + static_cast<std::size_t>(frames));
        right.resize(left.size());
        float* out[] = {left.data() + old, right.data() + old};
        REQUIRE(stream->pull(out, frames));
    }
};

const ClipConfig k_plain{.fade_seconds = 0.0};

} // namespace

TEST_CASE("a job's sound begins on its frame") {
    Rig rig(Mode::offline);
    const auto job = rig.engine->worker().submit_sound(
        {.name = "ramp"}, rig.stream, {.frame = 1000, .clip = k_plain},
        [](JobContext&) -> Result<std::shared_ptr<const Sound>> { return ramp_sound(500); });
    REQUIRE(job.take());
    rig.pull(2000);
    CHECK(rig.left[999] == 0.0f);
    for (int i = 0; i < 500; ++i)
        REQUIRE(rig.left[static_cast<std::size_t>(1000 + i)] == ramp(i));
    CHECK(rig.left[1500] == 0.0f);
}

TEST_CASE("a late sound keeps its place in time, or begins late, or has nothing left") {
    for (const LateSound late : {LateSound::in_time, LateSound::whole}) {
        Rig rig(Mode::offline);
        rig.pull(1200);
        const auto job = rig.engine->worker().submit_sound(
            {}, rig.stream, {.frame = 1000, .clip = k_plain, .late = late},
            [](JobContext&) -> Result<std::shared_ptr<const Sound>> { return ramp_sound(500); });
        REQUIRE(job.take());
        rig.pull(1000);
        // In time: frame 1200 is the sound's 200th. Whole: it is its first.
        const std::int64_t first = late == LateSound::in_time ? 200 : 0;
        CHECK(rig.left[1199] == 0.0f);
        for (std::int64_t i = 0; first + i < 500; ++i)
            REQUIRE(rig.left[static_cast<std::size_t>(1200 + i)] == ramp(first + i));
        CHECK(rig.stream->stats().late_events == 0);
    }
    Rig rig(Mode::offline);
    rig.pull(3000);
    const auto over = rig.engine->worker().submit_sound(
        {}, rig.stream, {.frame = 1000, .clip = k_plain},
        [](JobContext&) -> Result<std::shared_ptr<const Sound>> { return ramp_sound(500); });
    CHECK(over.take().status().code() == Code::deadline);
}

TEST_CASE("a sound is played while its job writes it") {
    Rig rig(Mode::offline);
    constexpr int k_frames = 6000;
    const auto job =
        rig.engine->worker().submit_written({}, rig.stream, {.frame = 500, .clip = k_plain, .buffer_seconds = 1.0}, 1,
                                            48000.0, [](JobContext&, SoundWriter& writer) {
                                                std::vector<float> piece(600);
                                                for (int at = 0; at < k_frames; at += 600) {
                                                    for (int i = 0; i < 600; ++i)
                                                        piece[static_cast<std::size_t>(i)] = ramp(at + i);
                                                    const float* in[] = {piece.data()};
                                                    if (Status status = writer.write(in, 600); !status) return status;
                                                }
                                                return Status();
                                            });
    REQUIRE(job.take()); // a second of room: all is written before anything is pulled
    rig.pull(7000);
    for (int i = 0; i < k_frames; ++i)
        REQUIRE(rig.left[static_cast<std::size_t>(500 + i)] == ramp(i));
    CHECK(rig.stream->stats().dry_clips == 0);
}

TEST_CASE("cancelling a job that waits for room ends it") {
    Rig rig(Mode::offline);
    const auto job = rig.engine->worker().submit_written({}, rig.stream, {.clip = k_plain, .buffer_seconds = 0.1}, 1,
                                                         48000.0, [](JobContext&, SoundWriter& writer) {
                                                             const std::vector<float> piece(4800, 0.5f);
                                                             const float* in[] = {piece.data()};
                                                             for (;;) // nobody pulls: the ring fills up
                                                                 if (Status s = writer.write(in, 4800); !s) return s;
                                                         });
    job.wait(0.05);
    CHECK_FALSE(job.ended());
    job.cancel();
    CHECK(job.take().status().code() == Code::cancelled);
}

TEST_CASE("jobs are told to be few while a stream is pulled") {
    Rig live(Mode::inline_);
    const auto threads = [&] {
        return live.engine->worker()
            .submit<int>({}, [](JobContext& context) -> Result<int> { return context.threads(); })
            .take()
            .value();
    };
    const int idle = threads();
    CHECK(idle == std::max(1, static_cast<int>(std::thread::hardware_concurrency())));
    // A pull counts for a while, an answer for a little less: on a busy machine a job may come after both, so it is asked again.
    int playing = 0;
    for (int i = 0; i < 600 && playing != 1; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(60)); // the answer is kept for 50 ms
        live.pull(64);
        playing = threads();
    }
    CHECK(playing == 1);
    int later = 1;
    for (int i = 0; i < 600 && later == 1 && idle > 1; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        later = threads();
    }
    if (idle > 1) CHECK(later == idle);
}
