// SPDX-License-Identifier: MIT
// A gate round a device's callback: once shut, the callback is not inside and does not come back.
#pragma once

#include <atomic>

namespace tutti::io {

// Each side writes its own word first and looks at the other's then (sequentially consistent, so that one of them sees the
// other). The atomic type is a parameter for the model checker.
template <template <class> class Atomic = std::atomic>
class MuteGate {
public:
    // False: it is shut, and nothing of the user's may be touched. [audio]
    bool enter() noexcept {
        m_inside.store(true, std::memory_order_seq_cst);
        if (!m_shut.load(std::memory_order_seq_cst)) return true;
        m_inside.store(false, std::memory_order_relaxed); // nothing was touched
        return false;
    }
    void leave() noexcept { m_inside.store(false, std::memory_order_release); } // all that was touched is done [audio]

    void shut() noexcept { m_shut.store(true, std::memory_order_seq_cst); } // [control]
    // After shut(): true once what the callback touched is free. [control]
    bool empty() const noexcept { return !m_inside.load(std::memory_order_seq_cst); }

private:
    Atomic<bool> m_shut{false};
    Atomic<bool> m_inside{false};
    static_assert(std::atomic<bool>::is_always_lock_free);
};

} // namespace tutti::io
