// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <cmath>

#include <models/checkpoint/safetensors.h>

#include "bad_files.h"

using namespace tutti::models;

namespace {
auto parse(const std::string& bytes) {
    return parse_safetensors_header(std::as_bytes(std::span(bytes)), bytes.size(), "file.safetensors");
}
} // namespace

TEST_CASE("every crafted file is taken or refused with its culprit") {
    int refused = 0;
    for (const auto& file : tutti_test::crafted_files()) {
        CAPTURE(file.name);
        const auto header = parse(file.bytes);
        CHECK(header.ok() == file.culprit.empty());
        if (header.ok()) continue;
        ++refused;
        CAPTURE(header.status().message());
        CHECK(header.status().what().find(file.culprit) != std::string::npos);
        CHECK(header.status().what().find("file.safetensors") == 0);
    }
    CHECK(refused == 35);
}

TEST_CASE("a good header gives types, shapes and absolute ranges") {
    const auto files = tutti_test::crafted_files();
    const auto header = parse(files[0].bytes);
    REQUIRE(header.ok());
    REQUIRE(header->tensors.size() == 2);
    CHECK(header->tensors[0].name == "a");
    CHECK(header->tensors[0].elements == 6);
    CHECK(header->tensors[0].begin == files[0].bytes.size() - 26);
    CHECK(header->tensors[1].dtype == Dtype::bf16);
    CHECK(header->tensors[1].elements == 1);
    CHECK(header->metadata.at("format") == "pt");
}

TEST_CASE("every prefix of a good file is refused") { // a download that broke off
    const auto files = tutti_test::crafted_files();
    for (std::size_t length = 0; length < files[0].bytes.size(); ++length) {
        CAPTURE(length);
        CHECK_FALSE(parse(files[0].bytes.substr(0, length)).ok());
    }
}

TEST_CASE("half and brain floats: all 65,536 values go to FP32 and back") {
    for (unsigned i = 0; i < 65536; ++i) {
        const auto bits = static_cast<std::uint16_t>(i);
        const float half = f16_to_f32(bits);
        const float brain = bf16_to_f32(bits);
        if (!std::isnan(half)) CHECK_MESSAGE(f32_to_f16(half) == bits, i);
        if (!std::isnan(brain)) CHECK_MESSAGE(f32_to_bf16(brain) == bits, i);
    }
    CHECK(f16_to_f32(0x3555) == doctest::Approx(0.333251953125).epsilon(1e-12));
    CHECK(f16_to_f32(0x0001) == 0x1p-24f);
    CHECK(f32_to_f16(65520.0f) == 0x7c00);        // halfway to 65536 rounds to infinity
    CHECK(f32_to_f16(1.0f + 0x1p-11f) == 0x3c00); // ties go to even
    CHECK(f32_to_bf16(1.0f + 0x1p-8f) == 0x3f80);
}
