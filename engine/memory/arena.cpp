// SPDX-License-Identifier: MIT
#include "engine/memory/arena.h"

#include <algorithm>
#include <cstdint>

namespace tutti::engine {

Arena::Arena(void* place, std::size_t size) noexcept {
    const auto begin = reinterpret_cast<std::uintptr_t>(place);
    const std::uintptr_t first = (begin + k_grain - 1) / k_grain * k_grain;
    if (size < first - begin + k_grain) return;
    m_size = (size - (first - begin)) / k_grain * k_grain;
    m_free = new (reinterpret_cast<void*>(first)) Free{m_size, nullptr};
}

void* Arena::allocate(std::size_t size, std::size_t alignment) {
    if (alignment > k_grain || size > m_size) throw std::bad_alloc();
    const std::size_t wanted = rounded(size);
    const std::lock_guard lock(m_mutex);
    for (Free** link = &m_free; *link != nullptr; link = &(*link)->next) {
        Free* const piece = *link;
        if (piece->size < wanted) continue;
        if (piece->size == wanted)
            *link = piece->next;
        else
            *link = new (reinterpret_cast<char*>(piece) + wanted) Free{piece->size - wanted, piece->next};
        m_used += wanted;
        m_most = std::max(m_most, m_used);
        return piece;
    }
    throw std::bad_alloc();
}

void Arena::release(void* place, std::size_t size, std::size_t) noexcept {
    if (place == nullptr) return;
    const std::size_t given = rounded(size);
    const std::lock_guard lock(m_mutex);
    m_used -= given;
    Free* before = nullptr;
    Free* after = m_free;
    while (after != nullptr && reinterpret_cast<std::uintptr_t>(after) < reinterpret_cast<std::uintptr_t>(place)) {
        before = after;
        after = after->next;
    }
    auto* piece = new (place) Free{given, after};
    if (after != nullptr && reinterpret_cast<char*>(piece) + piece->size == reinterpret_cast<char*>(after)) {
        piece->size += after->size;
        piece->next = after->next;
    }
    if (before == nullptr) {
        m_free = piece;
    } else if (reinterpret_cast<char*>(before) + before->size == reinterpret_cast<char*>(piece)) {
        before->size += piece->size;
        before->next = piece->next;
    } else {
        before->next = piece;
    }
}

} // namespace tutti::engine
