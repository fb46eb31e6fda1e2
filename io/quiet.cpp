// SPDX-License-Identifier: MIT
#include "io/quiet.h"

#include <cstdio>
#include <cstdlib>
#include <initializer_list>

#if !defined(_WIN32)
#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>
#endif

namespace tutti::io {

#if defined(_WIN32)

void silence_sound_libraries() {}
bool sound_libraries_usable() {
    return true;
}
QuietStderr::QuietStderr() = default;
QuietStderr::~QuietStderr() = default;

#else

namespace {

void say_nothing(const char*) {}
void say_nothing_at_length(const char*, int, const char*, int, const char*, ...) {}

} // namespace

void silence_sound_libraries() {
    static const bool once = [] {
        setenv("JACK_NO_START_SERVER", "1", 0);
        setenv("JACK_NO_AUDIO_RESERVATION", "1", 0);
        using JackHandler = void (*)(void (*)(const char*));
        for (const char* name : {"jack_set_error_function", "jack_set_info_function"})
            if (auto set = reinterpret_cast<JackHandler>(dlsym(RTLD_DEFAULT, name))) set(say_nothing);
        using AlsaHandler = int (*)(void (*)(const char*, int, const char*, int, const char*, ...));
        if (auto set = reinterpret_cast<AlsaHandler>(dlsym(RTLD_DEFAULT, "snd_lib_error_set_handler")))
            set(say_nothing_at_length);
        return true;
    }();
    (void)once;
}

bool sound_libraries_usable() {
    // int snd_config_update(), int snd_config_search(snd_config_t*, const char*, snd_config_t**), snd_config_t* snd_config.
    using Update = int (*)();
    using Search = int (*)(void*, const char*, void**);
    const auto update = reinterpret_cast<Update>(dlsym(RTLD_DEFAULT, "snd_config_update"));
    const auto search = reinterpret_cast<Search>(dlsym(RTLD_DEFAULT, "snd_config_search"));
    auto* const top = static_cast<void**>(dlsym(RTLD_DEFAULT, "snd_config"));
    if (!update || !search || !top) return true; // no ALSA here
    void* node = nullptr;
    return update() >= 0 && *top && search(*top, "pcm", &node) >= 0;
}

QuietStderr::QuietStderr() {
    std::fflush(stderr);
    const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere < 0) return;
    m_kept = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    if (m_kept >= 0) dup2(nowhere, STDERR_FILENO);
    close(nowhere);
}

QuietStderr::~QuietStderr() {
    if (m_kept < 0) return;
    std::fflush(stderr);
    dup2(m_kept, STDERR_FILENO);
    close(m_kept);
}

#endif

} // namespace tutti::io
