// SPDX-License-Identifier: MIT
#include "engine/phrase/voicing.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

namespace tutti {
namespace engine {

std::vector<int> chosen_notes(const Chord& chord, int voices, bool bass) {
    std::vector<int> tones = chord.intervals;
    const auto has = [&](int tone) { return std::find(tones.begin(), tones.end(), tone) != tones.end(); };
    const auto drop = [&](int tone) {
        if (tones.size() > 1) tones.erase(std::remove(tones.begin(), tones.end(), tone), tones.end());
    };
    // The eleventh lies a semitone above a major third: in an eleventh chord the third goes, in a thirteenth the eleventh.
    if (has(4) && has(17) && has(10)) drop(has(21) ? 17 : 4);
    const bool bass_is_root = bass && chord.bass == chord.root;
    for (const auto& [tone, may] : {std::pair{7, true},
                                    {0, bass_is_root},
                                    {14, has(17) || has(18) || has(20) || has(21)},
                                    {17, has(21)},
                                    {15, has(13)},
                                    {18, true},
                                    {0, true}})
        if (may && static_cast<int>(tones.size()) > voices) drop(tone);
    while (static_cast<int>(tones.size()) > voices)
        tones.pop_back();
    std::vector<int> notes;
    for (int tone : tones)
        notes.push_back((chord.root + tone) % 12);
    if (!bass && chord.bass != chord.root) notes.push_back(chord.bass);
    return notes;
}

std::vector<std::vector<int>> voicings(const std::vector<int>& notes, Voicing kind, int voices, int lowest,
                                       int highest) {
    const std::set<int> classes(notes.begin(), notes.end());
    const std::vector<int> circle(classes.begin(), classes.end());
    std::vector<std::vector<int>> found;
    if (circle.empty()) return found;
    for (int octave = 0; octave < 11; ++octave) {
        for (std::size_t inversion = 0; inversion < circle.size(); ++inversion) {
            std::vector<int> keys;
            int turn = octave;
            for (std::size_t i = 0; static_cast<int>(i) < voices; ++i) {
                const std::size_t place = (inversion + i) % circle.size();
                if (i > 0 && place == 0) ++turn;
                keys.push_back(circle[place] + 12 * turn);
            }
            // From the close position: the second voice from the top an octave down, in open position the fourth as well.
            const std::size_t count = keys.size();
            if (kind != Voicing::close && count >= 3) {
                keys[count - 2] -= 12;
                if (kind == Voicing::open)
                    for (std::size_t i = 4; i <= count; i += 2)
                        keys[count - i] -= 12;
                std::sort(keys.begin(), keys.end());
            }
            if (keys.front() >= lowest && keys.back() <= highest &&
                std::adjacent_find(keys.begin(), keys.end()) == keys.end())
                found.push_back(std::move(keys));
        }
    }
    return found;
}

double motion(const std::vector<int>& from, const std::vector<int>& to) {
    double sum = 0.0;
    for (std::size_t i = 0; i < from.size() && i < to.size(); ++i)
        sum += std::abs(from[i] - to[i]);
    return sum;
}

double strain(const std::vector<int>& keys, int lowest, int highest) {
    const double middle = std::accumulate(keys.begin(), keys.end(), 0.0) / static_cast<double>(keys.size());
    return 0.25 * std::fabs(middle - 0.5 * (lowest + highest));
}

namespace {

// The narrowest kind that fits: a wide voicing of many notes may leave the range.
std::vector<std::vector<int>> fitting(const std::vector<int>& notes, const PhraseStyle& style, int lowest,
                                      int highest) {
    for (int voices = std::clamp(style.voices, 2, 8); voices >= 1; --voices)
        for (const Voicing kind : {style.voicing, Voicing::close})
            if (std::vector<std::vector<int>> all = voicings(notes, kind, voices, lowest, highest); !all.empty())
                return all;
    return {};
}

} // namespace
} // namespace engine

std::vector<Phrase::Notes> Phrase::voiced(const PhraseStyle& style) const {
    const int lowest = std::clamp(style.lowest, 0, 103);
    const int highest = std::clamp(style.highest, lowest + 24, 127);
    const int voices = std::clamp(style.voices, 2, 8);
    std::vector<Notes> result(m_steps.size());

    // The cheapest chain through all voicings of all chords (Viterbi): motion between neighbours plus each one's strain.
    struct Place {
        std::vector<int> keys;
        double cost;
        std::size_t from;
    };
    std::vector<std::vector<Place>> columns;
    std::vector<std::size_t> steps; // of each column: rests are no columns
    int bass_before = -1;
    for (std::size_t i = 0; i < m_steps.size(); ++i) {
        const Chord& chord = m_steps[i].chord;
        if (chord.intervals.empty()) continue;
        if (style.bass && lowest >= 12) {
            // The octave below the chord, and from then on the nearest within two.
            int key = lowest - 1 - (lowest - 1 - chord.bass + 120) % 12;
            if (bass_before >= 0 && key - 12 >= std::max(0, lowest - 24) &&
                std::abs(key - 12 - bass_before) < std::abs(key - bass_before))
                key -= 12;
            result[i].bass = bass_before = key;
        }
        std::vector<Place> column;
        for (std::vector<int>& keys :
             engine::fitting(engine::chosen_notes(chord, voices, result[i].bass >= 0), style, lowest, highest)) {
            Place place{std::move(keys), 0.0, 0};
            place.cost = engine::strain(place.keys, lowest, highest);
            if (!columns.empty()) {
                double best = std::numeric_limits<double>::infinity();
                for (std::size_t j = 0; j < columns.back().size(); ++j) {
                    const double cost = columns.back()[j].cost + engine::motion(columns.back()[j].keys, place.keys);
                    if (cost < best) {
                        best = cost;
                        place.from = j;
                    }
                }
                place.cost += best;
            }
            column.push_back(std::move(place));
        }
        columns.push_back(std::move(column));
        steps.push_back(i);
    }
    std::size_t at = 0;
    for (std::size_t c = columns.size(); c-- > 0;) {
        const std::vector<Place>& column = columns[c];
        if (c + 1 == columns.size())
            at = static_cast<std::size_t>(
                std::min_element(column.begin(), column.end(),
                                 [](const Place& a, const Place& b) { return a.cost < b.cost; }) -
                column.begin());
        result[steps[c]].keys = column[at].keys;
        at = column[at].from;
    }
    return result;
}

} // namespace tutti
