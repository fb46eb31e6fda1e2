// SPDX-License-Identifier: MIT
// Hand-made safetensors files, good and bad; each bad one carries the words that the refusal must contain.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tutti_test {

struct CraftedFile {
    const char* name;
    std::string bytes;
    std::string culprit; // empty: the file is good
};

inline std::string with_length(std::uint64_t length, const std::string& rest) {
    std::string bytes;
    for (int i = 0; i < 8; ++i)
        bytes += static_cast<char>((length >> (8 * i)) & 0xff);
    return bytes + rest;
}

inline std::string file_of(const std::string& header, std::size_t data_bytes) {
    return with_length(header.size(), header + std::string(data_bytes, '\0'));
}

inline std::vector<CraftedFile> crafted_files() {
    const auto one = [](const std::string& fields) { return "{\"w\":{" + fields + "}}"; };
    const std::string good =
        R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
        R"("b":{"dtype":"BF16","shape":[],"data_offsets":[24,26]}})";
    std::string deep = "{\"w\":{\"shape\":";
    for (int i = 0; i < 100000; ++i)
        deep += "{\"shape\":";
    return {
        {"good", file_of(good, 26), ""},
        {"good_padded", file_of(good + "     ", 26), ""},
        {"good_empty_tensor", file_of(one(R"("dtype":"F32","shape":[0,9],"data_offsets":[0,0])"), 0), ""},
        {"empty", "", "no header length"},
        {"seven_bytes", "1234567", "no header length"},
        {"length_beyond_file", with_length(1000, "{}"), "header length 1000"},
        {"length_huge", with_length(200'000'000, "{}"), "above 100 MB"},
        {"length_all_ones", with_length(~std::uint64_t{0}, "{}"), "above 100 MB"},
        {"zero_length", with_length(0, ""), "'{'"},
        {"not_brace", file_of("[]", 0), "'{'"},
        {"leading_space", file_of(" " + good, 26), "'{'"},
        {"not_json", file_of("{\"a\":", 0), "JSON"},
        {"text_after_object", file_of(good + "x", 26), "JSON"},
        {"not_utf8", file_of("{\"\xff\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}", 0), "JSON"},
        {"deep", file_of(deep, 0), "nested"},
        {"top_string", file_of("{\"w\":\"x\"}", 0), "string"},
        {"null_entry", file_of("{\"w\":null}", 0), "null"},
        {"lacks_dtype", file_of(one(R"("shape":[1],"data_offsets":[0,4])"), 4), "lacks dtype"},
        {"lacks_shape", file_of(one(R"("dtype":"F32","data_offsets":[0,4])"), 4), "lacks shape"},
        {"lacks_offsets", file_of(one(R"("dtype":"F32","shape":[1])"), 4), "lacks data_offsets"},
        {"unknown_field", file_of(one(R"("dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1)"), 4),
         "unknown field 'x'"},
        {"unknown_dtype", file_of(one(R"("dtype":"F33","shape":[1],"data_offsets":[0,4])"), 4), "unknown type 'F33'"},
        {"negative_axis", file_of(one(R"("dtype":"F32","shape":[-1],"data_offsets":[0,4])"), 4), "negative"},
        {"fraction_axis", file_of(one(R"("dtype":"F32","shape":[1.5],"data_offsets":[0,4])"), 4), "not whole"},
        {"nine_axes", file_of(one(R"("dtype":"U8","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,1])"), 1), "axes"},
        {"three_offsets", file_of(one(R"("dtype":"F32","shape":[1],"data_offsets":[0,4,8])"), 4),
         "data_offsets holds 3"},
        {"overflow", file_of(one(R"("dtype":"F32","shape":[4294967296,4294967296,4],"data_offsets":[0,4])"), 4),
         "overflows"},
        {"shape_not_range", file_of(one(R"("dtype":"F32","shape":[2],"data_offsets":[0,4])"), 4),
         "4 bytes for F32 [2]"},
        {"beyond_end", file_of(one(R"("dtype":"F32","shape":[2],"data_offsets":[0,8])"), 4), "'w'"},
        {"backwards", file_of(one(R"("dtype":"F32","shape":[1],"data_offsets":[8,4])"), 8), "bytes 8 to 4"},
        {"hole", file_of(one(R"("dtype":"F32","shape":[1],"data_offsets":[4,8])"), 8), "gap"},
        {"overlap",
         file_of(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                 R"("b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})",
                 12),
         "'b' overlaps"},
        {"twice",
         file_of(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                 R"("a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
                 2),
         "'a' stands twice"},
        {"trailing", file_of(one(R"("dtype":"F32","shape":[1],"data_offsets":[0,4])"), 9), "5 bytes after"},
        {"zip", std::string("PK\x03\x04") + std::string(60, 'x'), "zip archive"},
        {"pickle", std::string("\x80\x02}q\x00.", 6) + std::string(60, 'c'), "pickle"},
        {"gzip", std::string("\x1f\x8b\x08", 3) + std::string(60, 'c'), "gzip"},
        {"elf",
         std::string("\x7f"
                     "ELF") +
             std::string(60, 'c'),
         "program"},
    };
}

} // namespace tutti_test
