// SPDX-License-Identifier: MIT
// Flushes denormal numbers to zero while in scope, and puts the caller's floating-point state back.
#pragma once

#include <cstdint>

#if defined(__SSE__) || defined(_M_X64)
#include <xmmintrin.h>
#elif defined(__aarch64__) && !defined(_MSC_VER)
#define TUTTI_READ_FPCR(to) __asm__ volatile("mrs %0, fpcr" : "=r"(to))
#define TUTTI_WRITE_FPCR(from) __asm__ volatile("msr fpcr, %0" : : "r"(from))
#endif

namespace tutti::engine {

class FlushScope {
public:
    FlushScope() noexcept {
#if defined(__SSE__) || defined(_M_X64)
        m_state = _mm_getcsr();
        _mm_setcsr((static_cast<unsigned>(m_state) & ~0x6000u) | 0x9fc0u); // FTZ, DAZ, nearest, no traps
#elif defined(TUTTI_READ_FPCR)
        TUTTI_READ_FPCR(m_state);
        TUTTI_WRITE_FPCR(m_state | std::uint64_t{1} << 24);
#endif
    }
    ~FlushScope() {
#if defined(__SSE__) || defined(_M_X64)
        _mm_setcsr(static_cast<unsigned>(m_state));
#elif defined(TUTTI_READ_FPCR)
        TUTTI_WRITE_FPCR(m_state);
#endif
    }
    FlushScope(const FlushScope&) = delete;
    FlushScope& operator=(const FlushScope&) = delete;

private:
    std::uint64_t m_state = 0;
};

} // namespace tutti::engine
