// SPDX-License-Identifier: MIT
// Over 400 lines: reading, encoding and decoding share one state: vocabulary, ranks of the merges, added tokens.
#include <models/tokenizer/tokenizer.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <queue>
#include <unordered_map>

#include <models/checkpoint/json_file.h>
#include <models/checkpoint/mapped_file.h>
#include <models/tokenizer/utf8.h>

namespace tutti::models {
namespace {

using Json = nlohmann::json;
constexpr TokenId k_max_id = 1 << 22;

Status bad(const std::filesystem::path& path, const std::string& what) {
    return Status(Code::malformed, path.string() + ": " + what, "the tokenizer is not loaded", "fetch the file again");
}

// GPT-2's printable alphabet of bytes: 33-126, 161-172 and 174-255 stand for themselves, the others for U+0100 and on.
struct ByteAlphabet {
    std::array<char32_t, 256> code{};
    std::unordered_map<char32_t, unsigned char> byte;
    ByteAlphabet() {
        char32_t other = 0x100;
        for (unsigned b = 0; b < 256; ++b) {
            const bool printable = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
            code[b] = printable ? b : other++;
            byte[code[b]] = static_cast<unsigned char>(b);
        }
    }
};
const ByteAlphabet& alphabet() {
    static const ByteAlphabet table;
    return table;
}

std::optional<std::string> to_bytes(std::string_view spelled) {
    std::string bytes;
    for (char32_t c : utf8_decode(spelled)) {
        const auto found = alphabet().byte.find(c);
        if (found == alphabet().byte.end()) return std::nullopt;
        bytes += static_cast<char>(found->second);
    }
    return bytes;
}

std::uint64_t pair_key(TokenId a, TokenId b) {
    return static_cast<std::uint64_t>(static_cast<std::uint32_t>(a)) << 32 | static_cast<std::uint32_t>(b);
}

struct Merge {
    int rank;
    TokenId result;
};

// Lengths of the pre-tokens in code points: GPT-2's pattern, alternative after alternative.
std::size_t pre_token(std::u32string_view s) {
    const auto class_of = [](char32_t c) { return is_letter(c) ? 1 : is_number(c) ? 2 : is_white_space(c) ? 0 : 3; };
    if (s[0] == U'\'')
        for (std::u32string_view ending : {U"s", U"t", U"re", U"ve", U"m", U"ll", U"d"})
            if (s.substr(1, ending.size()) == ending) return 1 + ending.size();
    std::size_t at = s[0] == U' ' && s.size() > 1 ? 1 : 0;
    if (const int kind = class_of(s[at]); kind != 0) {
        while (at < s.size() && class_of(s[at]) == kind)
            ++at;
        return at;
    }
    std::size_t spaces = 0;
    while (spaces < s.size() && is_white_space(s[spaces]))
        ++spaces;
    // white space that something follows leaves its last character to it
    return spaces == s.size() || spaces == 1 ? spaces : spaces - 1;
}

// Llama-3's pattern as its file spells it; its alternatives follow in the order of the function.
constexpr std::string_view k_llama_pattern = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| "
                                             "?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

std::size_t llama_pre_token(std::u32string_view s) {
    const auto line_end = [](char32_t c) { return c == U'\r' || c == U'\n'; };
    const auto run = [&](std::size_t at, auto inside) {
        while (at < s.size() && inside(s[at]))
            ++at;
        return at;
    };
    if (s[0] == U'\'') {
        const auto folded = [&](std::size_t at) {
            const char32_t c = at < s.size() ? s[at] : 0;
            return c >= U'A' && c <= U'Z' ? c + 32 : c == 0x17f ? U's' : c; // the long s folds to s
        };
        for (std::u32string_view ending : {U"s", U"t", U"re", U"ve", U"m", U"ll", U"d"}) {
            std::size_t same = 0;
            while (same < ending.size() && folded(1 + same) == ending[same])
                ++same;
            if (same == ending.size()) return 1 + same;
        }
    }
    const std::size_t before = is_letter(s[0]) || is_number(s[0]) || line_end(s[0]) ? 0 : 1;
    if (const std::size_t end = run(before, is_letter); end > before) return end;
    if (is_number(s[0])) return std::min<std::size_t>(3, run(0, is_number));
    const auto sign = [](char32_t c) { return !is_white_space(c) && !is_letter(c) && !is_number(c); };
    const std::size_t space = s[0] == U' ' ? 1 : 0;
    if (const std::size_t end = run(space, sign); end > space) return run(end, line_end);
    const std::size_t spaces = run(0, is_white_space);
    for (std::size_t i = spaces; i > 0; --i)
        if (line_end(s[i - 1])) return i;
    return spaces == s.size() || spaces == 1 ? spaces : spaces - 1;
}

} // namespace

struct Tokenizer::State {
    std::vector<std::string> bytes;    // of each id
    std::vector<std::string> added;    // name of an added token, by id; empty otherwise
    std::vector<std::uint8_t> special; // by id
    std::vector<std::uint8_t> known;   // by id
    std::unordered_map<std::string, TokenId> by_bytes;
    std::unordered_map<std::string, TokenId> by_added;
    std::unordered_map<std::uint64_t, Merge> merges;
    std::array<TokenId, 256> byte_ids{};
    std::size_t longest_added = 0;
    std::vector<TokenId> prefix;
    std::size_t (*pre_token)(std::u32string_view) = models::pre_token;
    bool ignore_merges = false; // a pre-token that stands in the vocabulary is one token
    bool clean_up = false;

