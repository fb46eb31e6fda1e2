// SPDX-License-Identifier: MIT
#include "tests/realtime/calls.h"

#include <atomic>
#include <cstddef>

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define TUTTI_COUNTS 1
#else
#define TUTTI_COUNTS 0
#endif

namespace {
thread_local int t_watched = 0; // trivial: no allocation at first touch
std::atomic<int> g_heap{0}, g_locks{0};
#if TUTTI_COUNTS
void heap() noexcept {
    if (t_watched != 0) g_heap.fetch_add(1, std::memory_order_relaxed);
}
void lock() noexcept {
    if (t_watched != 0) g_locks.fetch_add(1, std::memory_order_relaxed);
}
#endif
} // namespace

#if TUTTI_COUNTS
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>

#define TUTTI_SEEN extern "C" [[gnu::visibility("default")]]
// The real one is looked up at its first call; what is watched is used once before.
#define TUTTI_COUNTED(name, parameters, ...)                                                                           \
    TUTTI_SEEN int name parameters noexcept {                                                                          \
        lock();                                                                                                        \
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
TUTTI_SEEN void* memalign(std::size_t alignment, std::size_t size) {
    heap();
    return __libc_memalign(alignment, size);
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
TUTTI_COUNTED(pthread_mutex_lock, (pthread_mutex_t * m), m)
TUTTI_COUNTED(pthread_mutex_trylock, (pthread_mutex_t * m), m)
TUTTI_COUNTED(pthread_spin_lock, (pthread_spinlock_t * s), s)
TUTTI_COUNTED(pthread_rwlock_rdlock, (pthread_rwlock_t * l), l)
TUTTI_COUNTED(pthread_rwlock_wrlock, (pthread_rwlock_t * l), l)
TUTTI_COUNTED(pthread_cond_signal, (pthread_cond_t * c), c)
TUTTI_COUNTED(pthread_cond_broadcast, (pthread_cond_t * c), c)
TUTTI_COUNTED(sem_post, (sem_t * s), s)
#endif

namespace tutti::realtime {

bool calls_count() noexcept {
    return TUTTI_COUNTS != 0;
}
CallWatch::CallWatch() noexcept {
    t_watched = 1;
}
CallWatch::~CallWatch() {
    t_watched = 0;
}
int heap_calls() noexcept {
    return g_heap.load();
}
int lock_calls() noexcept {
    return g_locks.load();
}
void reset_calls() noexcept {
    g_heap = g_locks = 0;
}

} // namespace tutti::realtime
