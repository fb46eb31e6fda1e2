// SPDX-License-Identifier: MIT
// Where the engine's memory comes from: the heap, a caller's functions, or one block that a caller gave.
//
// Control calls that build something name the source with a MemoryScope; what is built inside it (Vector, and classes that
// are FromMemory) remembers the source and gives back to it, from whatever thread it dies on. Rendering asks nobody.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

namespace tutti::engine {

class Memory {
public:
    virtual ~Memory() = default;
    // Never null: throws std::bad_alloc. `alignment` is a power of two, at most 64. [control]
    virtual void* allocate(std::size_t size, std::size_t alignment) = 0;
    virtual void release(void* place, std::size_t size, std::size_t alignment) noexcept = 0;
};

// Operator new and delete. [any]
Memory& heap() noexcept;
// That of the innermost MemoryScope on this thread; the heap outside of one. [any]
Memory& present_memory() noexcept;

class MemoryScope {
public:
    explicit MemoryScope(Memory& memory) noexcept;
    ~MemoryScope();
    MemoryScope(const MemoryScope&) = delete;
    MemoryScope& operator=(const MemoryScope&) = delete;

private:
    Memory* m_outer;
};

// Throws std::bad_alloc: kernels are compiled without exceptions and see this header. [control]
[[noreturn]] void too_large();

// Of containers: the source that was present when the container was made.
template <class T>
class Allocator {
public:
    // NOLINTBEGIN(readability-identifier-naming): the standard's names
    using value_type = T;
    using propagate_on_container_move_assignment = std::true_type;
    using propagate_on_container_swap = std::true_type;
    // NOLINTEND(readability-identifier-naming)

    Allocator() noexcept : m_memory(&present_memory()) {}
    template <class U>
    Allocator(const Allocator<U>& other) noexcept : m_memory(other.m_memory) {} // rebinding is implicit by contract
    Allocator select_on_container_copy_construction() const noexcept { return {}; }

    T* allocate(std::size_t count) {
        constexpr std::size_t k_most = static_cast<std::size_t>(-1) / sizeof(T);
        if (count > k_most) too_large();
        return static_cast<T*>(m_memory->allocate(count * sizeof(T), alignof(T)));
    }
    void deallocate(T* place, std::size_t count) noexcept { m_memory->release(place, count * sizeof(T), alignof(T)); }
    template <class U>
    bool operator==(const Allocator<U>& other) const noexcept {
        return m_memory == other.m_memory;
    }

private:
    template <class U>
    friend class Allocator;
    Memory* m_memory;
};

template <class T>
using Vector = std::vector<T, Allocator<T>>;

// A block that knows where it came from: what new-expressions and other libraries' hooks need. Aligned to 64. [control]
void* take_block(std::size_t size);
// Null where there is none, which block_was_refused() then tells once: for libraries that would go on without it. [control]
void* take_block_or_null(std::size_t size) noexcept;
bool block_was_refused() noexcept;
void give_block(void* block) noexcept; // null is no block

// Base of what is made by new and held by unique_ptr: its memory is the present source's.
struct FromMemory {
    static void* operator new(std::size_t size) { return take_block(size); }
    static void* operator new(std::size_t size, std::align_val_t) { return take_block(size); }
    static void operator delete(void* block) noexcept { give_block(block); }
    static void operator delete(void* block, std::align_val_t) noexcept { give_block(block); }
    // Hidden by the two above otherwise.
    static void* operator new(std::size_t, void* place) noexcept { return place; }
    static void operator delete(void*, void*) noexcept {}
};

// Floats on a cache line's border, not set to anything. [control]
struct GiveBlock {
    void operator()(void* block) const noexcept { give_block(block); }
};
using Floats = std::unique_ptr<float[], GiveBlock>;
inline Floats take_floats(std::size_t count) {
    return Floats(static_cast<float*>(take_block(count * sizeof(float))));
}

template <class T, class... Arguments>
std::shared_ptr<T> make_shared_here(Arguments&&... arguments) {
    return std::allocate_shared<T>(Allocator<T>(), std::forward<Arguments>(arguments)...);
}

} // namespace tutti::engine
