// SPDX-License-Identifier: MIT
// What a host reads before it plays: names, channels, programs, parameters and their text.
#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "tests/host/plugcheck/check.h"

namespace tutti::host {
namespace {

bool readable(const std::string& text) {
    if (text.empty()) return false;
    for (std::size_t i = 0; i < text.size();) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if (byte < 0x20 || byte == 0x7f) return false;
        const int more = byte < 0x80             ? 0
                         : (byte & 0xe0) == 0xc0 ? 1
                         : (byte & 0xf0) == 0xe0 ? 2
                         : (byte & 0xf8) == 0xf0 ? 3
                                                 : -1;
        if (more < 0 || i + static_cast<std::size_t>(more) >= text.size()) return false;
        for (int k = 1; k <= more; ++k)
            if ((static_cast<unsigned char>(text[i + static_cast<std::size_t>(k)]) & 0xc0) != 0x80) return false;
        i += static_cast<std::size_t>(more) + 1;
    }
    return true;
}

void names(Context& context) {
    const auto plugin = context.make();
    context.check(readable(plugin->name()), "its name cannot be read");
    context.check(readable(plugin->vendor()), "its vendor cannot be read");
    context.check(readable(plugin->version()), "its version cannot be read");
    context.note(plugin->name() + " " + plugin->version() + " by " + plugin->vendor() + ", " + plugin->format());
}

void structure(Context& context) {
    const auto plugin = context.make();
    const std::string wrong = plugin->structure();
    context.check(wrong.empty(), wrong);
    context.check(plugin->outs() >= 1 && plugin->outs() <= 64, number(plugin->outs()) + " output channels");
    context.check(plugin->ins() >= 0 && plugin->ins() <= 64, number(plugin->ins()) + " input channels");
}

void latency_and_tail(Context& context) {
    const auto plugin = context.make();
    for (const double rate : {44100.0, 96000.0}) {
        if (!context.check(plugin->prepare(rate, 512), "refuses " + number(rate) + " Hz")) return;
        const int latency = plugin->latency();
        context.check(latency >= 0 && latency < 10 * rate, "a latency of " + number(latency) + " frames");
        context.check(plugin->tail() >= -1, "a tail of " + number(static_cast<double>(plugin->tail())) + " frames");
        (void)render(*plugin, phrase(*plugin, 4096, context.seed), 4096, {512});
        context.check(plugin->latency() == latency, "its latency changed while it was active");
        plugin->release();
    }
}

void programs(Context& context) {
    const auto plugin = context.make();
    if (plugin->programs() == 0) return context.skip("it has no programs");
    if (!context.check(plugin->prepare(48000.0, 256), "refuses 48 kHz")) return;
    std::set<std::string> seen;
    const auto standard = render(*plugin, {note_on(0, 60)}, 4800, {256});
    int different = 0;
    for (int i = 0; i < plugin->programs(); ++i) {
        const std::string name = plugin->program_name(i);
        context.check(readable(name), "program " + number(i) + " has a name that cannot be read");
        context.check(seen.insert(name).second, "two programs are named " + name);
        plugin->set_program(i);
        plugin->reset();
        const auto sound = render(*plugin, {note_on(0, 60), note_off(4000, 60)}, 4800, {256});
        context.check(broken(sound) == 0, "program " + name + ": samples that are not finite or subnormal");
        different += static_cast<int>(!(sound == standard));
    }
    context.check(plugin->programs() < 2 || different > 0, "every program sounds the same");
    plugin->set_program(-1);
    plugin->set_program(plugin->programs());
    plugin->set_program(std::numeric_limits<int>::max());
    context.check(broken(render(*plugin, {note_on(0, 60)}, 4800, {256})) == 0, "a program that is not there breaks it");
}

void info(Context& context) {
    const auto plugin = context.make();
    std::set<std::string> ids;
    const auto& list = plugin->parameters();
    if (list.empty()) return context.skip("it has no parameters");
    std::set<std::string> known;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const Parameter& p = list[i];
        const std::string who = "parameter " + (p.name.empty() ? p.id : p.name);
        context.check(!p.id.empty() && ids.insert(p.id).second, who + ": its id is empty or another's");
        context.check(readable(p.name), who + ": its name cannot be read");
        context.check(known.insert(p.group + "/" + p.name).second, who + ": another in its group has the same name");
        context.check(std::isfinite(p.minimum) && std::isfinite(p.maximum) && p.minimum < p.maximum,
                      who + ": no range");
        context.check(p.standard >= p.minimum && p.standard <= p.maximum, who + ": its default is outside its range");
        const double value = plugin->value(static_cast<int>(i));
        context.check(std::abs(value - p.standard) <= 1e-6 * (p.maximum - p.minimum),
                      who + ": a new instance has " + number(value) + " instead of its default " + number(p.standard));
    }
    context.note(number(static_cast<double>(list.size())) + " parameters");
    const auto again = context.make();
    const auto& second = again->parameters();
    context.check(second.size() == list.size(), "a second instance has another number of parameters");
    for (std::size_t i = 0; i < std::min(list.size(), second.size()); ++i)
        context.check(list[i].id == second[i].id && list[i].minimum == second[i].minimum &&
                          list[i].maximum == second[i].maximum,
                      "parameter " + list[i].name + " is another one in a second instance");
}

