// SPDX-License-Identifier: MIT
// The voice types of this process: those of the registry (voices/registry.h), then those that the program brought along.
//
// A program brings one by the CMake function tutti_add_voice(): it compiles the type's header for every instruction set and
// calls add_voice_type() before main. From then on it is a type like any other: patches, tables, schema, C interface.
#pragma once

#include <span>
#include <string_view>

#include <tutti/platform.h>
#include <tutti/status.h>

#include "voices/voice_type.h"

namespace tutti::engine {

struct Kernel; // engine/cpu/kernel.h

inline constexpr int k_isa_count = 5; // of dsp::Isa, in its order

struct AddedVoice {
    voices::VoiceType type;
    const Kernel* kernels[k_isa_count] = {}; // null where the build lacks an instruction set
};

// Both lists are fixed from the first call of one of these on. [any]
TUTTI_API std::span<const voices::VoiceType* const> voice_types() noexcept;
TUTTI_API const voices::VoiceType* find_voice_type(std::string_view id) noexcept; // null: there is none of that id
std::span<const AddedVoice> added_voices() noexcept;

// `type.kernel` is set by this; its strings and table must live as long as the program. A type that cannot be taken is left out, and
// check_added_voices() says why. Before main. [control]
TUTTI_API void add_voice_type(const voices::VoiceType& type, const Kernel* const (&kernels)[k_isa_count]) noexcept;
// What an engine asks when it is made. Errors: invalid_argument (names the type). [control]
Status check_added_voices();

} // namespace tutti::engine