    void reserve_id(TokenId id) {
        const auto size = static_cast<std::size_t>(id) + 1;
        if (bytes.size() >= size) return;
        bytes.resize(size);
        added.resize(size);
        special.resize(size);
        known.resize(size);
    }
    void add(TokenId id, const std::string& name, bool is_special) {
        reserve_id(id);
        const auto at = static_cast<std::size_t>(id);
        added[at] = name;
        special[at] = is_special;
        known[at] = 1;
        by_added[name] = id;
        longest_added = std::max(longest_added, name.size());
    }

    Status take_vocabulary(const std::filesystem::path& path, const Json& vocabulary);
    Status take_merges(const std::filesystem::path& path,
                       const std::vector<std::pair<std::string, std::string>>& pairs);
    Status take_pre_tokenizer(const std::filesystem::path& path, const Json& rule);
    Status take_template(const std::filesystem::path& path, const Json& rule);
    void encode_plain(std::string_view text, std::vector<TokenId>& ids) const;
    void encode_piece(std::string_view piece, std::vector<TokenId>& ids) const;
};

Status Tokenizer::State::take_vocabulary(const std::filesystem::path& path, const Json& vocabulary) {
    if (!vocabulary.is_object()) return bad(path, "has no vocabulary");
    byte_ids.fill(-1);
    for (const auto& [spelled, id] : vocabulary.items()) {
        if (!id.is_number_unsigned() || id.get<std::uint64_t>() >= k_max_id)
            return bad(path, "the id of '" + spelled + "' is not a number below " + std::to_string(k_max_id));
        const auto number = id.get<TokenId>();
        reserve_id(number);
        auto raw = to_bytes(spelled);
        if (!raw) { // a name outside the byte alphabet is a token of its own, as added ones are
            add(number, spelled, false);
            continue;
        }
        const auto at = static_cast<std::size_t>(number);
        if (known[at]) return bad(path, "two tokens have the id " + std::to_string(number));
        known[at] = 1;
        bytes[at] = *raw;
        if (raw->size() == 1) byte_ids[static_cast<unsigned char>((*raw)[0])] = number;
        by_bytes.emplace(std::move(*raw), number);
    }
    for (unsigned b = 0; b < 256; ++b)
        if (byte_ids[b] < 0) return bad(path, "the vocabulary has no token for byte " + std::to_string(b));
    return {};
}

Status Tokenizer::State::take_merges(const std::filesystem::path& path,
                                     const std::vector<std::pair<std::string, std::string>>& pairs) {
    int rank = 0;
    for (const auto& [left, right] : pairs) {
        const auto a = to_bytes(left);
        const auto b = to_bytes(right);
        if (!a || !b || !by_bytes.contains(*a) || !by_bytes.contains(*b) || !by_bytes.contains(*a + *b))
            return bad(path, "merge " + std::to_string(rank) + " ('" + left + "' with '" + right +
                                 "') is not in the vocabulary");
        // A merge that gives one of its own parts would never end.
        if (a->empty() || b->empty()) return bad(path, "merge " + std::to_string(rank) + " is empty");
        merges.try_emplace(pair_key(by_bytes[*a], by_bytes[*b]), Merge{rank, by_bytes[*a + *b]});
        ++rank;
    }
    return {};
}

Status Tokenizer::State::take_pre_tokenizer(const std::filesystem::path& path, const Json& rule) {
    if (!rule.is_object()) return {};
    const auto type = rule.value("type", "");
    if (type == "Sequence" && rule.contains("pretokenizers") && rule["pretokenizers"].is_array()) {
        for (const Json& one : rule["pretokenizers"])
            if (Status status = take_pre_tokenizer(path, one); !status) return status;
        return {};
    }
    if (type == "ByteLevel" && !rule.value("add_prefix_space", false)) return {};
    if (type == "Split" && rule.contains("pattern") && rule["pattern"].is_object() &&
        rule["pattern"].value("Regex", "") == k_llama_pattern) {
        pre_token = llama_pre_token;
        return {};
    }
    return Status(Code::unsupported, path.string() + ": its rule '" + type + "' of splitting text is not known here",
                  "the tokenizer is not loaded", "use a byte-level BPE tokenizer of the GPT-2 or Llama-3 family");
}

Status Tokenizer::State::take_template(const std::filesystem::path& path, const Json& rule) {
    if (!rule.is_object()) return {};
    if (rule.contains("processors") && rule["processors"].is_array())
        for (const Json& one : rule["processors"])
            if (Status status = take_template(path, one); !status) return status;
    if (rule.value("type", "") != "TemplateProcessing" || !rule.contains("single") || !rule["single"].is_array())
        return {};
    for (const Json& item : rule["single"]) {
        if (!item.is_object() || !item.contains("SpecialToken") || !item["SpecialToken"].is_object()) break; // the text
        const auto token = by_added.find(item["SpecialToken"].value("id", ""));
        if (token == by_added.end()) return bad(path, "its template names a token that it does not have");
        prefix.push_back(token->second);
    }
    return {};
}

Tokenizer::Tokenizer(std::unique_ptr<State> state) : m_state(std::move(state)) {}
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

Result<Tokenizer> Tokenizer::open(const std::filesystem::path& folder) {
    auto state = std::make_unique<State>();
    std::error_code ignored;
    const auto single = folder / "tokenizer.json";
    std::vector<std::pair<std::string, std::string>> pairs;
    const auto take_pair = [&](std::string_view line) {
        const auto space = line.find(' ');
        if (space == std::string_view::npos) return false;
        pairs.emplace_back(line.substr(0, space), line.substr(space + 1));
        return true;
    };
    if (std::filesystem::exists(single, ignored)) {
        auto json = read_json_file(single);
        if (!json) return json.status();
        if (!json->is_object() || !json->contains("model") || !(*json)["model"].is_object() ||
            (*json)["model"].value("type", "BPE") != "BPE" || !(*json)["model"].contains("vocab"))
            return bad(single, "is not a BPE tokenizer");
        const Json& model = (*json)["model"];
        if (Status status = state->take_vocabulary(single, model["vocab"]); !status) return status;
        const Json none = Json::array();
        for (const Json& merge : model.contains("merges") ? model["merges"] : none) {
            if (merge.is_string() && take_pair(merge.get_ref<const std::string&>())) continue;
            if (!merge.is_array() || merge.size() != 2 || !merge[0].is_string() || !merge[1].is_string())
                return bad(single, "merge " + std::to_string(pairs.size()) + " is not a pair");
            pairs.emplace_back(merge[0].get<std::string>(), merge[1].get<std::string>());
        }
        if (Status status = state->take_merges(single, pairs); !status) return status;
        for (const Json& token : json->contains("added_tokens") ? (*json)["added_tokens"] : none) {
            if (!token.is_object() || !token.contains("id") || !token["id"].is_number_unsigned() ||
                !token.contains("content") || !token["content"].is_string() ||
                token["id"].get<std::uint64_t>() >= k_max_id)
                return bad(single, "an added token has no id or content");
            state->add(token["id"].get<TokenId>(), token["content"].get<std::string>(), token.value("special", false));
        }
        state->ignore_merges = model.contains("ignore_merges") && model["ignore_merges"] == true;
        if (json->contains("pre_tokenizer"))
            if (Status status = state->take_pre_tokenizer(single, (*json)["pre_tokenizer"]); !status) return status;
        if (json->contains("post_processor"))
            if (Status status = state->take_template(single, (*json)["post_processor"]); !status) return status;
    } else {
        auto vocabulary = read_json_file(folder / "vocab.json");
        if (!vocabulary)
            return Status(Code::file_not_found, "neither tokenizer.json nor vocab.json in " + folder.string(),
                          "the tokenizer is not loaded", "give the folder of a complete checkpoint");
        // Special tokens may stand in vocab.json as well; they are taken from the added ones below.
        if (Status status = state->take_vocabulary(folder / "vocab.json", *vocabulary); !status) return status;
        auto file = MappedFile::open(folder / "merges.txt");
        if (!file) return file.status();
        if (file->bytes() > k_max_json_bytes) return bad(folder / "merges.txt", "is larger than 64 MB");
        std::string text(static_cast<std::size_t>(file->bytes()), '\0');
        if (Status status = file->read(0, std::as_writable_bytes(std::span(text))); !status) return status;
        for (std::size_t at = 0; at < text.size();) {
            std::size_t end = std::min(text.find('\n', at), text.size());
            std::string_view line(text.data() + at, end - at);
            if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
            if (!line.empty() && !(at == 0 && line.starts_with("#version")) && !take_pair(line))
                return bad(folder / "merges.txt", "merge " + std::to_string(pairs.size()) + " is not a pair");
            at = end + 1;
        }
        if (Status status = state->take_merges(folder / "merges.txt", pairs); !status) return status;
        if (auto added = read_json_file(folder / "added_tokens.json"); added && added->is_object())
            for (const auto& [name, id] : added->items())
                if (id.is_number_unsigned() && id.get<std::uint64_t>() < k_max_id) {
                    const bool timestamp = without_timestamp_text(name).empty();
                    state->add(id.get<TokenId>(), name, !timestamp);
                }
    }
    if (auto config = read_json_file(folder / "tokenizer_config.json"); config && config->is_object()) {
        state->clean_up = config->value("clean_up_tokenization_spaces", false);
        if (config->contains("added_tokens_decoder") && (*config)["added_tokens_decoder"].is_object())
            for (const auto& [text, token] : (*config)["added_tokens_decoder"].items()) {
                const long id = std::strtol(text.c_str(), nullptr, 10);
                if (id < 0 || id >= k_max_id || !token.is_object() || !token.contains("content")) continue;
                state->add(static_cast<TokenId>(id), token["content"].get<std::string>(),
                           token.value("special", false));
            }
    }
    return Tokenizer(std::move(state));
}

// Lowest rank first, leftmost among equals: a heap of candidate pairs over a linked list, so that long input stays
// n log n (a candidate whose ends have changed meanwhile is recognised by its ids).
void Tokenizer::State::encode_piece(std::string_view piece, std::vector<TokenId>& ids) const {
    if (const auto whole = by_bytes.find(std::string(piece));
        whole != by_bytes.end() && (ignore_merges || piece.size() == 1)) {
        ids.push_back(whole->second);
        return;
    }
    struct Node {
        TokenId id;
        int before;
        int after;
    };
    struct Candidate {
        int rank;
        int left;
        TokenId left_id;
        TokenId right_id;
        bool operator<(const Candidate& other) const { // std::priority_queue gives the largest
            return rank != other.rank ? rank > other.rank : left > other.left;
        }
    };
    std::vector<Node> nodes(piece.size());
    for (std::size_t i = 0; i < piece.size(); ++i)
        nodes[i] = {byte_ids[static_cast<unsigned char>(piece[i])], static_cast<int>(i) - 1,
                    i + 1 < piece.size() ? static_cast<int>(i) + 1 : -1};
    std::priority_queue<Candidate> heap;
    const auto offer = [&](int left) {
        if (left < 0 || nodes[static_cast<std::size_t>(left)].after < 0) return;
        const TokenId a = nodes[static_cast<std::size_t>(left)].id;
        const TokenId b = nodes[static_cast<std::size_t>(nodes[static_cast<std::size_t>(left)].after)].id;
        if (const auto merge = merges.find(pair_key(a, b)); merge != merges.end())
            heap.push({merge->second.rank, left, a, b});
    };
    for (std::size_t i = 0; i + 1 < piece.size(); ++i)
        offer(static_cast<int>(i));
    while (!heap.empty()) {
        const Candidate best = heap.top();
        heap.pop();
        Node& left = nodes[static_cast<std::size_t>(best.left)];
        if (left.id != best.left_id || left.after < 0) continue;
        Node& right = nodes[static_cast<std::size_t>(left.after)];
        if (right.id != best.right_id) continue;
        left.id = merges.at(pair_key(best.left_id, best.right_id)).result;
        right.id = -1;
        left.after = right.after;
        if (left.after >= 0) nodes[static_cast<std::size_t>(left.after)].before = best.left;
        offer(best.left);
        offer(left.before);
    }
    for (int at = piece.empty() ? -1 : 0; at >= 0; at = nodes[static_cast<std::size_t>(at)].after)
        ids.push_back(nodes[static_cast<std::size_t>(at)].id);
}

void Tokenizer::State::encode_plain(std::string_view text, std::vector<TokenId>& ids) const {
    const std::u32string codes = utf8_decode(text);
    std::u32string_view rest = codes;
    while (!rest.empty()) {
        const std::size_t length = this->pre_token(rest);
        encode_piece(utf8_encode(rest.substr(0, length)), ids);
        rest.remove_prefix(length);
    }
}

std::vector<TokenId> Tokenizer::encode(std::string_view text) const {
    std::vector<TokenId> ids;
    m_state->encode_plain(text, ids);
    return ids;
}

std::vector<TokenId> Tokenizer::encode_with_added(std::string_view text) const {
    std::vector<TokenId> ids;
    std::size_t plain = 0;
    for (std::size_t at = 0; at < text.size();) {
        bool found = false;
        for (std::size_t length = std::min(m_state->longest_added, text.size() - at); length > 0 && text[at] == '<';
             --length)
            if (const auto token = m_state->by_added.find(std::string(text.substr(at, length)));
                token != m_state->by_added.end()) {
                m_state->encode_plain(text.substr(plain, at - plain), ids);
                ids.push_back(token->second);
                at += length;
                plain = at;
                found = true;
                break;
            }
        if (!found) ++at;
    }
    m_state->encode_plain(text.substr(plain), ids);
    return ids;
}

std::string Tokenizer::bytes_of(std::span<const TokenId> ids) const {
    std::string raw;
    for (TokenId id : ids)
        if (id >= 0 && id < size() && m_state->added[static_cast<std::size_t>(id)].empty())
            raw += m_state->bytes[static_cast<std::size_t>(id)];
    return raw;
}

std::string Tokenizer::decode(std::span<const TokenId> ids, const DecodeOptions& options) const {
    std::string raw;
    for (TokenId id : ids) {
        if (id < 0 || id >= size()) continue;
        const auto at = static_cast<std::size_t>(id);
        if (options.skip_special && m_state->special[at]) continue;
        raw += m_state->added[at].empty() ? m_state->bytes[at] : m_state->added[at];
    }
    std::string text = utf8_repair(raw);
    if (!options.timestamps) text = without_timestamp_text(text);
    if (options.clean_up) text = clean_up_text(std::move(text));
    return text;
}

std::optional<TokenId> Tokenizer::id_of(std::string_view token) const {
    if (const auto found = m_state->by_added.find(std::string(token)); found != m_state->by_added.end())
        return found->second;
    if (const auto raw = to_bytes(token))
        if (const auto found = m_state->by_bytes.find(*raw); found != m_state->by_bytes.end()) return found->second;
    return std::nullopt;
}

std::string_view Tokenizer::added_name(TokenId id) const {
    return id >= 0 && id < size() ? std::string_view(m_state->added[static_cast<std::size_t>(id)]) : std::string_view();
}
bool Tokenizer::is_added(TokenId id) const noexcept {
    return id >= 0 && id < size() && !m_state->added[static_cast<std::size_t>(id)].empty();
}
bool Tokenizer::is_special(TokenId id) const noexcept {
    return id >= 0 && id < size() && m_state->special[static_cast<std::size_t>(id)] != 0;
}
TokenId Tokenizer::size() const noexcept {
    return static_cast<TokenId>(m_state->bytes.size());
}
bool Tokenizer::clean_up_default() const noexcept {
    return m_state->clean_up;
}
const std::vector<TokenId>& Tokenizer::prefix() const noexcept {
    return m_state->prefix;
}

void Tokenizer::add_timestamps(TokenId first) {
    for (int i = 0; i <= 1500; ++i)
        if (first + i >= size() || !m_state->known[static_cast<std::size_t>(first + i)]) {
            char name[24];
            std::snprintf(name, sizeof name, "<|%d.%02d|>", i / 50, i % 50 * 2);
            m_state->add(first + i, name, false);
        }
}

std::string without_timestamp_text(std::string_view text) {
    std::string out;
    const auto digits = [&](std::size_t at) {
        std::size_t end = at;
        while (end < text.size() && text[end] >= '0' && text[end] <= '9')
            ++end;
        return end;
    };
    for (std::size_t at = 0; at < text.size();) {
        if (text.substr(at, 2) == "<|") {
            const std::size_t point = digits(at + 2);
            if (point > at + 2 && point < text.size() && text[point] == '.') {
                const std::size_t end = digits(point + 1);
                if (end > point + 1 && text.substr(end, 2) == "|>") {
                    at = end + 2;
                    continue;
                }
            }
        }
        out += text[at++];
    }
    return out;
}

std::string clean_up_text(std::string text) {
    constexpr std::pair<std::string_view, std::string_view> rules[] = {
        {" .", "."},     {" ?", "?"},   {" !", "!"},   {" ,", ","},     {" ' ", "'"},
        {" n't", "n't"}, {" 'm", "'m"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"},
    };
    for (const auto& [from, to] : rules) {
        std::string out;
        std::size_t at = 0;
        for (std::size_t found; (found = text.find(from, at)) != std::string::npos; at = found + from.size())
            out.append(text, at, found - at).append(to);
        text = out.append(text, at, std::string::npos);
    }
    return text;
}

} // namespace tutti::models
