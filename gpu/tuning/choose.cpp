// SPDX-License-Identifier: MIT
#include "gpu/tuning/choose.h"

#include <algorithm>
#include <cstddef>
#include <cstdio>

namespace tutti::gpu {

namespace {
constexpr double k_gain = 0.97; // of the default's time: a setting is not worth less
}

Choice choose(const std::vector<Candidate>& candidates, int pairs, double tolerance) {
    Choice choice;
    choice.reason = candidates.empty() ? "" : candidates[0].name + " is the default; nothing else was faster";
    double best = 1.0;
    for (std::size_t i = 1; i < candidates.size(); ++i) {
        std::vector<double> ratios;
        bool failed = false;
        for (int pair = 0; pair < pairs && !failed; ++pair) {
            // By turns, and each goes first as often: a machine that slows down slows both.
            const bool first = pair % 2 == 0;
            const double a = first ? candidates[0].seconds() : candidates[i].seconds();
            const double b = first ? candidates[i].seconds() : candidates[0].seconds();
            failed = !(a > 0.0) || !(b > 0.0);
            if (!failed) ratios.push_back(first ? b / a : a / b);
        }
        if (failed || ratios.empty()) continue;
        std::sort(ratios.begin(), ratios.end());
        const double middle = ratios[ratios.size() / 2], slow = ratios[ratios.size() * 3 / 4];
        if (slow >= k_gain || middle >= best) continue;
        if (candidates[i].difference && !(candidates[i].difference() <= tolerance)) {
            if (choice.taken == 0) choice.reason = candidates[i].name + " is faster, but its sound differs: not taken";
            continue;
        }
        best = middle;
        choice.taken = static_cast<int>(i);
        char text[160];
        std::snprintf(text, sizeof text, "measured: %.2f of the default's time (quarters %.2f to %.2f, %d pairs)",
                      middle, ratios[ratios.size() / 4], slow, pairs);
        choice.reason = text;
    }
    return choice;
}

} // namespace tutti::gpu
