// SPDX-License-Identifier: MIT
#include <stdexcept>

#include <models/parity/case_data.h>
#include <models/tokenizer/tokenizer.h>
#include <models/whisper/merge.h>
#include <models/whisper/rules.h>
#include <models/whisper/segments.h>
#include <models/whisper/words.h>

namespace tutti::models::parity {
namespace {

using Ids = std::vector<TokenId>;

const Tokenizer& tokenizer_of(Case& c) {
    static std::map<std::filesystem::path, Tokenizer> opened;
    const std::string folder =
        c.file.contains("tokenizer") ? c.file["tokenizer"].get<std::string>() : c.file.at("weights").get<std::string>();
    const auto path = c.library.folder() / "whisper" / folder;
    const auto found = opened.find(path);
    if (found != opened.end()) return found->second;
    auto tokenizer = Tokenizer::open(path);
    if (!tokenizer) throw std::runtime_error(tokenizer.status().message());
    return opened.emplace(path, std::move(tokenizer).value()).first->second;
}

void check_rules(Case& c) {
    TimestampRules rules;
    rules.eos = c.data.at("eos").get<TokenId>();
    rules.no_timestamps = c.data.at("notimestamps").get<TokenId>();
    if (!c.data.at("max_initial_timestamp_index").is_null())
        rules.max_initial_index = c.data.at("max_initial_timestamp_index").get<int>();
    const auto generated = c.data.at("generated").get<Ids>();
    auto scores = c.floats("in/scores");
    const auto vocabulary = c.data.at("vocabulary").get<std::size_t>();
    for (std::size_t row = 0; row + vocabulary <= scores.size(); row += vocabulary)
        apply_timestamp_rules(std::span(scores).subspan(row, vocabulary), generated, rules);
    c.equal("scores", scores, c.floats("out/scores"));
}

void check_merge(Case& c) {
    const auto sequences = c.data.at("sequences").get<std::vector<Ids>>();
    const auto times = c.data.contains("times") ? c.data["times"].get<std::vector<std::vector<TimePair>>>()
                                                : std::vector<std::vector<TimePair>>();
    const auto merged = merge_sequences(sequences, times);
    c.equal("result", merged.tokens, c.data.at("result").get<Ids>());
    if (!times.empty()) c.equal("result_times", merged.times, c.data.at("result_times").get<std::vector<TimePair>>());
}

void check_join(Case& c) {
    const Tokenizer& tokenizer = tokenizer_of(c);
    std::vector<ChunkTokens> chunks;
    for (const Json& one : c.data.at("chunks")) {
        ChunkTokens chunk;
        chunk.tokens = one.at("tokens").get<Ids>();
        if (one.contains("times")) chunk.token_times = one["times"].get<std::vector<double>>();
        if (!one.at("stride").is_null()) {
            chunk.has_stride = true;
            chunk.length_s = one["stride"][0].get<double>();
            chunk.left_s = one["stride"][1].get<double>();
            chunk.right_s = one["stride"][2].get<double>();
        }
        chunks.push_back(std::move(chunk));
    }
    JoinOptions options;
    options.timestamp_begin = tokenizer.id_of("<|0.00|>").value();
    const bool words = c.data.at("kind") == "decode_asr_word";
    const bool timed = words || c.data.at("return_timestamps").get<bool>();
    const bool language = !words && c.data.at("return_language").get<bool>();
    options.times = words ? TimesWanted::words : timed ? TimesWanted::segments : TimesWanted::none;
    const JoinedText joined = join_chunks(tokenizer, chunks, options);
    c.equal("text", joined.text, c.data.at("text").get<std::string>());
    Json result = Json::object();
    if (timed || language) {
        result["chunks"] = Json::array();
        for (const TextPiece& piece : joined.pieces) {
            Json one{{"text", piece.text}};
            if (timed)
                one["timestamp"] = {piece.start ? Json(*piece.start) : Json(), piece.end ? Json(*piece.end) : Json()};
            if (language) one["language"] = piece.language.empty() ? Json() : Json(piece.language);
            result["chunks"].push_back(one);
        }
    }
    c.equal("result", result, c.data.at("result"));
}

void check_segments(Case& c) {
    const auto cut = cut_segments(c.data.at("tokens").get<Ids>(), c.data.at("timestamp_begin").get<TokenId>(),
                                  c.data.at("frames").get<std::int64_t>(), c.data.at("time_offset").get<double>());
    const Json& wanted = c.data.at("result");
    c.require("count", cut.segments.size() == wanted.size(), std::to_string(cut.segments.size()));
    for (std::size_t i = 0; i < std::min(cut.segments.size(), wanted.size()); ++i) {
        c.near("start", cut.segments[i].start, wanted[i].at("start").get<double>(), 1e-5);
        c.near("end", cut.segments[i].end, wanted[i].at("end").get<double>(), 1e-5);
        c.equal("tokens", cut.segments[i].tokens, wanted[i].at("tokens").get<Ids>());
    }
    c.equal("seek_advance", Json(cut.advance), c.data.at("seek_advance"));
}

void check_dtw(Case& c) {
    const auto shape = c.shape("in/cost");
    const auto path = dynamic_time_warping(c.floats("in/cost"), static_cast<int>(shape[0]), static_cast<int>(shape[1]));
    std::vector<std::int64_t> flat;
    for (const auto& step : path)
        flat.push_back(step.first);
    for (const auto& step : path)
        flat.push_back(step.second);
    c.equal("openai", flat, c.integers("out/openai"));
    c.equal("hf", flat, c.integers("out/hf"));
}

void check_median(Case& c) {
    auto values = c.floats("in/x");
    median_filter(values, static_cast<int>(c.shape("in/x").back()), c.data.at("width").get<int>());
    c.equal("openai", values, c.floats("out/openai"));
    c.equal("hf", values, c.floats("out/hf"));
}

void check_ratio_hf(Case& c) {
    c.near("ratio", compression_ratio_of_ids(c.data.at("tokens").get<Ids>(), c.data.at("vocab_size").get<int>()),
           c.data.at("result").get<double>(), 1e-12);
}
void check_ratio_openai(Case& c) {
    c.near("ratio", compression_ratio_of_text(c.data.at("text").get<std::string>()), c.data.at("result").get<double>(),
           1e-12);
}

void check_chunks(Case& c) {
    const auto chunks =
        cut_audio(c.data.at("samples").get<std::int64_t>(), c.data.at("chunk").get<std::int64_t>(),
                  c.data.at("stride")[0].get<std::int64_t>(), c.data.at("stride")[1].get<std::int64_t>());
    Json rows = Json::array();
    for (const AudioChunk& chunk : chunks)
        rows.push_back({chunk.length, chunk.left, chunk.right, chunk.last});
    c.equal("rows", rows, c.data.at("rows"));
}

void check_tokenizer(Case& c) {
    const Tokenizer& tokenizer = tokenizer_of(c);
    if (!c.data.contains("text")) throw std::runtime_error("a tokenizer case of another form");
    const auto text = c.data.at("text").get<std::string>();
    c.equal("ids", tokenizer.encode(text), c.data.at("ids").get<Ids>());
    c.equal("decoded", tokenizer.decode(c.data.at("ids").get<Ids>(), {false, false, tokenizer.clean_up_default()}),
            c.data.at("decoded").get<std::string>());
}

void check_decode(Case& c) {
    const Tokenizer& tokenizer = tokenizer_of(c);
    const auto ids = c.data.at("ids").get<Ids>();
    c.equal("decoded", tokenizer.decode(ids, {false, false, tokenizer.clean_up_default()}),
            c.data.at("decoded").get<std::string>());
    c.equal("without_cleanup", tokenizer.decode(ids), c.data.at("without_cleanup").get<std::string>());
}

void check_decode_flags(Case& c) {
    const Tokenizer& tokenizer = tokenizer_of(c);
    const auto ids = c.data.at("ids").get<Ids>();
    const bool clean = tokenizer.clean_up_default();
    c.equal("plain", tokenizer.decode(ids, {false, false, clean}), c.data.at("plain").get<std::string>());
    c.equal("skip", tokenizer.decode(ids, {true, false, clean}), c.data.at("skip").get<std::string>());
    c.equal("with_timestamps", tokenizer.decode(ids, {false, true, clean}),
            c.data.at("with_timestamps").get<std::string>());
    c.equal("without_cleanup", tokenizer.decode(ids, {true, false, false}),
            c.data.at("without_cleanup").get<std::string>());
}

void check_words(Case& c) {
    const Tokenizer& tokenizer = tokenizer_of(c);
    WordOptions options;
    options.prepend = "\"'“¡¿([{-";
    options.first_special = tokenizer.id_of("<|endoftext|>").value();
    options.clean_up = tokenizer.clean_up_default();
    options.unicode_only =
        c.data.at("language").is_string() && written_without_spaces(c.data["language"].get<std::string>());
    std::vector<std::string> texts;
    std::vector<Ids> tokens;
    std::vector<std::vector<int>> indices;
    for (const Word& word : split_words(tokenizer, c.data.at("ids").get<Ids>(), options)) {
        texts.push_back(word.text);
        tokens.push_back(word.tokens);
        indices.push_back(word.indices);
    }
    c.equal("words", Json(texts), c.data.at("words"));
    c.equal("tokens", Json(tokens), c.data.at("tokens"));
    c.equal("indices", Json(indices), c.data.at("indices"));
}

} // namespace

void add_text_checkers(std::map<std::string, Checker>& table) {
    table["timestamp_rules"] = check_rules;
    table["merge"] = check_merge;
    table["merge_words"] = check_merge;
    table["decode_asr"] = check_join;
    table["decode_asr_word"] = check_join;
    table["segments"] = check_segments;
    table["dtw"] = check_dtw;
    table["median"] = check_median;
    table["ratio_hf"] = check_ratio_hf;
    table["ratio_openai"] = check_ratio_openai;
    table["chunks"] = check_chunks;
    table["tokenizer"] = check_tokenizer;
    table["decode"] = check_decode;
    table["decode_flags"] = check_decode_flags;
    table["crafted/words"] = check_words; // cases of the networks have a kind of the same name
}

} // namespace tutti::models::parity
