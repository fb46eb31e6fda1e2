// SPDX-License-Identifier: MIT
// Reads one frame behind the end of a block.
// fault 77: a bad access: found by the address sanitizer, which finds this one
#include <cstdio>
#include <vector>

int main(int count, char**) {
    const std::vector<float> block(64, 0.5f);
    std::printf("%f\n", static_cast<double>(block.data()[63 + count]));
}
