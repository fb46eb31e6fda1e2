// SPDX-License-Identifier: MIT
// Percentiles of a distribution, as the benchmarks print them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace tutti::cli {

// Nearest-rank percentile, q in 0..1; sorts `values`. 0 for an empty list.
inline double percentile(std::vector<double>& values, double q) {
    if (values.empty()) return 0.0;
    std::sort(values.begin(), values.end());
    const double rank = q * static_cast<double>(values.size() - 1);
    return values[static_cast<std::size_t>(rank + 0.5)];
}

inline double median(std::vector<double> values) {
    return percentile(values, 0.5);
}

} // namespace tutti::cli
