// SPDX-License-Identifier: MIT
// generation_config.json: the ids and limits that the decoding rules need.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <models/whisper/model.h>
#include <models/whisper/rules.h>
#include <tutti/status.h>

namespace tutti::models {

struct GenerationConfig {
    TokenId start = 50257;
    TokenId eos = 50256;
    TokenId pad = 50256;
    std::optional<TokenId> no_timestamps;
    std::optional<TokenId> previous; // <|startofprev|>
    bool multilingual = false;
    std::vector<std::pair<std::string, TokenId>> languages; // "<|en|>", in the order of the file
    std::vector<std::pair<std::string, TokenId>> tasks;     // "transcribe"
    std::vector<TokenId> suppress;
    std::vector<TokenId> begin_suppress;
    std::optional<int> max_initial_timestamp_index;
    std::vector<std::pair<int, int>> alignment_heads;
    bool alignment_heads_stored = false;
    bool alignment_heads_known = false; // not stored, but those of the published model of this size
    int max_length = 448;
    bool return_timestamps = false;
    bool suppress_first = true; // order of the rules in files written by transformers 4.50 and later

    TokenId timestamp_begin() const noexcept { return no_timestamps.value_or(0) + 1; }
    std::optional<TokenId> no_speech() const noexcept {
        return no_timestamps ? std::optional<TokenId>(*no_timestamps - 1) : std::nullopt;
    }
    TimestampRules timestamp_rules() const noexcept {
        return {eos, no_timestamps.value_or(0), max_initial_timestamp_index};
    }
    std::optional<TokenId> language_id(std::string_view code) const; // "en"
    std::optional<TokenId> task_id(std::string_view task) const;

    // Keys that the file lacks come from config.json, then from the published tables. [control] [worker]
    static Result<GenerationConfig> open(const std::filesystem::path& folder, const WhisperConfig& config);
};

} // namespace tutti::models
