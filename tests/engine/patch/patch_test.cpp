// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

#include "engine/patch/json.h"
#include "engine/patch/nearest.h"
#include "engine/patch/patch_file.h"
#include "tests/engine/patch/stub_catalog.h"

using tutti::Code;
using tutti::Patch;
using tutti::Result;

namespace {

const std::string k_full = R"({
  "tutti_patch": 1,
  "name": "Glas d'été",
  "voice": "plain",
  "category": "Pad",
  "author": "Somebody",
  "tags": ["soft", "slow"],
  "gain_db": -4.5,
  "quality": "ultra",
  "mode": "legato",
  "priority": "high",
  "steal": "oldest",
  "voices": 12,
  "glide_seconds": 0.25,
  "bend_range": 12,
  "velocity_curve": -0.5,
  "parameters": { "wave": "triangle", "sync": true, "cutoff": 1234.5, "attack": 0.001 },
  "routes": [
    { "source": "lfo1", "target": "cutoff", "depth": 0.5 },
    { "source": "wheel", "target": "pan", "depth": -1, "via": "lfo2" }
  ],
  "controllers": [
    { "number": 21, "target": "cutoff", "from": 200, "to": 8000 },
    { "number": 1, "target": "macro2" }
  ],
  "effects": [{ "type": "delay", "enabled": false, "parameters": { "time": 0.5, "mix": 0.2 } }],
  "room_send": 0.25,
  "macros": { "macro1": "Brightness" }
})";

Result<Patch> read(const std::string& text) {
    return tutti::engine::read_patch(text, stub::catalog());
}
std::string write(const Patch& patch) {
    return tutti::engine::write_patch(patch, stub::catalog());
}

// A patch with one more member.
std::string with(const std::string& member) {
    return "{\"tutti_patch\": 1, \"name\": \"x\", \"voice\": \"plain\",\n  " + member + "}";
}

void refused(const std::string& text, Code code, const std::vector<std::string>& words) {
    const Result<Patch> patch = read(text);
    CAPTURE(text.substr(0, 300));
    REQUIRE_FALSE(patch.ok());
    const tutti::Status& status = patch.status();
    CAPTURE(status.message());
    CHECK(status.code() == code);
    CHECK_FALSE(status.what().empty());
    CHECK_FALSE(status.means().empty());
    CHECK_FALSE(status.remedy().empty());
    CHECK(status.message().find('\n') == std::string::npos);
    for (const std::string& word : words) {
        CAPTURE(word);
        CHECK(status.message().find(word) != std::string::npos);
    }
}

} // namespace

TEST_CASE("every field of a patch is read") {
    const Result<Patch> read_back = read(k_full);
    REQUIRE_MESSAGE(read_back.ok(), read_back.status().message());
    const Patch& patch = *read_back;
    CHECK(patch.name == "Glas d'été");
    CHECK(patch.voice == "plain");
    CHECK(patch.category == "Pad");
    CHECK(patch.author == "Somebody");
    CHECK(patch.tags == std::vector<std::string>{"soft", "slow"});
    CHECK(patch.gain_db == -4.5);
    CHECK(patch.quality == tutti::Quality::ultra);
    CHECK(patch.mode == tutti::PlayMode::legato);
    CHECK(patch.priority == tutti::NotePriority::high);
    CHECK(patch.steal == tutti::StealPolicy::oldest);
    CHECK(patch.voices == 12);
    CHECK(patch.glide_seconds == 0.25);
    CHECK(patch.bend_range == 12.0);
    CHECK(patch.velocity_curve == -0.5);
    CHECK(patch.parameters.at("wave") == 2.0);
    CHECK(patch.parameters.at("sync") == 1.0);
    CHECK(patch.parameters.at("cutoff") == 1234.5);
    CHECK(static_cast<float>(patch.parameters.at("attack")) == 0.001f);
    REQUIRE(patch.routes.size() == 2);
    CHECK(patch.routes[1].source == "wheel");
    CHECK(patch.routes[1].depth == -1.0);
    CHECK(patch.routes[0].via.empty());
    CHECK(patch.routes[1].via == "lfo2");
    REQUIRE(patch.controllers.size() == 2);
    CHECK(patch.controllers[0].number == 21);
    CHECK(patch.controllers[0].target == "cutoff");
    CHECK(patch.controllers[0].from == 200.0);
    CHECK(patch.controllers[0].to == 8000.0);
    CHECK_FALSE(patch.controllers[1].from.has_value());
    CHECK(patch.room_send == 0.25);
    CHECK(patch.hall_send == 0.0);
    REQUIRE(patch.effects.size() == 1);
    CHECK_FALSE(patch.effects[0].enabled);
    CHECK(patch.effects[0].parameters.at("mix") == doctest::Approx(0.2));
    CHECK(patch.macros.at("macro1") == "Brightness");
    CHECK(patch.unknown == "{}");
}

