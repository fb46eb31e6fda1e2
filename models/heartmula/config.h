// SPDX-License-Identifier: MIT
// HeartMuLa's folder and configuration: which geometry the two transformers have, which ids end a text and a song.
#pragma once

#include <filesystem>
#include <string>

#include <models/tokenizer/tokenizer.h>
#include <tutti/status.h>

namespace tutti::models {

// One transformer.
struct MulaFlavor {
    int layers = 0, heads = 0, key_heads = 0;
    int width = 0, hidden = 0;
    int positions = 0; // max_seq_len
    int head_width() const noexcept { return width / heads; }
    int key_width() const noexcept { return key_heads * head_width(); }
};

// config.json and gen_config.json
struct HeartMulaConfig {
    std::string backbone_name = "llama-3B", decoder_name = "llama-300M";
    MulaFlavor backbone, decoder;
    int text_vocabulary = 128256;
    int audio_vocabulary = 8197;
    int codebooks = 8;
    int style_width = 512; // muq_dim
    TokenId text_bos = 128000, text_eos = 128001;
    int audio_eos = 8193;
    int empty = 0;

    // The codec's entries: ids from here on are reserved. [any]
    int codec_entries() const noexcept { return audio_vocabulary - 5; }
    // `model`: the folder with config.json and weights; `root`: the one with gen_config.json. Flavours by name, or as
    // config.json gives them in "flavor_dims". [control] [worker]
    static Result<HeartMulaConfig> open(const std::filesystem::path& model, const std::filesystem::path& root);
};

// What a folder for music generation holds.
struct MusicFolder {
    std::filesystem::path root, language_model, codec, transcriber; // the last one empty where absent
    // `path` is the root (--model_path); `version` picks HeartMuLa-oss-{version}, empty takes the only one there is. `codec`:
    // false where no codec is needed. Errors: file_not_found, with every place that was looked at and how to fill it. [control]
    static Result<MusicFolder> find(const std::filesystem::path& path, const std::string& version, bool codec = true);
    // Does it look like one, whole or not? [control]
    static bool looks_like(const std::filesystem::path& path);
};

} // namespace tutti::models
