// SPDX-License-Identifier: MIT
// The factory patch nearest to each program of General MIDI level 1.
#pragma once

#include <string_view>

namespace tutti::engine {

// Programs outside 0..127 are taken as the nearest. [any]
std::string_view general_midi_patch(int program, bool drums) noexcept;

} // namespace tutti::engine
