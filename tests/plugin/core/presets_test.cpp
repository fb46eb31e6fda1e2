// SPDX-License-Identifier: MIT
// The preset library: factory and user, search, favourites, files in and out, odd names.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <vector>

#if defined(_WIN32)
#include <process.h>
#else
#include <unistd.h>
#endif

#include <doctest/doctest.h>

#include "plugin/core/library.h"

using namespace tutti;
using plugin::PresetLibrary;
namespace fs = std::filesystem;

namespace {

struct Folder {
    Folder() : path(fs::temp_directory_path() / ("tutti-presets-" + std::to_string(::getpid()))) {
        fs::remove_all(path);
    }
    ~Folder() { fs::remove_all(path); }
    fs::path path;
};

Patch named(const std::string& name) {
    Patch patch = *Patch::factory("warm-pad");
    patch.name = name;
    return patch;
}

} // namespace

TEST_CASE("factory presets are listed, tagged, and found by their words") {
    Folder folder;
    PresetLibrary library(folder.path);
    CHECK(library.list()->empty());
    CHECK(library.load("warm-pad").ok()); // also before the first refresh
    library.refresh();
    CHECK(library.list()->size() == Patch::factory_names().size());
    for (const plugin::Preset& preset : *library.list()) {
        CHECK_MESSAGE(!preset.name.empty(), preset.id);
        CHECK_MESSAGE(!preset.category.empty(), preset.id);
        CHECK_MESSAGE(!preset.tags.empty(), preset.id);
        CHECK_MESSAGE(library.load(preset.id).ok(), preset.id);
    }
    const auto found = library.search({.text = "WARM pad"});
    REQUIRE(!found.empty());
    CHECK((*library.list())[static_cast<std::size_t>(found[0])].id == "warm-pad");
    CHECK(library.search({.text = "xyzzy"}).empty());
    CHECK(!library.search({.category = library.categories().front()}).empty());
    CHECK(!fs::exists(folder.path)); // looking writes nothing
}

TEST_CASE("saved, found, exported, imported, removed; odd names stay in the folder") {
    Folder folder;
    PresetLibrary library(folder.path);
    library.refresh();
    for (const std::string& name : std::vector<std::string>{"Mine", "../../etc/passwd", "a/b\\c:d", "情熱 Թ ž", "..",
                                                            "CON.", std::string(300, 'x')}) {
        const Result<std::string> id = library.save(named(name));
        REQUIRE_MESSAGE(id.ok(), name);
        const Result<Patch> back = library.load(*id);
        REQUIRE(back.ok());
        CHECK(back->name == name);
        const int place = library.find(*id);
        REQUIRE(place >= 0);
        CHECK((*library.list())[static_cast<std::size_t>(place)].path.parent_path() == folder.path);
    }
    const std::string twice = *library.save(named("Mine"));
    CHECK(twice == "user/Mine 2.json");
    CHECK(*library.save(named("Mine"), true) == "user/Mine.json");
    const fs::path out = folder.path / "out" / "given away.json";
    REQUIRE(library.export_file("user/Mine.json", out));
    REQUIRE(library.import_file(out).ok());
    CHECK(library.import_file(folder.path / "none.json").status().code() == Code::file_not_found);
    std::ofstream(folder.path / "broken.json") << "{";
    REQUIRE(library.set_favourite(twice, true));
    REQUIRE(library.set_favourite("warm-pad", true));
    PresetLibrary again(folder.path);
    again.refresh();
    CHECK(again.unreadable() == 1);
    CHECK(again.search({.favourites = true}).size() == 2);
    CHECK(again.search({.user = true}).size() == 10); // seven names, Mine 2, the exported and the imported one
    CHECK(again.remove("warm-pad").code() == Code::unsupported);
    REQUIRE(again.remove(twice));
    CHECK(again.find(twice) == -1);
    CHECK(!again.load(twice).ok());
}

TEST_CASE("next and previous go round what the search has found") {
    Folder folder;
    PresetLibrary library(folder.path);
    library.refresh();
    const auto all = library.search({});
    const auto at = [&](int i) { return (*library.list())[static_cast<std::size_t>(i)].id; };
    CHECK(library.neighbour(at(all.front()), -1) == all.back());
    CHECK(library.neighbour(at(all.back()), 1) == all.front());
    CHECK(library.neighbour("unknown", 1) == all.front());
    CHECK(library.neighbour("warm-pad", 1, {.text = "xyzzy"}) == -1);
}