TEST_CASE("a patch that is read and written is the same file; its keys may stand in any order") {
    const Result<Patch> first = read(k_full);
    REQUIRE(first.ok());
    CHECK(write(*first) == k_full + "\n");
    const Result<Patch> turned =
        read(R"({"parameters": {"wave": "sine"}, "voice": "plain", "tutti_patch": 1, "name": "x"})");
    REQUIRE_MESSAGE(turned.ok(), turned.status().message());
    CHECK(turned->parameters.at("wave") == 3.0);
}

TEST_CASE("unknown keys are kept wherever they stand, and the second writing equals the first, byte for byte") {
    const std::string text = with(
        R"("later": {"a": [1, 2.50, -3, 1e300, 18446744073709551615, -9223372036854775808, null, true, "ä\u0007\n"]},
        "note": "kept", "tiny": 5e-324, "minus": -0.0,
        "routes": [{"source": "env2", "target": "cutoff", "depth": 2, "curve": "exp"}],
        "effects": [{"type": "delay", "side": {"x": [[], {}]}}])");
    const Result<Patch> first = read(text);
    REQUIRE_MESSAGE(first.ok(), first.status().message());
    CHECK(first->unknown.find("18446744073709551615") != std::string::npos);
    CHECK(first->routes[0].unknown.find("\"curve\": \"exp\"") != std::string::npos);
    const std::string once = write(*first);
    const Result<Patch> second = read(once);
    REQUIRE_MESSAGE(second.ok(), second.status().message());
    CHECK(write(*second) == once);
    for (const char* kept : {"1e+300", "-9223372036854775808", "5e-324", "\"side\"", "\\u0007", "\"note\": \"kept\""})
        CHECK_MESSAGE(once.find(kept) != std::string::npos, kept);
}

