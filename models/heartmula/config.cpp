// SPDX-License-Identifier: MIT
#include <models/heartmula/config.h>

#include <algorithm>
#include <vector>

#include <models/checkpoint/json_file.h>

namespace tutti::models {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

Status bad(const fs::path& path, const std::string& what) {
    return Status(Code::malformed, path.string() + ": " + what, "the model is not loaded",
                  "check that the file belongs to these weights");
}

Status take(const fs::path& path, const Json& json, const char* key, int& value, int low, int high) {
    if (!json.contains(key)) return {};
    const Json& found = json[key];
    if (!found.is_number_integer() || found.get<std::int64_t>() < low || found.get<std::int64_t>() > high)
        return bad(path,
                   std::string(key) + " is not a number from " + std::to_string(low) + " to " + std::to_string(high));
    value = found.get<int>();
    return {};
}

struct NamedFlavor {
    const char* name;
    MulaFlavor flavor;
};
constexpr NamedFlavor k_flavors[] = {
    {"llama-3B", {28, 24, 8, 3072, 8192, 8192}},
    {"llama-7B", {32, 32, 8, 4096, 14336, 8192}},
    {"llama-300M", {3, 8, 4, 3072, 8192, 2048}},
    {"llama-400M", {4, 8, 4, 3072, 8192, 2048}},
};

Status take_flavor(const fs::path& path, const Json& json, const std::string& name, MulaFlavor& flavor) {
    const Json* own = nullptr;
    if (json.contains("flavor_dims") && json["flavor_dims"].is_object() && json["flavor_dims"].contains(name))
        own = &json["flavor_dims"][name];
    if (!own) {
        for (const NamedFlavor& one : k_flavors)
            if (name == one.name) {
                flavor = one.flavor;
                return {};
            }
        return bad(path, "the flavour '" + name + "' is not known, and flavor_dims does not give it");
    }
    if (!own->is_object()) return bad(path, "flavor_dims." + name + " is not an object");
    for (const char* key : {"num_layers", "num_heads", "num_kv_heads", "embed_dim", "intermediate_dim", "max_seq_len"})
        if (!own->contains(key)) return bad(path, "flavor_dims." + name + " has no " + key);
    for (const Status& status :
         {take(path, *own, "num_layers", flavor.layers, 1, 256), take(path, *own, "num_heads", flavor.heads, 1, 256),
          take(path, *own, "num_kv_heads", flavor.key_heads, 1, 256),
          take(path, *own, "embed_dim", flavor.width, 2, 1 << 15),
          take(path, *own, "intermediate_dim", flavor.hidden, 1, 1 << 17),
          take(path, *own, "max_seq_len", flavor.positions, 1, 1 << 20)})
        if (!status) return status;
    if (flavor.width % flavor.heads != 0 || flavor.head_width() % 2 != 0 || flavor.heads % flavor.key_heads != 0)
        return bad(path, "flavor_dims." + name + ": the heads do not divide the width, or the key heads the heads");
    return {};
}

} // namespace

