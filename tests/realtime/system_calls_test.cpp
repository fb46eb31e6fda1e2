// SPDX-License-Identifier: MIT
// No system call of any kind on the audio thread, and no fault of its memory.
#include <doctest/doctest.h>

#include <memory>
#include <thread>

#include <sched.h>

#include "tests/realtime/trap.h"
#include "tests/realtime/work.h"

using namespace tutti;
using namespace tutti::realtime;

#if TUTTI_TRAPS
#include <sys/mman.h>
#include <sys/resource.h>

namespace {

// Runs `body` on a thread that is trapped; false where the kernel does not trap.
template <class Body>
bool trapped(Body body) {
    bool traps = false;
    std::thread([&] {
        traps = Trap::begin();
        if (traps) body();
    }).join();
    return traps;
}

const bool k_ready = [] {
    if (trapped([] {})) return true;
    std::puts("SKIP: this kernel has no seccomp filters");
    std::fflush(stdout);
    std::_Exit(77);
}();

struct Faults {
    long minor, major, waits;
    static Faults now() {
        rusage usage{};
        getrusage(RUSAGE_THREAD, &usage);
        return {usage.ru_minflt, usage.ru_majflt, usage.ru_nvcsw};
    }
    Faults operator-(const Faults& from) const { return {minor - from.minor, major - from.major, waits - from.waits}; }
};

} // namespace

TEST_CASE("fault 3: the callback calls the system: never, in 100,000 callbacks of either mode, each call trapped") {
    REQUIRE(k_ready);
    for (const Mode mode : {Mode::inline_, Mode::ahead}) {
        Work work(mode, 2);
        work.start_control();
        Trap::g_calls = 0;
        trapped([&] {
            for (int i = 0; i < k_callbacks; ++i) {
                {
                    const Trap::Watch watch;
                    work.callback();
                }
                work.pace();
            }
        });
        CHECK_MESSAGE(Trap::g_calls == 0, "the last was system call ", Trap::g_last);
        const std::string idle = work.idle_reason();
        CHECK_MESSAGE(idle.empty(), idle);
    }
}

TEST_CASE("red controls: a yield, a mapping, a write, a sleep and a wake are trapped, and still do what they do") {
    int calls[6] = {};
    std::size_t written = 0;
    trapped([&] {
        const auto count = [](auto&& planted) {
            Trap::g_calls = 0;
            {
                const Trap::Watch watch;
                planted();
            }
            return static_cast<int>(Trap::g_calls);
        };
        calls[0] = count([] { sched_yield(); });
        calls[1] = count([] {
            void* const p = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            munmap(p, 4096);
        });
        calls[2] = count([&] { written = static_cast<std::size_t>(write(1, "", 0)) + 1; });
        calls[3] = count([] { std::this_thread::sleep_for(std::chrono::microseconds(1)); });
        calls[4] = count([] {
            std::atomic<int> word{1};
            word.notify_all();
            word.wait(0);
        });
        calls[5] = count([] {});
    });
    CHECK(calls[0] == 1);
    CHECK(calls[1] == 2);
    CHECK(calls[2] == 1);
    CHECK(written == 1);
    CHECK(calls[3] == 1);
    CHECK(calls[5] == 0);
}

TEST_CASE(
    "fault 4: the callback waits for memory or gives up its core: no page fault, no switch of its own after warm-up") {
    // What was touched stays: a machine short of memory takes pages away, which is not the callback's doing. What was not is not made
    // present by that (the red controls below run locked, too). Where it is not allowed it goes on without.
    (void)mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
    for (const Mode mode : {Mode::inline_, Mode::ahead}) {
        Work work(mode, 3);
        work.start_control();
        Faults sum{0, 0, 0};
        for (int i = 0; i < k_warm_up + k_callbacks; ++i) {
            const Faults before = Faults::now();
            work.callback();
            const Faults in_it = Faults::now() - before;
            if (i >= k_warm_up) sum = {sum.minor + in_it.minor, sum.major + in_it.major, sum.waits + in_it.waits};
            work.pace();
        }
        CAPTURE(static_cast<int>(mode));
        const std::string idle = work.idle_reason();
        CHECK_MESSAGE(idle.empty(), idle);
        CHECK(sum.minor == 0);
        CHECK(sum.major == 0);
        CHECK(sum.waits == 0);
    }
}

TEST_CASE("red controls: the first touch of memory is a fault, a sleep is a switch") {
    constexpr std::size_t k_size = 16 << 20;
    void* const p = mmap(nullptr, k_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(p != MAP_FAILED);
    Faults before = Faults::now();
    static_cast<volatile char*>(p)[k_size / 2] = 1;
    CHECK((Faults::now() - before).minor > 0);
    before = Faults::now();
    static_cast<volatile char*>(p)[k_size / 2] = 2;
    CHECK((Faults::now() - before).minor == 0);
    before = Faults::now();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    CHECK((Faults::now() - before).waits > 0);
    munmap(p, k_size);
}
#else
TEST_CASE("system calls") {
    std::puts("SKIP: system calls are trapped on Linux, x86-64 only");
    std::exit(77);
}
#endif
