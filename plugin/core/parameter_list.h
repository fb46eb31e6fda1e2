// SPDX-License-Identifier: MIT
// Every parameter that a host can automate, as one flat list made from the voice and effect tables: eight macros, then
// `voice.parameter` of each voice type, then `effect.parameter` of each effect (the first of its type in the chain).
//
// The ids are stable for ever; a new one stands behind the others of its table. tests/plugin keeps them as a snapshot.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <tutti/tables.h>

namespace tutti::plugin {

inline constexpr int k_macros = 8;

enum class ParameterKind : std::uint8_t { macro, voice, effect };

struct ParameterInfo {
    std::string id;                 // "subtractive.cutoff", "reverb.mix", "macro.1"
    std::string name;               // "Filter Cutoff"
    std::string group;              // "Subtractive/Filter": groups of groups, outermost first
    const Parameter* row = nullptr; // range, unit, default, curve
    ParameterKind kind = ParameterKind::macro;
    int table = 0;            // in voice_tables() or effect_tables()
    int index = 0;            // in that table, as Event::parameter counts; of a macro: 0..7
    std::uint32_t number = 0; // for hosts whose ids are numbers: 31 bits of the id's FNV-1a hash

    bool stepped() const noexcept { return row->unit == Unit::choice || row->unit == Unit::toggle; } // [any]
    // How many values it can take, 0: any. [any]
    int steps() const noexcept { return row->unit == Unit::toggle ? 2 : row->choice_count; }
};

class ParameterList {
public:
    // Made at the first call, the same for the life of the process. [control]
    static const ParameterList& get();

    const std::vector<ParameterInfo>& all() const noexcept { return m_all; }                    // [any]
    int size() const noexcept { return static_cast<int>(m_all.size()); }                        // [any]
    const ParameterInfo& operator[](int i) const { return m_all[static_cast<std::size_t>(i)]; } // [any]
    int find(std::string_view id) const noexcept;                                               // -1: none [any]
    int find_number(std::uint32_t number) const noexcept;                                       // -1: none [any]
    int macro(int index) const noexcept { return index; }                                       // [any]
    int voice(int table, int index) const noexcept { return m_voices[at(table)] + index; }      // [any]
    int effect(int table, int index) const noexcept { return m_effects[at(table)] + index; }    // [any]

private:
    ParameterList();
    void add(ParameterKind kind, int table, const TypeTable& rows);
    static std::size_t at(int i) noexcept { return static_cast<std::size_t>(i); }

    std::vector<ParameterInfo> m_all;
    std::vector<int> m_voices;  // [table] the first of it
    std::vector<int> m_effects; // [table]
};

} // namespace tutti::plugin
