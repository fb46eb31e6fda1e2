// SPDX-License-Identifier: MIT
// Planted faults that the runner of reference data must find.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include <models/parity/parity.h>
#include <models/parity/sha256.h>

using namespace tutti::models;
namespace fs = std::filesystem;

namespace {

std::string read(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// A copy of the crafted cases with a change in their JSON, and a manifest that fits it.
struct Folder {
    fs::path path = fs::temp_directory_path() / "tutti_parity_faults";
    Folder() {
        fs::remove_all(path);
        fs::create_directories(path / "whisper/full");
        const fs::path from = fs::path(TUTTI_SOURCE_DIR) / "tests/data/parity/whisper";
        fs::copy(from / "full", path / "whisper/full", fs::copy_options::recursive);
        fs::copy_file(from / "crafted.safetensors", path / "whisper/crafted.safetensors");
        json = read(from / "crafted.json");
    }
    ~Folder() { fs::remove_all(path); }
    void write(const std::string& text) const {
        std::ofstream(path / "whisper/crafted.json", std::ios::binary) << text;
        std::ofstream(path / "MANIFEST.json") << R"({"files":{"whisper/crafted.json":{"sha256":")"
                                              << *sha256_of_file(path / "whisper/crafted.json") << "\"}}}";
    }
    ParityReport run(const std::string& only) const {
        ParityOptions options;
        options.only = only;
        auto report = run_parity(path, options);
        REQUIRE(report.ok());
        return *report;
    }
    std::string json;
};

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

} // namespace

TEST_CASE("the runner finds planted faults") {
    const Folder folder;
    folder.write(folder.json);
    CHECK(folder.run("chunks_").holds());

    folder.write(replaced(folder.json, "[48000,0,8000,false]", "[48000,0,8001,false]"));
    CHECK(folder.run("chunks_").failed() == 1);

    folder.write(replaced(folder.json, "\"kind\":\"chunks\"", "\"kind\":\"lumps\""));
    const auto unknown = folder.run("chunks_");
    CHECK(unknown.failed() == 1);
    CHECK_FALSE(unknown.holds());

    folder.write(replaced(folder.json, "\"dtw_0\"", "\"dtw_lost\"")); // its tensors belong to nobody now
    CHECK_FALSE(folder.run("dtw_1").problems.empty());

    folder.write(folder.json);
    std::ofstream(folder.path / "whisper/crafted.json", std::ios::app) << " ";
    CHECK(folder.run("chunks_").problems.size() == 1); // not the file of the manifest
    fs::remove(folder.path / "whisper/crafted.json");
    CHECK_FALSE(folder.run("chunks_").holds());
    fs::remove(folder.path / "MANIFEST.json");
    CHECK_FALSE(run_parity(folder.path).ok());
}

TEST_CASE("SHA-256 of the standard's examples") {
    Sha256 empty;
    CHECK(empty.digest() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    Sha256 abc;
    abc.add(std::as_bytes(std::span("abc", 3)));
    CHECK(abc.digest() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("an exception that is no longer one is a failure") {
    // Where the default is said to differ, a result that equals the reference's (or any other) does not hold.
    const fs::path data = fs::path(TUTTI_SOURCE_DIR) / "tests/data/parity";
    ParityOptions options;
    options.strict = false;
    options.only = "short_words_greedy";
    auto report = run_parity(data, options);
    REQUIRE(report.ok());
    REQUIRE(report->cases.size() == 1);
    CHECK(report->cases[0].holds);
    CHECK_FALSE(report->cases[0].quirk.empty());
    CHECK(report->exceptions() == 1);
    options.strict = true; // strict knows no exceptions
    report = run_parity(data, options);
    REQUIRE(report.ok());
    CHECK(report->cases[0].quirk.empty());
    CHECK(report->cases[0].holds);
}
