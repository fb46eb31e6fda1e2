// SPDX-License-Identifier: MIT
// Every call of the heap and of a lock is counted while the audio thread posts and pulls.
#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <string>

#include "tests/realtime/work.h"

using namespace tutti;
using namespace tutti::realtime;

namespace {
thread_local int t_watched = 0; // trivial: no allocation at first touch
std::atomic<int> g_heap{0}, g_locks{0};
void heap() noexcept {
    if (t_watched != 0) g_heap.fetch_add(1, std::memory_order_relaxed);
}
void lock() noexcept {
    if (t_watched != 0) g_locks.fetch_add(1, std::memory_order_relaxed);
}
struct Watch {
    Watch() noexcept { t_watched = 1; }
    ~Watch() { t_watched = 0; }
};
} // namespace

#if defined(__GLIBC__)
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>

#define TUTTI_SEEN extern "C" [[gnu::visibility("default")]]
// The real one is looked up at its first call; what is watched is used once before.
#define TUTTI_COUNTED(name, counter, parameters, ...)                                                                  \
    TUTTI_SEEN int name parameters noexcept {                                                                          \
        counter();                                                                                                     \
        static const auto real = reinterpret_cast<int(*) parameters>(dlsym(RTLD_NEXT, #name));                         \
        return real(__VA_ARGS__);                                                                                      \
    }

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void __libc_free(void*);
}
TUTTI_SEEN void* malloc(std::size_t size) {
    heap();
    return __libc_malloc(size);
}
TUTTI_SEEN void* calloc(std::size_t number, std::size_t size) {
    heap();
    return __libc_calloc(number, size);
}
TUTTI_SEEN void* realloc(void* p, std::size_t size) {
    heap();
    return __libc_realloc(p, size);
}
TUTTI_SEEN void* aligned_alloc(std::size_t alignment, std::size_t size) {
    heap();
    return __libc_memalign(alignment, size);
}
TUTTI_SEEN int posix_memalign(void** out, std::size_t alignment, std::size_t size) {
    heap();
    *out = __libc_memalign(alignment, size);
    return *out == nullptr ? 12 : 0;
}
TUTTI_SEEN void free(void* p) {
    if (p != nullptr) heap();
    __libc_free(p);
}
TUTTI_COUNTED(pthread_mutex_lock, lock, (pthread_mutex_t * m), m)
TUTTI_COUNTED(pthread_mutex_trylock, lock, (pthread_mutex_t * m), m)
TUTTI_COUNTED(pthread_spin_lock, lock, (pthread_spinlock_t * s), s)
TUTTI_COUNTED(pthread_rwlock_rdlock, lock, (pthread_rwlock_t * l), l)
TUTTI_COUNTED(pthread_rwlock_wrlock, lock, (pthread_rwlock_t * l), l)
TUTTI_COUNTED(pthread_cond_signal, lock, (pthread_cond_t * c), c)
TUTTI_COUNTED(pthread_cond_broadcast, lock, (pthread_cond_t * c), c)
TUTTI_COUNTED(sem_post, lock, (sem_t * s), s)

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
    g_heap = g_locks = 0;
    Work work(mode, 1);
    work.start_control();
    for (int i = 0; i < k_callbacks; ++i) {
        {
            const Watch watch;
            work.callback();
        }
        work.pace();
    }
    const std::string idle = work.idle_reason();
    CHECK_MESSAGE(idle.empty(), idle);
    known[index] = true;
    return results[index] = {g_heap, g_locks};
}

// Locks once unwatched, so that the real functions are known.
const bool k_known = [] {
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
    const auto seen = [](std::atomic<int>& counter, auto&& planted) {
        counter = 0;
        {
            const Watch watch;
            planted();
        }
        return counter.load() > 0;
    };
    CHECK(seen(g_heap, [] { std::vector<float> block(64, 0.5f); }));
    CHECK(seen(g_heap, [&] { shared.reset(); })); // its last release
    CHECK(seen(g_heap, [&] { std::function<double()> copy = holds; }));
    CHECK(seen(g_heap, [] { const std::string long_one(100, 'x'); }));
    CHECK(seen(g_heap, [] { ::operator delete(::operator new(64, std::align_val_t(64)), std::align_val_t(64)); }));
    CHECK(seen(g_locks, [&] { const std::lock_guard guard(mutex); }));
    CHECK(seen(g_locks, [&] { wake.notify_one(); }));
    CHECK_FALSE(seen(g_heap, [] {}));
}
#else
TEST_CASE("heap and locks") {
    std::puts("SKIP: calls are counted with glibc only");
    std::exit(77);
}
#endif
