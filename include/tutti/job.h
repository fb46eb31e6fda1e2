// SPDX-License-Identifier: MIT
// Job: a piece of heavy work beside the audio, seen from outside (Job) and from inside (JobContext).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <tutti/status.h>

namespace tutti {

namespace engine {
struct JobRecord;
struct MemoryBudget;
class WorkerState;
} // namespace engine

// A flag that long work polls. Copies share it.
class TUTTI_API CancelToken {
public:
    CancelToken() : m_flag(std::make_shared<std::atomic<bool>>(false)) {}
    // [any]
    void cancel() const noexcept { m_flag->store(true, std::memory_order_relaxed); } // nothing is published with it
    bool cancelled() const noexcept { return m_flag->load(std::memory_order_relaxed); }

private:
    std::shared_ptr<std::atomic<bool>> m_flag;
};

enum class JobState : std::uint8_t { waiting, running, ended };

struct JobProgress {
    std::string stage;          // as the job names it, empty before it begins
    double fraction = 0.0;      // of the whole job, 0..1, never falls
    double seconds_left = -1.0; // at the speed so far; negative: not known yet
};

// Who runs a callback: gets it as a function, and calls that where and when it likes. Empty: a thread of the worker's.
using Executor = std::function<void(std::function<void()>)>;

// A handle; letting it go does not stop the job. Copies mean the same job.
class TUTTI_API Job {
public:
    Job() = default;
    explicit operator bool() const noexcept { return m_record != nullptr; } // [any]

    const std::string& name() const noexcept;                 // [any]
    JobState state() const;                                   // [any]
    bool ended() const { return state() == JobState::ended; } // [any]
    JobProgress progress() const;                             // [any]
    // Of an ended job; ok before. cancelled, deadline (too late, or it hung), out_of_memory, internal (an exception),
    // wrong_state (what it waited for failed), or what the work itself returned. [any]
    Status status() const;
    // It ends soon, at the latest after WorkerConfig::grace_seconds. [any]
    void cancel() const;
    // Waits for its end; negative: for ever. False: the time passed first. Not on an audio thread. [control] [worker]
    bool wait(double seconds = -1.0) const;
    // Calls `done` once, when the job has ended; at once where it has. [any]
    void on_end(std::function<void(const Job&)> done, Executor where = {}) const;
    // Calls `moved` at each new stage and else at most 20 times a second. [any]
    void on_progress(std::function<void(const JobProgress&)> moved, Executor where = {}) const;

private:
    friend class JobContext;
    friend class Worker;
    friend class engine::WorkerState;
    explicit Job(std::shared_ptr<engine::JobRecord> record) : m_record(std::move(record)) {}
    std::shared_ptr<engine::JobRecord> m_record;
};

// Memory counted in the worker's budget until it is let go. It may outlive its job, as a loaded model does.
class TUTTI_API MemoryLease {
public:
    MemoryLease() = default;
    MemoryLease(MemoryLease&& other) noexcept
        : m_budget(std::move(other.m_budget)), m_bytes(std::exchange(other.m_bytes, 0)) {}
    MemoryLease& operator=(MemoryLease&& other) noexcept;
    ~MemoryLease() { release(); }
    std::int64_t bytes() const noexcept { return m_bytes; } // [any]
    void release() noexcept;                                // [any]

private:
    friend class JobContext;
    std::shared_ptr<engine::MemoryBudget> m_budget;
    std::int64_t m_bytes = 0;
};

// What running work may ask and say. Lives as long as the work runs.
class TUTTI_API JobContext {
public:
    // Somebody cancelled it, its deadline passed, or the worker closes. Asked between operations and inside long ones. [worker]
    bool cancelled() const noexcept { return m_token.cancelled(); }
    // The same as a Status, ready to be returned. [worker]
    Status stopped() const;
    const CancelToken& token() const noexcept { return m_token; } // [worker]
    // How many threads the work should use now, the caller among them: few while audio is live. It changes: ask again. [worker]
    int threads() const;
    // `fraction` of the whole job, 0..1. [worker]
    void report(const std::string& stage, double fraction) const;
    // Asked before the memory is taken. Errors: out_of_memory (what is free, what others hold). [worker]
    Result<MemoryLease> reserve(std::int64_t bytes, const std::string& what) const;

private:
    friend class engine::WorkerState;
    JobContext(std::shared_ptr<engine::JobRecord> record, std::shared_ptr<engine::WorkerState> worker);
    std::shared_ptr<engine::JobRecord> m_record;
    std::shared_ptr<engine::WorkerState> m_worker;
    CancelToken m_token;
};

struct JobConfig {
    std::string name = "job";      // for messages and progress
    int priority = 0;              // higher goes first; what it waits for is raised with it
    std::vector<Job> after = {};   // that must have ended well
    double deadline_seconds = 0.0; // from now to its end; 0: none
    std::int64_t memory_bytes = 0; // it will hold while it runs; checked before it begins
};

} // namespace tutti
