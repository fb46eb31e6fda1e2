// SPDX-License-Identifier: MIT
// tutti patches list | describe NAME | validate FILE
#include <algorithm>
#include <memory>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <tutti/patch.h>
#include <tutti/tables.h>

#include "cli/command.h"
#include "cli/patch_name.h"

namespace tutti::cli {

namespace {

struct Options {
    std::string name;
    bool json = false;
};

int list(const Options& options) {
    nlohmann::json out = nlohmann::json::array();
    for (const std::string_view name : Patch::factory_names()) {
        const Result<Patch> patch = Patch::factory(name);
        if (!patch.ok()) return fail(patch.status());
        if (options.json)
            out.push_back({{"id", std::string(name)},
                           {"name", patch->name},
                           {"voice", patch->voice},
                           {"category", patch->category},
                           {"tags", patch->tags}});
        else
            fmt::print("{:<22} {:<14} {:<12} {}\n", name, patch->voice, patch->category, patch->name);
    }
    if (options.json) fmt::print("{}\n", out.dump(2));
    return exit_ok;
}

// "20 Hz .. 20.0 kHz", "saw, pulse, triangle, sine", "off, on".
std::string range_text(const Parameter& parameter) {
    if (parameter.unit == Unit::toggle) return "off, on";
    if (parameter.unit != Unit::choice)
        return value_text(parameter, parameter.minimum) + " .. " + value_text(parameter, parameter.maximum);
    return fmt::format("{}", fmt::join(parameter.choices, parameter.choices + parameter.choice_count, ", "));
}

void print_table(const TypeTable& table, const std::map<std::string, double>& values) {
    std::string group;
    for (const Parameter& parameter : table.parameters) {
        if (group != parameter.group) {
            group = parameter.group;
            fmt::print("  {}\n", group);
        }
        const auto set = values.find(parameter.id);
        const double value = set == values.end() ? static_cast<double>(parameter.fallback) : set->second;
        fmt::print("    {:<18} {}{:<12} {:<22} {}\n", parameter.id, set == values.end() ? ' ' : '*',
                   value_text(parameter, static_cast<float>(value)), parameter.name, range_text(parameter));
    }
}

int describe(const Options& options) {
    // A voice type or an effect describes its whole table; a patch its own values.
    if (const TypeTable* table = voice_table(options.name); table != nullptr && !options.json) {
        fmt::print("voice type {} ({}), {} parameters\n", table->id, table->name, table->parameters.size());
        print_table(*table, {});
        return exit_ok;
    }
    if (const TypeTable* table = effect_table(options.name); table != nullptr && !options.json) {
        fmt::print("effect {} ({}), {} parameters\n", table->id, table->name, table->parameters.size());
        print_table(*table, {});
        return exit_ok;
    }
    const Result<Patch> patch = find_patch(options.name);
    if (!patch.ok()) return fail(patch.status());
    if (options.json) {
        fmt::print("{}", patch->to_json()); // ends in a newline of its own
        return exit_ok;
    }
    fmt::print("{} ({}{}{}), voice type {}\n", patch->name, patch->category, patch->author.empty() ? "" : ", by ",
               patch->author, patch->voice);
    fmt::print("  values marked * are the patch's own, the others are the type's defaults\n");
    if (const TypeTable* table = voice_table(patch->voice)) print_table(*table, patch->parameters);
    if (!patch->routes.empty()) fmt::print("  Modulation\n");
    for (const PatchRoute& route : patch->routes)
        fmt::print("    {:<12} -> {:<20} {:+g}{}\n", route.source, route.target, route.depth,
                   route.via.empty() ? "" : " x " + route.via);
    if (!patch->controllers.empty()) fmt::print("  Controllers\n");
    for (const PatchController& controller : patch->controllers)
        fmt::print("    {:<12} -> {}\n", controller.number, controller.target);
    if (!patch->macros.empty()) fmt::print("  Macros\n");
    for (const auto& [id, name] : patch->macros)
        fmt::print("    {:<12} {}\n", id, name);
    for (const PatchEffect& effect : patch->effects) {
        fmt::print("  Effect {}{}\n", effect.type, effect.enabled ? "" : " (off)");
        const TypeTable* const table = effect_table(effect.type);
        for (const auto& [id, value] : effect.parameters) {
            const int index = table != nullptr ? parameter_index(*table, id) : -1;
            fmt::print("    {:<20} {}\n", id,
                       index < 0
                           ? fmt::format("{:g}", value)
                           : value_text(table->parameters[static_cast<std::size_t>(index)], static_cast<float>(value)));
        }
    }
    return exit_ok;
}

int validate(const Options& options) {
    const Result<Patch> patch = Patch::load(options.name);
    if (!patch.ok()) return fail(patch.status());
    const Status status = patch->validate();
    if (!status.ok()) return fail(status);
    fmt::print("{}: a valid patch, \"{}\" on voice type {}\n", options.name, patch->name, patch->voice);
    return exit_ok;
}

} // namespace

Command add_patches(CLI::App& app) {
    CLI::App* sub = app.add_subcommand("patches", "List, describe and check patches");
    sub->require_subcommand(1);
    auto options = std::make_shared<Options>();
    CLI::App* list_app = sub->add_subcommand("list", "The factory patches");
    list_app->add_flag("--json", options->json, "Print JSON");
    CLI::App* describe_app =
        sub->add_subcommand("describe", "What a patch sets; the table of a voice type or an effect");
    describe_app->add_option("NAME", options->name, "Factory patch, patch file, voice type or effect")->required();
    describe_app->add_flag("--json", options->json, "Print the patch as JSON");
    CLI::App* validate_app = sub->add_subcommand("validate", "Checks a patch file");
    validate_app->add_option("FILE", options->name, "Patch file (JSON)")->required();
    return {sub, [=] {
                if (list_app->parsed()) return list(*options);
                if (describe_app->parsed()) return describe(*options);
                return validate(*options);
            }};
}

} // namespace tutti::cli
