// SPDX-License-Identifier: MIT
// Calls in every order, many instances, and what an audio thread must not do.
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <latch>
#include <thread>

#include "tests/host/plugcheck/check.h"
#include "tests/host/plugcheck/watch.h"
#include "tests/realtime/calls.h"

namespace tutti::host {
namespace {

void again(Context& context) {
    const auto plugin = context.make();
    Sound first;
    for (const auto& [rate, block] : std::initializer_list<std::pair<double, int>>{
             {44100.0, 512}, {96000.0, 64}, {48000.0, 1024}, {44100.0, 512}}) {
        // Without a release in between.
        if (!context.check(plugin->prepare(rate, block), "refuses to be prepared again")) return;
        const auto sound = render(*plugin, phrase(*plugin, 9600, context.seed), 9600, {block});
        context.check(broken(sound) == 0 && peak(sound) > 0.001f, "prepared again without a release it does not sound");
        if (first.channels.empty()) first = sound;
    }
    const auto last = render(*plugin, {}, 64, {64});
    context.check(broken(last) == 0, "samples that are not finite");
}

void suspend(Context& context) {
    const auto plugin = context.make();
    Sound first;
    for (int k = 0; k < 20; ++k) {
        if (!context.check(plugin->prepare(48000.0, 256), "refuses to be prepared again")) return;
        const auto sound = render(*plugin, phrase(*plugin, 4800, context.seed), 4800, {256});
        if (k == 0) first = sound;
        context.check(sound == first, "after " + number(k) + " releases the same notes give other bits");
        plugin->release();
    }
}

// Every sequence of three, then it has to sound as a new one does.
void orders(Context& context) {
    const auto fresh = context.make();
    const Bytes state = fresh->save();
    if (!context.check(fresh->prepare(48000.0, 256), "refuses 48 kHz")) return;
    const auto events = phrase(*fresh, 2400, context.seed);
    const Sound wanted = render(*fresh, events, 2400, {256});
    const char* names[] = {"prepare", "release", "reset", "process", "latency and tail", "save", "load"};
    for (int sequence = 0; sequence < 7 * 7 * 7; ++sequence) {
        const auto plugin = context.make();
        const int steps[] = {sequence % 7, sequence / 7 % 7, sequence / 49};
        std::string said;
        for (const int step : steps) {
            said += (said.empty() ? "" : ", ") + std::string(names[step]);
            switch (step) {
            case 0:
                (void)plugin->prepare(44100.0, 128);
                break;
            case 1:
                plugin->release();
                break;
            case 2:
                plugin->reset();
                break;
            case 3: {
                const Sound sound = render(*plugin, {}, 64, {64});
                context.check(broken(sound) == 0, said + ": samples that are not finite");
                break;
            }
            case 4:
                context.check(plugin->latency() >= 0 && plugin->tail() >= -1, said + ": latency or tail below zero");
                break;
            case 5:
                context.check(plugin->save() == state, said + ": another state");
                break;
            case 6:
                context.check(plugin->load(state), said + ": its own state is refused");
                break;
            }
        }
        context.check(plugin->prepare(48000.0, 256), said + ": then refuses to be prepared");
        context.check(render(*plugin, events, 2400, {256}) == wanted,
                      said + ": then it sounds otherwise than a new one");
    }
}

void many(Context& context) {
    std::vector<std::unique_ptr<Plugin>> all;
    for (int i = 0; i < 32; ++i) {
        all.push_back(context.make());
        if (!context.check(all.back()->prepare(48000.0, 64), "instance " + number(i) + " refuses 48 kHz")) return;
    }
    std::vector<Event> events;
    for (int key = 48; key < 56; ++key)
        events.push_back(note_on((key - 48) * 100, key, 0.5));
    std::vector<Sound> sounds(all.size());
    for (auto& sound : sounds)
        sound.channels.resize(static_cast<std::size_t>(all[0]->outs()));
    // One after the other, a block each, as a host does.
    for (int at = 0; at < 4800; at += 64)
        for (std::size_t i = 0; i < all.size(); ++i) {
            std::vector<Event> inside;
            for (const Event& event : events)
                if (event.frame >= at && event.frame < at + 64) {
                    inside.push_back(event);
                    inside.back().frame -= at;
                }
            const Sound block = render(*all[i], inside, 64, {64});
            for (std::size_t c = 0; c < block.channels.size(); ++c)
                sounds[i].channels[c].insert(sounds[i].channels[c].end(), block.channels[c].begin(),
                                             block.channels[c].end());
        }
    context.check(peak(sounds[0]) > 0.001f, "it is silent");
    for (std::size_t i = 1; i < all.size(); ++i)
        context.check(sounds[i] == sounds[0],
                      "instance " + number(static_cast<double>(i)) + " of 32 sounds otherwise than the first");
    all.clear();
    const auto alone = context.make();
    context.check(alone->prepare(48000.0, 64), "refuses 48 kHz");
    context.check(render(*alone, events, sounds[0].frames(), {64}) == sounds[0],
                  "alone it sounds otherwise than among 32");
}

void parallel(Context& context) {
    std::vector<std::unique_ptr<Plugin>> all;
    for (int i = 0; i < 5; ++i) {
        all.push_back(context.make());
        if (!context.check(all.back()->prepare(48000.0, 128), "refuses 48 kHz")) return;
    }
    const auto events = phrase(*all[0], 24000, context.seed);
    const Sound alone = render(*all[4], events, 24000, {128});
    Sound sounds[4];
    std::latch start(4);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&, i] {
            start.arrive_and_wait();
            sounds[i] = render(*all[static_cast<std::size_t>(i)], events, 24000, {128});
        });
    for (auto& thread : threads)
        thread.join();
    for (const Sound& sound : sounds)
        context.check(sound == alone, "rendered at the same time in four threads it sounds otherwise than alone");
}

