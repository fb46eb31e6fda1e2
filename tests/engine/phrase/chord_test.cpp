// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include <tutti/phrase.h>

using tutti::Chord;
using tutti::Code;
using tutti::Result;

namespace {

// Written by hand from the spellings in theory texts (Levine, "The Jazz Theory Book"; Piston, "Harmony"; Brandt and Roemer):
// letters, not numbers, so that the table is not the program once more.
struct Row {
    const char* name;
    const char* notes; // as spelt
    const char* bass = nullptr;
};
constexpr Row k_table[] = {
    // triads
    {"C", "C E G"},
    {"F#", "F# A# C#"},
    {"Bb", "Bb D F"},
    {"Cm", "C Eb G"},
    {"Ebm", "Eb Gb Bb"},
    {"A-", "A C E"},
    {"Dmin", "D F A"},
    {"Bdim", "B D F"},
    {"F#o", "F# A C"},
    {"C\xc2\xb0", "C Eb Gb"},
    {"Caug", "C E G#"},
    {"Ab+", "Ab C E"},
    {"Csus4", "C F G"},
    {"Csus", "C F G"},
    {"Dsus2", "D E A"},
    {"Gsus2sus4", "G A C D"},
    {"E5", "E B"},
    {"C(b5)", "C E Gb"},
    {"Bbb", "A C# E"},
    // sixths and added notes
    {"C6", "C E G A"},
    {"Cm6", "C Eb G A"},
    {"Eb6/9", "Eb G Bb C F"},
    {"F69", "F A C D G"},
    {"Cadd9", "C E G D"},
    {"Cmadd9", "C Eb G D"},
    {"Am(add11)", "A C E D"},
    {"C2", "C E G D"},
    {"Cadd#11", "C E G F#"},
    {"Cmb6", "C Eb G Ab"},
    // sevenths
    {"G7", "G B D F"},
    {"Cmaj7", "C E G B"},
    {"CM7", "C E G B"},
    {"Cma7", "C E G B"},
    {"F\xce\x94", "F A C E"},
    {"Bb\xe2\x88\x86"
     "7",
     "Bb D F A"},
    {"D^7", "D F# A C#"},
    {"Am7", "A C E G"},
    {"D-7", "D F A C"},
    {"Cmi7", "C Eb G Bb"},
    {"Am(maj7)", "A C E G#"},
    {"CmM7", "C Eb G B"},
    {"C-\xce\x94", "C Eb G B"},
    {"F#m7b5", "F# A C E"},
    {"B\xc3\xb8", "B D F A"},
    {"B\xc3\xb8"
     "7",
     "B D F A"},
    {"Cdim7", "C Eb Gb A"},
    {"G#\xc2\xb0"
     "7",
     "G# B D F"},
    {"Co7", "C Eb Gb A"},
    {"Cdim(maj7)", "C Eb Gb B"},
    {"Caug7", "C E G# Bb"},
    {"C7+", "C E G# Bb"},
    {"C+7", "C E G# Bb"},
    {"Caugmaj7", "C E G# B"},
    {"Cmaj7#5", "C E G# B"},
    {"C7b5", "C E Gb Bb"},
    {"Cmaj7b5", "C E Gb B"},
    {"G7sus4", "G C D F"},
    {"G6sus4", "G C D E"},
    {"C7sus2", "C D G Bb"},
    // ninths, elevenths, thirteenths
    {"C9", "C E G Bb D"},
    {"Am9", "A C E G B"},
    {"Bbmaj9", "Bb D F A C"},
    {"Cm(maj9)", "C Eb G B D"},
    {"F9sus4", "F Bb C Eb G"},
    {"Dm11", "D F A C E G"},
    {"C11", "C E G Bb D F"},
    {"G13", "G B D F A C E"},
    {"Cm13", "C Eb G Bb D F A"},
    {"Ebmaj13", "Eb G Bb D F Ab C"},
    {"Em9b5", "E G Bb D F#"},
    // alterations
    {"C7b9", "C E G Bb Db"},
    {"E7#9", "E G# B D G"},
    {"C7(b9,#11)", "C E G Bb Db F#"},
    {"Bb13(#11)", "Bb D F Ab C E G"},
    {"Bb9#11", "Bb D F Ab C E"},
    {"Fmaj7#11", "F A C E B"},
    {"Fmaj9(#11)", "F A C E G B"},
    {"G7b13", "G B D F Eb"},
    {"A7(#5,#9)", "A C# E# G B#"},
    {"C7b5#5", "C E Gb G# Bb"},
    {"C7-9", "C E G Bb Db"},
    {"C7+9", "C E G Bb D#"},
    {"C7alt", "C E Bb Db D# F# Ab"},
    {"G7sus4(b9)", "G C D F Ab"},
    {"G13sus4", "G C D F A E"},
    {"D9(13)", "D F# A C E B"},
    {"Am7(11)", "A C E G D"},
    {"C7b9 b13", "C E G Bb Db Ab"},
    // left out
    {"C7no5", "C E Bb"},
    {"C7omit3", "C G Bb"},
    {"Cmaj9(no3rd)", "C G B D"},
    {"C9(no1)", "E G Bb D"},
    // a bass of its own
    {"C/G", "C E G", "G"},
    {"D/F#", "D F# A", "F#"},
    {"Am7/D", "A C E G", "D"},
    {"C/Bb", "C E G", "Bb"},
    {"F#m7b5/C", "F# A C E", "C"},
    {"C6/9/E", "C E G A D", "E"},
    // Unicode signs
    {"F\xe2\x99\xaf"
     "m7\xe2\x99\xad"
     "5",
     "F# A C E"},
    {"B\xe2\x99\xad"
     "7(\xe2\x99\xaf"
     "11)",
     "Bb D F Ab E"},
    {"E\xe2\x99\xad/G", "Eb G Bb", "G"},
    {"C\xe2\x88\x92"
     "7",
     "C Eb G Bb"},
};
static_assert(sizeof k_table / sizeof k_table[0] >= 90);

int pitch_class(const std::string& note) {
    static const std::string k_letters = "C D EF G A B";
    int value = static_cast<int>(k_letters.find(note[0]));
    for (std::size_t i = 1; i < note.size(); ++i)
        value += note[i] == '#' ? 1 : -1;
    return (value + 12) % 12;
}

std::set<int> classes(const std::string& notes) {
    std::set<int> result;
    for (std::size_t at = 0; at < notes.size();) {
        const std::size_t end = std::min(notes.find(' ', at), notes.size());
        result.insert(pitch_class(notes.substr(at, end - at)));
        at = end + 1;
    }
    return result;
}

} // namespace

