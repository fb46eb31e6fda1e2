// SPDX-License-Identifier: MIT
// What a project keeps: byte-stable, whole or refused, nothing lost that this version does not know.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "plugin/core/instance.h"

using namespace tutti;
using plugin::Instance;
using plugin::ParameterList;

namespace {

using Json = nlohmann::ordered_json;

std::string rich_state() {
    Instance instance;
    REQUIRE(instance.load_preset(*Patch::factory("analog-bass"), "analog-bass"));
    instance.set_value(ParameterList::get().find("subtractive.cutoff"), 1234.5f);
    instance.set_value(ParameterList::get().find("macro.2"), 0.35f);
    instance.set_value(ParameterList::get().find("fm.level"), 0.25f); // another voice's
    plugin::Settings settings;
    settings.mode = Mode::ahead;
    settings.mpe = plugin::MpeZone::upper;
    settings.scl = "! a.scl\na scale\n 2\n 700.0\n 2/1\n";
    settings.tuning_name = "a scale";
    REQUIRE(instance.set_settings(settings));
    instance.set_editor_state("{\"width\":900}");
    instance.copy_to_other();
    return instance.save();
}

} // namespace

TEST_CASE("saving and loading gives the same bytes, for every factory preset") {
    for (const std::string_view name : Patch::factory_names()) {
        Instance first;
        REQUIRE(first.load_preset(*Patch::factory(name), std::string(name)));
        const std::string text = first.save();
        Instance second;
        REQUIRE_MESSAGE(second.load(text).ok(), name);
        CHECK_MESSAGE(second.save() == text, name);
        CHECK_MESSAGE(!second.dirty(), name);
        CHECK(second.preset() == name);
    }
    const std::string text = rich_state();
    Instance other;
    REQUIRE(other.load(text));
    CHECK(other.save() == text);
    CHECK(other.settings().mode == Mode::ahead);
    CHECK(other.settings().mpe == plugin::MpeZone::upper);
    CHECK(other.editor_state() == "{\"width\":900}");
    CHECK(other.value(ParameterList::get().find("fm.level")) == 0.25f);
    CHECK(other.value(ParameterList::get().find("macro.2")) == 0.35f);
    CHECK(other.dirty());
}

TEST_CASE("every prefix of a state is survived, and refused while the sound stays") {
    const std::string text = rich_state();
    Instance instance;
    const std::string before = instance.save();
    int taken = 0;
    for (std::size_t length = 0; length < text.size(); length += length < 400 || length + 40 > text.size() ? 1 : 7) {
        if (instance.load(std::string_view(text).substr(0, length))) ++taken;
        if (length + 2 < text.size()) CHECK(instance.save() == before);
    }
    CHECK(taken <= 1);                                       // all but the last line break
    CHECK(instance.load(text + std::string(64, '\0')).ok()); // hosts hand back padding
}

TEST_CASE(
    "fault 35: a preset that lacks something: Init sounds in its place, says so, and the project keeps the other") {
    Instance writer;
    REQUIRE(writer.load_preset(*Patch::factory("warm-pad"), "warm-pad"));
    writer.set_value(ParameterList::get().find("macro.2"), 0.35f);
    Json state = Json::parse(writer.save());
    state["patch"]["voice"] = "a-voice-of-next-year";
    const auto sounds = [](Instance& instance) {
        std::vector<float> left(2048), right(2048);
        float* out[2] = {left.data(), right.data()};
        const plugin::BlockEvent key = plugin::BlockEvent::midi(0, 0x90, 60, 100);
        instance.process(out, 2, 2048, {&key, 1}, nullptr);
        return *std::max_element(left.begin(), left.end()) > 0.001f;
    };
    Instance reader;
    REQUIRE(reader.prepare(48000.0, 512));
    REQUIRE(reader.load_preset(*Patch::factory("analog-bass"), "analog-bass"));
    CHECK(sounds(reader));
    REQUIRE(reader.load(state.dump()));
    CHECK(sounds(reader));
    CHECK(reader.patch().name == "Init");
    CHECK(reader.missing().find("a-voice-of-next-year") != std::string::npos);
    CHECK(reader.missing().find("\"Init\" sounds in its place") != std::string::npos);
    CHECK(reader.value(ParameterList::get().find("macro.2")) == 0.35f); // the rest is there

    // Saved and opened again, it is kept word for word; what knows the voice type finds it.
    const std::string kept = reader.save();
    CHECK(Json::parse(kept)["unread_patch"] == state["patch"]);
    Instance again;
    REQUIRE(again.load(kept));
    CHECK(again.save() == kept);
    Json known = Json::parse(kept);
    known["unread_patch"]["voice"] = Patch::factory("warm-pad")->voice;
    REQUIRE(again.load(known.dump()));
    CHECK(again.patch().name == "Warm Pad");
    CHECK(again.missing().empty());
    CHECK(!Json::parse(again.save()).contains("unread_patch"));

    // Another sound takes its place; undo brings it back.
    REQUIRE(reader.load_preset(*Patch::factory("analog-bass"), "analog-bass"));
    CHECK(reader.missing().empty());
    CHECK(!Json::parse(reader.save()).contains("unread_patch"));
    REQUIRE(reader.undo());
    CHECK(Json::parse(reader.save())["unread_patch"] == state["patch"]);

    // A preset of the list, not of a project: it is refused, and what sounds goes on.
    Patch broken = *Patch::factory("warm-pad");
    broken.voice = "a-voice-of-next-year";
    const std::string before = again.save();
    const Status refused = again.load_preset(broken, "user/broken.json");
    CHECK(refused.code() == Code::not_found);
    CHECK(refused.message().find("a-voice-of-next-year") != std::string::npos);
    CHECK(again.save() == before);
}