struct Held {
    int files = 0, threads = 0;
    long kilobytes = 0;
    static Held now() {
        Held held;
        for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
            ++held.files;
        std::ifstream status("/proc/self/status");
        for (std::string line; std::getline(status, line);) {
            if (line.rfind("Threads:", 0) == 0) held.threads = std::atoi(line.c_str() + 8);
            if (line.rfind("RssAnon:", 0) == 0) held.kilobytes = std::atol(line.c_str() + 8);
        }
        return held;
    }
};

void cycle(Context& context) {
    const auto once = [&] {
        const auto plugin = context.make();
        if (plugin->prepare(48000.0, 256)) (void)render(*plugin, phrase(*plugin, 2400, context.seed), 2400, {256});
        plugin->idle(1);
    };
    for (int k = 0; k < 10; ++k)
        once();
    // What leaks does so in every round; the kernel's huge pages and the heap's own unrest do not.
    int files = 1000, threads = 1000;
    long kilobytes = 1 << 30;
    for (int round = 0; round < 3; ++round) {
        const Held before = Held::now();
        for (int k = 0; k < 50; ++k)
            once();
        const Held after = Held::now();
        files = std::min(files, after.files - before.files);
        threads = std::min(threads, after.threads - before.threads);
        kilobytes = std::min(kilobytes, after.kilobytes - before.kilobytes);
    }
    context.check(files <= 0, number(files) + " files are still open after 50 instances");
    context.check(threads <= 0, number(threads) + " threads are left of 50 instances");
    context.check(sanitized() || kilobytes < 50 * 20,
                  number(static_cast<double>(kilobytes)) + " KiB are left of 50 instances");
    context.note(number(static_cast<double>(kilobytes)) + " KiB after 50 more instances");
}

// Notes, bends, pedals and parameters; what is looked for, `measure` says.
void watched(Context& context, const std::function<void(const std::function<void()>&)>& measure) {
    const auto plugin = context.make();
    if (!context.check(plugin->prepare(48000.0, 64), "refuses 48 kHz")) return;
    auto random = context.random();
    const auto& list = plugin->parameters();
    Sound out{std::vector<std::vector<float>>(static_cast<std::size_t>(plugin->outs()), std::vector<float>(64))};
    std::vector<float> quiet(64);
    std::vector<float*> outs, ins(static_cast<std::size_t>(plugin->ins()), quiet.data());
    for (auto& channel : out.channels)
        outs.push_back(channel.data());
    std::vector<Event> events;
    Transport now;
    now.playing = true;
    std::thread([&] {
        for (int k = 0; k < 3000; ++k) {
            events.clear();
            for (auto many_events = random() % 4; many_events > 0; --many_events) {
                const int frame = static_cast<int>(random() % 64), key = static_cast<int>(30 + random() % 60);
                switch (random() % 5) {
                case 0:
                    events.push_back(note_on(frame, key));
                    break;
                case 1:
                case 2:
                    events.push_back(note_off(frame, key));
                    break;
                case 3:
                    if (plugin->takes_midi()) events.push_back(midi(frame, 0xe0, 0, static_cast<int>(random() % 128)));
                    break;
                default:
                    if (list.empty()) break;
                    Event event;
                    event.frame = frame;
                    event.type = EventType::parameter;
                    event.parameter = static_cast<int>(random() % list.size());
                    const Parameter& p = list[static_cast<std::size_t>(event.parameter)];
                    event.value = p.minimum + (p.maximum - p.minimum) * static_cast<double>(random() % 101) / 100.0;
                    if (p.automatable) events.push_back(event);
                }
            }
            std::stable_sort(events.begin(), events.end(),
                             [](const Event& a, const Event& b) { return a.frame < b.frame; });
            const Block block{ins.data(), plugin->ins(), outs.data(), plugin->outs(), 64, events, &now};
            const auto call = [&] { plugin->process(block); };
            if (k < 300)
                call(); // first touches, the wrapper's own growth
            else
                measure(call);
            now.frame += 64;
            now.quarters += 64.0 * 2.0 / 48000.0;
        }
    }).join();
}

