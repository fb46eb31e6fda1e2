// SPDX-License-Identifier: MIT
// What a user calls a device or port: its number, its name, or a part of the name.
#pragma once

#include <string>
#include <vector>

#include <tutti/status.h>

namespace tutti::io {

struct NamedItem {
    int number = 0;
    std::string name;
};

// The number of the one item that is meant: by number, whole name, or a part of the name in any case. Errors: not_found,
// invalid_argument where several have that part; both name what there is. `kind`: "audio output device". [control]
Result<int> match_name(const std::string& wanted, const std::vector<NamedItem>& items, const std::string& kind);

} // namespace tutti::io
