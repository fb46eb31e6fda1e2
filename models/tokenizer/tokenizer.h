// SPDX-License-Identifier: MIT
// Byte-level BPE of the GPT-2 (Whisper's) and Llama-3 families: text to ids and back, with the added tokens of the checkpoint.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tutti/status.h>

namespace tutti::models {

using TokenId = std::int32_t;

struct DecodeOptions {
    bool skip_special = false; // drop special tokens instead of writing their names
    bool timestamps = false;   // keep <|1.23|>, which is otherwise taken out
    bool clean_up = false;     // " ." becomes "." and so on; the checkpoint's own setting is clean_up_default()
};

class Tokenizer {
public:
    // From tokenizer.json, or vocab.json with merges.txt and added_tokens.json where it is absent. [control] [worker]
    static Result<Tokenizer> open(const std::filesystem::path& folder);
    Tokenizer(Tokenizer&&) noexcept;
    Tokenizer& operator=(Tokenizer&&) noexcept;
    ~Tokenizer();

    // Plain text: names of added tokens inside it are text like any other. Invalid UTF-8 is replaced. [worker]
    std::vector<TokenId> encode(std::string_view text) const;
    // The same, but added tokens in the text become their ids. [worker]
    std::vector<TokenId> encode_with_added(std::string_view text) const;

    // Valid UTF-8 whatever the ids are; ids outside the vocabulary give nothing. [worker]
    std::string decode(std::span<const TokenId> ids, const DecodeOptions& options = {}) const;
    // Raw bytes of the ids, added tokens left out: may end inside a character. [worker]
    std::string bytes_of(std::span<const TokenId> ids) const;

    std::optional<TokenId>
    id_of(std::string_view token) const;           // an added token, or a piece as the vocabulary spells it
    std::string_view added_name(TokenId id) const; // empty for ordinary pieces
    bool is_added(TokenId id) const noexcept;
    bool is_special(TokenId id) const noexcept;
    TokenId size() const noexcept; // one above the highest id
    bool clean_up_default() const noexcept;
    // What the file's template puts before a single text: the begin-of-text token of Llama-3's. [any]
    const std::vector<TokenId>& prefix() const noexcept;

    // Makes <|0.00|> .. <|30.00|> known at `first` .. where the file lacks them. [control]
    void add_timestamps(TokenId first);

private:
    struct State;
    explicit Tokenizer(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

// Deletes every <|digits.digits|>. [any]
std::string without_timestamp_text(std::string_view text);
// transformers' clean_up_tokenization: the space before . ? ! , and English endings goes. [any]
std::string clean_up_text(std::string text);

} // namespace tutti::models
