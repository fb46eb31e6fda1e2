// SPDX-License-Identifier: MIT
// What an audio thread does behind the host's back: heap, locks, system calls, page faults. The program's own malloc and
// pthread_mutex_lock stand before the C library's, and so count those of every plugin that it loads.
#pragma once

namespace tutti::host {

bool sanitized() noexcept; // built with a sanitizer, whose heap and locks are its own
bool can_count() noexcept; // this C library lets them be counted

// Counts for its lifetime, in this thread.
struct Counting {
    Counting() noexcept;
    ~Counting();
};
int heap_calls() noexcept;
int lock_calls() noexcept;

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
