// SPDX-License-Identifier: MIT
// Memory on cache lines, for packed weights and scratch. Not initialised.
#pragma once

#include <cstddef>
#include <new>
#include <utility>

namespace tutti::models {

class Buffer {
public:
    Buffer() = default;
    explicit Buffer(std::size_t bytes) : m_bytes(bytes) {
        if (bytes > 0) m_data = ::operator new(bytes, std::align_val_t(64));
    }
    Buffer(Buffer&& other) noexcept
        : m_data(std::exchange(other.m_data, nullptr)), m_bytes(std::exchange(other.m_bytes, 0)) {}
    Buffer& operator=(Buffer&& other) noexcept {
        std::swap(m_data, other.m_data);
        std::swap(m_bytes, other.m_bytes);
        return *this;
    }
    ~Buffer() {
        if (m_data) ::operator delete(m_data, std::align_val_t(64));
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
    void* m_data = nullptr;
    std::size_t m_bytes = 0;
};

} // namespace tutti::models
