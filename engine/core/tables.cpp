// SPDX-License-Identifier: MIT
#include <tutti/tables.h>

#include <vector>

#include "engine/core/voice_types.h"
#include "engine/effects/effect.h"

namespace tutti {

namespace {

const TypeTable* find(std::span<const TypeTable> tables, std::string_view id) {
    for (const TypeTable& table : tables)
        if (table.id == id) return &table;
    return nullptr;
}

} // namespace

std::span<const TypeTable> voice_tables() {
    static const std::vector<TypeTable> tables = [] {
        std::vector<TypeTable> made;
        for (const voices::VoiceType* type : engine::voice_types())
            made.push_back({type->id, type->name, {type->parameters, static_cast<std::size_t>(type->parameter_count)}});
        return made;
    }();
    return tables;
}

std::span<const TypeTable> effect_tables() {
    static const std::vector<TypeTable> tables = [] {
        std::vector<TypeTable> made;
        for (const engine::EffectType& type : engine::effect_types())
            made.push_back({type.id, type.name, {type.parameters, static_cast<std::size_t>(type.parameter_count)}});
        return made;
    }();
    return tables;
}

const TypeTable* voice_table(std::string_view id) {
    return find(voice_tables(), id);
}
const TypeTable* effect_table(std::string_view id) {
    return find(effect_tables(), id);
}

int parameter_index(const TypeTable& table, std::string_view id) noexcept {
    for (std::size_t i = 0; i < table.parameters.size(); ++i)
        if (id == table.parameters[i].id) return static_cast<int>(i);
    return -1;
}

} // namespace tutti
