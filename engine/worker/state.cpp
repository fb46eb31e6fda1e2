// SPDX-License-Identifier: MIT
#include "engine/worker/state.h"

#include <algorithm>
#include <exception>
#include <new>

#include <tutti/trace.h>

namespace tutti::engine {

namespace {

// Given-up jobs hold a thread each; past this the worker takes no new ones until some come back.
constexpr int k_most_given_up = 8;

int core_count() {
    return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

std::string mebibytes(std::int64_t bytes) {
    return std::to_string((bytes + (1 << 20) - 1) >> 20) + " MiB";
}

} // namespace

WorkerState::WorkerState(const WorkerConfig& config) : m_config(config), m_cores(core_count()) {
    m_memory->budget = config.memory_bytes > 0 ? config.memory_bytes : free_memory_bytes() / 5 * 4;
}

Status WorkerState::stop_status(const JobRecord& job, bool late) {
    if (late)
        return Status(Code::deadline, "job '" + job.name + "' was not done by its deadline", "it was stopped",
                      "give it more time or less work");
    return Status(Code::cancelled, "job '" + job.name + "' was cancelled", "it was stopped", "begin it anew");
}

bool WorkerState::end(const std::shared_ptr<JobRecord>& job, Status status) {
    decltype(job->on_end) callbacks;
    {
        const std::lock_guard lock(job->mutex);
        if (job->state == JobState::ended) return false;
        job->state = JobState::ended;
        if (status) {
            job->progress.fraction = 1.0;
            job->progress.seconds_left = 0.0;
        }
        job->status = std::move(status);
        callbacks.swap(job->on_end);
        job->on_progress.clear();
        job->changed.notify_all();
    }
    for (auto& [done, where] : callbacks)
        call(where, [done = std::move(done), handle = Job(job)] { done(handle); });
    return true;
}

// A job that others wait for goes as early as the most urgent of them.
void WorkerState::raise(JobRecord& job, int priority) {
    if (job.priority >= priority) return;
    job.priority = priority;
    for (const auto& before : job.after)
        raise(*before, priority);
}

std::shared_ptr<JobRecord> WorkerState::submit(JobConfig config, std::function<Status(JobContext&)> work) {
    auto job = std::make_shared<JobRecord>();
    job->name = std::move(config.name);
    job->memory_bytes = std::max<std::int64_t>(0, config.memory_bytes);
    job->worker = weak_from_this();
    job->work = std::move(work);
    if (config.deadline_seconds > 0.0) job->deadline = after(SteadyClock::now(), config.deadline_seconds);
    for (const Job& before : config.after)
        if (before.m_record) job->after.push_back(before.m_record);
    Status refused;
    {
        const std::lock_guard lock(m_mutex);
        job->serial = m_serial++;
        job->priority = config.priority;
        for (const auto& before : job->after)
            raise(*before, config.priority);
        if (m_closing)
            refused = stop_status(*job, false);
        else if (m_given_up >= k_most_given_up)
            refused = Status(Code::wrong_state, std::to_string(m_given_up) + " jobs do not come back",
                             "the worker takes no new one", "end the program");
        else if (job->memory_bytes > m_memory->budget)
            refused = Status(Code::out_of_memory,
                             "job '" + job->name + "' needs " + mebibytes(job->memory_bytes) + ", the budget is " +
                                 mebibytes(m_memory->budget),
                             "it was not begun", "take a smaller model or batch, or raise the budget");
        if (refused) {
            m_waiting.push_back(job);
            if (m_slots.empty())
                for (int i = 0; i < m_config.threads; ++i)
                    start_slot();
            if (!m_watch.joinable()) m_watch = std::thread([self = shared_from_this()] { self->watch(); });
        }
        m_look = true;
    }
    if (!refused) {
        end(job, std::move(refused));
        return job;
    }
    m_work.notify_one();
    m_looked.notify_one();
    return job;
}

void WorkerState::start_slot() {
    auto slot = std::make_shared<Slot>();
    slot->thread = std::thread([self = shared_from_this(), slot] { self->run(slot); });
    m_slots.push_back(slot);
}

std::shared_ptr<JobRecord> WorkerState::next(std::vector<std::pair<std::shared_ptr<JobRecord>, Status>>& dead) {
    bool others = false; // run, whose memory will come back
    for (const auto& slot : m_slots)
        others = others || slot->job;
    constexpr std::size_t k_none = static_cast<std::size_t>(-1);
    std::size_t best = k_none;
    for (std::size_t i = 0; i < m_waiting.size();) {
        const auto& job = m_waiting[i];
        Status failed;
        bool ready = true;
        if (job->token.cancelled()) {
            const std::lock_guard lock(job->mutex);
            failed = stop_status(*job, job->late);
        }
        for (const auto& before : job->after) {
            const std::lock_guard lock(before->mutex);
            ready = ready && before->state == JobState::ended;
            if (before->state == JobState::ended && !before->status && failed)
                failed = Status(Code::wrong_state,
                                "job '" + job->name + "' waited for '" + before->name +
                                    "', which failed: " + before->status.message(),
                                "it was not begun", "mend that one first");
        }
        if (failed && ready && !others) { // nobody runs who could give memory back: what is held, is held by leases
            const std::lock_guard lock(m_memory->mutex);
            if (job->memory_bytes > m_memory->budget - m_memory->used)
                failed = Status(Code::out_of_memory,
                                "job '" + job->name + "' needs " + mebibytes(job->memory_bytes) + ", and " +
                                    mebibytes(m_memory->budget - m_memory->used) + " are free",
                                "it was not begun", "let go of a loaded model, or raise the budget");
        }
        if (!failed) {
            dead.emplace_back(job, std::move(failed));
            m_waiting.erase(m_waiting.begin() + static_cast<std::ptrdiff_t>(i));
            continue;
        }
        const bool better = best == k_none || job->priority > m_waiting[best]->priority ||
                            (job->priority == m_waiting[best]->priority && job->serial < m_waiting[best]->serial);
        if (ready && better) best = i;
        ++i;
    }
    // The first in order alone is tried: a small one must not starve a large one of memory for ever.
    if (best == k_none || !m_memory->take(m_waiting[best]->memory_bytes)) return nullptr;
    auto job = m_waiting[best];
    m_waiting.erase(m_waiting.begin() + static_cast<std::ptrdiff_t>(best));
    job->after.clear();
    return job;
}

Status WorkerState::execute(const std::shared_ptr<JobRecord>& job, JobContext& context) noexcept {
    try {
        try {
            const trace::Span span("job");
            return job->work(context);
        } catch (const std::bad_alloc&) {
            return Status(Code::out_of_memory, "job '" + job->name + "' found no memory", "it was stopped",
                          "close something, or take a smaller model or batch");
        } catch (const std::exception& error) {
            return Status(Code::internal, "job '" + job->name + "' failed: " + error.what(), "it was stopped",
                          "report it with what was asked for");
        } catch (...) {
            return Status(Code::internal, "job '" + job->name + "' failed in an unknown way", "it was stopped",
                          "report it with what was asked for");
        }
    } catch (...) { // not even memory to say so
        return Status(Code::out_of_memory, "", "", "");
    }
}

void WorkerState::run(const std::shared_ptr<Slot>& slot) {
    trace::name_thread("worker");
    lower_priority();
    std::unique_lock lock(m_mutex);
    while (!m_closing && !slot->given_up) {
        std::vector<std::pair<std::shared_ptr<JobRecord>, Status>> dead;
        const auto job = next(dead);
        if (!dead.empty()) {
            lock.unlock();
            for (auto& [one, status] : dead)
                end(one, std::move(status));
            lock.lock();
            m_work.notify_all(); // who waited for them
        }
        if (!job) {
            if (dead.empty()) m_work.wait(lock);
            continue;
        }
        slot->job = job;
        lock.unlock();
        Status status;
        {
            {
                const std::lock_guard own(job->mutex);
                job->state = JobState::running;
                job->begun = SteadyClock::now();
            }
            JobContext context(job, shared_from_this());
            status = execute(job, context);
            if (!status && context.cancelled() && status.code() != Code::deadline) status = context.stopped();
        }
        std::function<Status(JobContext&)> work;
        lock.lock();
        work.swap(job->work);
        slot->job.reset();
        lock.unlock();
        work = {}; // what it holds may take time to end, and has before the job is said to have ended
        m_memory->give(job->memory_bytes);
        end(job, std::move(status));
        lock.lock();
        m_work.notify_all();
    }
    slot->ended = true;
    if (slot->given_up) --m_given_up;
    m_left.notify_all();
}

void WorkerState::watch() {
    lower_priority();
    std::unique_lock lock(m_mutex);
    while (!m_closing) {
        std::vector<std::pair<std::shared_ptr<JobRecord>, Status>> dead;
        TimePoint wake = TimePoint::max();
        const TimePoint now = SteadyClock::now();
        const auto expire = [&](JobRecord& job) {
            if (job.deadline <= now) {
                const std::lock_guard own(job.mutex);
                if (!job.token.cancelled()) job.late = true;
                job.token.cancel();
            } else {
                wake = std::min(wake, job.deadline);
            }
        };
        for (std::size_t i = 0; i < m_waiting.size();) {
            const auto job = m_waiting[i];
            expire(*job);
            if (job->token.cancelled()) {
                const std::lock_guard own(job->mutex);
                dead.emplace_back(job, stop_status(*job, job->late));
                m_waiting.erase(m_waiting.begin() + static_cast<std::ptrdiff_t>(i));
            } else {
                ++i;
            }
        }
        for (std::size_t i = 0; i < m_slots.size();) {
            const auto slot = m_slots[i++];
            if (!slot->job) continue;
            expire(*slot->job);
            if (!slot->job->token.cancelled()) continue;
            if (slot->job->stop_asked == TimePoint::max()) slot->job->stop_asked = now;
            const TimePoint last = after(slot->job->stop_asked, m_config.grace_seconds);
            if (last > now) {
                wake = std::min(wake, last);
                continue;
            }
            {
                const std::lock_guard own(slot->job->mutex);
                const bool late = slot->job->late;
                dead.emplace_back(
                    slot->job, Status(late ? Code::deadline : Code::cancelled,
                                      "job '" + slot->job->name + "' hangs: " +
                                          (late ? "its deadline passed" : "it was cancelled") + " and it did not stop",
                                      "it was given up; its thread and memory stay taken until it comes back",
                                      "report it with what was asked for"));
            }
            slot->given_up = true;
            ++m_given_up;
            slot->thread.detach();
            m_slots.erase(m_slots.begin() + static_cast<std::ptrdiff_t>(--i));
            start_slot();
        }
        m_look = false;
        if (!dead.empty()) {
            lock.unlock();
            for (auto& [job, status] : dead)
                end(job, std::move(status));
            lock.lock();
            m_work.notify_all();
            continue;
        }
        const auto woken = [&] { return m_look || m_closing; };
        if (wake == TimePoint::max())
            m_looked.wait(lock, woken);
        else
            m_looked.wait_until(lock, wake, woken);
    }
}

void WorkerState::close() {
    std::vector<std::pair<std::shared_ptr<JobRecord>, bool>> left; // and whether it hangs
    std::vector<std::thread> threads;
    {
        std::unique_lock lock(m_mutex);
        m_closing = true;
        for (const auto& job : m_waiting) {
            job->token.cancel();
            left.emplace_back(job, false);
        }
        m_waiting.clear();
        for (const auto& slot : m_slots)
            if (slot->job) slot->job->token.cancel();
        m_work.notify_all();
        m_looked.notify_all();
        m_left.wait_until(lock, after(SteadyClock::now(), m_config.grace_seconds), [&] {
            return std::all_of(m_slots.begin(), m_slots.end(), [](const auto& slot) { return slot->ended; });
        });
        for (const auto& slot : m_slots) {
            if (slot->ended) {
                threads.push_back(std::move(slot->thread));
                continue;
            }
            slot->given_up = true;
            ++m_given_up;
            if (slot->job) left.emplace_back(slot->job, true);
            slot->thread.detach();
        }
        m_slots.clear();
        if (m_watch.joinable()) threads.push_back(std::move(m_watch));
    }
    for (std::thread& thread : threads) {
        if (thread.get_id() == std::this_thread::get_id())
            thread.detach(); // a callback on our own thread let the worker go
        else
            thread.join();
    }
    for (auto& [job, hangs] : left)
        end(job, stop_status(*job, false));
}

void WorkerState::look() noexcept {
    {
        const std::lock_guard lock(m_mutex);
        m_look = true;
    }
    m_looked.notify_one();
}

int WorkerState::threads() {
    bool live = false;
    if (m_config.audio_is_live) {
        const std::lock_guard lock(m_live_mutex);
        const TimePoint now = SteadyClock::now();
        if (now - m_live_asked >= std::chrono::milliseconds(50)) {
            m_live_asked = now;
            m_live = m_config.audio_is_live();
        }
        live = m_live;
    }
    if (live) return m_config.live_threads;
    return m_config.idle_threads > 0 ? m_config.idle_threads : m_cores;
}

WorkerStats WorkerState::stats() {
    WorkerStats stats;
    {
        const std::lock_guard lock(m_mutex);
        stats.waiting = static_cast<int>(m_waiting.size());
        for (const auto& slot : m_slots)
            stats.running += slot->job ? 1 : 0;
        stats.given_up = m_given_up;
    }
    const std::lock_guard lock(m_memory->mutex);
    stats.memory_budget = m_memory->budget;
    stats.memory_used = m_memory->used;
    return stats;
}

} // namespace tutti::engine
