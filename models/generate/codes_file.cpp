// SPDX-License-Identifier: MIT
#include <models/generate/codes_file.h>

#include <algorithm>
#include <cmath>

#include <models/checkpoint/json_file.h>
#include <models/checkpoint/mapped_file.h>
#include <models/parity/sha256.h>

namespace tutti::models {

namespace {
using Json = nlohmann::json;
constexpr const char* k_format = "tutti-codes-1";
} // namespace

std::string CodesFile::text(bool with_codes) const {
    Json json = {{"format", k_format},
                 {"tags", tags},
                 {"lyrics", lyrics},
                 {"seed", seed},
                 {"max_frames", max_frames},
                 {"cfg_scale", guidance},
                 {"temperature", temperature},
                 {"topk", top_k},
                 {"strict", strict},
                 {"ignore_eos", never_end},
                 {"strip", strip},
                 {"flow_steps", flow_steps},
                 {"codec_guidance", codec_guidance},
                 {"first_window", first_window_seconds},
                 {"dtype", dtype},
                 {"kernel", isa},
                 {"language_digest", language_digest},
                 {"codec_digest", codec_digest},
                 {"frames", frames()},
                 {"ended", ended}};
    if (with_codes) {
        Json rows = Json::array();
        for (int f = 0; f < frames(); ++f) {
            const auto at = codes.begin() + static_cast<std::ptrdiff_t>(f) * codebooks;
            rows.push_back(std::vector<std::int32_t>(at, at + codebooks));
        }
        json["codes"] = std::move(rows);
    }
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<CodesFile> CodesFile::load(const std::filesystem::path& path) {
    auto json = read_json_file(path);
    if (!json) return json.status();
    const auto bad = [&](const std::string& what) {
        return Status(Code::malformed, path.string() + ": " + what, "nothing was generated",
                      "give a .codes.json file that tutti generate wrote");
    };
    if (!json->is_object() || json->value("format", "") != k_format) return bad("is no file of codes");
    CodesFile file;
    try {
        file.tags = json->at("tags").get<std::string>();
        file.lyrics = json->at("lyrics").get<std::string>();
        file.seed = json->at("seed").get<std::uint64_t>();
        file.max_frames = json->at("max_frames").get<int>();
        file.guidance = json->at("cfg_scale").get<float>();
        file.temperature = json->at("temperature").get<float>();
        file.top_k = json->at("topk").get<int>();
        file.strict = json->at("strict").get<bool>();
        file.never_end = json->at("ignore_eos").get<bool>();
        file.strip = json->at("strip").get<bool>();
        file.flow_steps = json->at("flow_steps").get<int>();
        file.codec_guidance = json->at("codec_guidance").get<double>();
        file.first_window_seconds = json->at("first_window").get<double>();
        file.dtype = json->at("dtype").get<std::string>();
        file.isa = json->at("kernel").get<std::string>();
        file.language_digest = json->at("language_digest").get<std::string>();
        file.codec_digest = json->at("codec_digest").get<std::string>();
        file.ended = json->at("ended").get<bool>();
        const Json& rows = json->at("codes");
        if (!rows.is_array()) return bad("codes are not a list");
        file.codebooks = rows.empty() ? 8 : static_cast<int>(rows.front().size());
        if (file.codebooks < 1 || file.codebooks > 64) return bad("a frame has no codes, or too many");
        for (const Json& row : rows) {
            if (!row.is_array() || static_cast<int>(row.size()) != file.codebooks)
                return bad("its frames are of different sizes");
            for (const Json& code : row) {
                const auto value = code.get<std::int64_t>();
                if (value < 0 || value > 1 << 20) return bad("a code is out of range");
                file.codes.push_back(static_cast<std::int32_t>(value));
            }
        }
    } catch (const Json::exception& error) {
        return bad(error.what());
    }
    return file;
}

Result<std::string> checkpoint_digest(const std::filesystem::path& folder) {
    Sha256 sha;
    std::vector<std::filesystem::path> shards;
    std::error_code error;
    for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
        if (at->path().extension() == ".safetensors") shards.push_back(at->path());
    std::sort(shards.begin(), shards.end());
    const auto add = [&](const std::string& text) { sha.add(std::as_bytes(std::span(text))); };
    for (const char* name : {"config.json", "model.safetensors.index.json"}) {
        if (!std::filesystem::exists(folder / name, error)) continue;
        auto digest = sha256_of_file(folder / name);
        if (!digest) return digest.status();
        add(name + *digest);
    }
    std::vector<std::byte> piece;
    for (const auto& path : shards) {
        auto file = MappedFile::open(path);
        if (!file) return file.status();
        add(path.filename().string() + ":" + std::to_string(file->bytes()) + ":");
        const auto take = [&](std::uint64_t at, std::uint64_t bytes) -> Status {
            piece.resize(static_cast<std::size_t>(bytes));
            if (Status status = file->read(at, piece); !status) return status;
            sha.add(piece);
            return {};
        };
        if (file->bytes() < 8) continue;
        if (Status status = take(0, 8); !status) return status;
        const std::uint64_t header =
            std::min(safetensors_prefix_bytes(std::span<const std::byte>(piece)), file->bytes());
        if (Status status = take(0, header); !status) return status;
        const std::uint64_t data = file->bytes() - header;
        for (std::uint64_t i = 0; i < 64; ++i) {
            const std::uint64_t from = header + data / 64 * i;
            if (Status status = take(from, std::min<std::uint64_t>(4096, file->bytes() - from)); !status) return status;
        }
    }
    return sha.digest();
}

} // namespace tutti::models
