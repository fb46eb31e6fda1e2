// SPDX-License-Identifier: MIT
// The worker's threads: some that run jobs, one that watches deadlines and cancellations.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include <tutti/worker.h>

#include "engine/worker/record.h"

namespace tutti::engine {

class WorkerState : public std::enable_shared_from_this<WorkerState> {
public:
    explicit WorkerState(const WorkerConfig& config);

    std::shared_ptr<JobRecord> submit(JobConfig config, std::function<Status(JobContext&)> work);
    void close();
    void look() noexcept; // something was cancelled: the watch thread looks again
    int threads();        // for a job, now
    WorkerStats stats();
    const std::shared_ptr<MemoryBudget>& memory() const { return m_memory; }

private:
    // One thread that runs jobs. Given up: its job does not come back, and the thread ends when it does.
    struct Slot {
        std::thread thread;
        std::shared_ptr<JobRecord> job;
        bool given_up = false;
        bool ended = false;
    };
    void start_slot();
    void run(const std::shared_ptr<Slot>& slot);
    void watch();
    // Takes the next job that may begin out of m_waiting; ends those that never can, into `dead`.
    std::shared_ptr<JobRecord> next(std::vector<std::pair<std::shared_ptr<JobRecord>, Status>>& dead);
    void raise(JobRecord& job, int priority);
    static Status execute(const std::shared_ptr<JobRecord>& job, JobContext& context) noexcept;
    static bool end(const std::shared_ptr<JobRecord>& job, Status status);
    static Status stop_status(const JobRecord& job, bool late);

    friend class tutti::JobContext;
    const WorkerConfig m_config;
    const int m_cores;
    const std::shared_ptr<MemoryBudget> m_memory = std::make_shared<MemoryBudget>();

    std::mutex m_mutex;
    std::condition_variable m_work;   // for the slots
    std::condition_variable m_looked; // for the watch thread
    std::condition_variable m_left;   // a slot ended
    std::vector<std::shared_ptr<JobRecord>> m_waiting;
    std::vector<std::shared_ptr<Slot>> m_slots;
    std::thread m_watch;
    std::int64_t m_serial = 0;
    int m_given_up = 0;
    bool m_look = false;
    bool m_closing = false;

    std::mutex m_live_mutex;
    TimePoint m_live_asked{};
    bool m_live = false;
};

} // namespace tutti::engine
