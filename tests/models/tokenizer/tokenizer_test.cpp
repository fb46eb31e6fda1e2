// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>

#include <models/checkpoint/json_file.h>
#include <models/tokenizer/tokenizer.h>
#include <models/tokenizer/utf8.h>

using namespace tutti::models;
namespace fs = std::filesystem;

namespace {
const fs::path k_small = fs::path(TUTTI_SOURCE_DIR) / "tests/data/parity/whisper/full/HeartTranscriptor-oss";
const fs::path k_english = fs::path(TUTTI_SOURCE_DIR) / "../shared/whisper-tiny.en";
} // namespace

TEST_CASE("tokenizer.json and vocab.json with merges.txt give the same tokenizer") {
    const auto one = Tokenizer::open(k_small);
    REQUIRE_MESSAGE(one.ok(), one.status().message());
    const auto folder = fs::temp_directory_path() / "tutti_tokenizer_parts";
    fs::remove_all(folder);
    fs::create_directories(folder);
    for (const char* name : {"vocab.json", "merges.txt", "added_tokens.json", "tokenizer_config.json"})
        fs::copy_file(k_small / name, folder / name);
    const auto two = Tokenizer::open(folder);
    REQUIRE_MESSAGE(two.ok(), two.status().message());
    CHECK(one->size() == two->size());
    for (const char* text : {"Shall I compare thee", " don't  stop\n\n", "床前明月光", "a<|en|>b"}) {
        CHECK(one->encode(text) == two->encode(text));
        CHECK(one->encode_with_added(text) == two->encode_with_added(text));
    }
    for (TokenId id = 0; id < one->size(); ++id)
        CHECK(one->is_special(id) == two->is_special(id));
    fs::remove_all(folder);
}

TEST_CASE("fault 50: any bytes as text: they survive encoding and decoding, apart from what is not UTF-8") {
    const auto tokenizer = Tokenizer::open(k_small);
    REQUIRE(tokenizer.ok());
    const unsigned seed = 7;
    MESSAGE("seed ", seed);
    std::mt19937 random(seed);
    for (int round = 0; round < 3000; ++round) {
        std::string bytes;
        for (unsigned i = random() % 60; i > 0; --i)
            if (random() % 3)
                bytes += "ab' \n19.!"[random() % 9];
            else if (random() % 2)
                utf8_append(bytes, static_cast<char32_t>(random() % 0x3000));
            else
                bytes += static_cast<char>(random());
        const std::string repaired = utf8_repair(bytes);
        CHECK(tokenizer->bytes_of(tokenizer->encode(bytes)) == repaired);
        CHECK(utf8_repair(repaired) == repaired);
        std::vector<TokenId> ids;
        for (unsigned i = random() % 30; i > 0; --i)
            ids.push_back(static_cast<TokenId>(random() % 4000) - 1000); // also ids that do not exist
        const std::string text = tokenizer->decode(ids, {false, true, false});
        CHECK(utf8_repair(text) == text);
    }
}

TEST_CASE(
    "fault 50: a long run of one letter: it takes no more than its share of time") { // a naive merge loop is quadratic: hours here
    const auto tokenizer = Tokenizer::open(k_small);
    REQUIRE(tokenizer.ok());
    const std::string text(1 << 20, 'm');
    CHECK(tokenizer->bytes_of(tokenizer->encode(text)) == text);
}

TEST_CASE("added tokens are text for encode and ids for encode_with_added") {
    const auto tokenizer = Tokenizer::open(k_small);
    REQUIRE(tokenizer.ok());
    CHECK(tokenizer->encode_with_added("<|en|>") == std::vector<TokenId>{303});
    CHECK(tokenizer->encode("<|en|>").size() > 1);
    CHECK(tokenizer->is_special(303));
    CHECK_FALSE(tokenizer->is_special(312)); // timestamps are not special
    CHECK(tokenizer->added_name(312) == "<|0.00|>");
    CHECK(tokenizer->id_of("<|30.00|>") == TokenId{1812});
}

TEST_CASE("a broken vocabulary is refused with its culprit") {
    const auto folder = fs::temp_directory_path() / "tutti_tokenizer_bad";
    fs::create_directories(folder);
    struct Row {
        const char* json;
        const char* culprit;
    };
    for (const Row& row :
         {Row{"{", "parse"}, Row{"[]", "BPE"}, Row{R"({"model":{"type":"Unigram","vocab":{}}})", "BPE"},
          Row{R"({"model":{"type":"BPE","vocab":{"a":-1}}})", "'a'"},
          Row{R"({"model":{"type":"BPE","vocab":{"a":99999999}}})", "'a'"},
          Row{R"({"model":{"type":"BPE","vocab":{"a":1,"b":1}}})", "two tokens"},
          Row{R"({"model":{"type":"BPE","vocab":{"a":1}}})", "byte 0"}}) {
        CAPTURE(row.json);
        std::ofstream(folder / "tokenizer.json") << row.json;
        const auto tokenizer = Tokenizer::open(folder);
        REQUIRE_FALSE(tokenizer.ok());
        CHECK(tokenizer.status().what().find(row.culprit) != std::string::npos);
    }
    fs::remove_all(folder);
}

TEST_CASE("GPT-2's own vocabulary gives the published ids") {
    if (!fs::exists(k_english / "tokenizer.json")) {
        std::puts("SKIP: no English checkpoint beside this checkout; its ids were not compared");
        return;
    }
    const auto tokenizer = Tokenizer::open(k_english);
    REQUIRE_MESSAGE(tokenizer.ok(), tokenizer.status().message());
    const auto cases = read_json_file(fs::path(TUTTI_SOURCE_DIR) / "tests/data/parity/whisper/crafted.json");
    REQUIRE(cases.ok());
    int compared = 0;
    for (const auto& [name, data] : (*cases)["cases"].items())
        if (data["kind"] == "tokenizer") {
            CAPTURE(name);
            CHECK(tokenizer->encode(data["text"].get<std::string>()) == data["gpt2"].get<std::vector<TokenId>>());
            ++compared;
        }
    CHECK(compared == 20);
}
