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
    if (!g.alignment_heads_stored) // all heads of the upper half, as openai/whisper does for unknown models
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