Result<HeartMulaConfig> HeartMulaConfig::open(const fs::path& model, const fs::path& root) {
    const fs::path path = model / "config.json";
    auto json = read_json_file(path);
    if (!json) return json.status();
    if (!json->is_object() || json->value("model_type", "") != "heartmula")
        return bad(path, "model_type is not heartmula");
    HeartMulaConfig c;
    for (auto [key, name] : {std::pair("backbone_flavor", &c.backbone_name), {"decoder_flavor", &c.decoder_name}})
        if (json->contains(key)) {
            if (!(*json)[key].is_string()) return bad(path, std::string(key) + " is not a name");
            *name = (*json)[key].get<std::string>();
        }
    for (const Status& status :
         {take(path, *json, "text_vocab_size", c.text_vocabulary, 8, 1 << 20),
          take(path, *json, "audio_vocab_size", c.audio_vocabulary, 6, 1 << 20),
          take(path, *json, "audio_num_codebooks", c.codebooks, 1, 64),
          take(path, *json, "muq_dim", c.style_width, 1, 1 << 16),
          take_flavor(path, *json, c.backbone_name, c.backbone), take_flavor(path, *json, c.decoder_name, c.decoder)})
        if (!status) return status;
    if (c.decoder.positions < c.codebooks)
        return bad(path, "the local decoder's max_seq_len is below the number of codebooks");
    const fs::path generation = root / "gen_config.json";
    auto own = read_json_file(generation);
    if (!own) return own.status();
    if (!own->is_object()) return bad(generation, "is not an object");
    int bos = c.text_bos, eos = c.text_eos;
    for (const Status& status : {take(generation, *own, "text_bos_id", bos, 0, 1 << 22),
                                 take(generation, *own, "text_eos_id", eos, 0, 1 << 22),
                                 take(generation, *own, "audio_eos_id", c.audio_eos, 0, 1 << 22),
                                 take(generation, *own, "empty_id", c.empty, 0, 1 << 22)})
        if (!status) return status;
    c.text_bos = bos;
    c.text_eos = eos;
    if (bos >= c.text_vocabulary || eos >= c.text_vocabulary)
        return bad(generation, "text_bos_id or text_eos_id is not below text_vocab_size of config.json");
    if (c.audio_eos >= c.audio_vocabulary)
        return bad(generation, "audio_eos_id is not below audio_vocab_size of config.json: no song would end");
    return c;
}

bool MusicFolder::looks_like(const fs::path& path) {
    std::error_code error;
    if (fs::exists(path / "gen_config.json", error) || fs::exists(path / "HeartCodec-oss", error)) return true;
    for (fs::directory_iterator at(path, error), end; !error && at != end; at.increment(error))
        if (at->path().filename().string().starts_with("HeartMuLa-oss-")) return true;
    return false;
}

Result<MusicFolder> MusicFolder::find(const fs::path& path, const std::string& version, bool codec) {
    std::error_code error;
    const std::string remedy =
        "place them there: HeartMuLa-oss-3B and HeartCodec-oss (config.json and safetensors), tokenizer.json and "
        "gen_config.json, as the model's page on the hub lays them out; nothing is downloaded";
    const auto missing = [&](const std::string& what) {
        return Status(Code::file_not_found, what, "nothing was generated", remedy);
    };
    if (!fs::is_directory(path, error)) return missing("looked for a model in " + path.string() + ": no such folder");
    MusicFolder folder;
    folder.root = path;
    if (!version.empty()) {
        folder.language_model = path / ("HeartMuLa-oss-" + version);
    } else {
        std::vector<fs::path> found;
        for (fs::directory_iterator at(path, error), end; !error && at != end; at.increment(error))
            if (at->path().filename().string().starts_with("HeartMuLa-oss-")) found.push_back(at->path());
        std::sort(found.begin(), found.end());
        const auto preferred = std::find(found.begin(), found.end(), path / "HeartMuLa-oss-3B");
        if (found.size() > 1 && preferred == found.end()) {
            std::string names;
            for (const fs::path& one : found)
                names.append(" ").append(one.filename().string().substr(14));
            return Status(Code::invalid_argument, path.string() + " holds several language models:" + names,
                          "nothing was generated", "choose one with --version");
        }
        folder.language_model = found.empty()              ? path / "HeartMuLa-oss-3B"
                                : preferred != found.end() ? *preferred
                                                           : found.front();
    }
    folder.codec = path / "HeartCodec-oss";
    std::string lacks;
    const auto need = [&](const fs::path& file) {
        if (!fs::exists(file, error)) lacks.append(lacks.empty() ? "" : ", ").append(file.string());
    };
    const auto need_weights = [&](const fs::path& place) {
        need(place / "config.json");
        if (!fs::exists(place / "model.safetensors.index.json", error)) need(place / "model.safetensors");
    };
    need_weights(folder.language_model);
    if (codec) need_weights(folder.codec);
    need(path / "tokenizer.json");
    need(path / "gen_config.json");
    if (!lacks.empty()) return missing("looked in " + path.string() + " and did not find " + lacks);
    if (fs::exists(path / "HeartTranscriptor-oss" / "config.json", error))
        folder.transcriber = path / "HeartTranscriptor-oss";
    return folder;
}

} // namespace tutti::models
