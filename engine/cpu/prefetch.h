// SPDX-License-Identifier: MIT
// Asks for a cache line that is about to be written: one that another core has read must be taken from it first.
#pragma once

#if defined(_MSC_VER) && (defined(_M_X64) || defined(_M_IX86))
#include <intrin.h>
#define TUTTI_PREFETCH_TO_WRITE(address) _m_prefetchw(address)
#elif defined(__GNUC__) || defined(__clang__)
// On x86 the instruction is made only in files built with -mprfchw; a processor without it takes it for nothing.
#define TUTTI_PREFETCH_TO_WRITE(address) __builtin_prefetch(address, 1)
#else
#define TUTTI_PREFETCH_TO_WRITE(address) (void)(address)
#endif
