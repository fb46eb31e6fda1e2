// SPDX-License-Identifier: MIT
// tutti bench generate.
#pragma once

#include "cli/command.h"

namespace tutti::cli {

Command add_bench_generate(CLI::App& app);

} // namespace tutti::cli
