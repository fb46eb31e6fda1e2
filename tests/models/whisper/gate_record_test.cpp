// SPDX-License-Identifier: MIT
// What the gate said is found again for the same weights, wherever they stand, and for no others.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <models/whisper/gate_record.h>

using namespace tutti;
using namespace tutti::models;
namespace fs = std::filesystem;

namespace {

struct Place {
    fs::path root = fs::temp_directory_path() / "tutti-gate-record";
    Place() {
        fs::remove_all(root);
        fs::create_directories(root / "model");
        write("model/config.json", "{}");
        write("model/model.safetensors", std::string(300000, 'w'));
#if defined(_WIN32)
        _putenv_s("TUTTI_CACHE", (root / "cache").string().c_str());
#else
        setenv("TUTTI_CACHE", (root / "cache").c_str(), 1);
#endif
    }
    ~Place() {
        fs::remove_all(root);
    }
    void write(const fs::path& file, const std::string& text) const {
        std::ofstream(root / file, std::ios::binary) << text;
    }
};

} // namespace

TEST_CASE("a record belongs to weights") {
    const Place place;
    const fs::path model = place.root / "model";
    CHECK_FALSE(find_gate_record(model, Compute::int8).has_value());
    GateReport report;
    report.recordings = 20;
    report.words = 2000;
    report.changed = 30;
    report.worst = 0.05;
    REQUIRE(gate_record_of(report).passed);
    const auto kept = keep_gate_record(model, Compute::int8, gate_record_of(report));
    REQUIRE_MESSAGE(kept.ok(), kept.status().message());
    const auto found = find_gate_record(model, Compute::int8);
    REQUIRE(found.has_value());
    CHECK(found->passed);
    CHECK(found->text() == "1.5 % of 2000 words differ, at worst 5.0 % of a recording");
    CHECK_FALSE(find_gate_record(model, Compute::bf16).has_value());

    fs::copy(model, place.root / "elsewhere");
    CHECK(find_gate_record(place.root / "elsewhere", Compute::int8).has_value());
    std::string other(300000, 'w');
    other[100] = 'x';
    place.write("elsewhere/model.safetensors", other);
    CHECK_FALSE(find_gate_record(place.root / "elsewhere", Compute::int8).has_value());
    place.write("elsewhere/model.safetensors", std::string(300001, 'w'));
    CHECK_FALSE(find_gate_record(place.root / "elsewhere", Compute::int8).has_value());

    std::ofstream(*kept) << "{\"passed\": true";
    CHECK_FALSE(find_gate_record(model, Compute::int8).has_value());
    CHECK(checkpoint_key(place.root / "nowhere").status().code() == Code::file_not_found);
}

TEST_CASE("few words say nothing, many changed ones say no") {
    GateReport report;
    report.words = 999;
    CHECK_FALSE(gate_record_of(report).passed);
    report.words = 1000;
    CHECK(gate_record_of(report).passed);
    report.changed = 21;
    CHECK_FALSE(gate_record_of(report).passed);
}
