// SPDX-License-Identifier: MIT
#include "engine/patch/general_midi.h"

#include <algorithm>
#include <array>

namespace tutti::engine {
namespace {

// Families of eight as in the General MIDI sound set (MIDI 1.0, RP-003), one line each.
constexpr std::array<std::string_view, 128> k_programs = {
    // clang-format off
    "fm-piano", "fm-piano", "fm-piano", "fm-piano", "electric-piano", "electric-piano", "synth-pluck", "synth-pluck", // pianos
    "glass-bells", "glass-bells", "glass-bells", "electric-piano", "marimba", "marimba", "glass-bells", "synth-pluck", // chromatic
    "drawbar-organ", "drawbar-organ", "drawbar-organ", "drawbar-organ", "drawbar-organ", "clarinet", "clarinet", "clarinet", // organs
    "synth-pluck", "synth-pluck", "synth-pluck", "synth-pluck", "synth-pluck", "sync-lead", "sync-lead", "glass-bells", // guitars
    "fm-bass", "fm-bass", "fm-bass", "sub-bass", "fm-bass", "fm-bass", "analog-bass", "analog-bass", // basses
    "string-ensemble", "string-ensemble", "string-ensemble", "string-ensemble", "string-ensemble", "synth-pluck", "synth-pluck", "marimba", // strings
    "string-ensemble", "string-ensemble", "string-ensemble", "string-ensemble", "choir-pad", "choir-pad", "choir-pad", "analog-brass", // ensembles
    "analog-brass", "analog-brass", "analog-brass", "analog-brass", "analog-brass", "analog-brass", "analog-brass", "analog-brass", // brass
    "clarinet", "clarinet", "clarinet", "clarinet", "clarinet", "clarinet", "clarinet", "clarinet", // reeds
    "flute", "flute", "flute", "flute", "flute", "flute", "flute", "flute", // pipes
    "square-lead", "saw-lead", "flute", "sync-lead", "sync-lead", "choir-pad", "saw-lead", "sync-lead", // synth leads
    "warm-pad", "warm-pad", "saw-lead", "choir-pad", "sweep-pad", "sweep-pad", "choir-pad", "sweep-pad", // synth pads
    "glass-bells", "dark-drone", "glass-bells", "sweep-pad", "sweep-pad", "dark-drone", "sweep-pad", "dark-drone", // synth effects
    "synth-pluck", "synth-pluck", "synth-pluck", "synth-pluck", "marimba", "clarinet", "string-ensemble", "clarinet", // ethnic
    "glass-bells", "marimba", "marimba", "marimba", "marimba", "marimba", "marimba", "noise-sweep", // percussive
    "noise-sweep", "noise-sweep", "noise-sweep", "noise-sweep", "noise-sweep", "noise-sweep", "noise-sweep", "noise-sweep", // effects
    // clang-format on
};

} // namespace

std::string_view general_midi_patch(int program, bool drums) noexcept {
    return drums ? std::string_view("drum-kit") : k_programs[static_cast<std::size_t>(std::clamp(program, 0, 127))];
}

} // namespace tutti::engine
