// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <set>

#include <tutti/phrase.h>

#include "engine/phrase/voicing.h"

using namespace tutti;

namespace {

Phrase parse(const std::string& text, double beats_per_bar = 4.0) {
    Result<Phrase> phrase = Phrase::parse(text, beats_per_bar);
    REQUIRE_MESSAGE(phrase.ok(), phrase.status().message());
    return *phrase;
}

// "Am9:4 Fmaj7:4" as the steps say it; "-" for a rest.
std::string summary(const Phrase& phrase) {
    std::string text;
    for (const Phrase::Step& step : phrase.steps()) {
        std::string beats = std::to_string(step.beats);
        beats.erase(beats.find_last_not_of('0') + 1);
        if (beats.back() == '.') beats.pop_back();
        text += (text.empty() ? "" : " ") + (step.chord.intervals.empty() ? std::string("-") : step.chord.name) + ":" +
                beats;
    }
    return text;
}

void refused(const std::string& text, const std::vector<std::string>& words, Code code = Code::malformed) {
    const Result<Phrase> phrase = Phrase::parse(text);
    CAPTURE(text.substr(0, 100));
    REQUIRE_FALSE(phrase.ok());
    CAPTURE(phrase.status().message());
    CHECK(phrase.status().code() == code);
    for (const std::string& word : words)
        CHECK_MESSAGE(phrase.status().message().find(word) != std::string::npos, word);
}

bool same(const std::vector<Event>& a, const std::vector<Event>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Event& x, const Event& y) {
        return x.frame == y.frame && x.type == y.type && x.key == y.key && x.part == y.part && x.note_id == y.note_id &&
               x.value == y.value;
    });
}

const std::vector<std::string> k_chords = {"C",      "Am9",  "F#m7b5", "Bb13", "Ebmaj7", "D7alt", "Gsus4",
                                           "C#dim7", "A/C#", "E5",     "B+",   "Ab6/9",  "Dm11",  "F7b9"};

} // namespace

TEST_CASE("bars, shares, beats, rests, holds, repeats") {
    CHECK(summary(parse("Am9 | Fmaj7 | C/G | G6sus4")) == "Am9:4 Fmaj7:4 C/G:4 G6sus4:4");
    CHECK(summary(parse("| C F | G |")) == "C:2 F:2 G:4");
    CHECK(summary(parse("C F G", 3.0)) == "C:1 F:1 G:1");
    CHECK(summary(parse("Am7:3 D7 | G:2")) == "Am7:3 D7:1 G:2");
    CHECK(summary(parse("C:1/2 D:1.5 E F")) == "C:0.5 D:1.5 E:1 F:1");
    CHECK(summary(parse("C - | N.C. | -:2 G")) == "C:2 -:2 -:4 -:2 G:2");
    CHECK(summary(parse("C . . F | . G")) == "C:3 F:3 G:2");
    CHECK(summary(parse("C F | % | %")) == "C:2 F:2 C:2 F:2 C:2 F:2");
    CHECK(summary(parse("|: C | G :| F")) == "C:4 G:4 C:4 G:4 F:4");
    CHECK(summary(parse("C | G :|x3 F")) == "C:4 G:4 C:4 G:4 C:4 G:4 F:4");
    CHECK(summary(parse("A |: C :|: G :|")) == "A:4 C:4 C:4 G:4 G:4");
    CHECK(summary(parse("|:Am:|")) == "Am:4 Am:4");
    CHECK(summary(parse("C7(b9, #11) | G")) == "C7(b9, #11):4 G:4");
    const Phrase phrase = parse("C F | G:3");
    CHECK(phrase.beats() == 7.0);
    CHECK(phrase.steps()[2].beat == 4.0);
    CHECK(phrase.steps()[0].bar_start);
    CHECK_FALSE(phrase.steps()[1].bar_start);
}

