// SPDX-License-Identifier: MIT
// A phrase: chords by name, voiced, strummed and humanised, as events for one part.
//
//     const auto phrase = tutti::Phrase::parse("Am9 | Fmaj7 | C/G | G6sus4").value();
//     for (const tutti::Event& event : phrase.events({.tempo = 60.0})) sender.post(event);
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <tutti/event.h>
#include <tutti/status.h>

namespace tutti {

// One chord, read from its name: triads, sevenths, extensions, alterations, added, suspended and left-out notes, a bass after
// a slash; # b and the Unicode signs. "C", "F#m7b5", "Bbmaj9", "G7sus4(b9)", "Eb6/9", "C7alt", "D/F#", "Am(maj7)", "B°7".
struct TUTTI_API Chord {
    std::string name;
    int root = 0;               // pitch class, 0 is C
    int bass = 0;               // pitch class of the lowest note: the root, or what stands after the slash
    std::vector<int> intervals; // semitones above the root, rising: 0 3 7 10 14

    // Errors: malformed ("what is 'Hm7'?", with the column). [control]
    static Result<Chord> parse(std::string_view name);
};

enum class Voicing : unsigned char { close, open, drop2 };
enum class PhraseShape : unsigned char { flat, crescendo, diminuendo, arch };

// How a phrase is played.
struct PhraseStyle {
    int part = 0;
    double tempo = 60.0; // beats a minute
    double sample_rate = 48000.0;
    std::int64_t start = 0; // frame of the first beat
    Voicing voicing = Voicing::open;
    int voices = 4;  // notes above the bass, 2..8
    int lowest = 50; // keys of the notes above the bass; at least 24 apart
    int highest = 81;
    bool bass = true;            // the bass note, below `lowest`
    bool hold_common = false;    // a note that the next chord has, too, sounds on
    double gate = 0.95;          // share of a chord's time that it is held, 0.05..1
    double strum_seconds = 0.02; // from note to note, upwards; downwards where negative; -0.5..0.5
    double velocity = 0.7;       // 0..1
    double accent = 0.05;        // more on a bar's first chord
    PhraseShape shape = PhraseShape::flat;
    double shape_depth = 0.3; // of `velocity`, 0..1
    double humanise = 0.3;    // 0 none .. 1: 20 ms and 0.12 of velocity at most, 0..1
    std::uint64_t seed = 1;   // of humanising
    std::int32_t first_note_id = 1;
};

class TUTTI_API Phrase {
public:
    struct Step {
        Chord chord; // no intervals: a rest
        double beat = 0.0;
        double beats = 0.0;
        bool bar_start = false;
    };
    struct Notes {
        int bass = -1; // -1: none
        std::vector<int> keys;
    };

    // Bars between "|"; the chords of a bar share it equally, "Am7:2" takes 2 beats (also 1.5, 1/2), "-" is a rest, "." goes on
    // with the chord before, "%" is the bar before once more, "|: ... :|" plays twice, ":|x3" three times.
    // Errors: malformed (with bar and column), too_large (4,096 chords). [control]
    static Result<Phrase> parse(std::string_view text, double beats_per_bar = 4.0);

    // [any]
    const std::vector<Step>& steps() const noexcept { return m_steps; }
    double beats() const noexcept;

    // The keys of every step: of all chains of voicings within the range, the one with the least motion. [control]
    std::vector<Notes> voiced(const PhraseStyle& style = {}) const;
    // In order of frames, the tempo first. The same style gives the same events. Out-of-range fields are taken to their
    // ends. [control]
    std::vector<Event> events(const PhraseStyle& style = {}) const;

private:
    std::vector<Step> m_steps;
};

} // namespace tutti