TEST_CASE("what is wrong with a patch is said, with its place and a way out") {
    refused("", Code::malformed, {"patch", "line 1, column 1"});
    refused("{\"tutti_patch\": 1,\n \"name\": nope}", Code::malformed, {"line 2, column"});
    refused("[1]", Code::malformed, {"no JSON object"});
    refused("{}", Code::malformed, {"tutti_patch", "missing"});
    refused("{\"tutti_patch\": 2, \"later\": []}", Code::unsupported, {"format is 2", "newer version"});
    refused("{\"tutti_patch\": \"1\"}", Code::malformed, {"whole number"});
    refused(with("\"gain_db\": NaN"), Code::malformed, {"line 2"});
    refused(with("\"gain_db\": 1e999"), Code::malformed, {"line 2, column"});
    refused(with("\"gain_db\": 1, \"gain_db\": 2"), Code::malformed, {"\"gain_db\" stands twice", "line 2, column 25"});
    refused(with("\"author\": \"a\xff\""), Code::malformed, {"line 2", "UTF-8"});
    refused(with("\"author\": 7"), Code::malformed, {"line 2, column 13", "author", "text in quotes"});
    refused(with("\"voices\": 3.5"), Code::malformed, {"voices", "whole number"});
    refused(with("\"gain_db\": 90"), Code::out_of_range, {"line 2, column 15", "gain_db", "90", "-60 to 24"});
    refused(with("\"mode\": \"polly\""), Code::malformed, {"\"polly\"", "did you mean \"poly\"?"});
    refused(with("\"parameters\": {\"cutof\": 1}"), Code::not_found,
            {"parameters.cutof", "plain has no parameter", "did you mean \"cutoff\"?"});
    refused(with("\"parameters\": {\"cutoff\": 1}"), Code::out_of_range,
            {"parameters.cutoff", "1 lies outside 20 to 20000"});
    refused(with("\"parameters\": {\"attack\": 0.0009}"), Code::out_of_range, {"0.001 to 20"});
    refused(with("\"parameters\": {\"wave\": \"sow\"}"), Code::malformed, {"parameters.wave", "did you mean \"saw\"?"});
    refused(with("\"parameters\": {\"wave\": 1.5}"), Code::out_of_range, {"not a whole number"});
    refused(with("\"parameters\": {\"cutoff\": true}"), Code::malformed,
            {"parameters.cutoff", "a number was expected"});
    refused(with("\"parameters\": []"), Code::malformed, {"parameters", "object {...}"});
    refused(with("\"routes\": [{\"source\": \"lfo3\", \"target\": \"cutoff\"}]"), Code::not_found,
            {"routes[0].source", "lfo"});
    refused(with("\"routes\": [{\"source\": \"lfo1\", \"target\": \"attack\"}]"), Code::not_found,
            {"routes[0].target", "no modulatable"});
    refused(with("\"routes\": [{\"source\": \"lfo1\", \"target\": \"cutoff\", \"depth\": 1e6}]"), Code::out_of_range,
            {"depth", "-20 to 20"});
    refused(with("\"routes\": [{\"source\": \"lfo1\", \"target\": \"cutoff\", \"via\": \"weel\"}]"), Code::not_found,
            {"routes[0].via", "did you mean \"wheel\"?"});
    refused(with("\"controllers\": {}"), Code::malformed, {"controllers", "list [...]"});
    refused(with("\"controllers\": [{\"number\": 120, \"target\": \"cutoff\"}]"), Code::out_of_range,
            {"controllers[0].number", "120", "0 to 119"});
    refused(with("\"controllers\": [{\"target\": \"cutoff\"}]"), Code::out_of_range, {"controllers[0].number"});
    refused(with("\"controllers\": [{\"number\": 3.5, \"target\": \"cutoff\"}]"), Code::malformed, {"whole number"});
    refused(with("\"controllers\": [{\"number\": 3, \"target\": \"macro9\"}]"), Code::not_found,
            {"controllers[0].target", "macro9"});
    refused(with("\"controllers\": [{\"number\": 3, \"target\": \"cutoff\", \"to\": 1}]"), Code::out_of_range,
            {"controllers[0].to", "20 to 20000"});
    refused(with("\"controllers\": [{\"number\": 3, \"target\": \"pan\"}, {\"number\": 3, \"target\": \"pan\"}]"),
            Code::invalid_argument, {"controllers[1].number", "twice"});
    refused(with("\"effects\": [{\"type\": \"dlay\"}]"), Code::not_found, {"effects[0].type", "\"delay\""});
    refused(with("\"effects\": [{\"type\": \"delay\", \"parameters\": {\"mix\": 2}}]"), Code::out_of_range,
            {"effects[0].parameters.mix"});
    refused(with("\"macros\": {\"macro9\": \"x\"}"), Code::not_found, {"macro9"});
    refused(R"({"tutti_patch": 1, "voice": "plane"})", Code::not_found,
            {"voice type \"plane\"", "did you mean \"plain\"?"});
    refused(with("\"parameters\": {\"a\\nb\": 1}"), Code::not_found, {"a?b"});
    refused(with("\"name\": \"\"").replace(17, 13, ""), Code::invalid_argument, {"no name"});
}

