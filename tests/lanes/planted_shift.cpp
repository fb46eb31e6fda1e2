// SPDX-License-Identifier: MIT
// Shifts a 32-bit phase by more than it has bits.
// fault 77: undefined behaviour: found by its sanitizer, which finds this one
#include <cstdint>
#include <cstdio>

int main(int count, char**) {
    const std::uint32_t phase = 1;
    std::printf("%u\n", static_cast<unsigned>(phase << (39 + count)));
}
