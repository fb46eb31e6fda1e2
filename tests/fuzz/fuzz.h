// SPDX-License-Identifier: MIT
// What a fuzz target is made of: an entry point in libFuzzer's form and the seeds it starts from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

using Bytes = std::vector<std::uint8_t>;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

// Small inputs of every kind that the target understands.
std::vector<Bytes> seeds();

// A property that must hold for every input.
inline void require(bool holds, const char* property) {
    if (holds) return;
    std::fprintf(stderr, "fuzz: does not hold: %s\n", property);
    std::abort();
}
