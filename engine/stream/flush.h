// SPDX-License-Identifier: MIT
// Flushes denormal numbers to zero while in scope, and puts the caller's floating-point state back.
#pragma once

#include <cstdint>

#if defined(__SSE__) || defined(_M_X64)
#include <xmmintrin.h>
#endif

namespace tutti::engine {

class FlushDenormals {
public:
    FlushDenormals() noexcept {
#if defined(__SSE__) || defined(_M_X64)
        m_state = _mm_getcsr();
        _mm_setcsr((static_cast<unsigned>(m_state) & ~0x6000u) | 0x8040u); // FTZ, DAZ, round to nearest
#elif defined(__aarch64__) && !defined(_MSC_VER)
        __asm__ volatile("mrs %0, fpcr" : "=r"(m_state));
        const std::uint64_t state = m_state | (std::uint64_t{1} << 24);
        __asm__ volatile("msr fpcr, %0" : : "r"(state));
#endif
    }
    ~FlushDenormals() {
#if defined(__SSE__) || defined(_M_X64)
        _mm_setcsr(static_cast<unsigned>(m_state));
#elif defined(__aarch64__) && !defined(_MSC_VER)
        __asm__ volatile("msr fpcr, %0" : : "r"(m_state));
#endif
    }
    FlushDenormals(const FlushDenormals&) = delete;
    FlushDenormals& operator=(const FlushDenormals&) = delete;

private:
    std::uint64_t m_state = 0;
};

} // namespace tutti::engine
