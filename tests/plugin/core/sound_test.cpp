// SPDX-License-Identifier: MIT
// What a host hears: the same bits whatever its blocks, no splatter from a knob, nothing from nonsense.
#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <numbers>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "plugin/core/instance.h"

using namespace tutti;
using plugin::BlockEvent;
using plugin::HostTransport;
using plugin::Instance;
using plugin::ParameterList;

namespace {

constexpr double k_rate = 48000.0;

struct Stamped {
    std::int64_t frame;
    BlockEvent event;
};

// The first `frames` frames; block sizes in turn, again from the first.
std::vector<float> render(Instance& instance, const std::vector<Stamped>& events, int frames,
                          const std::vector<int>& sizes, bool transport = false) {
    std::vector<float> left(static_cast<std::size_t>(frames)), right(left);
    std::size_t turn = 0;
    for (int at = 0; at < frames;) {
        const int count = std::min(sizes[turn++ % sizes.size()], frames - at);
        std::vector<BlockEvent> due;
        for (const Stamped& stamped : events)
            if (stamped.frame >= at && stamped.frame < at + count) {
                due.push_back(stamped.event);
                due.back().offset = static_cast<int>(stamped.frame - at);
            }
        HostTransport clock;
        clock.playing = clock.has_position = true;
        clock.beats_per_minute = 133.0;
        clock.quarter_notes = at / k_rate * 133.0 / 60.0;
        float* out[2] = {left.data() + at, right.data() + at};
        instance.process(out, 2, count, due, transport ? &clock : nullptr);
        at += count;
    }
    return left;
}

std::vector<Stamped> song() {
    std::vector<Stamped> events;
    for (int i = 0; i < 12; ++i) {
        const std::int64_t at = 1000 + 3517 * i;
        events.push_back({at, BlockEvent::midi(0, 0x90, 48 + 5 * i % 24, 70 + i)});
        events.push_back({at + 3000, BlockEvent::midi(0, 0x80, 48 + 5 * i % 24, 0)});
        events.push_back({at + 777, BlockEvent::midi(0, 0xe0, 0, 40 + 4 * i)});
        events.push_back(
            {at + 1500, BlockEvent::set(0, ParameterList::get().find("subtractive.cutoff"), 300.0 + 500.0 * i)});
    }
    return events;
}

// Power of a stretch at a frequency in Hz, Blackman-Harris window: 92 dB down beside it.
double level_db(const std::vector<float>& x, std::size_t from, std::size_t count, double hz) {
    std::complex<double> sum = 0.0;
    double weight = 0.0;
    for (std::size_t i = 0; i < count; ++i) {
        const double t = 2.0 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(count);
        const double w = 0.35875 - 0.48829 * std::cos(t) + 0.14128 * std::cos(2.0 * t) - 0.01168 * std::cos(3.0 * t);
        weight += w;
        sum += w * static_cast<double>(x[from + i]) *
               std::polar(1.0, -2.0 * std::numbers::pi * hz / k_rate * static_cast<double>(i));
    }
    return 20.0 * std::log10(2.0 * std::abs(sum) / weight + 1e-12);
}

// One held sine at 1 kHz through nothing, full velocity.
Patch sine() {
    Patch patch;
    patch.name = "Sine";
    patch.parameters = {{"osc1_wave", 3.0}, {"filter_type", 0.0},    {"level", 0.5},        {"velocity", 0.0},
                        {"osc_start", 1.0}, {"env1_attack", 0.0005}, {"env1_sustain", 1.0}, {"osc1_fine", 0.0}};
    return patch;
}

} // namespace

TEST_CASE("bounces are bit-equal at any block size, live and offline") {
    for (const char* name : {"warm-pad", "analog-bass"}) {
        std::vector<float> reference;
        for (const std::vector<int>& sizes :
             std::vector<std::vector<int>>{{512}, {1}, {64}, {127, 3, 0, 512, 17}, {480}, {4096}}) {
            for (const bool offline : {false, true}) {
                Instance instance;
                REQUIRE(instance.load_preset(*Patch::factory(name), name));
                REQUIRE(instance.prepare(k_rate, 512)); // 4096 is more than was declared
                instance.set_offline(offline);
                const std::vector<float> sound = render(instance, song(), 48000, sizes);
                if (reference.empty()) reference = sound;
                CHECK_MESSAGE(sound == reference, name << " blocks of " << sizes[0] << " offline " << offline);
            }
        }
        CHECK(*std::max_element(reference.begin(), reference.end()) > 0.01f);
    }
}

