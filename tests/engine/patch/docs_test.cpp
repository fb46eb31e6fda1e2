// SPDX-License-Identifier: MIT
// docs/patches.md and docs/patch.schema.json hold what the tables say; this test compares them. TUTTI_WRITE_DOCS=1 in the
// environment writes them anew.
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <doctest/doctest.h>

#include <tutti/patch.h>

#include "engine/patch/catalog.h"
#include "engine/patch/patch_file.h"

using namespace tutti;

namespace {

const std::string k_docs = std::string(TUTTI_SOURCE_DIR) + "/docs/";
const std::string k_closing = "<!-- end -->\n";

std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

std::string range_text(const Parameter& row) {
    std::string text;
    if (row.unit == Unit::toggle) return "on, off";
    if (row.unit == Unit::choice) {
        for (int i = 0; i < row.choice_count; ++i)
            text.append(i > 0 ? ", `" : "`").append(row.choices[i]).append("`");
        return text;
    }
    text = value_text(row, row.minimum) + " .. " + value_text(row, row.maximum);
    return row.curve == Curve::exponential ? text + ", exponential" : text;
}

std::string voice_types(const engine::Catalog& catalog) {
    std::string text;
    for (const engine::Table& voice : catalog.voices) {
        text += "\n### " + std::string(voice.name) + " (`" + std::string(voice.id) + "`)\n\n";
        text += "| id | name | range | default | modulation |\n| --- | --- | --- | --- | --- |\n";
        for (const Parameter& row : voice.parameters)
            text += "| `" + std::string(row.id) + "` | " + row.group + ": " + row.name + " | " + range_text(row) +
                    " | " + value_text(row, row.fallback) + " | " + (row.modulatable ? "yes" : "no") + " |\n";
    }
    return text + "\n";
}

std::string sources() {
    std::string text;
    for (std::string_view name : engine::source_names()) {
        const bool both =
            name.substr(0, 3) == "lfo" || name == "key" || name == "random" || name == "unison" || name == "bend";
        text.append(text.empty() ? "`" : ", `").append(name).append(both ? "` +-" : "`");
    }
    return "\n" + text + "\n\n";
}

std::string factory() {
    std::string text = "\n| patch | category | voice type | what it is |\n| --- | --- | --- | --- |\n";
    for (std::string_view name : Patch::factory_names()) {
        const Result<Patch> patch = Patch::factory(name);
        REQUIRE_MESSAGE(patch.ok(), patch.status().message());
        std::string tags;
        for (const std::string& tag : patch->tags)
            tags.append(tags.empty() ? "" : ", ").append(tag);
        text += "| `" + std::string(name) + "` | " + patch->category + " | `" + patch->voice + "` | " + tags + " |\n";
    }
    return text + "\n";
}

std::string programs() {
    std::string text = "\n| programs | patch |\n| --- | --- |\n";
    for (int first = 0; first < 128;) {
        int last = first;
        while (last + 1 < 128 && Patch::general_midi(last + 1) == Patch::general_midi(first))
            ++last;
        text.append("| ").append(std::to_string(first + 1));
        if (last > first) text.append("-").append(std::to_string(last + 1));
        text.append(" | `").append(Patch::general_midi(first)).append("` |\n");
        first = last + 1;
    }
    return text + "\n";
}

std::string opening(const std::string& name) {
    return "<!-- table: " + name + " -->\n";
}

std::string found(const std::string& page, const std::string& name) {
    const std::size_t begin = page.find(opening(name));
    REQUIRE(begin != std::string::npos);
    const std::size_t from = begin + opening(name).size();
    return page.substr(from, page.find(k_closing, from) - from);
}

} // namespace

TEST_CASE("docs/patches.md says what the tables say") {
    std::string page = read_file(k_docs + "patches.md");
    const std::pair<std::string, std::string> all[] = {{"sources", sources()},
                                                       {"voice types", voice_types(engine::catalog())},
                                                       {"factory patches", factory()},
                                                       {"programs", programs()}};
    if (std::getenv("TUTTI_WRITE_DOCS") != nullptr) {
        for (const auto& [name, text] : all)
            page.replace(page.find(opening(name)) + opening(name).size(), found(page, name).size(), text);
        std::ofstream(k_docs + "patches.md", std::ios::binary) << page;
    }
    for (const auto& [name, text] : all)
        CHECK_MESSAGE(found(page, name) == text, name);
}

TEST_CASE("a table that has changed is noticed") {
    engine::Catalog other = engine::catalog();
    REQUIRE_FALSE(other.voices.empty());
    std::vector<Parameter> rows(other.voices[0].parameters.begin(), other.voices[0].parameters.end());
    rows[1].maximum += 1.0f;
    other.voices[0].parameters = rows;
    CHECK(voice_types(other) != voice_types(engine::catalog()));
    CHECK(engine::patch_schema(other) != engine::patch_schema(engine::catalog()));
}

TEST_CASE("docs/patch.schema.json is made from the tables as they are") {
    const std::string path = k_docs + "patch.schema.json";
    const std::string schema = engine::patch_schema(engine::catalog());
    if (std::getenv("TUTTI_WRITE_DOCS") != nullptr) std::ofstream(path, std::ios::binary) << schema;
    CHECK(read_file(path) == schema);
}

TEST_CASE("the documented example is a patch") {
    const std::string page = read_file(k_docs + "patches.md");
    const std::size_t begin = page.find("```json\n") + 8;
    const Result<Patch> patch = Patch::from_json(page.substr(begin, page.find("```", begin) - begin));
    CHECK_MESSAGE(patch.ok(), patch.status().message());
}
