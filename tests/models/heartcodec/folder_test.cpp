// SPDX-License-Identifier: MIT
// What makes a folder of HeartCodec, and what is refused by its name.
#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <random>

#include <nlohmann/json.hpp>

#include <models/heartcodec/codec.h>

using namespace tutti;
using namespace tutti::models;
namespace fs = std::filesystem;

namespace {

const fs::path k_folder = fs::path(TUTTI_SOURCE_DIR) / "tests/data/parity/heartcodec/small/HeartCodec-oss";

// The left channel of a short song.
std::vector<float> decoded(HeartCodec& codec) {
    CodecOptions options;
    options.steps = 2;
    options.window_seconds = 7.44;
    std::vector<float> sound;
    auto stream = CodecStream::make(codec, options, [&](std::span<const float> left, std::span<const float>) {
        sound.insert(sound.end(), left.begin(), left.end());
        return Status();
    });
    REQUIRE(stream.ok());
    std::vector<std::int32_t> codes(8 * 20);
    for (std::size_t i = 0; i < codes.size(); ++i)
        codes[i] = static_cast<std::int32_t>(i * i % 61);
    REQUIRE(stream->push(codes).ok());
    REQUIRE(stream->finish().ok());
    CHECK(sound.size() == 20 * 128);
    return sound;
}

// A copy of the checkpoint with its tensors in one file, changed on the way.
struct Folder {
    fs::path path = fs::temp_directory_path() / ("tutti_heartcodec_" + std::to_string(std::random_device{}()));
    Folder() {
        fs::remove_all(path);
        fs::create_directories(path);
        fs::copy_file(k_folder / "config.json", path / "config.json");
    }
    ~Folder() { fs::remove_all(path); }
    // `rename` gives each tensor's new name, or none to leave it out; `reshape` may change its header.
    void write(const std::function<std::string(const std::string&)>& rename,
               const std::function<void(const std::string&, nlohmann::json&)>& change = {}) const {
        const auto from = Checkpoint::open(k_folder);
        REQUIRE(from.ok());
        nlohmann::json header;
        std::string data;
        for (const TensorInfo* tensor : from->tensors()) {
            const std::string name = rename(tensor->name);
            if (name.empty()) continue;
            std::string bytes(static_cast<std::size_t>(tensor->end - tensor->begin), '\0');
            REQUIRE(from->read_bytes(*tensor, std::as_writable_bytes(std::span(bytes))).ok());
            header[name] = {{"dtype", std::string(dtype_name(tensor->dtype))},
                            {"shape", tensor->shape},
                            {"data_offsets", {data.size(), data.size() + bytes.size()}}};
            if (change) change(name, header[name]);
            data += bytes;
        }
        const std::string text = header.dump();
        const std::uint64_t size = text.size();
        std::ofstream out(path / "model.safetensors", std::ios::binary);
        out.write(reinterpret_cast<const char*>(&size), 8) << text << data;
    }
};

std::string same(const std::string& name) {
    return name;
}

} // namespace

TEST_CASE("one file, no matter how aligned, and either spelling of weight norm load alike") {
    const Folder folder;
    auto sharded = HeartCodec::open(k_folder);
    REQUIRE(sharded.ok());
    const std::vector<float> wanted = decoded(*sharded);
    folder.write([](std::string name) {
        for (const auto& [from, to] :
             {std::pair<std::string, std::string>("parametrizations.weight.original0", "weight_g"),
              {"parametrizations.weight.original1", "weight_v"}})
            if (const auto at = name.find(from); at != name.npos) name.replace(at, from.size(), to);
        return name;
    });
    auto codec = HeartCodec::open(folder.path);
    REQUIRE_MESSAGE(codec.ok(), codec.status().message());
    CHECK(decoded(*codec) == wanted);
    CHECK(codec->check().ok());
    CHECK(codec->packed_bytes() > 0);
    CHECK(codec->work_bytes(CodecOptions()) > 100000);
    const auto plan = HeartCodec::plan(folder.path);
    REQUIRE(plan.ok());
    CHECK(plan->stored_bytes == codec->plan().stored_bytes);
}

TEST_CASE("a folder that is no whole codec is refused by the name of what is wrong") {
    const Folder folder;
    const auto refused = [&](const std::string& what) {
        const auto codec = HeartCodec::open(folder.path);
        REQUIRE_FALSE(codec.ok());
        CHECK_MESSAGE(codec.status().message().find(what) != std::string::npos, codec.status().message());
    };
    refused("no model.safetensors");
    for (const std::string& lost :
         {std::string("flow_matching.estimator.transformer_blocks.1.attn.k_proj.weight"),
          std::string("scalar_model.decoder.6.conv.bias"),
          std::string("flow_matching.vq_embed.layers.7._codebook.embed"),
          std::string("scalar_model.decoder.3.up_conv.layer.parametrizations.weight.original0")}) {
        folder.write([&](const std::string& name) { return name == lost ? std::string() : name; });
        refused(lost);
    }
    const std::string turned = "flow_matching.estimator.transformer_blocks.0.mlp.down.weight";
    folder.write(same, [&](const std::string& name, nlohmann::json& tensor) {
        if (name == turned) tensor["shape"] = {256, 16};
    });
    refused(turned);
    folder.write(same, [&](const std::string& name, nlohmann::json& tensor) {
        if (name == turned) tensor["dtype"] = "I32";
    });
    refused(turned + "' is stored as I32");
    folder.write(same);
    const auto configure = [&](const char* key, const nlohmann::json& value) {
        std::ifstream in(k_folder / "config.json");
        auto json = nlohmann::json::parse(in);
        json[key] = value;
        std::ofstream(folder.path / "config.json") << json;
    };
    configure("sample_rate", 1601);
    refused("sample_rate is 1601");
    configure("out_channels", 128);
    refused("out_channels is 128");
    configure("upsample_kernel_sizes", {4, 4, 4, 4, 5});
    refused("twice its factor");
    configure("upsample_factors", {2, 2});
    refused("upsample_factors");
    configure("num_layers", -3);
    refused("transformer");
    configure("dim", "wide");
    refused("config.json");
    configure("model_type", "heartmula");
    refused("heartmula");
    configure("num_attention_heads", 4);
    refused("shape");
}

TEST_CASE("values that are no numbers are found by check(), which loading does not read") {
    const Folder folder;
    folder.write(same);
    const std::string name = "flow_matching.estimator.transformer_blocks.1.mlp.up.weight";
    auto before = HeartCodec::open(folder.path);
    REQUIRE(before.ok());
    CHECK(before->check().ok());
    const auto file = Checkpoint::open(folder.path);
    REQUIRE(file.ok());
    const auto at = static_cast<std::streamoff>(file->find(name)->begin + 40);
    const float nan = std::nanf("");
    std::fstream(folder.path / "model.safetensors", std::ios::binary | std::ios::in | std::ios::out)
        .seekp(at)
        .write(reinterpret_cast<const char*>(&nan), 4);
    auto codec = HeartCodec::open(folder.path);
    REQUIRE(codec.ok());
    const Status status = codec->check();
    CHECK(status.code() == Code::malformed);
    CHECK(status.what().find(name) != std::string::npos);
    CHECK(status.what().find("element 10") != std::string::npos);
}
