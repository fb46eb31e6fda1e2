// SPDX-License-Identifier: MIT
// A matrix over time as a picture: time to the right, columns upwards, values to colours.
#pragma once

#include <filesystem>
#include <span>

#include <tutti/status.h>

namespace tutti::io {

// rows [time][columns]; the least value is black, the largest pale yellow. Long ones are averaged down to 4000 pixels.
// Errors: invalid_argument (empty), file_unwritable. [control]
Status plot_matrix(const std::filesystem::path& png, std::span<const float> rows, int columns);

} // namespace tutti::io
