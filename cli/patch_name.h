// SPDX-License-Identifier: MIT
// How a command line names a patch: a factory patch, or a file.
#pragma once

#include <string>

#include <tutti/patch.h>

namespace tutti::cli {

// A name that holds a path separator or ends in .json is a file, anything else a factory patch.
inline Result<Patch> find_patch(const std::string& name) {
    const bool file = name.find('/') != std::string::npos || name.find('\\') != std::string::npos ||
                      (name.size() > 5 && name.compare(name.size() - 5, 5, ".json") == 0);
    return file ? Patch::load(name) : Patch::factory(name);
}

} // namespace tutti::cli
