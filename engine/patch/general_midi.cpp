// SPDX-License-Identifier: MIT
#include "engine/patch/general_midi.h"

#include <algorithm>
#include <array>

namespace tutti::engine {
namespace {

// Families of eight as in the General MIDI sound set (MIDI 1.0, RP-003), one line each.
constexpr std::array<std::string_view, 128> k_programs = {
    // clang-format off
    "fm-piano", "fm-piano", "fm-piano", "fm-piano", "electric-piano", "electric-piano", "harpsichord", "harpsichord", // pianos
    "glass-bells", "glass-bells", "glass-bells", "glass-bells", "marimba", "marimba", "glass-bells", "steel-guitar", // chromatic
    "drawbar-organ", "drawbar-organ", "drawbar-organ", "church-organ", "accordion", "accordion", "accordion", "accordion", // organs
    "nylon-guitar", "steel-guitar", "nylon-guitar", "steel-guitar", "pizzicato", "overdrive-guitar", "overdrive-guitar", "glass-bells", // guitars
    "fm-bass", "fm-bass", "fm-bass", "sub-bass", "fm-bass", "fm-bass", "analog-bass", "analog-bass", // basses
    "solo-violin", "solo-violin", "solo-violin", "solo-violin", "string-ensemble", "pizzicato", "orchestra-harp", "timpani", // strings
    "string-ensemble", "string-ensemble", "string-ensemble", "string-ensemble", "choir-pad", "choir-pad", "choir-pad", "analog-brass", // ensembles
    "solo-trumpet", "analog-brass", "analog-brass", "solo-trumpet", "analog-brass", "analog-brass", "analog-brass", "analog-brass", // brass
    "tenor-sax", "tenor-sax", "tenor-sax", "tenor-sax", "oboe", "oboe", "oboe", "clarinet", // reeds
    "flute", "flute", "flute", "flute", "flute", "flute", "flute", "flute", // pipes
    "square-lead", "saw-lead", "flute", "sync-lead", "overdrive-guitar", "choir-pad", "saw-lead", "analog-bass", // synth leads
    "warm-pad", "warm-pad", "saw-lead", "choir-pad", "sweep-pad", "sweep-pad", "choir-pad", "sweep-pad", // synth pads
    "glass-bells", "dark-drone", "glass-bells", "sweep-pad", "sweep-pad", "dark-drone", "sweep-pad", "dark-drone", // synth effects
    "steel-guitar", "nylon-guitar", "nylon-guitar", "harpsichord", "marimba", "accordion", "solo-violin", "oboe", // ethnic
    "glass-bells", "marimba", "steel-drums", "marimba", "melodic-tom", "melodic-tom", "melodic-tom", "noise-sweep", // percussive
    "noise-sweep", "noise-sweep", "noise-sweep", "noise-sweep", "noise-sweep", "noise-sweep", "noise-sweep", "noise-sweep", // effects
    // clang-format on
};

} // namespace

std::string_view general_midi_patch(int program, bool drums) noexcept {
    return drums ? std::string_view("drum-kit") : k_programs[static_cast<std::size_t>(std::clamp(program, 0, 127))];
}

} // namespace tutti::engine
