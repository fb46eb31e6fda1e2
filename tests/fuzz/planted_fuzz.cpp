// SPDX-License-Identifier: MIT
// The red control: a reader that believes the length it is told. The seeds are sound; mutation must find the fault.
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 3 || data[0] != 'L') return 0;
    const std::size_t length = data[1];
    require(length + 2 <= size || size < 5, "planted: the length lies inside the input");
    return 0;
}

std::vector<Bytes> seeds() {
    return {{'L', 3, 1, 2, 3}};
}
