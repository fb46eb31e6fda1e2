// SPDX-License-Identifier: MIT
#include "engine/patch/catalog.h"

#include <array>

#include "engine/core/voice_types.h"
#include "engine/effects/effect.h"

namespace tutti::engine {
namespace {

constexpr std::array<std::string_view, voices::source_count - 1> k_sources = {
    "env1",   "env2",   "lfo1",   "lfo2",   "velocity", "key",        "pressure", "timbre",
    "random", "unison", "bend",   "wheel",  "breath",   "expression", "macro1",   "macro2",
    "macro3", "macro4", "macro5", "macro6", "macro7",   "macro8"};
static_assert(k_sources[voices::source_macro8 - 1] == "macro8" && k_sources[voices::source_wheel - 1] == "wheel");

const Table* find_table(const std::vector<Table>& tables, std::string_view id) noexcept {
    for (const Table& table : tables)
        if (table.id == id) return &table;
    return nullptr;
}

} // namespace

const Parameter* Table::find(std::string_view parameter) const noexcept {
    for (const Parameter& row : parameters)
        if (row.id == parameter) return &row;
    return nullptr;
}

const Table* Catalog::voice(std::string_view id) const noexcept {
    return find_table(voices, id);
}

const Table* Catalog::effect(std::string_view id) const noexcept {
    return find_table(effects, id);
}

const Catalog& catalog() {
    static const Catalog all = [] {
        Catalog made;
        for (const voices::VoiceType* type : voice_types())
            made.voices.push_back(
                {type->id, type->name, {type->parameters, static_cast<std::size_t>(type->parameter_count)}});
        for (const EffectType& type : effect_types())
            made.effects.push_back(
                {type.id, type.name, {type.parameters, static_cast<std::size_t>(type.parameter_count)}});
        return made;
    }();
    return all;
}

std::span<const std::string_view> source_names() noexcept {
    return k_sources;
}

std::vector<std::string_view> ids(const std::vector<Table>& tables) {
    std::vector<std::string_view> names;
    for (const Table& table : tables)
        names.push_back(table.id);
    return names;
}

std::vector<std::string_view> ids(std::span<const Parameter> parameters, bool modulatable_only) {
    std::vector<std::string_view> names;
    for (const Parameter& row : parameters)
        if (row.modulatable || !modulatable_only) names.push_back(row.id);
    return names;
}

} // namespace tutti::engine
