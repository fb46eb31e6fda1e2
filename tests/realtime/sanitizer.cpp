// SPDX-License-Identifier: MIT
// The real-time sanitizer's runtime in a program of the release compiler, a scope round post and pull.
// usage: realtime_sanitizer [NAME OF A PLANTED FAULT]
// fault 5: the callback logs, or calls anything that may block: never, the sanitizer's runtime looks at each library call
#include <cstdio>
#include <cstring>
#include <mutex>

#include "tests/realtime/work.h"

extern "C" {
void __rtsan_ensure_initialized();
void __rtsan_realtime_enter();
void __rtsan_realtime_exit();
}

namespace {
struct RealTime {
    RealTime() noexcept { __rtsan_realtime_enter(); }
    ~RealTime() { __rtsan_realtime_exit(); }
};

void plant(const char* name) {
    static std::mutex mutex;
    if (std::strcmp(name, "allocation") == 0) delete new volatile int(1);
    if (std::strcmp(name, "lock") == 0) const std::lock_guard guard(mutex);
    if (std::strcmp(name, "log") == 0) std::puts("from the callback");
    if (std::strcmp(name, "sleep") == 0) std::this_thread::sleep_for(std::chrono::microseconds(1));
}
} // namespace

int main(int count, char** words) {
    using namespace tutti;
    using namespace tutti::realtime;
    __rtsan_ensure_initialized();
    for (const Mode mode : {Mode::inline_, Mode::ahead}) {
        Work work(mode, 4);
        work.start_control();
        for (int i = 0; i < k_callbacks; ++i) {
            {
                const RealTime scope;
                work.callback();
                if (count > 1 && i == 100) plant(words[1]);
            }
            work.pace();
        }
        if (const std::string idle = work.idle_reason(); !idle.empty()) {
            std::printf("%s\n", idle.c_str());
            return 1;
        }
    }
    std::printf("%d callbacks of each mode, nothing found\n", k_callbacks);
}