TEST_CASE("ahead is the same sound, delayed by what is reported, in a bounce") {
    Instance plain;
    REQUIRE(plain.load_preset(*Patch::factory("analog-bass"), "analog-bass"));
    REQUIRE(plain.prepare(k_rate, 256));
    const std::vector<float> reference = render(plain, song(), 48000, {256});
    for (const std::vector<int>& sizes : std::vector<std::vector<int>>{{256}, {64}, {100, 17}}) {
        Instance ahead;
        plugin::Settings settings;
        settings.mode = Mode::ahead;
        REQUIRE(ahead.set_settings(settings));
        REQUIRE(ahead.load_preset(*Patch::factory("analog-bass"), "analog-bass"));
        REQUIRE(ahead.prepare(k_rate, 256));
        ahead.set_offline(true);
        // The patch's own effects delay both.
        const int latency = ahead.latency_frames() - plain.latency_frames();
        REQUIRE(latency == 512);
        const std::vector<float> sound = render(ahead, song(), 48000, sizes);
        CHECK(ahead.latency_frames() == latency + plain.latency_frames());
        CHECK(std::equal(sound.begin() + latency, sound.end(), reference.begin()));
        CHECK(std::all_of(sound.begin(), sound.begin() + latency, [](float x) { return x == 0.0f; }));
    }
}

TEST_CASE("a full-range step on a 1 kHz sine splatters below -80 dB beyond 1 kHz on either side") {
    // Key 83.21 would be 1 kHz: key 83 and 21 cents (fine), to a hundredth of a cent.
    const double fine = 100.0 * (69.0 + 12.0 * std::log2(1000.0 / 440.0) - 83.0);
    for (const char* id : {"subtractive.level", "subtractive.pan", "subtractive.osc1_level", "subtractive.cutoff"}) {
        const int parameter = ParameterList::get().find(id);
        const Parameter& row = *ParameterList::get()[parameter].row;
        Instance instance;
        Patch patch = sine();
        patch.parameters["osc1_fine"] = fine;
        if (std::string_view(id) == "subtractive.cutoff") patch.parameters["filter_type"] = 1.0;
        REQUIRE(instance.load_preset(patch, ""));
        REQUIRE(instance.prepare(k_rate, 512));
        // A host's change between two blocks, from one end of the range to the other.
        instance.set_value(parameter, row.maximum);
        std::vector<float> sound = render(instance, {{0, BlockEvent::midi(0, 0x90, 83, 127)}}, 24000, {512});
        instance.set_value(parameter, row.minimum);
        const std::vector<float> rest = render(instance, {}, 24000, {512});
        sound.insert(sound.end(), rest.begin(), rest.end());
        // 8,192 frames with the step in the middle.
        const std::size_t from = 24000 - 4096;
        // On the louder side of the step.
        const double carrier =
            std::max(level_db(sound, 24000 - 8192, 8192, 1000.0), level_db(sound, 24000 + 8192, 8192, 1000.0));
        double worst = -200.0;
        for (double hz = 10.0; hz <= 20000.0; hz += hz < 4000.0 ? 7.0 : 53.0)
            if (std::fabs(hz - 1000.0) > 1000.0) worst = std::max(worst, level_db(sound, from, 8192, hz) - carrier);
        MESSAGE(std::string(id) << ": " << worst << " dB of the carrier");
        CHECK_MESSAGE(worst < -80.0, std::string(id));
    }
    // Planted: the same step without a ramp is heard.
    std::vector<float> hard(48000);
    for (std::size_t i = 0; i < hard.size(); ++i)
        hard[i] = i < 24000 ? 0.5f * static_cast<float>(std::sin(
                                         2.0 * std::numbers::pi * 1000.0 / k_rate * static_cast<double>(i) + 0.3))
                            : 0.0f;
    CHECK(level_db(hard, 24000 - 4096, 8192, 3000.0) - level_db(hard, 24000 - 8192, 8192, 1000.0) > -80.0);
}

TEST_CASE("the first key of a new instance is heard within 50 ms") {
    Instance instance;
    REQUIRE(instance.prepare(k_rate, 64));
    const std::vector<float> sound = render(instance, {{0, BlockEvent::midi(0, 0x90, 60, 100)}}, 2400, {64});
    double sum = 0.0;
    for (const float x : sound)
        sum += static_cast<double>(x) * static_cast<double>(x);
    CHECK(10.0 * std::log10(sum / 2400.0) >= -40.0);
}