TEST_CASE("random bytes and random edits are survived") {
    const std::uint32_t seed = 20240917;
    MESSAGE("seed " << seed);
    std::mt19937 random(seed);
    Instance instance;
    for (const std::size_t size : {0u, 1u, 7u, 1000u, 1000000u}) {
        std::string bytes(size, '\0');
        for (char& c : bytes)
            c = static_cast<char>(random());
        CHECK(!instance.load(bytes).ok());
    }
    const std::string text = rich_state();
    for (int round = 0; round < 300; ++round) {
        std::string bad = text;
        for (int edits = 0; edits < 3; ++edits)
            bad[random() % bad.size()] = static_cast<char>(random());
        (void)instance.load(bad);
        Instance again;
        CHECK(again.load(instance.save()).ok());
    }
    std::string deep = "{\"tutti_plugin\":1,\"x\":" + std::string(100000, '[') + std::string(100000, ']') + "}";
    CHECK(instance.load(deep).code() == Code::malformed);
    CHECK(instance.load(std::string(17u << 20, ' ')).code() == Code::too_large);
    CHECK(instance.load("{\"tutti_plugin\":2,\"patch\":{}}").code() == Code::unsupported);
}

TEST_CASE("keys that this version does not know come back") {
    Json state = Json::parse(rich_state());
    state["from_the_future"] = {{"a", 1}};
    state["settings"]["new_switch"] = true;
    state["parameters"]["wavetable.position"] = 0.5;
    state["patch"]["shimmer"] = "yes";
    Instance instance;
    REQUIRE(instance.load(state.dump()));
    const std::string saved = instance.save();
    const Json back = Json::parse(saved);
    CHECK(back["from_the_future"]["a"] == 1);
    CHECK(back["settings"]["new_switch"] == true);
    CHECK(back["parameters"]["wavetable.position"] == 0.5);
    CHECK(back["patch"]["shimmer"] == "yes");
    Instance again;
    REQUIRE(again.load(saved));
    CHECK(again.save() == saved);
}

TEST_CASE("a value that is out of range goes to its end, a tuning that is none is left out") {
    Json state = Json::parse(Instance().save());
    state["parameters"]["fm.level"] = 1e30;
    state["settings"]["scl"] = "nonsense";
    state["settings"]["look_ahead_blocks"] = -5;
    state["controllers"] = {{"74", "subtractive.cutoff"}, {"200", "subtractive.cutoff"}, {"1", "no.such"}, {"x", 3}};
    Instance instance;
    REQUIRE(instance.load(state.dump()));
    const int level = ParameterList::get().find("fm.level");
    CHECK(instance.value(level) == ParameterList::get()[level].row->maximum);
    CHECK(instance.settings().scl.empty());
    CHECK(instance.settings().look_ahead_blocks == 1);
    CHECK(instance.controller_of(ParameterList::get().find("subtractive.cutoff")) == 74);
}

TEST_CASE("states of every released version load, and settle in one step") {
    namespace fs = std::filesystem;
    const fs::path folder = fs::path(TUTTI_SOURCE_DIR) / "tests" / "data" / "plugin-states";
    const fs::path newest = folder / "0.1.0-analog-bass.json";
    if (const char* write = std::getenv("TUTTI_WRITE_DOCS"); write != nullptr && *write == '1' && !fs::exists(newest)) {
        fs::create_directories(folder);
        std::ofstream(newest, std::ios::binary) << rich_state();
    }
    int count = 0;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
        if (entry.path().extension() != ".json") continue;
        std::ifstream file(entry.path(), std::ios::binary);
        std::stringstream text;
        text << file.rdbuf();
        Instance instance;
        REQUIRE_MESSAGE(instance.load(text.str()).ok(), entry.path().string());
        const std::string saved = instance.save();
        Instance again;
        REQUIRE(again.load(saved));
        CHECK(again.save() == saved);
        // What the file says is still so: parameters of the corpus' first state.
        if (entry.path().filename() == "0.1.0-analog-bass.json") {
            CHECK(instance.value(ParameterList::get().find("subtractive.cutoff")) == 1234.5f);
            CHECK(instance.settings().tuning_name == "a scale");
        }
        ++count;
    }
    CHECK(count >= 1);
}
