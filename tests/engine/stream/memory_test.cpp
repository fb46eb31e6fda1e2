// SPDX-License-Identifier: MIT
// What the audio thread may not do: allocate or free, in pull and post, whatever happens; and the floating-point state it
// leaves behind.
#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#include <tutti/trace.h>

#include "tests/engine/stream/song.h"

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define TUTTI_COUNTS_MALLOC 1
#else
#define TUTTI_COUNTS_MALLOC 0
#endif

namespace {
thread_local bool t_counting = false; // trivial: no allocation at first touch
std::atomic<int> g_calls{0};
void count() noexcept {
    if (t_counting) g_calls.fetch_add(1);
}
// Counts this thread's heap calls while it lives.
struct Watch {
    Watch() {
        g_calls = 0;
        t_counting = true;
    }
    ~Watch() { t_counting = false; }
};
} // namespace

#if TUTTI_COUNTS_MALLOC
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void __libc_free(void*);
void* malloc(std::size_t size) {
    count();
    return __libc_malloc(size);
}
void* calloc(std::size_t number, std::size_t size) {
    count();
    return __libc_calloc(number, size);
}
void* realloc(void* p, std::size_t size) {
    count();
    return __libc_realloc(p, size);
}
void free(void* p) {
    if (p != nullptr) count();
    __libc_free(p);
}
}
#endif

TEST_CASE("fault 16: a queue that allocates: no heap call in pull or post, the queue full, any mode, traced or not") {
    for (const bool traced : {false, true})
        for (const tutti::Mode mode : {tutti::Mode::inline_, tutti::Mode::ahead}) {
            if (traced) REQUIRE(tutti::trace::start().ok());
            tutti::StreamConfig config;
            config.parts = 4;
            config.voices = 24;
            config.mode = mode;
            config.events = 4096;
            fake::Rig rig(config, true);
            fake::prepare_song(*rig.stream, 48000);
            auto clip = rig.stream->play_written(2, 2, 44100.0, 0.1, {}, 500);
            REQUIRE(clip.ok());
            auto sender = rig.stream->make_sender().value();
            const auto events = fake::song(7, 48000, 4, 5000);
            std::vector<float> left(8192), right(8192);
            float* out[] = {left.data(), right.data()};
            std::size_t next = 0;
            std::mt19937 random(3);
            int calls = 0;
            for (int at = 0; at < 48000;) {
                const int frames = 1 + static_cast<int>(random() % 700);
                {
                    const Watch watch;
                    for (; next < events.size() && events[next].frame < at + frames; ++next)
                        sender.post(events[next]);
                    rig.stream->pull(out, frames);
                    clip->write(out, frames / 2);
                    (void)rig.stream->now();
                    (void)rig.stream->stats();
                    (void)rig.engine->stats();
                }
                calls += g_calls;
                if (mode == tutti::Mode::ahead) tutti::engine::render_once(*rig.engine);
                at += frames;
            }
            {
                const Watch watch;
                for (int i = 0; i < 5000; ++i)
                    sender.post(tutti::Event::note_on(1 << 30, 0, 60, 1.0)); // full
            }
            calls += g_calls;
            CHECK(calls == 0);
            if (traced) CHECK(tutti::trace::stop("").value().events > 1000);
            CHECK(rig.stream->stats().dropped_events > 0);
        }
}

TEST_CASE("red control: the count sees an allocation") {
#if TUTTI_COUNTS_MALLOC
    {
        const Watch watch;
        int* volatile p = new int(1); // volatile: else the pair may be left out
        delete p;
    }
    CHECK(g_calls.load() >= 2);
#else
    MESSAGE("SKIP: heap calls are not counted on this platform");
#endif
}

#if defined(__SSE__)
TEST_CASE("fault 20: denormals: flushed in a scope of ours, the caller's floating-point state is as it was") {
    fake::Rig rig;
    const unsigned before = _mm_getcsr();
    for (const unsigned state : {before, before ^ 0x8040u, before | 0x2000u}) {
        _mm_setcsr(state);
        rig.render(1000);
        CHECK((_mm_getcsr() & ~0x3fu) == (state & ~0x3fu)); // sticky exception flags aside
    }
    _mm_setcsr(before);
}
#endif
