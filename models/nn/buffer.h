// SPDX-License-Identifier: MIT
// Memory on cache lines, for packed weights and scratch. Not initialised. Large pieces ask for large pages: the first touch of
// gigabytes of weights by pages of 4 KB takes longer than to pack them.
#pragma once

#include <cstddef>
#include <new>
#include <utility>

namespace tutti::models {

class Buffer {
public:
    Buffer() = default;
    explicit Buffer(std::size_t bytes) : m_bytes(bytes) {
        if (bytes == 0) return;
        m_data = ::operator new(bytes, alignment_of(bytes));
        if (bytes >= k_large) ask_for_large_pages(m_data, bytes);
    }
    Buffer(Buffer&& other) noexcept
        : m_data(std::exchange(other.m_data, nullptr)), m_bytes(std::exchange(other.m_bytes, 0)) {}
    Buffer& operator=(Buffer&& other) noexcept {
        std::swap(m_data, other.m_data);
        std::swap(m_bytes, other.m_bytes);
        return *this;
    }
    ~Buffer() {
        if (m_data) ::operator delete(m_data, alignment_of(m_bytes));
    }

    std::size_t bytes() const noexcept { return m_bytes; }
    // Grows to at least so many bytes; what it held is lost where it grows.
    void need(std::size_t bytes) {
        if (bytes > m_bytes) *this = Buffer(bytes);
    }
    template <class T>
    T* as(std::size_t offset_bytes = 0) noexcept {
        return reinterpret_cast<T*>(static_cast<std::byte*>(m_data) + offset_bytes);
    }
    template <class T>
    const T* as(std::size_t offset_bytes = 0) const noexcept {
        return reinterpret_cast<const T*>(static_cast<const std::byte*>(m_data) + offset_bytes);
    }

private:
    static constexpr std::size_t k_large_page = std::size_t{1} << 21, k_large = 4 * k_large_page;
    static constexpr std::align_val_t alignment_of(std::size_t bytes) {
        return std::align_val_t(bytes >= k_large ? k_large_page : 64);
    }
    static void ask_for_large_pages(void* place, std::size_t bytes) noexcept;

    void* m_data = nullptr;
    std::size_t m_bytes = 0;
};

} // namespace tutti::models
