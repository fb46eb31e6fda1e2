// SPDX-License-Identifier: MIT
// Jobs through the C interface: functions of the caller's on the worker's threads.
#include <exception>

#include <tutti/worker.h>

#include "engine/c/handle.h"

using tutti::Job;
using tutti::JobContext;
using tutti::Status;
using tutti::Worker;

struct tutti_job {
    Job job;
};
struct tutti_job_context {
    JobContext& context;
};

namespace {

void end_worker(void* worker) noexcept {
    delete static_cast<Worker*>(worker);
}

Status run(tutti_job_work work, void* user, JobContext& context) {
    tutti_job_context handle{context};
    const tutti_result result = work(user, &handle);
    if (result == TUTTI_OK) return {};
    return Status(static_cast<tutti::Code>(result), tutti_result_text(result), "the job gave no result",
                  "ask the job's own words");
}

} // namespace

extern "C" tutti_result tutti_job_start(tutti_engine* engine, const char* name, int32_t priority, tutti_job_work work,
                                        void* user, tutti_job** out) noexcept {
    if (out != nullptr) *out = nullptr;
    if (engine == nullptr || out == nullptr) return TUTTI_INVALID_ARGUMENT;
    if (work == nullptr) return engine->fail(TUTTI_INVALID_ARGUMENT, "the job has no work");
    if (engine->arena)
        return engine->fail(TUTTI_UNSUPPORTED, "an engine in a block has no threads, so it takes no jobs");
    try {
        if (engine->jobs == nullptr) {
            auto worker = Worker::create();
            if (!worker) return engine->fail(worker.status());
            engine->jobs = std::move(worker).value().release();
            engine->end_jobs = end_worker;
        }
        tutti::JobConfig config;
        if (name != nullptr) config.name = name;
        config.priority = priority;
        auto handle = std::make_unique<tutti_job>();
        handle->job =
            static_cast<Worker*>(engine->jobs)
                ->submit(std::move(config), std::function<Status(JobContext&)>([work, user](JobContext& context) {
                             return run(work, user, context);
                         }));
        if (!handle->job) return engine->fail(TUTTI_OUT_OF_MEMORY, "there is not enough memory for the job");
        *out = handle.release();
        return TUTTI_OK;
    } catch (const std::exception& fault) {
        return engine->fail(TUTTI_OUT_OF_MEMORY, fault.what());
    }
}

extern "C" bool tutti_job_poll(const tutti_job* job, tutti_result* result, double* progress) noexcept {
    if (job == nullptr) return true;
    try {
        const bool ended = job->job.ended();
        if (result != nullptr) *result = ended ? static_cast<tutti_result>(job->job.status().code()) : TUTTI_OK;
        if (progress != nullptr) *progress = job->job.progress().fraction;
        return ended;
    } catch (...) {
        return false;
    }
}
extern "C" void tutti_job_cancel(tutti_job* job) noexcept {
    if (job != nullptr) job->job.cancel();
}
extern "C" bool tutti_job_wait(tutti_job* job, double seconds) noexcept {
    return job == nullptr || job->job.wait(seconds);
}
extern "C" void tutti_job_release(tutti_job* job) noexcept {
    delete job;
}
extern "C" bool tutti_job_is_cancelled(const tutti_job_context* context) noexcept {
    return context == nullptr || context->context.cancelled();
}
extern "C" void tutti_job_report(tutti_job_context* context, const char* stage, double progress) noexcept {
    try {
        if (context != nullptr) context->context.report(stage != nullptr ? stage : "", progress);
    } catch (...) {
        return; // progress is not worth a job
    }
}
