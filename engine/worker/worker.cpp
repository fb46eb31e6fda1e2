// SPDX-License-Identifier: MIT
#include <tutti/worker.h>

#include <new>
#include <system_error>

#include "engine/worker/state.h"

namespace tutti {

namespace {

Status outside(const char* name, const char* range) {
    return Status(Code::out_of_range, std::string("WorkerConfig::") + name + " is outside its range",
                  "the worker was not made", std::string("choose ") + range);
}

} // namespace

Result<std::unique_ptr<Worker>> Worker::create(const WorkerConfig& config) {
    if (config.threads < 1 || config.threads > 64) return outside("threads", "1..64");
    if (config.live_threads < 1 || config.live_threads > 256) return outside("live_threads", "1..256");
    if (config.idle_threads < 0 || config.idle_threads > 256) return outside("idle_threads", "0..256");
    if (config.memory_bytes < 0) return outside("memory_bytes", "0 or more");
    if (!(config.grace_seconds >= 0.01 && config.grace_seconds <= 3600.0))
        return outside("grace_seconds", "0.01..3600 s");
    try {
        return std::unique_ptr<Worker>(new Worker(std::make_shared<engine::WorkerState>(config)));
    } catch (const std::bad_alloc&) {
        return Status(Code::out_of_memory, "there is not enough memory", "the worker was not made", "close something");
    }
}

Worker::~Worker() {
    m_state->close();
}

Job Worker::submit(JobConfig config, std::function<Status(JobContext&)> work) {
    try {
        return Job(m_state->submit(std::move(config), std::move(work)));
    } catch (const std::bad_alloc&) {
    } catch (const std::system_error&) { // no more threads
    }
    return {};
}

WorkerStats Worker::stats() const {
    return m_state->stats();
}

} // namespace tutti
