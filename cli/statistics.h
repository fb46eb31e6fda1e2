// SPDX-License-Identifier: MIT
// Percentiles of a distribution, as the benchmarks print them.
#pragma once

#include <algorithm>
#include <cmath>
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

// Between these ranks of the sorted values lies the median of what they were drawn from, 95 times of 100 (the sign test's
// interval, normal approximation).
struct Interval {
    double low = 0.0, high = 0.0;
};
inline Interval median_interval(std::vector<double> values) {
    if (values.empty()) return {};
    std::sort(values.begin(), values.end());
    const double n = static_cast<double>(values.size());
    const auto low = static_cast<std::ptrdiff_t>(std::floor(0.5 * n - 0.98 * std::sqrt(n)));
    const auto first = static_cast<std::size_t>(std::max<std::ptrdiff_t>(low, 0));
    return {values[first], values[values.size() - 1 - first]};
}

} // namespace tutti::cli
