// SPDX-License-Identifier: MIT
// What the stand-in profilers were told.
#pragma once

struct OutsideCounts {
    int pushed = 0, popped = 0, deepest = 0, depth = 0, marks = 0, plots = 0;
    const char* last = "";
    void push(const char* name) {
        ++pushed;
        last = name;
        if (++depth > deepest) deepest = depth;
    }
    void pop() {
        ++popped;
        --depth;
    }
};
inline OutsideCounts g_outside;
