// SPDX-License-Identifier: MIT
// Which instruction set the kernels of models/ run on.
#pragma once

#include <cstdint>

namespace tutti::models {

enum class Isa : std::uint8_t { base, avx2, avx512 }; // base: SSE2, NEON or whatever the compiler's default is

// The best this processor has, or the one TUTTI_ISA names (sse2, neon, scalar, avx2, avx512) if the processor has it. [any]
Isa best_isa() noexcept;
// AVX-512 is chosen and has VNNI and BF16. [any]
bool has_dot_products() noexcept;
const char* isa_name(Isa isa) noexcept;

} // namespace tutti::models
