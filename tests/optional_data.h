// SPDX-License-Identifier: MIT
// Data that may stand beside the checkout but is no part of it: a test that needs it is skipped where it is absent.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace tutti::test {

#ifndef TUTTI_SOURCE_DIR
#define TUTTI_SOURCE_DIR "." // tutti_test() sets it
#endif

// The folder; where it is absent, says so and ends the whole test as skipped (77). Call it from a static initializer.
inline std::filesystem::path optional_data(const char* name) {
    auto folder = std::filesystem::path(TUTTI_SOURCE_DIR) / ".." / "shared" / name;
    if (std::filesystem::is_directory(folder)) return folder;
    std::printf("SKIP: no %s beside this checkout\n", name);
    std::fflush(stdout);
    std::exit(77);
}

} // namespace tutti::test
