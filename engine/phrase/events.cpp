// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <map>

#include <tutti/phrase.h>

namespace tutti {
namespace {

// Counter-based: the same (seed, note, use) gives the same number whatever was asked before (the finaliser of SplitMix64,
// Steele, Lea and Flood 2014).
double draw(std::uint64_t seed, std::uint64_t note, std::uint64_t use) {
    std::uint64_t x = seed * 0x9e3779b97f4a7c15u + note * 0xbf58476d1ce4e5b9u + use * 0x94d049bb133111ebu;
    for (int i = 0; i < 2; ++i) {
        x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
        x = (x ^ x >> 27) * 0x94d049bb133111ebu;
        x ^= x >> 31;
    }
    return static_cast<double>(x >> 11) / 4503599627370496.0 - 1.0; // -1..1
}

double shaped(PhraseShape shape, double place) {
    switch (shape) {
    case PhraseShape::crescendo:
        return place - 1.0;
    case PhraseShape::diminuendo:
        return -place;
    case PhraseShape::arch:
        return std::fabs(2.0 * place - 1.0) * -1.0;
    case PhraseShape::flat:
        break;
    }
    return 0.0;
}

double bounded(double value, double low, double high, double otherwise) {
    return value >= low && value <= high ? value
           : value < low                 ? low
           : value > high                ? high
                                         : otherwise; // NaN: otherwise
}

} // namespace

std::vector<Event> Phrase::events(const PhraseStyle& style) const {
    const double tempo = bounded(style.tempo, 1.0, 1000.0, 60.0);
    const double rate = bounded(style.sample_rate, 1.0, 1e6, 48000.0);
    const double gate = bounded(style.gate, 0.05, 1.0, 0.95);
    const double strum = bounded(style.strum_seconds, -0.5, 0.5, 0.0);
    const double human = bounded(style.humanise, 0.0, 1.0, 0.0);
    const double depth = bounded(style.shape_depth, 0.0, 1.0, 0.0);
    const double length = beats();
    const std::int64_t start = std::max<std::int64_t>(style.start, 0);
    const auto frame = [&](double seconds) { return start + std::llround(std::max(seconds, 0.0) * rate); };

    struct Note {
        std::int64_t on, off;
        int key;
        double velocity;
    };
    std::vector<Note> notes;
    std::map<int, std::size_t> sounding; // key -> note, of the step before
    const std::vector<Notes> chords = voiced(style);
    std::uint64_t serial = 0;
    for (std::size_t i = 0; i < chords.size(); ++i) {
        const Step& step = m_steps[i];
        std::vector<int> keys = chords[i].keys;
        if (chords[i].bass >= 0) keys.insert(keys.begin(), chords[i].bass);
        const double from = step.beat * 60.0 / tempo;
        const double seconds = step.beats * 60.0 / tempo;
        const double held = seconds * gate;
        // A strum ends before a third of the chord is over.
        const double most = keys.size() > 1 ? seconds / 3.0 / static_cast<double>(keys.size() - 1) : 0.0;
        const double apart = std::clamp(strum, -most, most);
        std::map<int, std::size_t> now;
        for (std::size_t n = 0; n < keys.size(); ++n, ++serial) {
            if (const auto before = sounding.find(keys[n]); style.hold_common && before != sounding.end()) {
                notes[before->second].off = frame(from + held);
                now[keys[n]] = before->second;
                continue;
            }
            const double place =
                apart >= 0.0 ? static_cast<double>(n) * apart : static_cast<double>(keys.size() - 1 - n) * -apart;
            const double late =
                human * 0.02 * std::fabs(draw(style.seed, serial, 1)); // never early: the first frame is the start
            double velocity =
                bounded(style.velocity, 0.0, 1.0, 0.7) + (step.bar_start ? bounded(style.accent, -1.0, 1.0, 0.0) : 0.0);
            velocity *= 1.0 + depth * shaped(style.shape, length > 0.0 ? step.beat / length : 0.0);
            velocity += human * 0.12 * draw(style.seed, serial, 2);
            // The top voice is the tune, the inner ones stand back.
            if (keys.size() > 2 && n > 0 && n + 1 < keys.size()) velocity *= 0.92;
            Note note{frame(from + place + std::min(late, seconds / 6.0)), frame(from + held), keys[n],
                      std::clamp(velocity, 0.01, 1.0)};
            note.off = std::max(note.off, note.on + 1);
            now[keys[n]] = notes.size();
            notes.push_back(note);
        }
        sounding = std::move(now);
    }

    std::vector<Event> list;
    for (std::size_t n = 0; n < notes.size(); ++n) {
        const std::int32_t id = style.first_note_id + static_cast<std::int32_t>(n);
        list.push_back(Event::note_on(notes[n].on, style.part, notes[n].key, notes[n].velocity, id));
        list.push_back(Event::note_off(notes[n].off, style.part, notes[n].key, 0.5, id));
    }
    // What ends makes room before what begins.
    std::stable_sort(list.begin(), list.end(), [](const Event& a, const Event& b) {
        return a.frame != b.frame ? a.frame < b.frame : a.type == EventType::note_off && b.type != EventType::note_off;
    });
    list.insert(list.begin(), Event::set_tempo(start, tempo));
    return list;
}

} // namespace tutti
