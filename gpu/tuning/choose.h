// SPDX-License-Identifier: MIT
// Whether a setting is kept: faster than the default beyond what chance does, and with the same sound.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace tutti::gpu {

// One way to do it: what it is called, and a run of it, in seconds; below 0: it failed. `largest` becomes the largest difference of its
// sound from the default's, relative to the peak.
struct Candidate {
    std::string name;
    std::function<double()> seconds;
    std::function<double()> difference;
};
struct Choice {
    int taken = 0; // index into the candidates; 0 is the default
    std::string reason;
};
// Runs the default and each other candidate by turns, `pairs` times. A candidate is taken where even its slowest quarter of ratios
// beats the default by 3 %, and its difference stays within `tolerance`. [control]
Choice choose(const std::vector<Candidate>& candidates, int pairs, double tolerance);

} // namespace tutti::gpu