void heap(Context& context) {
    if (!realtime::calls_count()) return context.skip("a sanitizer has the heap");
    const int before = realtime::heap_calls();
    watched(context, [](const auto& call) {
        const realtime::CallWatch counting;
        call();
    });
    context.check(realtime::heap_calls() == before,
                  number(realtime::heap_calls() - before) + " calls of the heap in 2,700 callbacks");
}

void locks(Context& context) {
    if (!realtime::calls_count()) return context.skip("a sanitizer has the locks");
    const int before = realtime::lock_calls();
    watched(context, [](const auto& call) {
        const realtime::CallWatch counting;
        call();
    });
    context.check(realtime::lock_calls() == before,
                  number(realtime::lock_calls() - before) + " locks and signals in 2,700 callbacks");
}

void system_calls(Context& context) {
    if (!realtime::calls_count()) return context.skip("a sanitizer calls the system");
    bool begun = false, traps = true;
    watched(context, [&](const auto& call) {
        if (!begun) traps = begin_trap();
        begun = true;
        const Trapping trapping;
        call();
    });
    if (!traps) return context.skip("this kernel has no seccomp filters");
    context.check(trapped_calls() == 0, number(trapped_calls()) +
                                            " system calls in 2,700 callbacks, the last is number " +
                                            number(last_trapped_call()));
}

void faults(Context& context) {
    if (!realtime::calls_count()) return context.skip("a sanitizer's shadow memory faults");
    long minor = 0, waits = 0;
    watched(context, [&](const auto& call) {
        const Faults before = Faults::now();
        call();
        const Faults after = Faults::now();
        minor += after.pages - before.pages;
        waits += after.waits - before.waits;
    });
    // One page may be the host's own: its stack grows once.
    context.check(minor <= 1, number(static_cast<double>(minor)) + " page faults in 2,700 callbacks");
    context.check(waits == 0, number(static_cast<double>(waits)) + " waits in 2,700 callbacks");
}

} // namespace

// fault 30: calls out of order: every order of three is survived, then it sounds like a new instance
// fault 38: many instances: 32 and one alone give the same bits; 50 made and gone leave no file, thread or memory
std::vector<Check> life_checks() {
    return {
        {"life.prepare_again", "pluginval 6", "prepared again and again without a release, at other rates and sizes",
         again},
        {"life.suspend", "Steinberg", "twenty times released and prepared: the same bits", suspend},
        {"life.orders", "Steinberg's disabled tests, fault 30",
         "every order of three calls is survived, and it sounds like a new one", orders},
        {"instances.many", "fault 38", "32 at once, 8 voices each: each sounds like one alone, bit for bit", many},
        {"instances.parallel", "fault 38", "four in four threads at once: the same bits", parallel},
        {"instances.cycle", "fault 38", "50 made and gone: no file, thread or memory is left", cycle},
    };
}

std::vector<Check> realtime_checks() {
    return {
        {"realtime.heap", "pluginval 9, which sees operator new alone", "no call of the heap, C's or C++'s", heap},
        {"realtime.locks", "no validator", "no lock, no signal", locks},
        {"realtime.system_calls", "no validator", "no system call: every one is trapped", system_calls},
        {"realtime.faults", "no validator", "no page fault, no wait", faults},
    };
}

} // namespace tutti::host