void text(Context& context) {
    const auto plugin = context.make();
    const auto& list = plugin->parameters();
    if (list.empty()) return context.skip("it has no parameters");
    for (std::size_t i = 0; i < list.size(); ++i) {
        const Parameter& p = list[i];
        const int index = static_cast<int>(i);
        std::set<std::string> different;
        for (int k = 0; k <= 10; ++k) {
            double value = p.minimum + (p.maximum - p.minimum) * k / 10.0;
            if (p.steps > 0)
                value = p.minimum + std::round((value - p.minimum) / (p.maximum - p.minimum) * p.steps) / p.steps *
                                        (p.maximum - p.minimum);
            const std::string shown = plugin->text(index, value);
            different.insert(shown);
            if (!context.check(readable(shown),
                               "parameter " + p.name + ": the text of " + number(value) + " cannot be read"))
                continue;
            const auto parsed = plugin->parse(index, shown);
            if (!context.check(parsed.has_value(),
                               "parameter " + p.name + ": its own text \"" + shown + "\" is not understood"))
                continue;
            const std::string round = plugin->text(index, *parsed);
            context.check(round == shown,
                          "parameter " + p.name + ": \"" + shown + "\" comes back as \"" + round + "\"");
        }
        context.check(different.size() >= 2, "parameter " + p.name + ": every value has the same text");
        // What a musician may type; nothing to hold but that it is survived.
        for (const char* typed : {"", " ", "1e999", "-", "nan", "\xff\xfe", "12 parsecs", "%s%n%x"})
            if (const auto parsed = plugin->parse(index, typed))
                context.check(*parsed >= p.minimum && *parsed <= p.maximum, "parameter " + p.name + ": \"" + typed +
                                                                                "\" is read as " + number(*parsed) +
                                                                                ", outside its range");
    }
}

void all_values(Context& context) {
    const auto plugin = context.make();
    const auto& list = plugin->parameters();
    if (list.empty()) return context.skip("it has no parameters");
    if (!context.check(plugin->prepare(48000.0, 256), "refuses 48 kHz")) return;
    for (std::size_t i = 0; i < list.size(); ++i) {
        for (const double value : {list[i].minimum, list[i].maximum, list[i].standard}) {
            plugin->set(static_cast<int>(i), value);
            const double got = plugin->value(static_cast<int>(i));
            context.check(std::abs(got - value) <= 1e-6 * (list[i].maximum - list[i].minimum),
                          "parameter " + list[i].name + ": " + number(value) + " was set, " + number(got) +
                              " is there");
        }
    }
    context.check(broken(render(*plugin, {note_on(0, 60)}, 2048, {256})) == 0,
                  "samples that are not finite or subnormal");
}

} // namespace

std::vector<Check> description_checks() {
    return {
        {"info.names", "pluginval 1", "name, vendor and version can be read", names},
        {"info.structure", "Steinberg, clap-validator", "buses, ports, units and descriptors obey the format",
         structure},
        {"info.latency_and_tail", "pluginval 1", "latency and tail are sensible, and constant while active",
         latency_and_tail},
        {"programs", "pluginval 2, Steinberg",
         "every program has its own name and can be played; what is not there is ignored", programs},
        {"parameters.info", "pluginval 2, Steinberg, clap-validator",
         "ids and names are unique, ranges hold the defaults, a new instance has them", info},
        {"parameters.text", "pluginval 2, clap-validator",
         "text goes both ways and comes back the same; nonsense stays inside the range", text},
        {"parameters.all", "pluginval 7", "smallest, largest and default value of each are there after they were set",
         all_values},
    };
}

} // namespace tutti::host
