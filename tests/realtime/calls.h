// SPDX-License-Identifier: MIT
// Calls of the heap and of locks by the threads that are watched. calls.cpp, linked into a program, puts its own malloc and
// pthread_mutex_lock before the C library's, and so counts those of everything that the program loads as well.
#pragma once

namespace tutti::realtime {

// This C library lets them be counted, and no sanitizer has a heap and locks of its own.
bool calls_count() noexcept;

// Counts for its lifetime, in this thread.
struct CallWatch {
    CallWatch() noexcept;
    ~CallWatch();
    CallWatch(const CallWatch&) = delete;
    CallWatch& operator=(const CallWatch&) = delete;
};

// Since the program began, or reset_calls(); of all watched threads.
int heap_calls() noexcept;
int lock_calls() noexcept;
void reset_calls() noexcept;

} // namespace tutti::realtime
