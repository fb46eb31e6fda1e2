// SPDX-License-Identifier: MIT
// How a renderer gives an object back to the control side that made it.
#pragma once

#include <atomic>

#include <tutti/platform.h>

namespace tutti::engine {

// Set once, when the renderer has let go for good. The atomic type is a parameter for the model checker.
template <template <class> class Atomic = std::atomic>
class RetiredFlag {
public:
    // Release: all that the renderer did with the object comes first. [render]
    void set() noexcept TUTTI_NONBLOCKING { m_set.store(true, std::memory_order_release); }
    // Acquire: pairs with set(); true: it may be freed. [control]
    bool is_set() const noexcept { return m_set.load(std::memory_order_acquire); }

private:
    static_assert(std::atomic<bool>::is_always_lock_free);
    Atomic<bool> m_set{false};
};
using Retired = RetiredFlag<>;

} // namespace tutti::engine
