// SPDX-License-Identifier: MIT
// Undo, compare, MIDI learn, program change, MPE: what a player does between two notes.
#include <vector>

#include <doctest/doctest.h>

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
