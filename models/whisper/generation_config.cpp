// SPDX-License-Identifier: MIT
#include <models/whisper/generation_config.h>

#include <cstdlib>

#include <models/checkpoint/json_file.h>
#include <models/checkpoint/mapped_file.h>

namespace tutti::models {
namespace {

using Ordered = nlohmann::ordered_json;

Result<Ordered> read_ordered(const std::filesystem::path& path) {
    auto plain = read_json_file(path); // checks size, depth and syntax
    if (!plain) return plain.status();
    auto file = MappedFile::open(path);
    if (!file) return file.status();
    std::string text(static_cast<std::size_t>(file->bytes()), '\0');
    if (Status status = file->read(0, std::as_writable_bytes(std::span(text))); !status) return status;
    return Ordered::parse(text, nullptr, false);
}

// Alignment heads of the published models (openai/whisper __init__.py), found there by looking at which heads follow the sound.
// v1 and v2 of large cannot be told apart by their size: v2's are taken.
struct KnownHeads {
    int vocabulary, layers, width;
    const char* heads; // "layer,head layer,head"
};
constexpr KnownHeads k_known_heads[] = {
    {51864, 4, 384, "1,0 2,0 2,5 3,0 3,1 3,2 3,3 3,4"}, // tiny.en
    {51865, 4, 384, "2,2 3,0 3,2 3,3 3,4 3,5"},         // tiny
    {51864, 6, 512, "3,3 4,7 5,1 5,5 5,7"},             // base.en
    {51865, 6, 512, "3,1 4,2 4,3 4,7 5,1 5,2 5,4 5,6"}, // base
    {51864, 12, 768,
     "6,6 7,0 7,3 7,8 8,2 8,5 8,7 9,0 9,4 9,8 9,10 10,0 10,1 10,2 10,3 10,6 10,11 11,2 11,4"}, // small.en
    {51865, 12, 768, "5,3 5,9 8,0 8,4 8,7 8,8 9,0 9,7 9,9 10,5"},                              // small
    {51864, 24, 1024,
     "11,4 14,1 14,12 14,14 15,4 16,0 16,4 16,9 17,12 17,14 18,7 18,10 18,15 20,0 20,3 20,9 20,14 21,12"}, // medium.en
    {51865, 24, 1024, "13,15 15,4 15,15 16,1 20,0 23,4"},                                                  // medium
    {51865, 32, 1280,
     "10,12 13,17 16,11 16,12 16,13 17,15 17,16 18,4 18,11 18,19 19,11 21,2 21,3 22,3 22,9 22,12 23,5 23,7 23,13 25,5 "
     "26,1 26,12 27,15"},                                                       // large-v2
    {51866, 32, 1280, "7,0 10,17 12,18 13,12 16,1 17,14 19,11 21,4 24,1 25,6"}, // large-v3
    {51866, 4, 1280, "2,4 2,11 3,3 3,6 3,11 3,14"},                             // turbo
};

std::vector<std::pair<int, int>> known_heads(const WhisperConfig& config) {
    std::vector<std::pair<int, int>> heads;
    for (const KnownHeads& one : k_known_heads)
        if (one.vocabulary == config.vocabulary && one.layers == config.decoder_layers && one.width == config.width)
            for (const char* at = one.heads; *at != '\0';) {
                char* end = nullptr;
                const long layer = std::strtol(at, &end, 10);
                const long head = std::strtol(end + 1, &end, 10);
                heads.emplace_back(static_cast<int>(layer), static_cast<int>(head));
                at = *end == ' ' ? end + 1 : end;
            }
    return heads;
}

} // namespace

std::optional<TokenId> GenerationConfig::language_id(std::string_view code) const {
    for (const auto& [name, id] : languages)
        if (name == "<|" + std::string(code) + "|>") return id;
    return std::nullopt;
}

std::optional<TokenId> GenerationConfig::task_id(std::string_view task) const {
    for (const auto& [name, id] : tasks)
        if (name == task) return id;
    return std::nullopt;
}

Result<GenerationConfig> GenerationConfig::open(const std::filesystem::path& folder, const WhisperConfig& config) {
    const auto path = folder / "generation_config.json";
    auto main = read_ordered(folder / "config.json");
    if (!main) return main.status();
    auto own = read_ordered(path);
    if (!own && own.status().code() != Code::file_not_found) return own.status();
    GenerationConfig g;
    Status status;
    const Ordered none;
    const auto find = [&](const char* key) -> const Ordered& {
        if (own && own->is_object() && own->contains(key) && !(*own)[key].is_null()) return (*own)[key];
        if (main->is_object() && main->contains(key) && !(*main)[key].is_null()) return (*main)[key];
        return none;
    };
    const auto is_id = [&](const Ordered& j) {
        return j.is_number_integer() && j.get<std::int64_t>() >= 0 && j.get<std::int64_t>() < config.vocabulary;
    };
    const auto complain = [&](const std::string& key) {
        if (status)
            status = Status(Code::malformed, path.string() + ": " + key + " does not hold ids of the vocabulary",
                            "the model is not loaded", "fetch the file again");
    };
    const auto id = [&](const char* key) -> std::optional<TokenId> {
        const Ordered& j = find(key);
        const Ordered& one = j.is_array() && j.size() == 1 ? j[0] : j;
        if (one.is_null()) return std::nullopt;
        if (is_id(one)) return one.get<TokenId>();
        complain(key);
        return std::nullopt;
    };
    const auto list = [&](const char* key, std::vector<TokenId>& out) {
        const Ordered& j = find(key);
        if (j.is_null()) return;
        if (!j.is_array()) return complain(key);
        for (const Ordered& one : j)
            if (is_id(one))
                out.push_back(one.get<TokenId>());
            else if (!(one.is_number_integer() && one.get<std::int64_t>() == -1))
                complain(key);
    };
    const auto map = [&](const char* key, std::vector<std::pair<std::string, TokenId>>& out) {
        const Ordered& j = find(key);
        if (j.is_null()) return;
        if (!j.is_object()) return complain(key);
        for (const auto& [name, one] : j.items())
            if (is_id(one))
                out.emplace_back(name, one.get<TokenId>());
            else
                complain(key);
    };
    g.start = id("decoder_start_token_id").value_or(g.start);
    g.eos = id("eos_token_id").value_or(g.eos);
    g.pad = id("pad_token_id").value_or(g.eos);
    g.no_timestamps = id("no_timestamps_token_id");
    list("suppress_tokens", g.suppress);
    list("begin_suppress_tokens", g.begin_suppress);
    map("lang_to_id", g.languages);
    map("task_to_id", g.tasks);
    g.previous = id("prev_sot_token_id");
    if (!g.previous && g.suppress.size() >= 2) g.previous = g.suppress[g.suppress.size() - 2];
    if (find("is_multilingual").is_boolean())
        g.multilingual = find("is_multilingual").get<bool>();
    else
        g.multilingual = config.vocabulary >= 51865;
    if (find("return_timestamps").is_boolean()) g.return_timestamps = find("return_timestamps").get<bool>();
    if (find("max_initial_timestamp_index").is_number_integer())
        g.max_initial_timestamp_index = find("max_initial_timestamp_index").get<int>();
    if (find("max_length").is_number_integer())
        g.max_length = std::min(find("max_length").get<int>(), config.target_positions);
    if (const Ordered& heads = find("alignment_heads"); heads.is_array()) {
        for (const Ordered& one : heads)
            if (one.is_array() && one.size() == 2 && one[0].is_number_integer() && one[1].is_number_integer() &&
                one[0].get<int>() >= 0 && one[0].get<int>() < config.decoder_layers && one[1].get<int>() >= 0 &&
                one[1].get<int>() < config.decoder_heads)
                g.alignment_heads.emplace_back(one[0].get<int>(), one[1].get<int>());
            else
                complain("alignment_heads");
        g.alignment_heads_stored = true;
    }
    if (!g.alignment_heads_stored) {
        g.alignment_heads = known_heads(config);
        g.alignment_heads_known = !g.alignment_heads.empty();
    }
    if (!g.alignment_heads_stored &&
        !g.alignment_heads_known) // all heads of the upper half, as openai/whisper does for unknown models
        for (int layer = config.decoder_layers / 2; layer < config.decoder_layers; ++layer)
            for (int head = 0; head < config.decoder_heads; ++head)
                g.alignment_heads.emplace_back(layer, head);
    if (own && own->is_object() && own->contains("transformers_version") &&
        (*own)["transformers_version"].is_string()) {
        const std::string version = (*own)["transformers_version"].get<std::string>();
        char* rest = nullptr;
        const long major = std::strtol(version.c_str(), &rest, 10);
        const long minor = rest && *rest == '.' ? std::strtol(rest + 1, nullptr, 10) : 0;
        g.suppress_first = major > 4 || (major == 4 && minor >= 50);
    }
    if (!status) return status;
    return g;
}

} // namespace tutti::models
