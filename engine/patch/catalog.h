// SPDX-License-Identifier: MIT
// What a patch may name: voice types and effects with their parameter tables, modulation sources, macros.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include <tutti/parameter.h>

namespace tutti::engine {

struct Table {
    std::string_view id;
    std::string_view name;
    std::span<const Parameter> parameters;

    // nullptr: no such parameter. [any]
    const Parameter* find(std::string_view parameter) const noexcept;
};

struct Catalog {
    std::vector<Table> voices;
    std::vector<Table> effects;

    // nullptr: no such type. [any]
    const Table* voice(std::string_view id) const noexcept;
    const Table* effect(std::string_view id) const noexcept;
};

// What this build holds: the registry of voice types and the effects. [control]
const Catalog& catalog();

// Names of modulation sources, in the order of voices::Source from source_envelope1 on. [any]
std::span<const std::string_view> source_names() noexcept;

// Ids of one list. [control]
std::vector<std::string_view> ids(const std::vector<Table>& tables);
std::vector<std::string_view> ids(std::span<const Parameter> parameters, bool modulatable_only = false);

} // namespace tutti::engine
