// SPDX-License-Identifier: MIT
// What a project keeps.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <thread>

#include "tests/host/plugcheck/check.h"

namespace tutti::host {
namespace {

void scatter(Plugin& plugin, std::mt19937_64& random) {
    const auto& list = plugin.parameters();
    for (std::size_t i = 0; i < list.size(); ++i)
        plugin.set(static_cast<int>(i), list[i].minimum + (list[i].maximum - list[i].minimum) *
                                                              static_cast<double>(random() % 1001) / 1000.0);
    plugin.idle(20);
}

std::vector<double> values(Plugin& plugin) {
    std::vector<double> all;
    for (std::size_t i = 0; i < plugin.parameters().size(); ++i)
        all.push_back(plugin.value(static_cast<int>(i)));
    return all;
}

void same_values(Context& context, Plugin& plugin, const std::vector<double>& wanted, const std::string& when) {
    const auto& list = plugin.parameters();
    for (std::size_t i = 0; i < list.size(); ++i) {
        const double got = plugin.value(static_cast<int>(i));
        context.check(std::abs(got - wanted[i]) <= 1e-6 * (list[i].maximum - list[i].minimum),
                      when + ": parameter " + list[i].name + " is " + number(got) + " instead of " + number(wanted[i]));
    }
}

void round_trip(Context& context) {
    auto random = context.random();
    for (int round = 0; round < 3; ++round) {
        const auto first = context.make();
        if (!context.check(first->prepare(48000.0, 512), "refuses 48 kHz")) return;
        scatter(*first, random);
        (void)render(*first, {}, 512, {512}); // what the host has set reaches the audio thread
        const auto wanted = values(*first);
        const Bytes state = first->save();
        context.check(!state.empty(), "its state is empty");
        const auto second = context.make();
        if (round % 2 == 1 && !second->prepare(48000.0, 512)) return context.fail("refuses 48 kHz");
        if (!context.check(second->load(state), "its own state is refused")) return;
        second->idle(20);
        same_values(context, *second, wanted, "after loading");
        if (round % 2 == 0 && !second->prepare(48000.0, 512)) return context.fail("refuses 48 kHz");
        const auto third = context.make();
        context.check(third->load(state) && third->prepare(48000.0, 512), "its own state is refused");
        third->idle(20);
        const auto events = phrase(*second, 9600, context.seed);
        context.check(render(*second, events, 9600, {512}) == render(*third, events, 9600, {512}),
                      "the same state gives different sounds");
    }
}

void bytes(Context& context) {
    auto random = context.random();
    const auto plugin = context.make();
    scatter(*plugin, random);
    const Bytes one = plugin->save();
    context.check(plugin->save() == one, "saving twice gives different bytes");
    const auto other = context.make();
    context.check(other->load(one), "its own state is refused");
    other->idle(20);
    const Bytes two = other->save();
    context.check(two == one, "saved, loaded and saved again gives different bytes (" +
                                  number(static_cast<double>(one.size())) + ", " +
                                  number(static_cast<double>(two.size())) + ")");
    const auto third = context.make();
    context.check(third->load(two) && third->save() == two, "a third time gives different bytes");
    context.note("a state of " + number(static_cast<double>(one.size())) + " bytes");
}

void pieces(Context& context) {
    auto random = context.random();
    const auto plugin = context.make();
    scatter(*plugin, random);
    const auto wanted = values(*plugin);
    const Bytes state = plugin->save();
    for (const int piece : {1, 2, 3, 23, 1000}) {
        const auto other = context.make();
        context.check(other->load(state, piece), "refused when given in pieces of " + number(piece) + " bytes");
        other->idle(10);
        same_values(context, *other, wanted, "given in pieces of " + number(piece) + " bytes");
    }
}

void each_parameter(Context& context) {
    const auto plugin = context.make();
    const auto& list = plugin->parameters();
    if (list.empty()) return context.skip("it has no parameters");
    auto random = context.random();
    const auto standard = values(*plugin);
    for (std::size_t i = 0; i < list.size(); ++i) {
        const double value =
            list[i].minimum + (list[i].maximum - list[i].minimum) * static_cast<double>(random() % 11) / 10.0;
        plugin->set(static_cast<int>(i), value);
        const double before = plugin->value(static_cast<int>(i));
        const Bytes state = plugin->save();
        plugin->set(static_cast<int>(i), list[i].standard);
        context.check(plugin->load(state), "its own state is refused");
        plugin->idle(0);
        const double got = plugin->value(static_cast<int>(i));
        context.check(std::abs(got - before) <= 1e-6 * (list[i].maximum - list[i].minimum),
                      "parameter " + list[i].name + ": saved at " + number(before) + ", loaded as " + number(got));
        plugin->set(static_cast<int>(i), standard[i]);
    }
}

// Whatever is loaded, the plugin plays on and takes its own state again.
void still_alive(Context& context, Plugin& plugin, const Bytes& good, const std::string& after) {
    context.check(plugin.load(good), "its own state is refused after " + after);
    plugin.idle(1);
    plugin.reset();
    const auto sound = render(plugin, {note_on(0, 60)}, 4800, {64});
    context.check(broken(sound) == 0 && peak(sound) > 0.0f, "it no longer sounds after " + after);
}

void prefixes(Context& context) {
    const auto plugin = context.make();
    if (!context.check(plugin->prepare(48000.0, 512), "refuses 48 kHz")) return;
    const Bytes good = plugin->save();
    const std::size_t step = std::max<std::size_t>(1, good.size() / 256);
    for (std::size_t length = 0; length < good.size(); length += length < 64 || length + 64 > good.size() ? 1 : step) {
        (void)plugin->load(std::span(good).first(length));
        if (length % 16 == 0)
            context.check(broken(render(*plugin, {note_on(0, 60)}, 64, {64})) == 0, "a prefix breaks the sound");
    }
    still_alive(context, *plugin, good, "prefixes of its state");
}

void noise(Context& context) {
    auto random = context.random();
    const auto plugin = context.make();
    if (!context.check(plugin->prepare(48000.0, 512), "refuses 48 kHz")) return;
    const Bytes good = plugin->save();
    for (int round = 0; round < 3; ++round) {
        Bytes state(1 << 20);
        for (auto& byte : state)
            byte = static_cast<std::uint8_t>(random());
        context.check(!plugin->load(state) || !plugin->tells_refusal(), "a megabyte of noise is taken for a state");
    }
    for (int round = 0; round < 200; ++round) {
        Bytes state = good;
        for (int k = 0; k < 1 + round % 8 && !state.empty(); ++k) {
            const auto at = random() % state.size();
            if (random() % 4 == 0)
                state.erase(state.begin() + static_cast<std::ptrdiff_t>(at));
            else
                state[at] = static_cast<std::uint8_t>(random());
        }
        (void)plugin->load(state);
        if (round % 8 == 0)
            context.check(broken(render(*plugin, {note_on(0, 60)}, 64, {64})) == 0, "a damaged state breaks the sound");
    }
    still_alive(context, *plugin, good, "damaged states");
}

void empty(Context& context) {
    auto random = context.random();
    const auto plugin = context.make();
    scatter(*plugin, random);
    const auto before = values(*plugin);
    context.check(!plugin->load({}) || !plugin->tells_refusal(), "an empty state is taken for one");
    same_values(context, *plugin, before, "after an empty state");
}

void unknown_keys(Context& context) {
    const auto plugin = context.make();
    Bytes state = plugin->save();
    const auto brace = std::find(state.begin(), state.end(), '{');
    if (brace == state.end()) return context.skip("its state is no JSON text that the host can reach");
    const std::string more = "\"plugcheck_unknown\":[1,2,{\"a\":\"b\"}],";
    state.insert(brace + 1, more.begin(), more.end());
    const auto other = context.make();
    if (!context.check(other->load(state), "a state with an unknown key is refused")) return;
    other->idle(10);
    const Bytes again = other->save();
    const std::string text(again.begin(), again.end());
    context.check(text.find("plugcheck_unknown") != std::string::npos, "an unknown key is lost");
}

void while_processing(Context& context) {
    auto random = context.random();
    const auto plugin = context.make();
    if (!context.check(plugin->prepare(48000.0, 64), "refuses 48 kHz")) return;
    std::vector<Bytes> states;
    for (int i = 0; i < 4; ++i) {
        const auto other = context.make();
        if (i > 0) scatter(*other, random);
        states.push_back(other->save());
    }
    std::atomic<bool> done{false};
    int bad = 0;
    std::thread audio([&] {
        for (int k = 0; k < 3; ++k)
            bad += broken(render(*plugin, phrase(*plugin, 24000, context.seed), 24000, {64}));
        done = true;
    });
    for (std::size_t k = 0; !done; ++k) {
        context.check(plugin->load(states[k % states.size()]), "its own state is refused while it plays");
        (void)plugin->save();
        plugin->idle(1);
    }
    audio.join();
    context.check(bad == 0, number(bad) + " samples that are not finite or subnormal");
    const std::string misdeeds = plugin->misdeeds();
    context.check(misdeeds.empty(), misdeeds);
    still_alive(context, *plugin, states[0], "states loaded while it played");
}

} // namespace

// fault 33: a damaged or older project: the same bytes again, any prefix, noise and newer keys survived
// fault 34: a state that is loaded while it plays: finite, and it plays on
std::vector<Check> state_checks() {
    return {
        {"state.round_trip", "pluginval 2, clap-validator",
         "a new instance with the state of another has its values, and sounds bit for bit like it", round_trip},
        {"state.bytes", "pluginval 8, clap-validator, fault 33", "saved, loaded, saved: the same bytes, three times",
         bytes},
        {"state.pieces", "clap-validator, fault 33", "a state read in pieces of 1, 2, 3, 23 bytes is the same", pieces},
        {"state.parameters", "pluginval 6", "each parameter comes back exactly, not within a tenth", each_parameter},
        {"state.prefixes", "fault 33", "every prefix of a state is survived", prefixes},
        {"state.noise", "clap-validator, fault 33", "three megabytes of noise are refused, damaged states survived",
         noise},
        {"state.empty", "clap-validator", "an empty state is refused and changes nothing", empty},
        {"state.unknown_keys", "fault 33", "keys of a newer version are kept", unknown_keys},
        {"state.while_processing", "pluginval 7, fault 34", "loaded and saved while the audio thread plays",
         while_processing},
    };
}

} // namespace tutti::host