TEST_CASE("fault 49: a patch too deep or too large: bounds of size, depth and number of values hold, and one inside "
          "each is read") {
    const auto nested = [](int depth) {
        return with("\"x\": " + std::string(static_cast<std::size_t>(depth), '[') +
                    std::string(static_cast<std::size_t>(depth), ']'));
    };
    CHECK(read(nested(63)).ok()); // and the patch itself is the 64th level
    refused(nested(64), Code::malformed, {"64 levels"});
    refused(std::string(100'000, '['), Code::malformed, {"64 levels"});
    refused(std::string((16u << 20) + 1, ' '), Code::too_large, {"16 MiB"});
    std::string many = "\"x\": [0";
    for (int i = 0; i < 199'990; ++i)
        many += ",0";
    CHECK(read(with(many + "]")).ok());
    refused(with(many + std::string(",0,0,0,0,0,0,0,0,0,0,0,0,0,0]")), Code::too_large, {"200,000"});
}

TEST_CASE("validate names the key, in words that need no file") {
    Patch patch;
    patch.voice = "plain";
    const auto check = [&] {
        return tutti::engine::check_patch(patch, stub::catalog(), [](const std::string&) { return std::string(); });
    };
    CHECK(check().ok());
    patch.parameters["cutoff"] = std::numeric_limits<double>::quiet_NaN();
    CHECK(check().what().find("parameters.cutoff: null lies outside") != std::string::npos);
    patch.parameters.clear();
    patch.bend_range = std::numeric_limits<double>::infinity();
    CHECK(check().code() == Code::out_of_range);
    patch.bend_range = 2.0;
    patch.routes.assign(17, {"lfo1", "cutoff", 1.0});
    CHECK(check().what().find("17 routes") != std::string::npos);
}

TEST_CASE("writing never makes a file that cannot be read: invalid UTF-8, control characters, floats at their bounds") {
    Patch patch;
    patch.voice = "plain";
    patch.name = "a\xc3(\x01\"\\ \xf0\x9f\x8e\xb9 \xed\xa0\x80";
    patch.parameters["attack"] = static_cast<double>(0.001f);
    patch.parameters["cutoff"] = static_cast<double>(1.0f / 3.0f + 1000.0f);
    patch.unknown = "not json";
    const std::string text = write(patch);
    const Result<Patch> back = read(text);
    REQUIRE_MESSAGE(back.ok(), back.status().message());
    CHECK(static_cast<float>(back->parameters.at("cutoff")) == static_cast<float>(patch.parameters["cutoff"]));
    CHECK(write(*back) == text);
    CHECK(text.find("\"attack\": 0.001") != std::string::npos);
    CHECK(text.find("\xf0\x9f\x8e\xb9") != std::string::npos);
}

TEST_CASE("loading says what is wrong with a path, and names the file in what is wrong inside it") {
    namespace fs = std::filesystem;
    const fs::path folder = fs::temp_directory_path() / "tutti-patch-test-\xc3\xa4";
    fs::create_directories(folder);
    CHECK(Patch::load((folder / "none.json").string()).status().code() == Code::file_not_found);
    CHECK(Patch::load(folder.string()).status().code() == Code::file_unreadable);
    const fs::path file = folder / "bad.json";
    std::ofstream(file) << "{\"tutti_patch\": 1,";
    const Result<Patch> bad = Patch::load(file.string());
    CHECK(bad.status().code() == Code::malformed);
    CHECK(bad.status().what().find("bad.json: patch, line 1") != std::string::npos);
    fs::remove_all(folder);
}

TEST_CASE("a factory patch that is not there is answered with the nearest") {
    const Result<Patch> none = Patch::factory("no-such-patch-at-all");
    CHECK(none.status().code() == Code::not_found);
    CHECK_FALSE(none.status().remedy().empty());
}

TEST_CASE("the distance of words counts typing errors") {
    using tutti::engine::edit_distance;
    CHECK(edit_distance("cutoff", "cutoff") == 0);
    CHECK(edit_distance("cutof", "cutoff") == 1);
    CHECK(edit_distance("ctuoff", "cutoff") == 1); // two neighbours changed places
    CHECK(edit_distance("CutOff", "cutoff") == 0);
    CHECK(edit_distance("", "abc") == 3);
    CHECK(edit_distance("kitten", "sitting") == 3);
    CHECK(tutti::engine::nearest_names("cutof", {"pan", "cutoff"}).front() == "cutoff");
    CHECK(tutti::engine::nearest_names("zzzz", {"pan", "cutoff"}).empty());
}
