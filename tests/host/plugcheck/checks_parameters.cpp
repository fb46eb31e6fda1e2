// SPDX-License-Identifier: MIT
// Parameters that move while it plays.
#include <atomic>
#include <cmath>
#include <limits>
#include <thread>

#include "tests/host/plugcheck/check.h"

namespace tutti::host {
namespace {

Event change(int frame, int parameter, double value) {
    Event event;
    event.frame = frame;
    event.type = EventType::parameter;
    event.parameter = parameter;
    event.value = value;
    return event;
}

double some_value(const Parameter& p, std::mt19937_64& random) {
    const double at = static_cast<double>(random() >> 11) * 0x1p-53;
    return p.minimum + (p.maximum - p.minimum) * at;
}

void automation(Context& context) {
    const auto plugin = context.make();
    const auto& list = plugin->parameters();
    if (list.empty()) return context.skip("it has no parameters");
    auto random = context.random();
    for (const double rate : {44100.0, 48000.0, 96000.0}) {
        if (!context.check(plugin->prepare(rate, 1024), "refuses " + number(rate) + " Hz")) return;
        auto events = phrase(*plugin, 32 * 300, context.seed);
        for (int block = 0; block < 300; ++block)
            for (int k = 0; k < 10; ++k) {
                const auto which = random() % list.size();
                if (list[which].automatable)
                    events.push_back(change(32 * block, static_cast<int>(which), some_value(list[which], random)));
            }
        std::stable_sort(events.begin(), events.end(),
                         [](const Event& a, const Event& b) { return a.frame < b.frame; });
        const int bad = broken(render(*plugin, events, 32 * 300, {32}));
        context.check(bad == 0, number(bad) + " samples that are not finite or subnormal at " + number(rate) + " Hz");
        plugin->release();
    }
}

void fuzz(Context& context) {
    const auto plugin = context.make();
    const auto& list = plugin->parameters();
    if (list.empty()) return context.skip("it has no parameters");
    if (!context.check(plugin->prepare(48000.0, 256), "refuses 48 kHz")) return;
    auto random = context.random();
    constexpr double k_infinite = std::numeric_limits<double>::infinity(),
                     k_nan = std::numeric_limits<double>::quiet_NaN();
    for (int round = 0; round < 40; ++round) {
        std::vector<Event> events{note_on(0, 40 + round)};
        for (std::size_t i = 0; i < list.size(); ++i) {
            const Parameter& p = list[i];
            const double wide = p.maximum - p.minimum;
            const double odd[] = {p.minimum,   p.maximum, p.minimum - wide, p.maximum + wide, 1e300, -1e300, k_infinite,
                                  -k_infinite, k_nan};
            const bool extreme = round % 4 == 3;
            const double value = extreme ? odd[random() % 9] : some_value(p, random);
            if (round % 2 == 0)
                plugin->set(static_cast<int>(i), value);
            else if (p.automatable)
                events.push_back(change(0, static_cast<int>(i), value));
        }
        const int bad = broken(render(*plugin, events, 1024, {256}));
        context.check(bad == 0, number(bad) + " samples that are not finite or subnormal in round " + number(round));
        for (std::size_t i = 0; i < list.size(); ++i) {
            const double value = plugin->value(static_cast<int>(i));
            context.check(value >= list[i].minimum && value <= list[i].maximum,
                          "parameter " + list[i].name + " stands at " + number(value) + ", outside its range");
        }
    }
}

void threads(Context& context) {
    const auto plugin = context.make();
    const auto& list = plugin->parameters();
    if (!context.check(plugin->prepare(48000.0, 32), "refuses 48 kHz")) return;
    std::atomic<bool> done{false};
    int bad = 0;
    std::thread audio([&] {
        auto events = phrase(*plugin, 32 * 500, context.seed);
        for (int k = 0; k < 500 && !list.empty(); ++k)
            events.push_back(change(32 * k, static_cast<int>(static_cast<std::size_t>(k) % list.size()),
                                    list[static_cast<std::size_t>(k) % list.size()].minimum));
        std::stable_sort(events.begin(), events.end(),
                         [](const Event& a, const Event& b) { return a.frame < b.frame; });
        for (int k = 0; k < 4; ++k)
            bad += broken(render(*plugin, events, 32 * 500, {32}));
        done = true;
    });
    auto random = context.random();
    while (!done) {
        if (!list.empty()) {
            const auto which = random() % list.size();
            plugin->set(static_cast<int>(which), some_value(list[which], random));
            (void)plugin->text(static_cast<int>(which), plugin->value(static_cast<int>(which)));
        }
        if (random() % 16 == 0) (void)plugin->save();
        plugin->idle(0);
    }
    audio.join();
    context.check(bad == 0, number(bad) + " samples that are not finite or subnormal");
    const std::string misdeeds = plugin->misdeeds();
    context.check(misdeeds.empty(), misdeeds);
}

// The same steps on the same frames whatever the blocks; in formats where parameters take effect on their frame.
void sample_accurate(Context& context) {
    auto plugin = context.make();
    const auto& list = plugin->parameters();
    if (list.empty() || !plugin->sample_accurate()) return context.skip("its format gives parameters by the block");
    auto random = context.random();
    std::vector<Event> events{note_on(0, 57), note_on(0, 64)};
    for (int frame = 10; frame < 9600; frame += 10 + static_cast<int>(random() % 400)) {
        const auto which = random() % list.size();
        if (list[which].automatable)
            events.push_back(change(frame, static_cast<int>(which), some_value(list[which], random)));
    }
    Sound whole;
    for (const auto& sizes :
         std::initializer_list<std::vector<int>>{{9600}, {1}, {10}, {100}, {1000}, {7, 333, 64, 1}}) {
        plugin = context.make();
        if (!context.check(plugin->prepare(48000.0, 9600), "refuses 48 kHz")) return;
        const auto sound = render(*plugin, events, 9600, sizes);
        if (whole.channels.empty()) whole = sound;
        int at = 0;
        while (at < 9600 && !(sound == whole) &&
               sound.channels[0][static_cast<std::size_t>(at)] == whole.channels[0][static_cast<std::size_t>(at)])
            ++at;
        context.check(sound == whole,
                      "blocks of " + number(sizes[0]) + " frames change the sound from frame " + number(at) + " on");
    }
    // And it is heard at all.
    auto still = context.make();
    if (still->prepare(48000.0, 9600))
        context.check(!(render(*still, {note_on(0, 57), note_on(0, 64)}, 9600, {9600}) == whole),
                      "no parameter is heard");
}

void modulation(Context& context) {
    auto plugin = context.make();
    if (!plugin->modulates_notes()) return context.skip("its format has no modulation of single notes");
    const auto play = [&](const std::vector<Event>& more) {
        plugin = context.make();
        std::vector<Event> events{note_on(0, 57, 0.8, 1), note_on(0, 69, 0.8, 2)};
        events.insert(events.end(), more.begin(), more.end());
        return plugin->prepare(48000.0, 4800) ? render(*plugin, events, 9600, {4800}) : Sound{};
    };
    const Sound plain = play({});
    Event tune;
    tune.frame = 0;
    tune.type = EventType::tuning;
    tune.key = 69;
    tune.note_id = 2;
    tune.value = 1.0;
    const Sound tuned = play({tune});
    context.check(!(tuned == plain), "tuning of one note is not heard");
    const double low = pitch(tuned, 48000.0, 220.0, 2400, 7200), plain_low = pitch(plain, 48000.0, 220.0, 2400, 7200);
    const double high = pitch(tuned, 48000.0, 466.16, 2400, 7200);
    context.check(std::abs(1200.0 * std::log2(low / plain_low)) < 2.0, "tuning of one note moved another one");
    context.check(std::abs(1200.0 * std::log2(high / 440.0) - 100.0) < 8.0,
                  "a semitone up gave " + number(high) + " Hz");
    // Modulation leaves the value that the host sees as it is, and what is modulated by nothing sounds as before.
    const std::vector<Parameter> list = plugin->note_inputs();
    std::vector<double> values;
    for (std::size_t k = 0; k < plugin->parameters().size(); ++k)
        values.push_back(plugin->value(static_cast<int>(k)));
    int heard = 0;
    for (std::size_t i = 0; i < list.size(); ++i) {
        Event event;
        event.type = EventType::modulation;
        event.parameter = static_cast<int>(i);
        event.note_id = 2;
        event.key = 69;
        event.value = 0.5 * (list[i].maximum - list[i].minimum);
        const Sound sound = play({event});
        heard += static_cast<int>(!(sound == plain));
        for (std::size_t k = 0; k < plugin->parameters().size(); ++k)
            context.check(plugin->value(static_cast<int>(k)) == values[k],
                          "modulation of " + list[i].name + " changed the value of " + plugin->parameters()[k].name);
        event.value = 0.0;
        context.check(play({event}) == plain, "modulation of " + list[i].name + " by nothing changed the sound");
    }
    context.check(heard > 0, "no parameter can be modulated for one note");
}

} // namespace

// fault 32: parameters from the host, the editor and the audio thread at once: finite (no thread sanitizer yet)
std::vector<Check> parameter_checks() {
    return {
        {"parameters.automation", "pluginval 3", "ten random parameters every 32 frames: finite, nothing subnormal",
         automation},
        {"parameters.fuzz", "pluginval 6, clap-validator",
         "any value, infinite and NaN too: finite sound, values inside their range", fuzz},
        {"parameters.threads", "pluginval 7, fault 32",
         "the main thread sets, reads and saves while the audio thread plays", threads},
        {"parameters.sample_accurate", "clap-validator",
         "a change takes effect on its frame: the same bits in blocks of 1, 10, 100, 1,000", sample_accurate},
        {"parameters.modulation", "clap-validator", "tuning and modulation reach one note and leave values as they are",
         modulation},
    };
}

} // namespace tutti::host
