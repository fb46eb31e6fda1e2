// SPDX-License-Identifier: MIT
// How the threads of a crew share one loop: which numbers are taken, which are done, and who sleeps. Without locks; the sleep
// itself is the crew's.
#pragma once

#include <atomic>
#include <cstdint>

namespace tutti::engine {

// The loop that runs: its serial in bits 32.., the numbers not yet taken in between bits 0..15 (first) and 16..31 (behind the
// last). One word, so that a helper that wakes late either takes a number of the loop that runs now or touches nothing of it.
// The atomic type is a parameter for the model checker, which has found that no order here can be weaker.
template <template <class> class Atomic = std::atomic>
class LoopWord {
public:
    static constexpr int k_most = 32767; // numbers of a loop

    // Begins the loop of numbers 0..count-1; the one before is finished. Before the look at someone_sleeps(): one of the two
    // sees the other. Also publishes what the caller wrote for its helpers. [device]
    void begin(int count) noexcept {
        m_done.store(0, std::memory_order_relaxed); // published with the word
        const std::uint64_t serial = (m_word.load(std::memory_order_relaxed) >> 32) + 1;
        m_word.store(serial << 32 | static_cast<std::uint64_t>(count) << 16, std::memory_order_seq_cst);
    }
    // A number of the loop that runs, or -1: all are taken. [device]
    int take(bool from_back) noexcept {
        std::uint64_t word = m_word.load(std::memory_order_relaxed);
        for (;;) {
            const auto first = static_cast<int>(word & 0xffffu), behind = static_cast<int>(word >> 16 & 0xffffu);
            if (first >= behind) return -1;
            // Acquire: what begin() published. A failure means that another has taken a number: no one waits.
            if (m_word.compare_exchange_weak(word, from_back ? word - 0x10000u : word + 1u, std::memory_order_acquire,
                                             std::memory_order_relaxed))
                return from_back ? behind - 1 : first;
        }
    }
    // The number that was taken is done. Release: publishes what was written for it. [device]
    void finish() noexcept { m_done.fetch_add(1, std::memory_order_release); }
    // Acquire: what the others wrote. [device]
    bool finished(int count) const noexcept { return m_done.load(std::memory_order_acquire) >= count; }

    // Acquire: what stood before begin() or stir(). [device]
    std::uint64_t serial() const noexcept { return m_word.load(std::memory_order_acquire) >> 32; }
    // Changes the serial, with no numbers in it: whoever waits for a loop looks up. Release: what was said before. [control]
    void stir() noexcept { m_word.fetch_add(std::uint64_t{1} << 32, std::memory_order_release); }

    // A helper, holding the crew's lock: first it says that it will sleep, then it looks once more. [device]
    void will_sleep() noexcept { m_sleeping.fetch_add(1, std::memory_order_seq_cst); }
    bool may_sleep(std::uint64_t seen) const noexcept { return m_word.load(std::memory_order_seq_cst) >> 32 == seen; }
    void awake() noexcept { m_sleeping.fetch_sub(1, std::memory_order_relaxed); }
    bool someone_sleeps() const noexcept { return m_sleeping.load(std::memory_order_seq_cst) > 0; }

private:
    Atomic<std::uint64_t> m_word{0};
    alignas(64) Atomic<int> m_done{0}; // numbers of this loop that are finished: all that the caller waits for
    alignas(64) Atomic<int> m_sleeping{0};
};
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<std::uint64_t>::is_always_lock_free);

} // namespace tutti::engine
