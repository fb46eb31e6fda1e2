// SPDX-License-Identifier: MIT
// The flat list: every id as released, numbers unique, text both ways. TUTTI_WRITE_DOCS=1 writes the snapshot anew.
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include <doctest/doctest.h>

#include "plugin/core/parameter_list.h"

using namespace tutti;
using plugin::ParameterInfo;
using plugin::ParameterList;

namespace {

std::string line_of(const ParameterInfo& info) {
    return info.id + " " + std::to_string(info.number);
}

std::string snapshot_path() {
    return std::string(TUTTI_SOURCE_DIR) + "/tests/data/plugin-parameters.txt";
}

// What is wrong between what was released and what is there: something gone, or something that changed its number.
std::string compare(const std::string& released, const std::set<std::string>& there) {
    std::istringstream stream(released);
    for (std::string line; std::getline(stream, line);)
        if (!line.empty() && line[0] != '#' && there.count(line) == 0) return line;
    return "";
}

} // namespace

TEST_CASE("every id that was released is there, under its number") {
    std::set<std::string> there;
    std::string text = "# SPDX-License-Identifier: MIT\n# The plugin's parameters as released: id, number. Lines are "
                       "added, never changed.\n";
    for (const ParameterInfo& info : ParameterList::get().all()) {
        there.insert(line_of(info));
        text += line_of(info) + "\n";
    }
    if (const char* write = std::getenv("TUTTI_WRITE_DOCS"); write != nullptr && *write == '1')
        std::ofstream(snapshot_path(), std::ios::binary) << text;
    std::ifstream file(snapshot_path(), std::ios::binary);
    std::stringstream released;
    released << file.rdbuf();
    REQUIRE(released.str().size() > 1000);
    CHECK(compare(released.str(), there) == "");
    CHECK_MESSAGE(released.str() == text, "new parameters: run this test with TUTTI_WRITE_DOCS=1");
    // Planted: one that is gone.
    CHECK(compare(released.str() + "subtractive.gone 1\n", there) == "subtractive.gone 1");
}

TEST_CASE("ids and numbers are unique, names fit a host's row") {
    std::set<std::string> ids;
    std::set<std::uint32_t> numbers;
    for (const ParameterInfo& info : ParameterList::get().all()) {
        CHECK_MESSAGE(ids.insert(info.id).second, info.id);
        CHECK_MESSAGE(numbers.insert(info.number).second, info.id);
        CHECK_MESSAGE(!info.name.empty(), info.id);
        CHECK_MESSAGE(info.name.size() <= 40, info.name);
        CHECK_MESSAGE(!info.group.empty(), info.id);
        CHECK(ParameterList::get()[ParameterList::get().find(info.id)].id == info.id);
        CHECK(ParameterList::get()[ParameterList::get().find_number(info.number)].id == info.id);
    }
    CHECK(ParameterList::get().find("no.such") == -1);
    CHECK(ParameterList::get().size() < 1024);
}

TEST_CASE("text both ways: what is written is read back as the same text") {
    for (const ParameterInfo& info : ParameterList::get().all()) {
        for (const float place : {0.0f, 0.1f, 0.25f, 0.5f, 0.77f, 1.0f}) {
            const float value = clamp_value(*info.row, value_from_normalised(*info.row, place));
            const std::string text = value_text(*info.row, value);
            const Result<float> read = value_from_text(*info.row, text);
            REQUIRE_MESSAGE(read.ok(), info.id << " " << text);
            CHECK_MESSAGE(value_text(*info.row, *read) == text, info.id);
        }
        const float fallback = info.row->fallback;
        CHECK_MESSAGE(clamp_value(*info.row, fallback) == fallback, info.id);
        if (info.stepped()) CHECK_MESSAGE(info.steps() >= 2, info.id);
    }
}
