// SPDX-License-Identifier: MIT
// Lyrics and tags as the ids that the language model is asked with.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <models/heartmula/config.h>

namespace tutti::models {

struct PromptOptions {
    bool strict = false; // keeps a byte order mark at the beginning, as the reference does
    bool strip = false;  // white space off both ends of tags and lyrics; the reference keeps it
};

// tags, the place of a style embedding, lyrics: one id a position, in the text column.
struct MulaPrompt {
    std::vector<TokenId> ids;
    int style_at = 0; // muq_idx; its id is 0 and not looked up
    int positions() const noexcept { return static_cast<int>(ids.size()); }
};

// Lower case, <tag> ... </tag>, begin and end tokens. Texts as read: CRLF is the caller's to fold. [worker]
MulaPrompt make_prompt(const Tokenizer& tokenizer, const HeartMulaConfig& config, std::string_view tags,
                       std::string_view lyrics, const PromptOptions& options = {});

// CRLF and CR become LF, as Python reads text files. [any]
std::string universal_newlines(std::string_view text);

// Tags, comma-separated, that are spelled with spaces, and what a comma without its neighbour leaves. The reference takes any
// text; the model was trained on lower-case words without spaces around the commas. [any]
std::vector<std::string> doubtful_tags(std::string_view tags);

} // namespace tutti::models
