// SPDX-License-Identifier: MIT
#include "engine/memory/memory.h"

namespace tutti::engine {

namespace {

constexpr std::size_t k_alignment = 64;

class Heap final : public Memory {
public:
    void* allocate(std::size_t size, std::size_t alignment) override {
        return ::operator new (size, std::align_val_t{alignment});
    }
    void release(void* place, std::size_t, std::size_t alignment) noexcept override {
        ::operator delete (place, std::align_val_t{alignment});
    }
};

// Stands before each block, a cache line wide so that the block is aligned, too.
struct alignas(k_alignment) Header {
    Memory* memory;
    std::size_t size; // the header's included
};

thread_local Memory* t_present = nullptr;
thread_local bool t_refused = false;

} // namespace

Memory& heap() noexcept {
    static Heap all;
    return all;
}

Memory& present_memory() noexcept {
    return t_present != nullptr ? *t_present : heap();
}

MemoryScope::MemoryScope(Memory& memory) noexcept : m_outer(t_present) {
    t_present = &memory;
}
MemoryScope::~MemoryScope() {
    t_present = m_outer;
}

void too_large() {
    throw std::bad_alloc();
}

void* take_block(std::size_t size) {
    Memory& memory = present_memory();
    if (size > static_cast<std::size_t>(-1) - sizeof(Header)) throw std::bad_alloc();
    const std::size_t whole = size + sizeof(Header);
    auto* const header = static_cast<Header*>(memory.allocate(whole, k_alignment));
    header->memory = &memory;
    header->size = whole;
    return header + 1;
}

void* take_block_or_null(std::size_t size) noexcept {
    try {
        return take_block(size);
    } catch (const std::bad_alloc&) {
        t_refused = true;
        return nullptr;
    }
}

bool block_was_refused() noexcept {
    return std::exchange(t_refused, false);
}

void give_block(void* block) noexcept {
    if (block == nullptr) return;
    Header* const header = static_cast<Header*>(block) - 1;
    header->memory->release(header, header->size, k_alignment);
}

} // namespace tutti::engine
