// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <limits>

#include <models/checkpoint/checkpoint.h>

#include "bad_files.h"

using namespace tutti::models;
namespace fs = std::filesystem;

namespace {

struct Folder {
    fs::path path;
    explicit Folder(const char* name) : path(fs::temp_directory_path() / ("tutti_checkpoint_" + std::string(name))) {
        fs::remove_all(path);
        fs::create_directories(path);
    }
    ~Folder() {
        std::error_code ignored;
        fs::remove_all(path, ignored);
    }
    void write(const std::string& name, const std::string& bytes) const {
        std::ofstream(path / name, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    }
};

std::string floats(const std::string& name, std::vector<float> values) {
    const std::string header = "{\"" + name + "\":{\"dtype\":\"F32\",\"shape\":[" + std::to_string(values.size()) +
                               "],\"data_offsets\":[0," + std::to_string(values.size() * 4) + "]}}";
    return tutti_test::with_length(
        header.size(), header + std::string(reinterpret_cast<const char*>(values.data()), values.size() * 4));
}

const char* k_index = R"({"metadata":{"total_size":16},"weight_map":{"a":"s1.safetensors","b":"s2.safetensors"}})";

} // namespace

TEST_CASE("a sharded checkpoint is read through its index") {
    const Folder folder("sharded");
    folder.write("s1.safetensors", floats("a", {1, 2}));
    folder.write("s2.safetensors", floats("b", {3, 4}));
    folder.write("model.safetensors.index.json", k_index);
    const auto checkpoint = Checkpoint::open(folder.path);
    REQUIRE_MESSAGE(checkpoint.ok(), checkpoint.status().message());
    const std::uint64_t shape[] = {2};
    const auto tensor = checkpoint->require("b", shape);
    REQUIRE(tensor.ok());
    float values[2];
    REQUIRE(checkpoint->read_f32(**tensor, values).ok());
    CHECK(values[1] == 4.0f);
    CHECK(checkpoint->plan(2).loaded_bytes == 8);
    const std::uint64_t other[] = {3};
    CHECK(checkpoint->require("b", other).status().what().find("has shape [2], config.json asks for [3]") !=
          std::string::npos);
    CHECK(checkpoint->require("c", other).status().what().find("'c' is missing") != std::string::npos);
}

TEST_CASE("an index that lies is refused") {
    const Folder folder("index");
    folder.write("s1.safetensors", floats("a", {1, 2}));
    folder.write("s2.safetensors", floats("b", {3, 4}));
    struct Row {
        const char* index;
        const char* culprit;
    };
    for (const Row& row : {
             Row{R"({"weight_map":{"a":"../s1.safetensors"}})", "outside the folder"},
             Row{R"({"weight_map":{"a":"/etc/passwd"}})", "outside the folder"},
             Row{R"({"weight_map":{"a":"..\\s1"}})", "outside the folder"},
             Row{R"({"weight_map":{"a":7}})", "not a file name"},
             Row{R"({"weight_map":{}})", "names no file"},
             Row{R"({"weight_map":[]})", "no weight_map"},
             Row{R"({"weight_map":{"a":"s3.safetensors"}})", "s3.safetensors"},
             Row{R"({"weight_map":{"a":"s2.safetensors","b":"s2.safetensors"}})", "'a' is not in s2"},
             Row{R"({"weight_map":{"a":"s2.safetensors","b":"s1.safetensors"}})", "but in"},
             Row{R"({"weight_map":{"a":"s1.safetensors","c":"s2.safetensors"}})", "'c'"},
             Row{R"({"weight_map":{"a":"s1.safetensors"},)", "parse error"},
         }) {
        CAPTURE(row.index);
        folder.write("model.safetensors.index.json", row.index);
        const auto checkpoint = Checkpoint::open(folder.path);
        REQUIRE_FALSE(checkpoint.ok());
        CAPTURE(checkpoint.status().message());
        CHECK(checkpoint.status().what().find(row.culprit) != std::string::npos);
    }
}

TEST_CASE("NaN and infinity in the weights are named with their place") {
    const Folder folder("nan");
    for (float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
        folder.write("model.safetensors", floats("a", {1, 2, bad}));
        const auto checkpoint = Checkpoint::open(folder.path);
        REQUIRE(checkpoint.ok());
        float values[3];
        const auto status = checkpoint->read_f32(*checkpoint->find("a"), values);
        CHECK(status.what().find("'a' holds NaN or infinity at element 2") != std::string::npos);
    }
}

TEST_CASE("a file that shrinks after it was opened gives an error, not a crash") {
    const Folder folder("shrinks");
    folder.write("model.safetensors", floats("a", std::vector<float>(100000, 1.0f)));
    const auto checkpoint = Checkpoint::open(folder.path);
    REQUIRE(checkpoint.ok());
    fs::resize_file(folder.path / "model.safetensors", 5000);
    std::vector<float> values(100000);
    const auto status = checkpoint->read_f32(*checkpoint->find("a"), values);
    CHECK(status.code() == tutti::Code::truncated);
}

TEST_CASE("a pickle in the folder is named and left alone") {
    const Folder folder("pickle");
    folder.write("pytorch_model.bin", "\x80\x02"
                                      "cos\nsystem\n.");
    CHECK(Checkpoint::open(folder.path).status().what().find("pickle") != std::string::npos);
    folder.write("model.safetensors", std::string("PK\x03\x04") + std::string(100, 'x'));
    CHECK(Checkpoint::open(folder.path).status().what().find("zip archive") != std::string::npos);
}

TEST_CASE("loading stops when it is told to") {
    const Folder folder("cancel");
    folder.write("model.safetensors", floats("a", std::vector<float>(1000000, 1.0f)));
    const auto checkpoint = Checkpoint::open(folder.path);
    REQUIRE(checkpoint.ok());
    std::vector<float> values(1000000);
    int asked = 0;
    CHECK(checkpoint->read_f32(*checkpoint->find("a"), values, [&] { return ++asked == 2; }).code() ==
          tutti::Code::cancelled);
    CHECK(values.back() == 0.0f);
}
