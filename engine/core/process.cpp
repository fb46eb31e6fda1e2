// SPDX-License-Identifier: MIT
#include "engine/core/process.h"

#if defined(__linux__)
#include <cstdlib>

#include <fcntl.h>
#include <unistd.h>
#elif defined(__APPLE__)
#include <mach/mach.h>
#endif

namespace tutti::engine {

std::int64_t resident_bytes() noexcept {
#if defined(__linux__)
    // Pages in all, then resident ones.
    const int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    char text[128];
    const auto size = read(file, text, sizeof text - 1);
    close(file);
    if (size <= 0) return 0;
    text[size] = '\0';
    char* rest = nullptr;
    std::strtoll(text, &rest, 10);
    return std::strtoll(rest, nullptr, 10) * static_cast<std::int64_t>(sysconf(_SC_PAGESIZE));
#elif defined(__APPLE__)
    mach_task_basic_info info{};
    mach_msg_type_number_t count = MACH_TASK_BASIC_INFO_COUNT;
    if (task_info(mach_task_self(), MACH_TASK_BASIC_INFO, reinterpret_cast<task_info_t>(&info), &count) != KERN_SUCCESS)
        return 0;
    return static_cast<std::int64_t>(info.resident_size);
#else
    return 0;
#endif
}

} // namespace tutti::engine
