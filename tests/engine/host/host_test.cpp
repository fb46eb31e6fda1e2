// SPDX-License-Identifier: MIT
// A program that is not ours loads the engine: its floating-point state stays what it was.
#include <doctest/doctest.h>

#include <cfenv>
#include <string>
#include <thread>

#include <dlfcn.h>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace {

// Flags that say what has happened so far (the lowest six bits) are no state that changes any result.
struct State {
    unsigned control = 0;
    int rounding = 0;
    bool operator==(const State&) const = default;
    static State now() {
        State state;
#if defined(__SSE2__)
        state.control = _mm_getcsr() & ~0x3fu;
#endif
        state.rounding = std::fegetround();
        return state;
    }
};

// A denormal divided: 0 where denormals are flushed.
bool keeps_denormals() {
    volatile float small = 1e-38f;
    volatile float smaller = small / 64.0f;
    return smaller > 0.0f;
}

template <class Function>
Function find(void* library, const char* name) {
    auto* const found = dlsym(library, name);
    REQUIRE_MESSAGE(found != nullptr, name);
    return reinterpret_cast<Function>(found);
}

// Loads, plays and unloads the library; the host's state is looked at after each step.
void play_in_host(const State& before) {
    void* const library = dlopen(TUTTI_LOADED, RTLD_NOW | RTLD_LOCAL);
    REQUIRE_MESSAGE(library != nullptr, dlerror());
    CHECK(State::now() == before);
    const auto begin = find<bool (*)(int)>(library, "tutti_loaded_begin");
    const auto pull = find<int (*)()>(library, "tutti_loaded_pull");
    const auto end = find<void (*)()>(library, "tutti_loaded_end");
    for (const int mode : {0, 1}) {
        CAPTURE(mode);
        REQUIRE(begin(mode));
        CHECK(State::now() == before);
        int sounding = 0;
        bool same = true;
        for (int block = 0; block < 400; ++block) {
            sounding += pull();
            same = same && State::now() == before;
        }
        CHECK(same);
        CHECK(sounding > 50000);
        end();
        CHECK(State::now() == before);
    }
    dlclose(library);
    CHECK(State::now() == before);
}

} // namespace

TEST_CASE(
    "fault 21: the host's floating-point state: unchanged by loading, by every call and by unloading the library") {
    const State before = State::now();
    CHECK(keeps_denormals());
    play_in_host(before);
    CHECK(keeps_denormals());
    // Another thread that begins while it is loaded inherits nothing of ours.
    bool kept = false;
    std::thread([&] { kept = State::now() == before && keeps_denormals(); }).join();
    CHECK(kept);
}

TEST_CASE("fault 21: a host that rounds downwards: it does so afterwards, too") {
    REQUIRE(std::fesetround(FE_DOWNWARD) == 0);
    play_in_host(State::now());
    CHECK(std::fegetround() == FE_DOWNWARD);
    std::fesetround(FE_TONEAREST);
}

#if defined(TUTTI_LOADED_FAST)
TEST_CASE("red control: a library linked with -ffast-math is seen to change it") {
    const State before = State::now();
    void* const library = dlopen(TUTTI_LOADED_FAST, RTLD_NOW | RTLD_LOCAL);
    REQUIRE_MESSAGE(library != nullptr, dlerror());
    CHECK_FALSE(State::now() == before);
    CHECK_FALSE(keeps_denormals());
#if defined(__SSE2__)
    _mm_setcsr(before.control);
#endif
}
#endif
