// SPDX-License-Identifier: MIT
// The worker: order, dependencies, progress, deadlines, memory, cancellation, and jobs that go wrong. Waits are for events,
// with limits far beyond what a busy machine needs; no time is compared with another.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <tutti/worker.h>

#if defined(__linux__)
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

using namespace tutti;

namespace {

constexpr double k_long = 60.0; // seconds that nothing here takes

// A door that jobs wait at, deaf to cancellation.
class Gate {
public:
    void open() {
        const std::lock_guard lock(m_mutex);
        m_open = true;
        m_changed.notify_all();
    }
    void pass() {
        std::unique_lock lock(m_mutex);
        ++m_here;
        m_changed.notify_all();
        m_changed.wait(lock, [&] { return m_open; });
    }
    void wait_for_one() {
        std::unique_lock lock(m_mutex);
        m_changed.wait(lock, [&] { return m_here > 0; });
    }
    bool somebody_waits() {
        const std::lock_guard lock(m_mutex);
        return m_here > 0;
    }

private:
    std::mutex m_mutex;
    std::condition_variable m_changed;
    bool m_open = false;
    int m_here = 0;
};

std::unique_ptr<Worker> make(WorkerConfig config = {}) {
    if (config.memory_bytes == 0) config.memory_bytes = 1 << 20;
    return Worker::create(config).value();
}

// Runs until somebody cancels it.
Status until_cancelled(JobContext& context) {
    while (!context.cancelled())
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return context.stopped();
}

template <class Condition>
bool comes_true(Condition condition) {
    for (int i = 0; i < 60000 && !condition(); ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return condition();
}

// A job at the gate, deaf to its deadline, and that. On a busy machine it may pass before the job begins: then twice the time.
std::pair<Job, double> deaf_job(Worker& worker, Gate& gate) {
    double seconds = 0.3;
    for (;; seconds *= 2.0) {
        const Job job = worker.submit({.name = "deaf", .deadline_seconds = seconds}, [&](JobContext&) {
            gate.pass();
            return Status();
        });
        REQUIRE(comes_true([&] { return gate.somebody_waits() || job.ended(); }));
        if (gate.somebody_waits()) return {job, seconds};
    }
}

// Names of three jobs with these priorities, in the order in which they ran.
std::string order_of(int a, int b, int c) {
    Gate gate;
    auto worker = make();
    std::string ran;
    auto first = worker->submit({.name = "first"}, [&](JobContext&) {
        gate.pass();
        return Status();
    });
    gate.wait_for_one();
    const auto add = [&](const char* name, int priority) {
        return worker->submit({.name = name, .priority = priority}, [&ran, name](JobContext&) {
            ran += name;
            return Status();
        });
    };
    const std::vector<Job> jobs{add("a", a), add("b", b), add("c", c)};
    gate.open();
    for (const Job& job : jobs)
        REQUIRE(job.wait(k_long));
    return ran;
}

} // namespace

TEST_CASE("higher priorities go first, equal ones in the order they came") {
    CHECK(order_of(0, 5, 1) == "bca");
    CHECK(order_of(2, 2, 2) == "abc"); // the control: without priorities the order is another
}

TEST_CASE("a job runs after what it names, which inherits its priority") {
    Gate gate;
    auto worker = make();
    std::string ran;
    const auto add = [&](const char* name, int priority, std::vector<Job> after) {
        return worker->submit({.name = name, .priority = priority, .after = std::move(after)},
                              [&ran, name](JobContext&) {
                                  ran += name;
                                  return Status();
                              });
    };
    auto first = worker->submit({}, [&](JobContext&) {
        gate.pass();
        return Status();
    });
    gate.wait_for_one();
    const Job a = add("a", 1, {});
    const Job b = add("b", 0, {});
    const Job c = add("c", 9, {b}); // b goes before a for its sake
    gate.open();
    REQUIRE(c.wait(k_long));
    REQUIRE(a.wait(k_long));
    CHECK(ran == "bca");
}

TEST_CASE("what waited for a failed job fails and is not run") {
    auto worker = make();
    const Job bad = worker->submit({.name = "bad"}, [](JobContext&) {
        return Status(Code::malformed, "the file is odd", "it is not read", "give another");
    });
    bool ran = false;
    const Job next = worker->submit({.name = "next", .after = {bad}}, [&](JobContext&) {
        ran = true;
        return Status();
    });
    REQUIRE(next.wait(k_long));
    CHECK(bad.status().code() == Code::malformed);
    CHECK(next.status().code() == Code::wrong_state);
    CHECK(next.status().what().find("the file is odd") != std::string::npos);
    CHECK_FALSE(ran);
}

TEST_CASE("results come by handle, by future, and by callback on the thread that asks") {
    auto worker = make();
    const auto job = worker->submit<std::string>(
        {.name = "sing"}, [](JobContext&) -> Result<std::string> { return std::string("la la"); });
    CHECK(job.take().value() == "la la");
    CHECK(job.take().status().code() == Code::wrong_state);

    auto future = worker->submit<int>({}, [](JobContext&) -> Result<int> { return 7; }).future();
    CHECK(future.get().value() == 7);

    Inbox inbox;
    std::thread::id called;
    worker->submit({}, [](JobContext&) { return Status(); })
        .on_end(
            [&](const Job& done) {
                called = std::this_thread::get_id();
                CHECK(done.ended());
            },
            inbox.executor());
    CHECK(inbox.run_within(k_long) == 1);
    CHECK(called == std::this_thread::get_id());
    // Without an executor it is a thread of the worker's.
    std::atomic<bool> elsewhere{false};
    const Job other = worker->submit({}, [](JobContext&) { return Status(); });
    Gate told;
    other.on_end([&, self = std::this_thread::get_id()](const Job& done) {
        elsewhere = std::this_thread::get_id() != self || done.ended();
        told.open();
    });
    told.pass();
    CHECK(elsewhere);
}

TEST_CASE("progress is data: a stage, a fraction that never falls, the time left") {
    auto worker = make();
    Gate half;
    Inbox inbox;
    std::vector<JobProgress> seen;
    const Job job = worker->submit({}, [&](JobContext& context) {
        context.report("encoder", 0.5);
        half.pass();
        context.report("decoder", 0.25); // wrong, and not believed
        return Status();
    });
    half.wait_for_one();
    CHECK(job.state() == JobState::running);
    CHECK(job.progress().stage == "encoder");
    CHECK(job.progress().fraction == 0.5);
    CHECK(job.progress().seconds_left >= 0.0);
    job.on_progress([&](const JobProgress& progress) { seen.push_back(progress); }, inbox.executor());
    half.open();
    REQUIRE(job.wait(k_long));
    inbox.run();
    REQUIRE(seen.size() == 1);
    CHECK(seen[0].stage == "decoder");
    CHECK(seen[0].fraction == 0.5);
    CHECK(job.progress().fraction == 1.0);
}

TEST_CASE("exceptions and lack of memory end the job, not the worker") {
    auto worker = make();
    const auto code_of = [&](std::function<Status(JobContext&)> work) {
        const Job job = worker->submit({}, std::move(work));
        REQUIRE(job.wait(k_long));
        return job.status().code();
    };
    CHECK(code_of([](JobContext&) -> Status { throw std::runtime_error("odd"); }) == Code::internal);
    CHECK(code_of([](JobContext&) -> Status { throw std::bad_alloc(); }) == Code::out_of_memory);
    CHECK(code_of([](JobContext&) -> Status { throw 1; }) == Code::internal);
    CHECK(code_of([](JobContext&) { return Status(); }) == Code::ok);
}

TEST_CASE("a deadline stops a job that polls, and one that still waits") {
    auto worker = make();
    const Job runs = worker->submit({.deadline_seconds = 0.05}, until_cancelled);
    const Job waits = worker->submit({.deadline_seconds = 0.02}, [](JobContext&) { return Status(); });
    REQUIRE(runs.wait(k_long));
    REQUIRE(waits.wait(k_long));
    CHECK(runs.status().code() == Code::deadline);
    // It may have begun before its deadline where the first ended early: that cannot be, the first runs longer.
    CHECK(waits.status().code() == Code::deadline);
}

TEST_CASE("a job that hangs is given up: it ends with a Status and the next one runs") {
    Gate gate;
    {
        auto worker = make({.grace_seconds = 0.05});
        const Job hangs = deaf_job(*worker, gate).first;
        REQUIRE(hangs.wait(k_long));
        CHECK(hangs.status().code() == Code::deadline);
        CHECK(hangs.status().what().find("hangs") != std::string::npos);
        CHECK(worker->stats().given_up == 1);
        const Job next = worker->submit({}, [](JobContext&) { return Status(); });
        REQUIRE(next.wait(k_long));
        CHECK(next.status());
        gate.open();
        CHECK(comes_true([&] { return worker->stats().given_up == 0; }));
        CHECK(worker->stats().memory_used == 0);
    }
    // The control: with a long grace time the same job is still waited for, so it is the grace time that ends it.
    Gate other;
    auto patient = make({.grace_seconds = 3600.0});
    const auto [hangs, seconds] = deaf_job(*patient, other);
    CHECK_FALSE(hangs.wait(2.0 * seconds));
    other.open();
    REQUIRE(hangs.wait(k_long));
}

TEST_CASE("cancelling ends a waiting and a running job") {
    auto worker = make();
    const Job runs = worker->submit({}, until_cancelled);
    const Job waits = worker->submit({}, [](JobContext&) { return Status(); });
    REQUIRE(comes_true([&] { return runs.state() == JobState::running; }));
    waits.cancel();
    REQUIRE(waits.wait(k_long)); // while the first one runs on
    CHECK(waits.status().code() == Code::cancelled);
    CHECK_FALSE(runs.ended());
    runs.cancel();
    REQUIRE(runs.wait(k_long));
    CHECK(runs.status().code() == Code::cancelled);
}

TEST_CASE("memory is checked before a job begins and counted while it or its lease lasts") {
    auto worker = make({.threads = 2, .memory_bytes = 100 << 20});
    const Job large = worker->submit({.memory_bytes = 101 << 20}, [](JobContext&) { return Status(); });
    REQUIRE(large.wait(k_long));
    CHECK(large.status().code() == Code::out_of_memory);
    CHECK(large.status().what().find("101 MiB") != std::string::npos);

    Gate gate;
    const Job holds = worker->submit({.memory_bytes = 60 << 20}, [&](JobContext&) {
        gate.pass();
        return Status();
    });
    gate.wait_for_one();
    CHECK(worker->stats().memory_used == 60 << 20);
    const Job waits = worker->submit({.memory_bytes = 60 << 20}, [](JobContext&) { return Status(); });
    CHECK_FALSE(waits.wait(0.1)); // the second thread is free, the memory is not
    gate.open();
    REQUIRE(waits.wait(k_long));
    CHECK(waits.status());

    const auto loads = worker->submit<std::shared_ptr<MemoryLease>>(
        {}, [](JobContext& context) -> Result<std::shared_ptr<MemoryLease>> {
            auto lease = context.reserve(80 << 20, "the model");
            if (!lease) return lease.status();
            CHECK_FALSE(context.reserve(30 << 20, "another"));
            return std::make_shared<MemoryLease>(std::move(lease).value());
        });
    auto model = loads.take().value();
    REQUIRE(comes_true([&] { return worker->stats().running == 0; }));
    CHECK(worker->stats().memory_used == 80 << 20);
    const Job refused = worker->submit({.memory_bytes = 30 << 20}, [](JobContext&) { return Status(); });
    REQUIRE(refused.wait(k_long));
    CHECK(refused.status().code() == Code::out_of_memory);
    model.reset();
    CHECK(worker->stats().memory_used == 0);
}

TEST_CASE("a worker that closes ends what waits and runs") {
    Job runs, waits;
    std::atomic<int> told{0};
    {
        auto worker = make();
        runs = worker->submit({}, until_cancelled);
        waits = worker->submit({}, [](JobContext&) { return Status(); });
        REQUIRE(comes_true([&] { return runs.state() == JobState::running; }));
        for (const Job& job : {runs, waits})
            job.on_end([&](const Job&) { ++told; });
    }
    CHECK(runs.status().code() == Code::cancelled);
    CHECK(waits.status().code() == Code::cancelled);
    CHECK(told == 2);
}

TEST_CASE("few threads while audio is live, all when it is not, and a lower place than the audio's") {
    std::atomic<bool> live{true};
    auto worker = make({.live_threads = 1, .idle_threads = 6, .audio_is_live = [&] { return live.load(); }});
    Gate gate;
    std::atomic<int> first{0};
    const auto job = worker->submit<int>({}, [&](JobContext& context) -> Result<int> {
        first = context.threads();
        gate.pass();
        int threads = 0;
        comes_true([&] { return (threads = context.threads()) == 6; });
        return threads;
    });
    gate.wait_for_one();
    CHECK(first == 1);
    live = false;
    gate.open();
    CHECK(job.take().value() == 6);
#if defined(__linux__)
    const int own = getpriority(PRIO_PROCESS, 0);
    const auto nice = worker->submit<int>({}, [](JobContext&) -> Result<int> {
        return getpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)));
    });
    // It asks for ten; a desktop may move the whole process by a few meanwhile.
    CHECK(nice.take().value() >= std::min(19, own + 5));