TEST_CASE("what is wrong with a phrase is said with bar and column") {
    refused("", {"no chord"});
    refused(" | | ", {"no chord"});
    refused("C | Dm Hm7", {"bar 2, column 8", "what is 'Hm7'?", "Bm7"});
    refused("C\xe2\x99\xaf | Dm x", {"bar 2, column 9"});
    refused("C:0", {"column 2", "beats"});
    refused("C:x", {"column 2"});
    refused("C:1e9", {"beats"});
    refused("C:4 D", {"nothing of this bar is left"});
    refused("%", {"no bar before"});
    refused("C | % D", {"stands alone"});
    refused(". C", {"no chord yet"});
    refused("C |: D", {"bar 2", "no end"});
    refused("|: C |: D :|", {"inside"});
    refused("|: :|", {"empty repeat"});
    refused("C :|x0", {"x1000"});
    refused("C :|x1000 :|x1000", {"4,096"}, Code::too_large);
    refused(std::string(100'000, ' '), {"64 KiB"}, Code::too_large);
    CHECK(Phrase::parse("C", 0.0).status().code() == Code::out_of_range);
    CHECK(Phrase::parse("C", std::nan("")).status().code() == Code::out_of_range);
}

TEST_CASE("voicings hold every chosen note of the chord, stay in range and rise") {
    for (const Voicing kind : {Voicing::close, Voicing::open, Voicing::drop2})
        for (int voices = 2; voices <= 7; ++voices)
            for (const std::string& name : k_chords) {
                PhraseStyle style;
                style.voicing = kind;
                style.voices = voices;
                const Phrase phrase = parse(name);
                const Phrase::Notes notes = phrase.voiced(style)[0];
                const Chord& chord = phrase.steps()[0].chord;
                CAPTURE(name);
                CAPTURE(voices);
                CHECK(notes.bass % 12 == chord.bass);
                CHECK(notes.bass < style.lowest);
                // Two notes an octave: six of them do not fit into two and a half octaves.
                CHECK(notes.keys.size() == static_cast<std::size_t>(name == "E5" ? std::min(voices, 5) : voices));
                std::set<int> all, sounding;
                for (int interval : chord.intervals)
                    all.insert((chord.root + interval) % 12);
                for (std::size_t i = 0; i < notes.keys.size(); ++i) {
                    CHECK(notes.keys[i] >= style.lowest);
                    CHECK(notes.keys[i] <= style.highest);
                    if (i > 0) CHECK(notes.keys[i] > notes.keys[i - 1]);
                    CHECK(all.count(notes.keys[i] % 12) == 1);
                    sounding.insert(notes.keys[i] % 12);
                }
                // What makes the chord what it is: its third, or what stands for it, and its seventh, where there is room.
                if (voices >= 4 && all.size() <= 4) CHECK(sounding == all);
                if (kind == Voicing::close && voices <= static_cast<int>(sounding.size()))
                    CHECK(notes.keys.back() - notes.keys.front() < 12);
                if (kind == Voicing::open && voices >= 4) CHECK(notes.keys.back() - notes.keys.front() > 12);
            }
}

TEST_CASE("a big chord loses its fifth first, never its third or seventh") {
    const auto notes = [](const std::string& name, int voices, bool bass = true) {
        return engine::chosen_notes(*Chord::parse(name), voices, bass);
    };
    CHECK(notes("C9", 4) == std::vector<int>{0, 4, 10, 2});
    CHECK(notes("C9", 3) == std::vector<int>{4, 10, 2});
    CHECK(notes("C13", 4) == std::vector<int>{4, 10, 2, 9}); // nor does it keep the eleventh against the third
    CHECK(notes("C11", 5) == std::vector<int>{0, 7, 10, 2, 5});
    CHECK(notes("Am7", 3) == std::vector<int>{9, 0, 7});
    CHECK(notes("C/E", 4, false) ==
          std::vector<int>{0, 4, 7, 4});                      // without a bass the slash note is one of the chord's
    CHECK(notes("C7b5", 4) == std::vector<int>{0, 4, 6, 10}); // a flat fifth is what the chord is about
}

TEST_CASE("of all chains of voicings the one with the least motion is taken: against trying them all") {
    std::mt19937 random(7);
    for (int round = 0; round < 20; ++round) {
        std::string text;
        for (int i = 0; i < 4; ++i)
            text += (i ? " | " : "") + k_chords[random() % k_chords.size()];
        PhraseStyle style;
        style.voicing = round % 2 ? Voicing::close : Voicing::drop2;
        style.lowest = 52;
        style.highest = 80;
        const Phrase phrase = parse(text);
        std::vector<std::vector<std::vector<int>>> choices;
        for (const Phrase::Step& step : phrase.steps()) {
            const std::vector<int> notes = engine::chosen_notes(step.chord, 4, true);
            choices.push_back(engine::voicings(notes, style.voicing, 4, style.lowest, style.highest));
            // A power chord has no second voice to drop: its octave stands there already.
            if (choices.back().empty())
                choices.back() = engine::voicings(notes, Voicing::close, 4, style.lowest, style.highest);
        }
        double best = std::numeric_limits<double>::infinity();
        std::vector<std::size_t> at(4, 0);
        const auto cost_of = [&](const std::vector<std::vector<int>>& chain) {
            double cost = 0.0;
            for (std::size_t i = 0; i < chain.size(); ++i) {
                cost += engine::strain(chain[i], style.lowest, style.highest);
                if (i > 0) cost += engine::motion(chain[i - 1], chain[i]);
            }
            return cost;
        };
        for (at[0] = 0; at[0] < choices[0].size(); ++at[0])
            for (at[1] = 0; at[1] < choices[1].size(); ++at[1])
                for (at[2] = 0; at[2] < choices[2].size(); ++at[2])
                    for (at[3] = 0; at[3] < choices[3].size(); ++at[3])
                        best = std::min(best, cost_of({choices[0][at[0]], choices[1][at[1]], choices[2][at[2]],
                                                       choices[3][at[3]]}));
        std::vector<std::vector<int>> chain;
        for (const Phrase::Notes& notes : phrase.voiced(style))
            chain.push_back(notes.keys);
        CAPTURE(text);
        CHECK(cost_of(chain) == doctest::Approx(best));
    }
}

TEST_CASE("no voice leaps: four voices move at most 14 semitones together, and the bass at most an octave") {
    // Inversions of a close chord differ by 12 in the sum of their keys, so one lies within 6 of the chord before; what the
    // single voices do beyond that was measured over all pairs of these chords: 14 at most.
    for (const std::string& first : k_chords)
        for (const std::string& second : k_chords) {
            PhraseStyle style;
            style.voicing = Voicing::close;
            style.lowest = 48;
            style.highest = 84;
            const std::vector<Phrase::Notes> notes = parse(first + " | " + second).voiced(style);
            CAPTURE(first);
            CAPTURE(second);
            CHECK(engine::motion(notes[0].keys, notes[1].keys) <= 14.0);
            CHECK(std::abs(notes[0].bass - notes[1].bass) <= 12);
        }
}

TEST_CASE("the same seed gives the same events, another seed others; without humanising the seed does not matter") {
    const Phrase phrase = parse("|: Am9 | Fmaj7 | C/G | G6sus4 :|");
    PhraseStyle style;
    style.seed = 42;
    const std::vector<Event> once = phrase.events(style);
    CHECK(same(once, phrase.events(style)));
    PhraseStyle other = style;
    other.seed = 43;
    CHECK_FALSE(same(once, phrase.events(other)));
    style.humanise = other.humanise = 0.0;
    CHECK(same(phrase.events(style), phrase.events(other)));
}

TEST_CASE("events: the tempo first, frames in order, every note ends once, strummed upwards") {
    const Phrase phrase = parse("Am9 | - | Fmaj7:2 C/G:2");
    PhraseStyle style;
    style.start = 1000;
    style.tempo = 120.0;
    style.sample_rate = 44100.0;
    style.humanise = 0.0;
    style.strum_seconds = 0.03;
    style.part = 3;
    const std::vector<Event> events = phrase.events(style);
    REQUIRE(events.size() == 1 + 2 * 3 * 5);
    CHECK(events[0].type == EventType::tempo);
    CHECK(events[0].value == 120.0);
    CHECK(events[0].frame == 1000);
    std::map<std::int32_t, int> open;
    for (std::size_t i = 1; i < events.size(); ++i) {
        CHECK(events[i].frame >= events[i - 1].frame);
        CHECK(events[i].part == 3);
        open[events[i].note_id] += events[i].type == EventType::note_on ? 1 : -1;
        CHECK(open[events[i].note_id] >= 0);
        if (events[i].type == EventType::note_on) CHECK(events[i].value > 0.0);
    }
    CHECK(open.size() == 15);
    for (const auto& [id, count] : open)
        CHECK(count == 0);
    // 30 ms at 44,100 Hz is 1,323 frames from note to note; the third bar begins 8 beats of 22,050 frames after the start.
    for (int i = 0; i < 5; ++i)
        CHECK(events[static_cast<std::size_t>(1 + i)].frame == 1000 + 1323 * i);
    CHECK(events[1].key < events[2].key);
    CHECK(std::count_if(events.begin(), events.end(), [](const Event& e) {
              return e.type == EventType::note_on && e.frame == 1000 + 8 * 22050;
          }) == 1);
    style.strum_seconds = -0.03;
    const std::vector<Event> down = phrase.events(style);
    CHECK(down[1].key > down[2].key);
}

TEST_CASE("shape and accent move velocities as they say") {
    PhraseStyle style;
    style.humanise = 0.0;
    style.accent = 0.1;
    const auto first_velocities = [&](PhraseShape shape) {
        style.shape = shape;
        std::vector<double> list;
        std::int64_t last = -1;
        for (const Event& event : parse("C G | C G | C G").events(style))
            if (event.type == EventType::note_on && event.key < style.lowest && event.frame != last) {
                list.push_back(event.value);
                last = event.frame;
            }
        return list;
    };
    const std::vector<double> flat = first_velocities(PhraseShape::flat);
    REQUIRE(flat.size() == 6);
    CHECK(flat[0] == doctest::Approx(0.8));
    CHECK(flat[1] == doctest::Approx(0.7));
    const std::vector<double> rising = first_velocities(PhraseShape::crescendo);
    CHECK(rising[0] < rising[2]);
    CHECK(rising[2] < rising[4]);
    const std::vector<double> falling = first_velocities(PhraseShape::diminuendo);
    CHECK(falling[0] > falling[2]);
    const std::vector<double> arch = first_velocities(PhraseShape::arch);
    CHECK(arch[0] < arch[2]);
    CHECK(arch[5] < arch[3]);
}

TEST_CASE("a note that the next chord has, too, sounds on where that is asked for") {
    PhraseStyle style;
    style.humanise = 0.0;
    style.strum_seconds = 0.0;
    style.voicing = Voicing::close;
    const Phrase phrase = parse("C | Am | F");
    const auto count = [&] {
        const std::vector<Event> events = phrase.events(style);
        return std::count_if(events.begin(), events.end(), [](const Event& e) { return e.type == EventType::note_on; });
    };
    CHECK(count() == 15);
    style.hold_common = true;
    CHECK(count() < 13); // C and E stay from C to A minor, A and C from there to F
}

TEST_CASE("fields out of range are taken to their ends, and nothing breaks") {
    PhraseStyle style;
    style.tempo = std::nan("");
    style.sample_rate = -1.0;
    style.voices = 100;
    style.lowest = -50;
    style.highest = 500;
    style.velocity = 9.0;
    style.humanise = std::numeric_limits<double>::infinity();
    style.gate = -3.0;
    style.strum_seconds = 1e9;
    style.start = std::numeric_limits<std::int64_t>::min();
    for (const Event& event : parse("C | G13:1/1000").events(style)) {
        CHECK(event.frame >= 0);
        if (event.type == EventType::note_on) CHECK((event.value > 0.0 && event.value <= 1.0));
    }
    style.lowest = 127;
    style.highest = 0;
    for (const Phrase::Notes& notes : parse("C | G13").voiced(style))
        for (int key : notes.keys)
            CHECK((key >= 0 && key <= 127));
}
