// SPDX-License-Identifier: MIT
// Undo, compare, MIDI learn, program change, MPE: what a player does between two notes.
#include <algorithm>
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include <tutti/tuning.h>

#include "plugin/core/instance.h"

using namespace tutti;
using plugin::BlockEvent;
using plugin::Instance;
using plugin::ParameterList;

namespace {

struct Rig {
    Rig() {
        REQUIRE(instance.prepare(48000.0, 256));
        instance.set_listener(&ears);
    }
    ~Rig() { instance.set_listener(nullptr); }

    struct Ears : plugin::InstanceListener {
        void value_changed(int parameter) override { values.push_back(parameter); }
        void everything_changed() override { ++all; }
        void restart_wanted() override { ++restarts; }
        std::vector<int> values;
        int all = 0;
        int restarts = 0;
    };

    // The root of the mean square of `blocks` blocks, `events` with the first.
    double run(std::vector<BlockEvent> events = {}, int blocks = 1) {
        double sum = 0.0;
        for (int b = 0; b < blocks; ++b) {
            std::vector<float> left(256), right(256);
            float* out[2] = {left.data(), right.data()};
            instance.process(out, 2, 256, b == 0 ? std::span<const BlockEvent>(events) : std::span<const BlockEvent>(),
                             nullptr);
            for (const float x : left)
                sum += static_cast<double>(x) * static_cast<double>(x);
        }
        return std::sqrt(sum / (256.0 * blocks));
    }

    Instance instance;
    Ears ears;
};

const int k_cutoff = ParameterList::get().find("subtractive.cutoff");

} // namespace

TEST_CASE("undo and redo go through edits of knobs, routes and presets") {
    Rig rig;
    const std::string first = rig.instance.save();
    rig.instance.begin_edit(k_cutoff);
    rig.instance.set_value(k_cutoff, 500.0f);
    rig.instance.set_value(k_cutoff, 600.0f);
    rig.instance.end_edit(k_cutoff);
    CHECK(rig.instance.undo_name() == "Filter Cutoff");
    Patch patch = rig.instance.patch();
    CHECK(patch.parameters.at("cutoff") == 600.0);
    patch.routes.push_back({.source = "lfo1", .target = "cutoff", .depth = 1.0});
    REQUIRE(rig.instance.edit_patch(patch, "Add route"));
    REQUIRE(rig.instance.load_preset(*Patch::factory("warm-pad"), "warm-pad"));
    CHECK(rig.instance.undo_name() == "Load Warm Pad");
    const std::string last = rig.instance.save();
    CHECK(rig.instance.undo());
    CHECK(rig.instance.patch().routes.size() == 1);
    CHECK(rig.instance.undo());
    CHECK(rig.instance.patch().routes.empty());
    CHECK(rig.instance.value(k_cutoff) == 600.0f);
    CHECK(rig.instance.undo());
    CHECK(rig.instance.save() == first);
    CHECK(!rig.instance.undo());
    CHECK(rig.instance.redo_name() == "Filter Cutoff");
    while (rig.instance.redo()) {
    }
    CHECK(rig.instance.save() == last);
    CHECK(rig.ears.all >= 5);
}

TEST_CASE("a patch that is none changes nothing, and says why") {
    Rig rig;
    const std::string before = rig.instance.save();
    Patch patch = rig.instance.patch();
    patch.voice = "banjo";
    CHECK(rig.instance.edit_patch(patch, "Edit").code() == Code::not_found);
    CHECK(rig.instance.save() == before);
    CHECK(rig.instance.undo_name().empty());
}

TEST_CASE("two sounds to compare") {
    Rig rig;
    rig.instance.copy_to_other();
    rig.instance.set_value(k_cutoff, 300.0f);
    CHECK(!rig.instance.at_b());
    rig.instance.compare();
    CHECK(rig.instance.at_b());
    CHECK(rig.instance.value(k_cutoff) == 4000.0f);
    rig.instance.compare();
    CHECK(!rig.instance.at_b());
    CHECK(rig.instance.value(k_cutoff) == 300.0f);
    Instance other; // kept in the project
    REQUIRE(other.load(rig.instance.save()));
    other.compare();
    CHECK(other.value(k_cutoff) == 4000.0f);
}

TEST_CASE("dirty after a change, clean after saving") {
    Rig rig;
    CHECK(!rig.instance.dirty());
    REQUIRE(rig.instance.load_preset(*Patch::factory("analog-bass"), "analog-bass"));
    CHECK(!rig.instance.dirty());
    rig.instance.set_value(k_cutoff, 300.0f);
    CHECK(rig.instance.dirty());
    rig.instance.mark_saved("user/Mine.json");
    CHECK(!rig.instance.dirty());
    CHECK(rig.instance.preset() == "user/Mine.json");
}

