// SPDX-License-Identifier: MIT
#include <models/heartmula/prompt.h>

#include <models/tokenizer/utf8.h>

namespace tutti::models {
namespace {

std::vector<TokenId> enclosed(const Tokenizer& tokenizer, const HeartMulaConfig& config, const std::string& text) {
    std::vector<TokenId> ids = tokenizer.prefix();
    const auto own = tokenizer.encode_with_added(text);
    ids.insert(ids.end(), own.begin(), own.end());
    if (ids.empty() || ids.front() != config.text_bos) ids.insert(ids.begin(), config.text_bos);
    if (ids.back() != config.text_eos) ids.push_back(config.text_eos);
    return ids;
}

std::string prepared(std::string_view text, const PromptOptions& options) {
    if (!options.strict && text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    if (options.strip) text = strip(text);
    return to_lower(text);
}

} // namespace

MulaPrompt make_prompt(const Tokenizer& tokenizer, const HeartMulaConfig& config, std::string_view tags,
                       std::string_view lyrics, const PromptOptions& options) {
    std::string wrapped = prepared(tags, options);
    if (!wrapped.starts_with("<tag>")) wrapped = std::string("<tag>").append(wrapped);
    if (!wrapped.ends_with("</tag>")) wrapped += "</tag>";
    MulaPrompt prompt;
    prompt.ids = enclosed(tokenizer, config, wrapped);
    prompt.style_at = static_cast<int>(prompt.ids.size());
    prompt.ids.push_back(0);
    const auto rest = enclosed(tokenizer, config, prepared(lyrics, options));
    prompt.ids.insert(prompt.ids.end(), rest.begin(), rest.end());
    return prompt;
}

std::string universal_newlines(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\r') {
            out += '\n';
            if (i + 1 < text.size() && text[i + 1] == '\n') ++i;
        } else {
            out += text[i];
        }
    }
    return out;
}

std::vector<std::string> doubtful_tags(std::string_view tags) {
    std::vector<std::string> found;
    std::string_view rest = strip(tags);
    if (rest.starts_with("<tag>")) rest.remove_prefix(5);
    if (rest.ends_with("</tag>")) rest.remove_suffix(6);
    for (;;) {
        const std::size_t comma = rest.find(',');
        const std::string_view one = rest.substr(0, comma);
        if (strip(one).empty())
            found.emplace_back("an empty one");
        else if (strip(one).size() != one.size() || one.find_first_of(" \t\n") != std::string_view::npos)
            found.push_back(std::string("'").append(one).append("'"));
        if (comma == std::string_view::npos) break;
        rest.remove_prefix(comma + 1);
    }
    return found;
}

} // namespace tutti::models
