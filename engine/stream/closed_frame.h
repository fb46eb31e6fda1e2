// SPDX-License-Identifier: MIT
// Up to which frame a stream's input is closed: written by the puller, read by the renderer and by whoever posts.
#pragma once

#include <atomic>
#include <cstdint>

#include <tutti/platform.h>

namespace tutti::engine {

// The atomic type is a parameter for the model checker.
template <template <class> class Atomic = std::atomic>
class ClosedFrame {
public:
    // Release: whoever sees the frame closed sees every event posted before by this thread. [audio]
    void close(std::int64_t frame) noexcept TUTTI_NONBLOCKING { m_frame.store(frame, std::memory_order_release); }
    // Acquire: pairs with close(). [any]
    std::int64_t get() const noexcept TUTTI_NONBLOCKING { return m_frame.load(std::memory_order_acquire); }
    // For an event that has no frame of its own. Relaxed: who takes the event from the queue sees this frame closed, since no
    // thread sees an older value than one that it has been told of. [audio]
    std::int64_t stamp() const noexcept TUTTI_NONBLOCKING { return m_frame.load(std::memory_order_relaxed); }

private:
    static_assert(std::atomic<std::int64_t>::is_always_lock_free);
    alignas(64) Atomic<std::int64_t> m_frame{0};
};

} // namespace tutti::engine
