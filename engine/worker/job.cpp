// SPDX-License-Identifier: MIT
// The two faces of a job, and leases of memory.
#include <tutti/job.h>

#include <algorithm>

#include "engine/worker/record.h"
#include "engine/worker/state.h"

namespace tutti {

namespace {

const std::string k_no_name;

double seconds(engine::SteadyClock::duration span) {
    return std::chrono::duration<double>(span).count();
}

std::string mebibytes(std::int64_t bytes) {
    return std::to_string((bytes + (1 << 20) - 1) >> 20) + " MiB";
}

} // namespace

namespace engine {

void call(const Executor& where, std::function<void()> what) noexcept {
    try {
        if (where)
            where(std::move(what));
        else
            what();
    } catch (...) {
    }
}

} // namespace engine

const std::string& Job::name() const noexcept {
    return m_record ? m_record->name : k_no_name;
}

JobState Job::state() const {
    if (!m_record) return JobState::ended;
    const std::lock_guard lock(m_record->mutex);
    return m_record->state;
}

JobProgress Job::progress() const {
    if (!m_record) return {};
    const std::lock_guard lock(m_record->mutex);
    JobProgress progress = m_record->progress;
    if (m_record->state == JobState::running && progress.fraction >= 0.005)
        progress.seconds_left =
            seconds(engine::SteadyClock::now() - m_record->begun) * (1.0 - progress.fraction) / progress.fraction;
    return progress;
}

Status Job::status() const {
    if (!m_record)
        return Status(Code::out_of_memory, "there was no memory for a job", "nothing was begun", "close something");
    const std::lock_guard lock(m_record->mutex);
    return m_record->status;
}

void Job::cancel() const {
    if (!m_record) return;
    m_record->token.cancel();
    if (const auto worker = m_record->worker.lock()) worker->look();
}

bool Job::wait(double within) const {
    if (!m_record) return true;
    std::unique_lock lock(m_record->mutex);
    const auto ended = [&] { return m_record->state == JobState::ended; };
    if (within >= 0.0)
        return m_record->changed.wait_until(lock, engine::after(engine::SteadyClock::now(), within), ended);
    m_record->changed.wait(lock, ended);
    return true;
}

void Job::on_end(std::function<void(const Job&)> done, Executor where) const {
    if (!m_record) return;
    {
        const std::lock_guard lock(m_record->mutex);
        if (m_record->state != JobState::ended) {
            m_record->on_end.emplace_back(std::move(done), std::move(where));
            return;
        }
    }
    engine::call(where, [done = std::move(done), self = *this] { done(self); });
}

void Job::on_progress(std::function<void(const JobProgress&)> moved, Executor where) const {
    if (!m_record) return;
    const std::lock_guard lock(m_record->mutex);
    m_record->on_progress.emplace_back(std::move(moved), std::move(where));
}

MemoryLease& MemoryLease::operator=(MemoryLease&& other) noexcept {
    if (this == &other) return *this;
    release();
    m_budget = std::move(other.m_budget);
    m_bytes = std::exchange(other.m_bytes, 0);
    return *this;
}

void MemoryLease::release() noexcept {
    if (m_budget) m_budget->give(m_bytes);
    m_budget.reset();
    m_bytes = 0;
}

JobContext::JobContext(std::shared_ptr<engine::JobRecord> record, std::shared_ptr<engine::WorkerState> worker)
    : m_record(std::move(record)), m_worker(std::move(worker)), m_token(m_record->token) {}

Status JobContext::stopped() const {
    if (!cancelled()) return {};
    const std::lock_guard lock(m_record->mutex);
    return engine::WorkerState::stop_status(*m_record, m_record->late);
}

int JobContext::threads() const {
    return m_worker->threads();
}

void JobContext::report(const std::string& stage, double fraction) const {
    engine::JobRecord& job = *m_record;
    std::vector<std::pair<std::function<void(const JobProgress&)>, Executor>> callbacks;
    JobProgress progress;
    {
        const std::lock_guard lock(job.mutex);
        const auto now = engine::SteadyClock::now();
        const bool news = stage != job.progress.stage;
        job.progress.stage = stage;
        job.progress.fraction = std::max(job.progress.fraction, std::min(fraction, 1.0)); // NaN leaves it
        if (!news && now - job.told < std::chrono::milliseconds(50)) return;
        job.told = now;
        if (job.on_progress.empty()) return;
        callbacks = job.on_progress;
    }
    progress = Job(m_record).progress();
    for (auto& [moved, where] : callbacks)
        engine::call(where, [moved = moved, progress] { moved(progress); });
}

Result<MemoryLease> JobContext::reserve(std::int64_t bytes, const std::string& what) const {
    const auto& memory = m_worker->memory();
    if (bytes < 0 || !memory->take(bytes)) {
        const std::lock_guard lock(memory->mutex);
        return Status(Code::out_of_memory,
                      what + " needs " + mebibytes(bytes) + ", and " + mebibytes(memory->budget - memory->used) +
                          " of " + mebibytes(memory->budget) + " are free",
                      "it was not begun", "let go of a loaded model, take a smaller one, or raise the budget");
    }
    MemoryLease lease;
    lease.m_budget = memory;
    lease.m_bytes = bytes;
    return lease;
}

} // namespace tutti