TEST_CASE("the tail is the release of the voice as it is set, then the effects") {
    Instance instance;
    CHECK(instance.tail_frames() == 0); // not prepared
    REQUIRE(instance.prepare(k_rate, 256));
    const int release = ParameterList::get().find("subtractive.env1_release");
    REQUIRE(release >= 0);
    for (const float seconds : {0.25f, 2.0f}) {
        instance.set_value(release, seconds);
        (void)render(instance, {}, 9600, {256}); // the step has reached the engine
        const std::int64_t tail = instance.tail_frames();
        CHECK(tail >= static_cast<std::int64_t>(seconds * k_rate));
        const int off = 12000, end = off + static_cast<int>(tail);
        const std::vector<float> sound =
            render(instance, {{0, BlockEvent::midi(0, 0x90, 60, 100)}, {off, BlockEvent::midi(0, 0x80, 60, 0)}},
                   end + 9600, {256});
        float after = 0.0f, held = 0.0f;
        for (int i = end; i < end + 9600; ++i)
            after = std::max(after, std::fabs(sound[static_cast<std::size_t>(i)]));
        for (int i = off; i < off + static_cast<int>(tail) / 8; ++i)
            held = std::max(held, std::fabs(sound[static_cast<std::size_t>(i)]));
        CHECK(after < 1e-4f); // -80 dBFS
        CHECK(held > 0.003f); // and it is no longer than it must be: an eighth of it is still heard
    }
}

TEST_CASE("nonsense from a host is survived, and the sound stays finite") {
    Instance instance;
    std::vector<float> left(4096, 1.0f), right(4096, 1.0f), third(4096, 1.0f);
    float* out[3] = {left.data(), right.data(), third.data()};
    instance.process(out, 2, 64, {}, nullptr); // before prepare
    CHECK(left[0] == 0.0f);
    CHECK(!instance.prepare(-1.0, 64).ok());
    CHECK(!instance.prepare(std::nan(""), 64).ok());
    REQUIRE(instance.prepare(44100.5, 64));
    REQUIRE(instance.prepare(44100.5, 128)); // again without release
    const double infinity = std::numeric_limits<double>::infinity();
    for (const double tempo : {0.0, -1.0, 1e4, std::nan(""), infinity})
        for (const double position : {0.0, -17.5, 1e12, std::nan(""), -infinity}) {
            HostTransport clock;
            clock.playing = clock.has_position = clock.looping = true;
            clock.beats_per_minute = tempo;
            clock.quarter_notes = position;
            clock.loop_begin = position;
            clock.loop_end = tempo;
            std::vector<BlockEvent> events = {
                BlockEvent::midi(-5, 0x90, 60, 100), BlockEvent::midi(100000, 0x80, 60, 0),
                BlockEvent::midi(0, 0xff, 200, 200), BlockEvent::midi(0, 0x10, 1, 1),
                BlockEvent::set(3, 0, std::nan("")), BlockEvent::set(3, -1, 1.0),
                BlockEvent::set(3, 100000, 1.0)};
            events.push_back(BlockEvent::note(BlockEvent::Kind::note_off, 4, 0, -1, 0.0, 77));
            events.push_back(BlockEvent::note(BlockEvent::Kind::choke, 4, 3, -1, 0.0, -1));
            for (const int frames : {0, 1, 127, 4096})
                instance.process(out, 3, frames, events, &clock);
            CHECK(std::all_of(left.begin(), left.end(), [](float x) { return std::isfinite(x); }));
            CHECK(third[0] == 0.0f);
        }
    instance.set_value(-1, 0.0f);
    instance.set_value(1 << 20, 0.0f);
    instance.set_value(3, std::nanf(""));
    CHECK(std::isfinite(instance.value(3)));
    instance.process(out, 1, 64, {}, nullptr);
    instance.process(out, 0, 64, {}, nullptr);
}

TEST_CASE("what a host sets before it prepares is heard, and a second prepare keeps it") {
    const int cutoff = ParameterList::get().find("subtractive.cutoff");
    const int macro = ParameterList::get().find("macro.1");
    const std::vector<Stamped> notes = {{0, BlockEvent::midi(0, 0x90, 60, 100)}};
    Patch patch;
    patch.parameters["cutoff"] = 200.0;
    patch.routes.push_back({.source = "macro1", .target = "cutoff", .depth = 1.0});
    Instance wanted;
    REQUIRE(wanted.edit_patch(patch, ""));
    wanted.set_value(macro, 0.5f);
    REQUIRE(wanted.load(wanted.save())); // as a project brings it
    REQUIRE(wanted.prepare(k_rate, 256));
    const std::vector<float> heard = render(wanted, notes, 4096, {256});
    Patch other = patch;
    other.parameters["cutoff"] = 5000.0;
    for (const bool prepared : {false, true}) {
        Instance instance;
        REQUIRE(instance.edit_patch(other, ""));
        if (prepared) {
            REQUIRE(instance.prepare(k_rate, 256));
            (void)render(instance, notes, 1024, {256});
        }
        instance.set_value(cutoff, 200.0f);
        instance.set_value(macro, 0.5f);
        if (prepared) (void)render(instance, {}, 1024, {256}); // the engine has heard of it
        REQUIRE(instance.prepare(k_rate, 256));
        CHECK(render(instance, notes, 4096, {256}) == heard);
    }
}
