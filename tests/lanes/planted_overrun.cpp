// SPDX-License-Identifier: MIT
// Reads one frame behind the end of a block.
#include <cstdio>
#include <vector>

int main(int count, char**) {
    const std::vector<float> block(64, 0.5f);
    std::printf("%f\n", static_cast<double>(block.data()[63 + count]));
}
