// SPDX-License-Identifier: MIT
// A function that says it never blocks, and allocates.
#include <cstdio>
#include <vector>

#include <tutti/platform.h>

static float last_of(int count) noexcept TUTTI_NONBLOCKING {
    std::vector<float> block(static_cast<unsigned>(count), 0.5f);
    return block.back();
}

int main(int count, char**) {
    std::printf("%f\n", static_cast<double>(last_of(count)));
}
