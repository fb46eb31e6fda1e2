// SPDX-License-Identifier: MIT
// What no validator listens to: silence, level, pitch, onset, tail, latency, the same sound again. And events of every kind.
#include <algorithm>
#include <cmath>

#include "tests/host/plugcheck/check.h"

namespace tutti::host {
namespace {

void silence(Context& context) {
    const auto plugin = context.make();
    if (!context.check(plugin->prepare(48000.0, 512), "refuses 48 kHz")) return;
    const auto sound = render(*plugin, {}, 48000, {512});
    context.check(peak(sound) == 0.0f,
                  "before the first note it gives " + number(decibel(static_cast<double>(peak(sound)))) + " dBFS");
}

void level(Context& context) {
    const auto plugin = context.make();
    if (!context.check(plugin->prepare(48000.0, 64), "refuses 48 kHz")) return;
    const auto sound = render(*plugin, {note_on(0, 60), note_on(0, 67)}, 48000, {64});
    const double first = decibel(rms(sound, plugin->latency(), plugin->latency() + 2400));
    context.check(first >= -40.0, "the first 50 ms have " + number(first) + " dBFS, below -40");
    context.check(peak(sound) <= 1.0f,
                  "two notes reach " + number(decibel(static_cast<double>(peak(sound)))) + " dBFS");
    context.note("the first 50 ms at " + number(std::round(first * 10.0) / 10.0) + " dBFS");
}

void right_pitch(Context& context) {
    for (const int key : {57, 69, 81}) {
        const auto plugin = context.make();
        if (!context.check(plugin->prepare(48000.0, 512), "refuses 48 kHz")) return;
        const double wanted = 440.0 * std::pow(2.0, (key - 69) / 12.0);
        const auto sound = render(*plugin, {note_on(0, key)}, 96000, {512});
        const double hz = pitch(sound, 48000.0, wanted, 24000, 48000), off = 1200.0 * std::log2(hz / wanted);
        context.check(peak(sound) > 0.0f, "it is silent");
        context.check(std::abs(off) <= context.cents,
                      "key " + number(key) + " is " + number(hz) + " Hz, " + number(off) + " cents off");
    }
}

void onset(Context& context) {
    for (const int frame : {0, 1, 15, 16, 17, 63, 255, 256, 1000}) {
        int first[2] = {};
        const int sizes[] = {256, 2048};
        int latency = 0;
        for (int k = 0; k < 2; ++k) {
            const auto plugin = context.make();
            if (!context.check(plugin->prepare(48000.0, sizes[k]), "refuses 48 kHz")) return;
            latency = plugin->latency();
            first[k] = first_sound(render(*plugin, {note_on(frame, 60)}, 8192 + latency, {sizes[k]})) - latency;
        }
        // A waveform may begin with a zero; a filter of an oversampled voice, a few.
        context.check(first[0] >= frame && first[0] <= frame + 16, "a note at frame " + number(frame) + " begins at " +
                                                                       number(first[0]) + " (latency " +
                                                                       number(latency) + " taken off)");
        context.check(first[0] == first[1], "the block size moves the beginning of a note from " + number(first[0]) +
                                                " to " + number(first[1]));
    }
}

void tail(Context& context) {
    for (const int block : {64, 4096}) {
        const auto plugin = context.make();
        if (!context.check(plugin->prepare(48000.0, block), "refuses 48 kHz")) return;
        // Once silent, then the reported tail is known to be whole for the state it is in.
        const auto frames = plugin->tail();
        if (frames < 0) return context.skip("it says that its tail never ends");
        if (frames > 48000 * 120)
            return context.fail("a tail of " + number(static_cast<double>(frames) / 48000.0) + " s");
        const int off = 12000, end = off + static_cast<int>(frames) + plugin->latency(), all = end + 24000;
        const auto sound = render(*plugin, {note_on(0, 60), note_off(off, 60)}, all, {block});
        const double after = decibel(static_cast<double>(peak(sound, end, all)));
        context.check(after < -80.0, "after its tail of " + number(static_cast<double>(frames)) +
                                         " frames there are still " + number(after) + " dBFS");
        context.note("a tail of " + number(static_cast<double>(frames) / 48000.0) + " s");
    }
}

void latency(Context& context) {
    Sound reference;
    for (const int block : {32, 64, 256, 1024}) {
        const auto plugin = context.make();
        if (!context.check(plugin->prepare(48000.0, block), "refuses 48 kHz")) return;
        const int frames = plugin->latency();
        Sound sound = render(*plugin, phrase(*plugin, 9600, context.seed), 9600 + frames, {block});
        for (auto& channel : sound.channels)
            channel.erase(channel.begin(), channel.begin() + frames);
        const int first = first_sound(sound);
        if (reference.channels.empty()) reference = sound;
        context.check(first >= 0, "it is silent");
        context.check(sound == reference, "with its latency of " + number(frames) + " frames taken off, blocks of " +
                                              number(block) + " sound elsewhere");
        context.note("latency " + number(frames) + " in blocks of " + number(block));
    }
}

void deterministic(Context& context) {
    const auto one = context.make(), two = context.make();
    if (!context.check(one->prepare(48000.0, 512) && two->prepare(48000.0, 512), "refuses 48 kHz")) return;
    const auto events = phrase(*one, 24000, context.seed);
    const Sound first = render(*one, events, 24000, {512});
    context.check(first == render(*two, events, 24000, {512}), "two instances give different bits for the same notes");
    one->release();
    context.check(one->prepare(48000.0, 512), "refuses to be prepared again");
    context.check(first == render(*one, events, 24000, {512}),
                  "prepared again it gives different bits for the same notes");
}

void reset(Context& context) {
    const auto plugin = context.make();
    if (!context.check(plugin->prepare(48000.0, 512), "refuses 48 kHz")) return;
    (void)render(*plugin, {note_on(0, 48), note_on(0, 60), note_on(0, 72)}, 9600, {512});
    plugin->reset();
    const auto sound = render(*plugin, {}, 48000, {512});
    context.check(peak(sound, 480) < 1e-4f, "10 ms after a reset there are still " +
                                                number(decibel(static_cast<double>(peak(sound, 480)))) + " dBFS");
    context.check(peak(render(*plugin, {note_on(0, 60)}, 9600, {512})) > 0.001f, "after a reset it is silent");
}

void stuck(Context& context) {
    const auto plugin = context.make();
    if (!context.check(plugin->prepare(48000.0, 512), "refuses 48 kHz")) return;
    std::vector<Event> events;
    for (int key = 0; key < 128; ++key)
        for (int channel = 0; channel < 16; ++channel) {
            events.push_back(note_on(key * 16, key, 0.5));
            events.back().channel = channel;
        }
    for (int key = 0; key < 128; ++key) { // on twice, off without on
        events.push_back(note_on(4000, key, 0.5));
        events.push_back(note_off(4001, key));
        events.push_back(note_off(4002, key));
    }
    for (int key = 0; key < 128; ++key)
        for (int channel = 0; channel < 16; ++channel) {
            events.push_back(note_off(6000 + key, key));
            events.back().channel = channel;
        }
    const auto loud = render(*plugin, events, 9600, {512});
    context.check(broken(loud) == 0 && peak(loud) <= 1.5f,
                  "2,048 notes reach " + number(static_cast<double>(peak(loud))));
    const auto frames = plugin->tail();
    const auto rest =
        render(*plugin, {}, static_cast<int>(frames < 0 ? 480000 : std::min<std::int64_t>(frames, 960000)) + 48000,
               {4096 / 8});
    const double after = decibel(static_cast<double>(peak(rest, rest.frames() - 24000)));
    context.check(after < -80.0, "after every note has ended there are still " + number(after) + " dBFS");
}

void panic(Context& context) {
    const auto plugin = context.make();
    if (!plugin->takes_midi()) return context.skip("its format has no MIDI");
    if (!context.check(plugin->prepare(48000.0, 512), "refuses 48 kHz")) return;
    std::vector<Event> events;
    for (int key = 40; key < 80; key += 5)
        events.push_back(note_on(0, key));
    for (int channel = 0; channel < 16; ++channel) {
        events.push_back(midi(4800, 0xb0 | channel, 120, 0));
        events.push_back(midi(4800, 0xb0 | channel, 123, 0));
    }
    const auto frames = plugin->tail();
    const int wait = static_cast<int>(frames < 0 ? 480000 : std::min<std::int64_t>(frames, 960000));
    const auto sound = render(*plugin, events, 4800 + 48000 + wait, {512});
    const double after = decibel(static_cast<double>(peak(sound, sound.frames() - 24000)));
    context.check(peak(sound, 0, 4800) > 0.001f, "it is silent");
    context.check(after < -80.0, "all sound off leaves " + number(after) + " dBFS");
}

void flood(Context& context) {
    const auto plugin = context.make();
    if (!context.check(plugin->prepare(48000.0, 512), "refuses 48 kHz")) return;
    auto random = context.random();
    std::vector<Event> events;
    for (int i = 0; i < 20000; ++i) {
        const int key = static_cast<int>(random() % 128);
        events.push_back(random() % 2 ? note_on(i * 512 / 20000, key, 0.3) : note_off(i * 512 / 20000, key));
    }
    for (int key = 0; key < 128; ++key)
        events.push_back(note_off(511, key));
    const auto sound = render(*plugin, events, 9600, {512});
    context.check(broken(sound) == 0, "20,000 events in a block break the sound");
    context.check(peak(render(*plugin, {note_on(0, 60)}, 48000, {512}), 24000) > 0.0f,
                  "after 20,000 events in a block it is silent");
}

void any_midi(Context& context) {
    const auto plugin = context.make();
    if (!plugin->takes_midi()) return context.skip("its format has no MIDI");
    if (!context.check(plugin->prepare(48000.0, 256), "refuses 48 kHz")) return;
    auto random = context.random();
    std::vector<Event> events;
    for (int i = 0; i < 8000; ++i)
        events.push_back(midi(i * 6, static_cast<int>(0x80 | random() % 0x70), static_cast<int>(random() % 128),
                              static_cast<int>(random() % 128)));
    const auto sound = render(*plugin, events, 48000, {256});
    context.check(broken(sound) == 0, "random MIDI gives samples that are not finite or subnormal");
    const std::string misdeeds = plugin->misdeeds();
    context.check(misdeeds.empty(), misdeeds);
}

void transport(Context& context) {
    const auto plugin = context.make();
    if (!context.check(plugin->prepare(48000.0, 256), "refuses 48 kHz")) return;
    auto random = context.random();
    int bad = 0;
    for (int round = 0; round < 300; ++round) {
        Transport now;
        const double odd[] = {120.0, 0.0, -1.0, 1e4, 1e-9, 1e300, NAN, INFINITY};
        now.playing = random() % 2 != 0;
        now.looping = random() % 2 != 0;
        now.tempo = odd[random() % 8];
        now.quarters = random() % 3 == 0 ? odd[random() % 8] : static_cast<double>(random() % 100000) - 50000.0;
        now.loop_start = odd[random() % 8];
        now.loop_end = odd[random() % 8];
        now.frame = static_cast<std::int64_t>(random() % 3 == 0 ? random() : random() % 1000000) - 500000;
        now.numerator = static_cast<int>(random() % 5) - 1;
        now.denominator = static_cast<int>(random() % 5) - 1;
        bad += broken(render(*plugin, {note_on(0, 40 + round % 40)}, 512, {256}, round % 7 == 0 ? nullptr : &now));
        if (round % 20 == 19) plugin->reset();
    }
    context.check(bad == 0, number(bad) + " samples that are not finite or subnormal");
    context.check(peak(render(*plugin, {note_on(0, 60)}, 9600, {256})) > 0.001f, "afterwards it is silent");
}

} // namespace

// fault 39: latency and tail that are not as reported: the latency taken off, every block size sounds alike; silent after the tail
std::vector<Check> sound_checks() {
    return {
        {"sound.silence", "no validator", "exact zeros before the first note", silence},
        {"sound.level", "expectation 4",
         "two notes have -40 dBFS or more in the first 50 ms, and stay below full scale", level},
        {"sound.pitch", "no validator", "keys 57, 69 and 81 are in tune", right_pitch},
        {"sound.onset", "no validator", "a note begins on its frame, whatever the block", onset},
        {"sound.tail", "Steinberg, fault 39", "below -80 dBFS once the reported tail is over", tail},
        {"sound.latency", "fault 39", "the reported latency, taken off, gives the same sound for every block size",
         latency},
        {"sound.deterministic", "no validator",
         "the same notes give the same bits: in another instance, prepared again", deterministic},
        {"sound.reset", "clap-validator", "a reset ends every sound within 10 ms", reset},
    };
}

// fault 41: a transport that jumps, loops, runs backwards or says nothing: finite, and it plays on
std::vector<Check> event_checks() {
    return {
        {"events.stuck", "clap-validator, fault 44",
         "128 keys on 16 channels, on twice, off without on: silent in the end", stuck},
        {"events.panic", "expectation 37", "all sound off and all notes off on every channel end everything", panic},
        {"events.flood", "fault 45", "20,000 events in a block: it plays on", flood},
        {"events.any_midi", "clap-validator, fault 46", "8,000 random messages: finite, nothing subnormal", any_midi},
        {"events.transport", "clap-validator, fault 41",
         "no transport, jumps, loops, negative time, 0 to 10,000 and infinite tempo", transport},
    };
}

} // namespace tutti::host
