// SPDX-License-Identifier: MIT
// The factory patches as files: they are there, read, in the written form, named, and cover General MIDI.
#include <algorithm>
#include <cctype>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>

#include <doctest/doctest.h>

#include <tutti/patch.h>

using namespace tutti;

TEST_CASE("there are at least 20 factory patches, and every one is whole") {
    CHECK(Patch::factory_names().size() >= 20);
    std::set<std::string> names;
    for (std::string_view name : Patch::factory_names()) {
        CAPTURE(std::string(name));
        const Result<Patch> patch = Patch::factory(name);
        REQUIRE_MESSAGE(patch.ok(), patch.status().message());
        CHECK(patch->validate().ok());
        CHECK(patch->unknown == "{}");
        CHECK_FALSE(patch->category.empty());
        CHECK_FALSE(patch->author.empty());
        CHECK(patch->tags.size() >= 2);
        CHECK(names.insert(patch->name).second);
        // "Warm Pad" lies in warm-pad.json.
        std::string file;
        for (char c : patch->name)
            file += c == ' ' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        CHECK(file == name);
        // A knob that has a name moves something, and what moves has a name.
        std::set<std::string> moved;
        for (const PatchRoute& route : patch->routes)
            if (route.source.substr(0, 5) == "macro") moved.insert(route.source);
        CHECK(moved.size() == patch->macros.size());
        for (const auto& [id, label] : patch->macros)
            CHECK(moved.count(id) == 1);
    }
}

TEST_CASE("the files are in the form in which patches are written, and the library holds what the files say") {
    for (std::string_view name : Patch::factory_names()) {
        std::ifstream file(std::string(TUTTI_SOURCE_DIR) + "/patches/" + std::string(name) + ".json", std::ios::binary);
        std::stringstream text;
        text << file.rdbuf();
        CAPTURE(std::string(name));
        CHECK(Patch::factory(name).value().to_json() == text.str());
    }
}

TEST_CASE("every General MIDI program has a factory patch, and so have the drums") {
    const auto names = Patch::factory_names();
    for (int program = -1; program <= 128; ++program)
        CHECK_MESSAGE(std::find(names.begin(), names.end(), Patch::general_midi(program)) != names.end(), program);
    CHECK(std::find(names.begin(), names.end(), Patch::general_midi(0, true)) != names.end());
    CHECK(Patch::general_midi(5, true) == "drum-kit");
    CHECK(Patch::factory(Patch::general_midi(0, true)).value().voice == "drum");
}

TEST_CASE("General MIDI by families of eight: each program's patch is of a kind that belongs there") {
    const char* const families[16] = {"Keys",
                                      "Bell Mallet Guitar",
                                      "Organ",
                                      "Guitar Strings Bell",
                                      "Bass",
                                      "Strings Mallet",
                                      "Strings Pad Brass",
                                      "Brass",
                                      "Wind",
                                      "Wind",
                                      "Lead Wind Pad Guitar Bass",
                                      "Pad Lead",
                                      "Pad Bell",
                                      "Guitar Keys Mallet Organ Strings Wind",
                                      "Bell Mallet Effect",
                                      "Effect"};
    const auto misplaced = [&](const std::function<std::string(int)>& patch_of) {
        int count = 0;
        for (int program = 0; program < 128; ++program) {
            const std::string category = Patch::factory(patch_of(program)).value().category;
            if (std::string(families[program / 8]).find(category) == std::string::npos) {
                ++count;
                MESSAGE("program " << program + 1 << " plays " << patch_of(program) << ", a " << category);
            }
        }
        return count;
    };
    CHECK(misplaced([](int program) { return std::string(Patch::general_midi(program)); }) == 0);
    // Red control: a map that is one family late is found.
    CHECK(misplaced([](int program) { return std::string(Patch::general_midi((program + 8) % 128)); }) > 60);
}

TEST_CASE("a wrong name is answered with the nearest ones") {
    const Result<Patch> near = Patch::factory("warm-pda");
    CHECK(near.status().code() == Code::not_found);
    CHECK(near.status().remedy().find("\"warm-pad\"") != std::string::npos);
}
