// SPDX-License-Identifier: MIT
// Where a pointer's memory is, said only where it is not the thread's own: Metal asks for it at every pointer, and
// gpu/metal/source.cpp writes `thread` at all others. Nothing, for every other compiler.
#pragma once

#ifdef __METAL_VERSION__
#define TUTTI_DEVICE device
#define TUTTI_SHARED device // 66 KB a group of threads; Metal's own memory of a group has 32
#define TUTTI_TABLE constant
#else
#define TUTTI_DEVICE
#define TUTTI_SHARED
#define TUTTI_TABLE
#endif
