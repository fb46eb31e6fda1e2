// SPDX-License-Identifier: MIT
#include "tests/host/plugcheck/watch.h"

#include <sys/resource.h>

#include "tests/realtime/trap.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TUTTI_SANITIZED 1
#else
#define TUTTI_SANITIZED 0
#endif

namespace tutti::host {

bool sanitized() noexcept {
    return TUTTI_SANITIZED != 0;
}

#if TUTTI_TRAPS
bool begin_trap() {
    return realtime::Trap::begin();
}
Trapping::Trapping() noexcept {
    realtime::Trap::t_watched = 1;
}
Trapping::~Trapping() {
    realtime::Trap::t_watched = 0;
}
int trapped_calls() noexcept {
    return realtime::Trap::g_calls;
}
int last_trapped_call() noexcept {
    return realtime::Trap::g_last;
}
#else
bool begin_trap() {
    return false;
}
Trapping::Trapping() noexcept = default;
Trapping::~Trapping() = default;
int trapped_calls() noexcept {
    return 0;
}
int last_trapped_call() noexcept {
    return -1;
}
#endif

Faults Faults::now() noexcept {
    rusage usage{};
    getrusage(RUSAGE_THREAD, &usage);
    return {usage.ru_minflt + usage.ru_majflt, usage.ru_nvcsw};
}

} // namespace tutti::host
