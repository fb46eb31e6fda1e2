// SPDX-License-Identifier: MIT
// What the worker asks of the operating system: free memory, and a lower place among the threads.
#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

#include "engine/worker/record.h"

#if defined(_WIN32)
#define NOMINMAX
#include <windows.h>
#elif defined(__APPLE__)
#include <pthread/qos.h>
#include <sys/sysctl.h>
#elif defined(__linux__)
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace tutti::engine {

#if defined(__linux__)
namespace {
// The number in a file that holds one, or -1 ("max" among others).
std::int64_t number_in(const char* path) {
    std::ifstream in(path);
    std::int64_t value = -1;
    return in >> value ? value : -1;
}
} // namespace
#endif

std::int64_t free_memory_bytes() noexcept {
    constexpr std::int64_t k_unknown = std::int64_t{4} << 30;
    try {
#if defined(_WIN32)
        MEMORYSTATUSEX status{};
        status.dwLength = sizeof status;
        return GlobalMemoryStatusEx(&status) ? static_cast<std::int64_t>(status.ullAvailPhys) : k_unknown;
#elif defined(__APPLE__)
        std::int64_t bytes = 0;
        std::size_t size = sizeof bytes;
        return sysctlbyname("hw.memsize", &bytes, &size, nullptr, 0) == 0 ? bytes / 2 : k_unknown;
#elif defined(__linux__)
        std::int64_t free = k_unknown;
        std::ifstream in("/proc/meminfo");
        for (std::string key, unit; in >> key;) {
            std::int64_t kib = 0;
            if (!(in >> kib)) break;
            std::getline(in, unit);
            if (key == "MemAvailable:") {
                free = kib * 1024;
                break;
            }
        }
        const std::int64_t most = number_in("/sys/fs/cgroup/memory.max");
        if (most > 0)
            free = std::min(free, std::max<std::int64_t>(0, most - number_in("/sys/fs/cgroup/memory.current")));
        return free;
#endif
    } catch (...) {
    }
    return k_unknown;
}

void lower_priority() noexcept {
#if defined(_WIN32)
    SetThreadPriority(GetCurrentThread(), THREAD_PRIORITY_BELOW_NORMAL);
#elif defined(__APPLE__)
    pthread_set_qos_class_self_np(QOS_CLASS_UTILITY, 0);
#elif defined(__linux__)
    // On Linux a nice value is a thread's own; threads that this one starts inherit it. Refusal leaves it as it was.
    const auto self = static_cast<id_t>(syscall(SYS_gettid));
    const int now = getpriority(PRIO_PROCESS, self);
    setpriority(PRIO_PROCESS, self, std::min(19, now + 10));
#endif
}

} // namespace tutti::engine
