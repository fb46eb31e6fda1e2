// SPDX-License-Identifier: MIT
// From a chord's notes to keys: which notes, in which octave, after which chord.
#pragma once

#include <vector>

#include <tutti/phrase.h>

namespace tutti::engine {

// Pitch classes above the bass, in rising order from the root. More than `voices` are thinned out as players do: the fifth
// where it is perfect, the root where the bass has it, an eleventh against a major third, then the lower extensions.
std::vector<int> chosen_notes(const Chord& chord, int voices, bool bass);

// Every voicing of these notes within lowest..highest, `voices` keys each, rising. Notes are doubled from the lowest up.
std::vector<std::vector<int>> voicings(const std::vector<int>& notes, Voicing kind, int voices, int lowest,
                                       int highest);

// Semitones that the voices move, each to the one in its place.
double motion(const std::vector<int>& from, const std::vector<int>& to);

// What a voicing costs by itself: a quarter of the distance of its middle from the range's, so that chains do not drift away.
double strain(const std::vector<int>& keys, int lowest, int highest);

} // namespace tutti::engine