#endif
}

TEST_CASE("many jobs from many threads, cancelled and raised at random, all end") {
    std::atomic<int> ended{0};
    constexpr int k_threads = 4, k_jobs = 200;
    {
        auto worker = make({.threads = 3});
        std::vector<std::thread> callers;
        for (int t = 0; t < k_threads; ++t)
            callers.emplace_back([&, t] {
                Job before;
                for (int i = 0; i < k_jobs; ++i) {
                    JobConfig config{.priority = (i * 7 + t) % 5, .memory_bytes = (i % 3) << 18};
                    if (i % 4 == 0 && before) config.after = {before};
                    const Job job = worker->submit(config, [i](JobContext& context) {
                        context.report("work", 0.1 * (i % 10));
                        if (i % 50 == 3) throw std::runtime_error("odd");
                        return context.stopped();
                    });
                    job.on_end([&](const Job&) { ++ended; });
                    if (i % 9 == 0) job.cancel();
                    before = job;
                }
                before.wait(k_long);
            });
        for (std::thread& caller : callers)
            caller.join();
    }
    CHECK(ended == k_threads * k_jobs);
}

TEST_CASE("settings outside their ranges are refused") {
    CHECK_FALSE(Worker::create({.threads = 0}));
    CHECK_FALSE(Worker::create({.grace_seconds = 0.0}));
    CHECK_FALSE(Worker::create({.memory_bytes = -1}));
}
