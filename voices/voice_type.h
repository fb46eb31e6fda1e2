// SPDX-License-Identifier: MIT
// What a voice type is: its parameter table, its envelopes, the layout of a row of sixteen voices.
//
// A voice type is written once, over the lane type F (dsp/lane.h), in voices/<type>.h. This header holds what every type
// shares: the inputs that the control side writes for each voice, the part inputs, and the description that the registry
// and the backends read.
#pragma once

#include <cstdint>

#include <tutti/parameter.h>

#include "voices/fields.h"

namespace tutti::voices {

#ifdef TUTTI_DEVICE_PROGRAM
struct VoiceType; // a device looks into none
#else

// An envelope as the control side runs it: from the current value through the stages; it holds at the end of stage
// `sustain` until the note is released, then goes on with the next. Stage curve c: 0 is a straight line; otherwise
// v(x) = from + (to - from) * (1 - exp(-c x)) / (1 - exp(-c)), x = 0..1 over the stage.
struct EnvelopeStage {
    float seconds = 0.0f;
    float level = 0.0f;
    float curve = 0.0f;
};
struct EnvelopePlan {
    EnvelopeStage stages[8];
    int count = 0;
    int sustain = -1; // -1: one shot, the note-off is ignored
    float initial = 0.0f;
};

struct NoteInfo {
    float key = 60.0f;     // MIDI key number
    float velocity = 1.0f; // 0..1
};

// `values` in user units, indexed as the parameter table.
struct VoiceType {
    const char* id = nullptr;
    const char* name = nullptr;
    const Parameter* parameters = nullptr;
    int parameter_count = 0;
    int envelope_count = 0;
    std::uint32_t amplitude_envelopes = 1; // bit e: the voice ends when all of these envelopes have ended
    int field_count = 0;                   // fields of a row
    int channels = 1;                      // what the recurrence returns: 1 or 2
    int max_unison = 1;
    int unison_parameter = -1; // index of the parameter that holds the number of unison copies, or -1
    // The plans of all envelopes, times in seconds. Called at note-on and again at release (times of the stages that
    // have not begun are taken anew). [render] noexcept
    void (*plan)(const float* values, const NoteInfo& note, EnvelopePlan* plans) noexcept = nullptr;
    // The patch shape: which modules are in use, as bits that choose the recurrence's compiled form. The same shape is
    // the same inner loop. Routes with a source or target that is in use set their bits. [any]
    std::uint64_t (*shape)(const float* values, const Route* routes, int route_count) noexcept = nullptr;
    // The choke group of a key, 1.. (a new note fades the sounding ones of its group: hi-hats), 0: none. May be null. [render]
    int (*choke_group)(int key) noexcept = nullptr;
    int kernel = 0; // which compiled recurrence renders it: its place in the registry (voices/registry.h)
};
#endif

} // namespace tutti::voices
