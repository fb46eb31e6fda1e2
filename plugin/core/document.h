// SPDX-License-Identifier: MIT
// What an instance keeps in a project, as one plain value: its patch, every parameter, MIDI learn, settings. And its text.
//
// The text is JSON. Reading and writing it settles its form; from then on reading and writing give the same bytes. Keys that
// this version does not know are kept.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <tutti/engine.h>

#include "plugin/core/parameter_list.h"

namespace tutti::plugin {

inline constexpr int k_state_format = 1;

// Who leads an MPE keyboard's member channels: channel 1 those above it, or channel 16 those below it. One at a time: there is one
// sound to play.
enum class MpeZone : std::uint8_t { off, lower, upper };

struct Settings {
    Mode mode = Mode::inline_; // inline_: no latency; ahead: all instances of the process as one batch
    int look_ahead_blocks = 4; // of 64 frames, `ahead` only
    MpeZone mpe = MpeZone::off;
    int mpe_bend_range = 48;    // semitones, of the members
    bool pickup = false;        // a learnt controller moves nothing until it has met the value
    bool program_change = true; // MIDI program n is the n-th factory preset
    std::string tuning_name;    // what the scale calls itself; empty: twelve equal steps
    std::string scl;            // texts of Scala files
    std::string kbm;

    bool operator==(const Settings&) const = default;
};

struct Document {
    Patch patch;                    // parameters of its voice type and effects stand in `values`, not here
    std::vector<float> values;      // [ParameterList]
    std::map<int, int> controllers; // MIDI controller -> place in ParameterList
    Settings settings;
    std::string preset;         // the preset that it was, empty: none
    std::string editor = "{}";  // JSON object: what an editor wants to find again
    std::string other;          // the sound to compare with, as a text of its own; empty: none
    bool at_b = false;          // this is the second of the two
    std::string unknown = "{}"; // JSON object of the keys this version does not know
    // A patch that names what this version has not (a voice type, an effect): its JSON, kept for one that has it, until another
    // sound is taken. "Init" sounds in its place; `unread_why` says what is missing.
    std::string unread;
    std::string unread_why;

    Document(); // the patch "Init" with every default
};

// The patch that sounds: what stands in `values` written into its parameters and effects. And back: values of the patch's
// voice type and effects, defaults where it says nothing; macros go to 0. [control]
Patch sounding_patch(const Document& document);
void take_patch(Document& document, const Patch& patch);

// Errors: malformed, unsupported (a newer format), too_large (16 MiB), and those of Patch::from_json but not_found (`unread`). A
// parameter that is not known is kept as unknown; a value out of range goes to its end. [control]
std::string to_text(const Document& document);
// The same without what is no part of the sound's history: the editor's and the other sound. [control]
std::string sound_text(Document document);
Result<Document> document_from_text(std::string_view text);

// The float that a decimal number of few digits stands for, as that number: 0.35f is 0.35. [control]
double tidy(float value);

} // namespace tutti::plugin
