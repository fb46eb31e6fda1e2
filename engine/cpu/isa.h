// SPDX-License-Identifier: MIT
// Which instruction set this process uses: the best that the processor has, or the one that TUTTI_ISA names.
#pragma once

#include <tutti/status.h>

namespace tutti::engine {

// `scalar` is one voice at a time, the reference of the arithmetic contract.
enum class Isa { scalar, sse2, avx2, avx512, neon };

// "avx512". [any]
const char* isa_name(Isa isa) noexcept;
// True where this build has it and this processor can run it. [any]
bool isa_supported(Isa isa) noexcept;
// [any]
Isa best_isa() noexcept;
// TUTTI_ISA where it is set, else the best. Errors: unsupported (names what this machine has). [control]
Result<Isa> select_isa();

} // namespace tutti::engine