TEST_CASE("every chord has the notes that theory gives it") {
    for (const Row& row : k_table) {
        CAPTURE(row.name);
        const Result<Chord> chord = Chord::parse(row.name);
        REQUIRE_MESSAGE(chord.ok(), chord.status().message());
        std::set<int> notes;
        for (int interval : chord->intervals)
            notes.insert((chord->root + interval) % 12);
        CHECK(notes == classes(row.notes));
        const std::string name = row.name;
        const int root = pitch_class(std::string(row.notes).substr(0, std::string(row.notes).find(' ')));
        if (name != "C9(no1)") CHECK(chord->root == root);
        CHECK(chord->bass == (row.bass ? pitch_class(row.bass) : chord->root));
        CHECK(std::is_sorted(chord->intervals.begin(), chord->intervals.end()));
    }
}

TEST_CASE("a chord means the same on every root: its intervals do not change") {
    for (const char* quality : {"", "m", "7", "maj7", "m7b5", "dim7", "9", "13(#11)", "sus4", "6/9", "7alt", "5"}) {
        const Chord at_c = *Chord::parse(std::string("C").append(quality));
        for (const char* root : {"C#", "Db", "D", "Eb", "E", "F", "F#", "Gb", "G", "Ab", "A", "Bb", "B"}) {
            const std::string name = std::string(root) + quality;
            // "Db5" is a D flat power chord, "Gb5" likewise: the accidental belongs to the letter before it.
            const Chord chord = *Chord::parse(name);
            CHECK_MESSAGE(chord.intervals == at_c.intervals, name);
            CHECK(chord.root == pitch_class(root));
        }
    }
}

TEST_CASE("what is no chord is asked back with its place") {
    const auto refused = [](const std::string& name, const std::string& word) {
        const Result<Chord> chord = Chord::parse(name);
        CAPTURE(name);
        REQUIRE_FALSE(chord.ok());
        CAPTURE(chord.status().message());
        CHECK(chord.status().code() == Code::malformed);
        CHECK(chord.status().message().find(word) != std::string::npos);
        CHECK_FALSE(chord.status().remedy().empty());
    };
    refused("Hm7", "what is 'Hm7'?");
    refused("Hm7", "Bm7");
    refused("am7", "Am7");
    refused("", "what is ''?");
    refused("Cx", "character 2");
    refused("Cm7q", "character 4");
    refused("C/", "character 3");
    refused("C/H", "character 3");
    refused("C(b9", "what is");
    refused("C7b7", "character 3");
    refused("C7#13", "what is");
    refused("Cm5", "what is");
    refused("C8", "what is");
    refused("C99", "what is");
    refused("Cadd", "character 2");
    refused("C\xe2\x99\xaf"
            "7?",
            "character 4"); // counted in characters, not in bytes
    refused("C\x01", "what is");
    refused(std::string(1000, 'C'), "what is");
}
