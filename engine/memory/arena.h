// SPDX-License-Identifier: MIT
// A block of the caller's, handed out first fit and taken back; neighbours that are free become one.
#pragma once

#include <cstddef>
#include <mutex>

#include "engine/memory/memory.h"

namespace tutti::engine {

// Control calls only, so a walk along the free list is no harm: an engine holds a few hundred pieces.
class Arena final : public Memory {
public:
    // All of [place, place + size) but what aligning costs. [control]
    Arena(void* place, std::size_t size) noexcept;
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;

    void* allocate(std::size_t size, std::size_t alignment) override;
    void release(void* place, std::size_t size, std::size_t alignment) noexcept override;

    // What a request of `size` takes. [any]
    static constexpr std::size_t rounded(std::size_t size) noexcept {
        return size == 0 ? k_grain : (size + k_grain - 1) / k_grain * k_grain;
    }
    std::size_t used() const noexcept { return m_used; }
    std::size_t most_used() const noexcept { return m_most; }
    std::size_t size() const noexcept { return m_size; }

    static constexpr std::size_t k_grain = 64; // every piece begins on a cache line

private:
    struct Free { // stands in the free piece itself; by address
        std::size_t size;
        Free* next;
    };
    static_assert(sizeof(Free) <= k_grain);

    Free* m_free = nullptr;
    std::size_t m_size = 0;
    std::size_t m_used = 0;
    std::size_t m_most = 0;
    std::mutex m_mutex; // clips and senders may be let go of on other threads
};

} // namespace tutti::engine
