// SPDX-License-Identifier: MIT
// What an audio thread does behind the host's back: system calls, page faults. tests/realtime/calls.h counts its heap and locks.
#pragma once

namespace tutti::host {

bool sanitized() noexcept; // built with a sanitizer, whose heap and locks are its own

// From then on this thread's system calls are trapped; false where the kernel does not let it.
bool begin_trap();
struct Trapping {
    Trapping() noexcept;
    ~Trapping();
};
int trapped_calls() noexcept;
int last_trapped_call() noexcept;

struct Faults {
    long pages = 0;
    long waits = 0; // gave up its core by its own doing
    static Faults now() noexcept;
};

} // namespace tutti::host
