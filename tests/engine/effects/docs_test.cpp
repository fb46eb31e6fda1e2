// SPDX-License-Identifier: MIT
// docs/effects.md holds one table an effect: these are written from the parameter tables, and this test compares them.
// TUTTI_WRITE_DOCS=1 in the environment writes them anew.
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <doctest/doctest.h>

#include "tests/engine/effects/support.h"

using namespace test;

namespace {

const std::string k_page = std::string(TUTTI_SOURCE_DIR) + "/docs/effects.md";

std::string table(const EffectType& type) {
    std::string text =
        "| id | name | range | default | smoothing | modulation |\n| --- | --- | --- | --- | --- | --- |\n";
    for (int i = 0; i < type.parameter_count; ++i) {
        const Parameter& row = type.parameters[i];
        std::string range;
        if (row.unit == Unit::choice) {
            for (int c = 0; c < row.choice_count; ++c)
                range += (c > 0 ? ", " : "") + std::string(row.choices[c]);
        } else {
            range = value_text(row, row.minimum) + " .. " + value_text(row, row.maximum);
            if (row.curve == Curve::exponential) range += ", exponential";
        }
        Parameter time{};
        time.unit = Unit::seconds;
        time.maximum = 10.0f;
        text += "| `" + std::string(row.id) + "` | " + row.name + " | " + range + " | " +
                value_text(row, row.fallback) + " | " +
                (row.smoothing_seconds > 0.0f ? value_text(time, row.smoothing_seconds) : "none") + " | " +
                (row.modulatable ? "yes" : "no") + " |\n";
    }
    return text;
}

std::string opening(const EffectType& type) {
    return "<!-- table: " + std::string(type.id) + " -->\n";
}
const std::string k_closing = "<!-- end -->\n";

std::string read_page() {
    std::ifstream file(k_page, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

// The page's table of an effect, "" where there is none.
std::string found(const std::string& page, const EffectType& type) {
    const std::size_t begin = page.find(opening(type));
    if (begin == std::string::npos) return "";
    const std::size_t from = begin + opening(type).size();
    const std::size_t end = page.find(k_closing, from);
    return end == std::string::npos ? "" : page.substr(from, end - from);
}

} // namespace

TEST_CASE("docs/effects.md has every effect's table as it is") {
    std::string page = read_page();
    REQUIRE_FALSE(page.empty());
    if (std::getenv("TUTTI_WRITE_DOCS") != nullptr) {
        for (const EffectType& type : effect_types()) {
            const std::size_t from = page.find(opening(type)) + opening(type).size();
            page.replace(from, page.find(k_closing, from) - from, table(type));
        }
        std::ofstream(k_page, std::ios::binary) << page;
    }
    for (const EffectType& type : effect_types()) {
        CAPTURE(type.id);
        CHECK(found(page, type) == table(type));
        CHECK(page.find("## " + std::string(type.name)) != std::string::npos);
    }
    // Red control: a table with another default is not the page's.
    std::string changed = table(effect_types()[0]);
    changed.replace(changed.find("11 ms"), 5, "12 ms");
    CHECK(found(page, effect_types()[0]) != changed);
}
