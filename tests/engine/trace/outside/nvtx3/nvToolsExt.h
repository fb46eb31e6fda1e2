// SPDX-License-Identifier: MIT
// A stand-in with NVTX's names and signatures that counts its calls.
#pragma once

#include "tests/engine/trace/outside/counts.h"

extern "C" inline int nvtxRangePushA(const char* message) {
    g_outside.push(message);
    return g_outside.depth - 1;
}
extern "C" inline int nvtxRangePop() {
    g_outside.pop();
    return g_outside.depth;
}
extern "C" inline void nvtxMarkA(const char* message) {
    g_outside.last = message;
    ++g_outside.marks;
}
