// SPDX-License-Identifier: MIT
// A patch with every name looked up: plain numbers in one piece of memory, from which a part is prepared.
//
// Made from a Patch, or straight from a patch file's text without asking anybody for memory: the way of engines that live in
// a block of the caller's. Both ways give the same image (tests/engine/c).
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include <tutti/event.h>
#include <tutti/patch.h>

#include "engine/effects/effect.h"
#include "voices/voice_type.h"

namespace tutti::engine {

struct EffectImage {
    const EffectType* type = nullptr;
    bool enabled = true;
    float values[k_max_effect_parameters] = {}; // in the parameters' units
};

// What a MIDI controller moves beside its own meaning: places on the target's knob, 0..1, at 0 and at 127.
struct ControllerTarget {
    std::uint32_t target = k_no_target; // a parameter's index, k_macro_target + 0..7
    float from = 0.0f, to = 1.0f;
};

struct PatchImage {
    static constexpr int k_most_effects = 16;
    const voices::VoiceType* type = nullptr;
    float values[voices::k_max_parameters] = {}; // in the parameters' units
    voices::Route routes[voices::k_max_routes] = {};
    int route_count = 0;
    ControllerTarget controllers[128] = {};
    EffectImage effects[k_most_effects] = {};
    int effect_count = 0;
    double gain_db = 0.0;
    double glide_seconds = 0.0;
    double bend_range = 2.0;
    double velocity_curve = 0.0;
    double sends[2] = {0.0, 0.0}; // to the stream's room and hall
    int voices = 32;
    Quality quality = Quality::standard;
    PlayMode mode = PlayMode::poly;
    NotePriority priority = NotePriority::last;
    StealPolicy steal = StealPolicy::quietest;
};

// What was wrong, in memory of its own.
struct ImageFault {
    Code code = Code::ok;
    char what[192] = {};
};

// Every parameter at its default. [control]
void set_defaults(PatchImage& image, const voices::VoiceType& type) noexcept;
void set_defaults(EffectImage& image, const EffectType& type) noexcept;

// Errors: not_found (parameter, route source or target, effect), out_of_range. [control]
Status make_image(const Patch& patch, const voices::VoiceType& type, PatchImage& image);
Status make_images(std::span<const PatchEffect> effects, std::span<EffectImage> images, int& count);

// What "target" says, a parameter or macro1..macro8, and the values at 0 and 127; not a number: the target's end. False: no
// such target, or a value out of its range. [any]
bool make_controller(const voices::VoiceType& type, std::string_view target, double from, double to,
                     ControllerTarget& made) noexcept;

// From a patch file's text; keys that this version does not know are passed over. False with the fault: malformed (with its
// line), not_found, out_of_range, unsupported (a newer format). Allocates nothing. [control]
bool read_image(std::string_view text, PatchImage& image, ImageFault& fault) noexcept;
// From the text of a list of effects, as under "effects" in a patch file. [control]
bool read_images(std::string_view text, std::span<EffectImage> images, int& count, ImageFault& fault) noexcept;

} // namespace tutti::engine
