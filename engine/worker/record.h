// SPDX-License-Identifier: MIT
// What a job is inside the worker, and the budget of memory that jobs and leases share.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <tutti/job.h>

namespace tutti::engine {

using SteadyClock = std::chrono::steady_clock;
using TimePoint = SteadyClock::time_point;

// Adds seconds without overflow: a year is far enough.
inline TimePoint after(TimePoint from, double seconds) {
    return from + std::chrono::duration_cast<SteadyClock::duration>(
                      std::chrono::duration<double>(seconds < 3e7 ? seconds : 3e7));
}

struct MemoryBudget {
    std::mutex mutex;
    std::int64_t budget = 0;
    std::int64_t used = 0;

    bool take(std::int64_t bytes) {
        const std::lock_guard lock(mutex);
        if (bytes > budget - used) return false;
        used += bytes;
        return true;
    }
    void give(std::int64_t bytes) {
        const std::lock_guard lock(mutex);
        used -= bytes;
    }
};

struct JobRecord {
    // Set before it is known to others.
    std::string name;
    std::int64_t serial = 0;
    std::int64_t memory_bytes = 0;
    std::vector<std::shared_ptr<JobRecord>> after;
    TimePoint deadline = TimePoint::max();
    CancelToken token;
    std::weak_ptr<WorkerState> worker;

    // Under the worker's lock.
    int priority = 0;
    std::function<Status(JobContext&)> work;
    TimePoint stop_asked = TimePoint::max(); // when the token was first seen set while it ran

    // Under its own lock, which is taken after the worker's where both are.
    mutable std::mutex mutex;
    mutable std::condition_variable changed;
    JobState state = JobState::waiting;
    Status status;
    bool late = false; // its deadline passed
    TimePoint begun;
    TimePoint told;
    JobProgress progress;
    std::vector<std::pair<std::function<void(const Job&)>, Executor>> on_end;
    std::vector<std::pair<std::function<void(const JobProgress&)>, Executor>> on_progress;
};

// Runs it there; what a callback throws is its own loss.
void call(const Executor& where, std::function<void()> what) noexcept;

// Physical memory that the process may still take: of the machine or its control group. [any]
std::int64_t free_memory_bytes() noexcept;

// The calling thread steps back behind others. [worker]
void lower_priority() noexcept;

} // namespace tutti::engine
