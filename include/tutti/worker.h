// SPDX-License-Identifier: MIT
// Worker: runs heavy jobs beside the audio, never on it.
//
//     tutti::Worker& worker = engine->worker();
//     auto job = worker.submit<std::string>({.name = "read"}, [](tutti::JobContext& context) -> tutti::Result<std::string> {
//         context.report("reading", 0.5);
//         return context.cancelled() ? tutti::Result<std::string>(context.stopped()) : std::string("la la");
//     });
//     job.take().value();
//
// A job that throws, runs out of memory or does not come back ends with a Status; the worker and the engine go on.
#pragma once

#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include <tutti/clip.h>
#include <tutti/job.h>

namespace tutti {

class Stream;

struct WorkerConfig {
    int threads = 1;                          // jobs at a time, 1..64
    int live_threads = 1;                     // JobContext::threads() while audio is live, 1..256
    int idle_threads = 0;                     // and while it is not; 0: one a core
    std::int64_t memory_bytes = 0;            // budget of all jobs and leases; 0: 80 % of what is free at the start
    double grace_seconds = 2.0;               // from a job's cancellation to its being given up, 0.01..3600
    std::function<bool()> audio_is_live = {}; // asked at most 20 times a second, from any thread; empty: never [any]
};

struct WorkerStats {
    int waiting = 0;
    int running = 0;
    int given_up = 0;               // jobs that do not come back; each holds a thread
    std::int64_t memory_budget = 0; // bytes
    std::int64_t memory_used = 0;   // of jobs and leases
};

// The handle of a job that gives a T.
template <class T>
class JobOf : public Job {
public:
    JobOf() = default;
    // Waits, then moves the value out; a second call says wrong_state. [control] [worker]
    Result<T> take() const {
        wait();
        if (!status()) return status();
        const std::lock_guard lock(m_box->mutex);
        if (!m_box->value)
            return Status(Code::wrong_state, "the result of job '" + name() + "' was taken before",
                          "there is none left", "take it once");
        Result<T> value(std::move(*m_box->value));
        m_box->value.reset();
        return value;
    }
    // The same for those who hold futures. [control] [worker]
    std::future<Result<T>> future() const {
        auto promise = std::make_shared<std::promise<Result<T>>>();
        on_end([promise, self = *this](const Job&) { promise->set_value(self.take()); });
        return promise->get_future();
    }

private:
    friend class Worker;
    struct Box {
        std::mutex mutex;
        std::optional<T> value;
    };
    JobOf(Job job, std::shared_ptr<Box> box) : Job(std::move(job)), m_box(std::move(box)) {}
    std::shared_ptr<Box> m_box;
};

// Where a job's sound goes, and what becomes of one that comes late.
enum class LateSound : std::uint8_t {
    in_time, // what should have sounded already is left out, the rest stands on its frames
    whole,   // begins late, from its beginning
};
struct SoundPlace {
    int part = 0;
    std::int64_t frame = 0; // of the stream; k_asap: when it is ready
    ClipConfig clip;
    LateSound late = LateSound::in_time;
    double buffer_seconds = 2.0; // of a written clip
};

// Takes a job's sound as it is made; the clip begins with the first write.
class TUTTI_API SoundWriter {
public:
    // Waits until all of in[channel][frames] is taken. Errors: as Stream::play_written; cancelled, deadline. [worker]
    Status write(const float* const* in, int frames);
    const Clip& clip() const noexcept { return m_clip; } // [worker]

private:
    friend class Worker;
    SoundWriter(JobContext& context, std::shared_ptr<Stream> stream, const SoundPlace& place, bool live, int channels,
                double rate)
        : m_context(context), m_stream(std::move(stream)), m_place(place), m_live(live), m_channels(channels),
          m_rate(rate) {}
    JobContext& m_context;
    std::shared_ptr<Stream> m_stream;
    SoundPlace m_place;
    bool m_live; // the stream is not rendered offline
    int m_channels;
    double m_rate;
    Clip m_clip;
    std::int64_t m_skip = 0; // frames of the sound that came too late
    bool m_begun = false;
};

class TUTTI_API Worker {
public:
    // Its threads start with the first job, at a lower priority than the process. Errors: out_of_range. [control]
    static Result<std::unique_ptr<Worker>> create(const WorkerConfig& config = {});
    // Cancels what waits and runs; what does not stop within the grace time is given up. [control]
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    // An empty Job where there is no memory for one; else errors are the job's. [any]
    Job submit(JobConfig config, std::function<Status(JobContext&)> work);
    // [any]
    template <class T>
    JobOf<T> submit(JobConfig config, std::function<Result<T>(JobContext&)> work) {
        auto box = std::make_shared<typename JobOf<T>::Box>();
        return JobOf<T>(submit(std::move(config),
                               std::function<Status(JobContext&)>([box, work = std::move(work)](JobContext& context) {
                                   Result<T> made = work(context);
                                   if (!made) return made.status();
                                   const std::lock_guard lock(box->mutex);
                                   box->value.emplace(std::move(made).value());
                                   return Status();
                               })),
                        box);
    }
    // A sound made whole, then played. Errors of the job: as Stream::play; deadline (it would be over already). [control]
    JobOf<Clip> submit_sound(JobConfig config, std::shared_ptr<Stream> stream, const SoundPlace& place,
                             std::function<Result<std::shared_ptr<const Sound>>(JobContext&)> work);
    // A sound played while it is made. [control]
    JobOf<Clip> submit_written(JobConfig config, std::shared_ptr<Stream> stream, const SoundPlace& place, int channels,
                               double sample_rate, std::function<Status(JobContext&, SoundWriter&)> work);

    WorkerStats stats() const; // [any]

private:
    explicit Worker(std::shared_ptr<engine::WorkerState> state) : m_state(std::move(state)) {}
    std::shared_ptr<engine::WorkerState> m_state;
};

// Callbacks for a thread that runs them when it suits: a game's loop, a window's.
class TUTTI_API Inbox {
public:
    Inbox();
    // For Job::on_end; works as long as the Inbox or a copy of the executor lives. [any]
    Executor executor() const;
    // Runs what has come, in order; returns how many. [control]
    int run();
    // The same, after waiting for the first one for at most `seconds`. [control]
    int run_within(double seconds);

private:
    struct State;
    std::shared_ptr<State> m_state;
};

} // namespace tutti
