// SPDX-License-Identifier: MIT
// Every voice type, one row each. The row's place is VoiceType::kernel.
#pragma once

#include <string_view>

#include "voices/ambient_pad.h"
#include "voices/drum.h"
#include "voices/fm.h"
#include "voices/subtractive.h"
#include "voices/torchsynth_voice.h"

namespace tutti::voices {

inline constexpr const VoiceType* k_voice_types[] = {
    &subtractive::k_type, &fm::k_type, &ambient_pad::k_type, &drum::k_type, &torchsynth_voice::k_type,
};
inline constexpr int k_voice_type_count = static_cast<int>(sizeof k_voice_types / sizeof *k_voice_types);

constexpr bool kernels_match_places() {
    for (int i = 0; i < k_voice_type_count; ++i)
        if (k_voice_types[i]->kernel != i) return false;
    return true;
}
static_assert(kernels_match_places(), "VoiceType::kernel is the type's place in k_voice_types");

// Null where there is none of that id. [any]
constexpr const VoiceType* find_voice_type(std::string_view id) noexcept {
    for (const VoiceType* type : k_voice_types)
        if (id == type->id) return type;
    return nullptr;
}

} // namespace tutti::voices
