// SPDX-License-Identifier: MIT
#include "plugin/core/parameter_list.h"

namespace tutti::plugin {
namespace {

constexpr Parameter macro_row(const char* id, const char* name) {
    return {.id = id, .name = name, .group = "Macros", .unit = Unit::percent, .minimum = 0.0f, .maximum = 1.0f};
}
constexpr Parameter k_macro_rows[k_macros] = {
    macro_row("1", "Macro 1"), macro_row("2", "Macro 2"), macro_row("3", "Macro 3"), macro_row("4", "Macro 4"),
    macro_row("5", "Macro 5"), macro_row("6", "Macro 6"), macro_row("7", "Macro 7"), macro_row("8", "Macro 8"),
};

std::uint32_t hash(std::string_view text) noexcept {
    std::uint32_t value = 2166136261u;
    for (const char c : text)
        value = (value ^ static_cast<unsigned char>(c)) * 16777619u;
    return value & 0x7fffffffu;
}

} // namespace

const ParameterList& ParameterList::get() {
    static const ParameterList list;
    return list;
}

ParameterList::ParameterList() {
    add(ParameterKind::macro, 0, {"macro", "Macros", k_macro_rows});
    int table = 0;
    for (const TypeTable& rows : voice_tables()) {
        m_voices.push_back(size());
        add(ParameterKind::voice, table++, rows);
    }
    table = 0;
    for (const TypeTable& rows : effect_tables()) {
        m_effects.push_back(size());
        add(ParameterKind::effect, table++, rows);
    }
}

void ParameterList::add(ParameterKind kind, int table, const TypeTable& rows) {
    int index = 0;
    for (const Parameter& row : rows.parameters) {
        ParameterInfo info;
        info.id = std::string(rows.id).append(".").append(row.id);
        info.row = &row;
        info.kind = kind;
        info.table = table;
        info.index = index++;
        info.number = hash(info.id);
        info.name = row.name;
        info.group = rows.name;
        const std::string_view group = row.group != nullptr ? row.group : "";
        if (kind == ParameterKind::voice && !group.empty()) {
            info.group.append("/").append(group);
            info.name = std::string(group).append(" ").append(row.name);
        } else if (kind == ParameterKind::effect) {
            info.group = std::string("Effects/").append(rows.name);
            info.name = std::string(rows.name).append(" ").append(row.name);
        }
        m_all.push_back(std::move(info));
    }
}

int ParameterList::find(std::string_view id) const noexcept {
    for (std::size_t i = 0; i < m_all.size(); ++i)
        if (m_all[i].id == id) return static_cast<int>(i);
    return -1;
}

int ParameterList::find_number(std::uint32_t number) const noexcept {
    for (std::size_t i = 0; i < m_all.size(); ++i)
        if (m_all[i].number == number) return static_cast<int>(i);
    return -1;
}

} // namespace tutti::plugin
