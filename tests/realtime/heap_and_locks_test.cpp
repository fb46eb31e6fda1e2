// SPDX-License-Identifier: MIT
// Every call of the heap and of a lock is counted while the audio thread posts and pulls.
#include <doctest/doctest.h>

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <string>

#include "tests/realtime/calls.h"
#include "tests/realtime/work.h"

using namespace tutti;
using namespace tutti::realtime;

namespace {

struct Found {
    int heap = 0, locks = 0;
};

// One run serves both counts.
const Found& found(Mode mode) {
    static Found results[2];
    static bool known[2] = {};
    const auto index = static_cast<std::size_t>(mode == Mode::ahead);
    if (known[index]) return results[index];
    reset_calls();
    Work work(mode, 1);
    work.start_control();
    for (int i = 0; i < k_callbacks; ++i) {
        {
            const CallWatch watch;
            work.callback();
        }
        work.pace();
    }
    const std::string idle = work.idle_reason();
    CHECK_MESSAGE(idle.empty(), idle);
    known[index] = true;
    return results[index] = {heap_calls(), lock_calls()};
}

// Without the C library that calls.cpp knows there is nothing to see. Locks once unwatched, so that the real functions are known.
const bool k_known = [] {
    if (!calls_count()) {
        std::puts("SKIP: calls are counted with glibc only");
        std::exit(77);
    }
    std::mutex mutex;
    std::condition_variable wake;
    { const std::lock_guard guard(mutex); }
    (void)mutex.try_lock();
    mutex.unlock();
    wake.notify_one();
    wake.notify_all();
    return true;
}();

} // namespace

TEST_CASE("fault 1: the callback allocates or frees: never, in 100,000 callbacks of either mode") {
    REQUIRE(k_known);
    for (const Mode mode : {Mode::inline_, Mode::ahead})
        CHECK(found(mode).heap == 0);
}

TEST_CASE("fault 2: the callback takes a lock or signals: never, in 100,000 callbacks of either mode") {
    for (const Mode mode : {Mode::inline_, Mode::ahead})
        CHECK(found(mode).locks == 0);
}

TEST_CASE("red controls: each kind of call is seen") {
    std::mutex mutex;
    std::condition_variable wake;
    auto shared = std::make_shared<int>(1);
    std::array<double, 8> large{};
    std::function<double()> holds = [large] { return large[0]; };
    const auto seen = [](int (*counter)() noexcept, auto&& planted) {
        reset_calls();
        {
            const CallWatch watch;
            planted();
        }
        return counter() > 0;
    };
    CHECK(seen(heap_calls, [] { std::vector<float> block(64, 0.5f); }));
    CHECK(seen(heap_calls, [&] { shared.reset(); })); // its last release
    CHECK(seen(heap_calls, [&] { std::function<double()> copy = holds; }));
    CHECK(seen(heap_calls, [] { const std::string long_one(100, 'x'); }));
    CHECK(seen(heap_calls, [] { ::operator delete(::operator new(64, std::align_val_t(64)), std::align_val_t(64)); }));
    CHECK(seen(lock_calls, [&] { const std::lock_guard guard(mutex); }));
    CHECK(seen(lock_calls, [&] { wake.notify_one(); }));
    CHECK_FALSE(seen(heap_calls, [] {}));
}