TEST_CASE("MIDI learn: the next controller moves the parameter, the project keeps it") {
    Rig rig;
    rig.instance.learn(k_cutoff);
    rig.run({BlockEvent::midi(0, 0xb0, 21, 127)});
    CHECK(rig.instance.learning() == -1);
    CHECK(rig.instance.controller_of(k_cutoff) == 21);
    CHECK(rig.instance.value(k_cutoff) == doctest::Approx(20000.0));
    rig.instance.tick();
    REQUIRE(rig.ears.values.size() == 1);
    CHECK(rig.ears.values[0] == k_cutoff);
    Instance other;
    REQUIRE(other.load(rig.instance.save()));
    CHECK(other.controller_of(k_cutoff) == 21);
    rig.instance.forget_controller(k_cutoff);
    rig.run({BlockEvent::midi(0, 0xb0, 21, 0)});
    CHECK(rig.instance.value(k_cutoff) == doctest::Approx(20000.0));
}

TEST_CASE("pickup: a controller moves nothing until it has met the value") {
    Rig rig;
    plugin::Settings settings;
    settings.pickup = true;
    REQUIRE(rig.instance.set_settings(settings));
    rig.instance.learn(k_cutoff);
    rig.run({BlockEvent::midi(0, 0xb0, 21, 10)}); // the cutoff stands at 4 kHz, 97 of 127
    CHECK(rig.instance.value(k_cutoff) == 4000.0f);
    rig.run({BlockEvent::midi(0, 0xb0, 21, 60)});
    CHECK(rig.instance.value(k_cutoff) == 4000.0f);
    rig.run({BlockEvent::midi(0, 0xb0, 21, 110)}); // past it
    CHECK(rig.instance.value(k_cutoff) > 5000.0f);
    rig.run({BlockEvent::midi(0, 0xb0, 21, 108)});
    CHECK(rig.instance.value(k_cutoff) < 10000.0f);
}

TEST_CASE("program change: the n-th factory preset, live and in a bounce") {
    Rig rig;
    rig.run({BlockEvent::midi(10, 0xc3, 2, 0)});
    rig.instance.tick();
    CHECK(rig.instance.preset() == Patch::factory_names()[2]);
    CHECK(rig.instance.undo());
    rig.instance.set_offline(true);
    std::vector<float> left(256), right(256);
    float* out[2] = {left.data(), right.data()};
    const BlockEvent event = BlockEvent::midi(10, 0xc3, 3, 0);
    rig.instance.process_offline(out, 2, 256, {&event, 1}, nullptr);
    CHECK(rig.instance.preset() == Patch::factory_names()[3]);
    rig.run({BlockEvent::midi(0, 0xc0, 127, 0)}); // there are fewer
    rig.instance.tick();
    CHECK(rig.instance.preset() == Patch::factory_names()[3]);
}

TEST_CASE("every channel plays the patch; with MPE a member's bend is its own") {
    for (int channel = 0; channel < 16; ++channel) {
        Rig rig;
        CHECK(rig.run({BlockEvent::midi(0, 0x90 | channel, 60, 100)}, 8) > 0.001);
    }
    Rig rig;
    CHECK(!rig.instance.mpe());
    rig.run({BlockEvent::midi(0, 0xb0, 101, 0), BlockEvent::midi(0, 0xb0, 100, 6), BlockEvent::midi(0, 0xb0, 6, 15)});
    CHECK(rig.instance.mpe());
    CHECK(rig.run({BlockEvent::midi(0, 0x91, 60, 100), BlockEvent::midi(0, 0xe1, 0, 96)}, 8) > 0.001);
    rig.run({BlockEvent::midi(0, 0xb0, 101, 0), BlockEvent::midi(0, 0xb0, 100, 6), BlockEvent::midi(0, 0xb0, 6, 0)});
    CHECK(!rig.instance.mpe());
}

TEST_CASE("MPE's upper zone is the lower one seen from the other end") {
    // A member bends by half of 48 semitones: its note alone, two octaves up, as a note of that key sounds. The master's bend moves all.
    const auto render = [](plugin::MpeZone zone, int master, int member) {
        Rig rig;
        plugin::Settings settings;
        settings.mpe = zone;
        REQUIRE(rig.instance.set_settings(settings));
        std::vector<float> left(4096), right(4096);
        float* out[2] = {left.data(), right.data()};
        const std::vector<BlockEvent> events = {
            BlockEvent::midi(0, 0xe0 | member, 0, 96), BlockEvent::midi(0, 0x90 | member, 40, 100),
            BlockEvent::midi(900, 0xe0 | master, 0, 80), BlockEvent::midi(2000, 0x80 | member, 40, 0)};
        rig.instance.process(out, 2, 4096, events, nullptr);
        return left;
    };
    const std::vector<float> lower = render(plugin::MpeZone::lower, 0, 3);
    CHECK(render(plugin::MpeZone::upper, 15, 12) == lower);
    CHECK(render(plugin::MpeZone::lower, 0, 12) == lower);
    CHECK(render(plugin::MpeZone::off, 0, 3) != lower);

    // The keyboard's own message on channel 16, while the lower zone is on: the notes end, the other zone plays.
    const auto configure = [](int channel, int members) {
        return std::vector<BlockEvent>{BlockEvent::midi(0, 0xb0 | channel, 101, 0),
                                       BlockEvent::midi(0, 0xb0 | channel, 100, 6),
                                       BlockEvent::midi(0, 0xb0 | channel, 6, members)};
    };
    Rig rig;
    rig.run(configure(0, 15));
    CHECK(rig.instance.zone() == plugin::MpeZone::lower);
    rig.run({BlockEvent::midi(0, 0x91, 60, 100)}, 8);
    rig.run(configure(15, 15));
    CHECK(rig.instance.zone() == plugin::MpeZone::upper);
    rig.run({}, 400);
    CHECK(rig.instance.stats().voices == 0);
    CHECK(rig.run({BlockEvent::midi(0, 0x9e, 60, 100)}, 8) > 0.001);
    rig.run({BlockEvent::midi(0, 0x8e, 60, 0)}, 400);
    CHECK(rig.instance.stats().voices == 0);
    rig.run(configure(0, 0)); // a zone that is not there
    CHECK(rig.instance.zone() == plugin::MpeZone::upper);
    rig.run(configure(15, 0));
    CHECK(rig.instance.zone() == plugin::MpeZone::off);
}

