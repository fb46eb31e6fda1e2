// SPDX-License-Identifier: MIT
// The parameter tables of every voice type and effect: what a plugin, an editor, a schema or a binding is made from.
#pragma once

#include <span>
#include <string_view>

#include <tutti/parameter.h>

namespace tutti {

// Static storage; `parameters` in the order of Event::parameter.
struct TypeTable {
    std::string_view id;   // "subtractive", "reverb"
    std::string_view name; // "Subtractive"
    std::span<const Parameter> parameters;
};

// In the order of the registry. [any]
TUTTI_API std::span<const TypeTable> voice_tables();
TUTTI_API std::span<const TypeTable> effect_tables();

// The table with this id, or null. [any]
TUTTI_API const TypeTable* voice_table(std::string_view id);
TUTTI_API const TypeTable* effect_table(std::string_view id);
// The place of a parameter in its table, as Event::parameter counts; -1: there is none. [any]
TUTTI_API int parameter_index(const TypeTable& table, std::string_view id) noexcept;

} // namespace tutti