TEST_CASE("a message of the MIDI Tuning Standard tunes, and the next prepare keeps it") {
    Tuning tuning;
    for (int key = 0; key < 128; ++key)
        REQUIRE(tuning.set(key, key + 0.5));
    const std::vector<std::uint8_t> dump = tuning.bulk_dump();
    const auto note = [](Instance& instance) {
        std::vector<float> left(8192), right(8192);
        float* out[2] = {left.data(), right.data()};
        const BlockEvent key = BlockEvent::midi(0, 0x90, 60, 100);
        instance.process(out, 2, 8192, {&key, 1}, nullptr);
        return left;
    };
    Instance tuned, scala, plain;
    REQUIRE(tuned.prepare(48000.0, 256));
    REQUIRE(scala.prepare(48000.0, 256));
    REQUIRE(plain.prepare(48000.0, 256));
    const std::uint8_t strange[] = {0xf0, 0x7d, 1, 2, 3, 0xf7};
    tuned.take_sysex(strange, 0); // nobody's
    tuned.take_sysex(std::vector<std::uint8_t>(4000, 0xf0), 0);
    tuned.take_sysex(dump, 0);
    tuned.tick();
    // The same by name: half a semitone above equal temperament.
    plugin::Settings settings;
    settings.scl = "! x\nhalf\n 12\n!\n100.\n200.\n300.\n400.\n500.\n600.\n700.\n800.\n900.\n1000.\n1100.\n2/1\n";
    settings.kbm = "! y\n12\n0\n127\n60\n69\n452.8929841231365\n12\n0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n";
    REQUIRE(scala.set_settings(settings));
    const std::vector<float> wanted = note(scala);
    const auto difference = [&](const std::vector<float>& a) {
        double most = 0.0;
        for (std::size_t i = 0; i < a.size(); ++i)
            most = std::max(most, std::fabs(static_cast<double>(a[i]) - static_cast<double>(wanted[i])));
        return most;
    };
    CHECK(difference(note(tuned)) < 1e-3); // a dump has steps of 0.006 cent
    CHECK(difference(note(plain)) > 0.1);
    REQUIRE(tuned.prepare(48000.0, 256));
    CHECK(difference(note(tuned)) < 1e-3);
    // A bounce takes it on its frame, without tick().
    Instance bounced;
    REQUIRE(bounced.prepare(48000.0, 256));
    bounced.take_sysex(dump, 0);
    std::vector<float> left(8192), right(8192);
    float* out[2] = {left.data(), right.data()};
    const BlockEvent key = BlockEvent::midi(0, 0x90, 60, 100);
    bounced.process_offline(out, 2, 8192, {&key, 1}, nullptr);
    CHECK(difference(left) < 1e-3);
}

TEST_CASE("panic, the on-screen keyboard, a mode that wants a restart") {
    Rig rig;
    rig.instance.play_key(60, 0.8);
    CHECK(rig.run({}, 8) > 0.001);
    CHECK((rig.instance.keys_down(0) >> 60 & 1u) == 1u);
    rig.instance.panic();
    rig.run({}, 2);
    CHECK(rig.run({}, 8) < 1e-6);
    CHECK(rig.instance.keys_down(0) == 0u);
    plugin::Settings settings;
    settings.mode = Mode::ahead;
    REQUIRE(rig.instance.set_settings(settings));
    rig.instance.tick();
    CHECK(rig.ears.restarts == 1);
    REQUIRE(rig.instance.prepare(48000.0, 256));
    CHECK(rig.instance.latency_frames() == 256 + 4 * 64);
    rig.instance.tick();
    CHECK(rig.ears.restarts == 1);
    settings.scl = "nonsense";
    CHECK(!rig.instance.set_settings(settings).ok());
}
