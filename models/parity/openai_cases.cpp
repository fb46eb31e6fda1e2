// SPDX-License-Identifier: MIT
// openai/whisper's own decoding and transcription.
#include <algorithm>
#include <memory>
#include <stdexcept>

#include <models/parity/case_data.h>
#include <models/parity/whisper_fixture.h>
#include <models/whisper/merge.h>
#include <models/whisper/openai_transcribe.h>
#include <models/whisper/words.h>

namespace tutti::models::parity {
namespace {

std::function<double()> uniforms_of(Case& c, const std::shared_ptr<std::size_t>& drawn) {
    const auto uniforms = c.has("in/uniforms") ? c.doubles("in/uniforms") : std::vector<double>();
    return [uniforms, drawn] {
        if (*drawn >= uniforms.size())
            throw std::runtime_error("more random numbers were drawn than the reference drew");
        return uniforms[(*drawn)++];
    };
}

void require_all_drawn(Case& c, std::size_t drawn) {
    if (c.has("in/uniforms"))
        c.require("draws", drawn == c.doubles("in/uniforms").size(), std::to_string(drawn) + " drawn");
}

[[noreturn]] void unknown_option(const std::string& key) {
    throw std::runtime_error("the option '" + key + "' is not known here");
}

// True when the key was one of a single window's.
bool take(OpenaiDecodeOptions& options, const std::string& key, const Json& value) {
    if (key == "language")
        options.language = value.get<std::string>();
    else if (key == "sample_len")
        options.sample_len = value.get<int>();
    else if (key == "beam_size")
        options.beam_size = value.get<int>();
    else if (key == "best_of")
        options.best_of = value.get<int>();
    else if (key == "patience")
        options.patience = value.get<double>();
    else if (key == "length_penalty")
        options.length_penalty = value.get<double>();
    else if (key == "without_timestamps")
        options.without_timestamps = value.get<bool>();
    else
        return key == "fp16"; // the results are FP32's
    return true;
}

void check_decode(Case& c) {
    Fixture& f = fixture(c);
    OpenaiDecodeOptions options;
    const auto drawn = std::make_shared<std::size_t>(0);
    for (const auto& [key, value] : c.data.at("options").items())
        if (key == "temperature")
            options.temperature = value.get<double>();
        else if (!take(options, key, value))
            unknown_option(key);
    options.uniform = uniforms_of(c, drawn);
    const CrossMemory memory = f.model.remember(f.model.encode(audio_features(c, f).at(0)));
    const auto got = openai_decode(f.model, f.generation, f.tokenizer, memory, options);
    if (!got) throw std::runtime_error(got.status().message());
    const Json& wanted = c.data.at("result");
    c.near("no_speech_prob", got->no_speech, wanted.at("no_speech_prob").get<double>(), 1e-4);
    if (!c.data.at("stable").get<bool>()) return;
    require_all_drawn(c, *drawn);
    c.equal("tokens", got->tokens, wanted.at("tokens").get<std::vector<TokenId>>());
    c.equal("text", got->text, wanted.at("text").get<std::string>());
    c.near("avg_logprob", got->average_logprob, wanted.at("avg_logprob").get<double>(), 1e-4);
    c.near("temperature", got->temperature, wanted.at("temperature").get<double>(), 0.0);
    c.near("compression_ratio", got->compression_ratio, wanted.at("compression_ratio").get<double>(), 1e-12);
}

void check_detect(Case& c) {
    Fixture& f = fixture(c);
    const CrossMemory memory = f.model.remember(f.model.encode(audio_features(c, f).at(0)));
    const LanguageGuess guess = detect_language(f.model, f.generation, memory);
    const Json& wanted = c.data.at("result");
    if (c.data.at("stable").get<bool>()) c.equal("id", Json(guess.id), wanted.at("id"));
    std::vector<double> got, probabilities;
    for (std::size_t i = 0; i < f.generation.languages.size(); ++i) {
        const std::string& name = f.generation.languages[i].first;
        got.push_back(guess.probabilities[i]);
        probabilities.push_back(wanted.at("probs").at(name.substr(2, name.size() - 4)).get<double>());
    }
    c.require("languages", wanted.at("probs").size() == got.size(), std::to_string(got.size()));
    c.near("probs", got, probabilities, 1e-4);
}

void check_transcribe(Case& c) {
    Fixture& f = fixture(c);
    OpenaiOptions options;
    const auto drawn = std::make_shared<std::size_t>(0);
    for (const auto& [key, value] : c.data.at("options").items()) {
        if (key == "verbose") continue;
        if (key == "temperature")
            options.temperatures =
                value.is_array() ? value.get<std::vector<double>>() : std::vector<double>{value.get<double>()};
        else if (key == "condition_on_previous_text")
            options.condition_on_previous_text = value.get<bool>();
        else if (key == "initial_prompt")
            options.initial_prompt = value.get<std::string>();
        else if (key == "carry_initial_prompt")
            options.carry_initial_prompt = value.get<bool>();
        else if (key == "word_timestamps")
            options.word_timestamps = value.get<bool>();
        else if (key == "hallucination_silence_threshold")
            options.hallucination_silence_threshold = value.get<double>();
        else if (key == "compression_ratio_threshold")
            options.compression_ratio_threshold = value.get<double>();
        else if (key == "logprob_threshold")
            options.logprob_threshold = value.get<double>();
        else if (key == "no_speech_threshold")
            options.no_speech_threshold = value.get<double>();
        else if (key == "clip_timestamps") {
            options.clip_timestamps.clear();
            const auto text = value.get<std::string>();
            for (std::size_t at = 0; at <= text.size(); at = std::min(text.find(',', at), text.size()) + 1)
                options.clip_timestamps.push_back(std::stod(text.substr(at)));
        } else if (!take(options.decode, key, value))
            unknown_option(key);
    }
    options.detect_language = !c.data["options"].contains("language");
    options.decode.uniform = uniforms_of(c, drawn);
    const auto samples = audio_samples(c).at(0);
    MemorySource source(samples);
    auto features = FeatureReader::open(source, f.model.config().mels, MelExtent::openai, 480000);
    if (!features) throw std::runtime_error(features.status().message());
    TranscriptDocument got;
    if (const Status status = transcribe_openai(f.model, f.generation, f.tokenizer, *features, options, got); !status)
        throw std::runtime_error(status.message());
    if (!c.data.at("stable").get<bool>()) {
        c.require("windows", true);
        return;
    }
    require_all_drawn(c, *drawn);
    const Json& wanted = c.data.at("result");
    c.equal("language", got.language, wanted.at("language").get<std::string>());
    c.equal("text", got.text, wanted.at("text").get<std::string>());
    const Json& segments = wanted.at("segments");
    c.require("segments", segments.size() == got.segments.size(), std::to_string(got.segments.size()));
    for (std::size_t i = 0; i < std::min(segments.size(), got.segments.size()); ++i) {
        const TranscriptSegment& s = got.segments[i];
        const Json& w = segments[i];
        const auto name = [&](const char* what) { return "segment" + std::to_string(i) + "_" + what; };
        c.equal(name("seek"), Json(s.seek), w.at("seek"));
        c.near(name("start"), s.start, w.at("start").get<double>(), 1e-9);
        c.near(name("end"), s.end, w.at("end").get<double>(), 1e-9);
        c.equal(name("text"), s.text, w.at("text").get<std::string>());
        c.equal(name("tokens"), s.tokens, w.at("tokens").get<std::vector<TokenId>>());
        c.near(name("temperature"), s.temperature, w.at("temperature").get<double>(), 1e-9);
        c.near(name("avg_logprob"), s.average_logprob, w.at("avg_logprob").get<double>(), 1e-4);
        c.near(name("compression_ratio"), s.compression_ratio, w.at("compression_ratio").get<double>(), 1e-12);
        c.near(name("no_speech_prob"), s.no_speech, w.at("no_speech_prob").get<double>(), 1e-4);
        const Json words = w.value("words", Json::array()); // emptied segments have an empty list, asked for or not
        c.require(name("words"), words.size() == s.words.size(), std::to_string(s.words.size()));
        for (std::size_t k = 0; k < std::min(words.size(), s.words.size()); ++k) {
            c.equal(name("word"), s.words[k].text, words[k].at("word").get<std::string>());
            c.near(name("word_start"), s.words[k].start, words[k].at("start").get<double>(), 1e-9);
            c.near(name("word_end"), s.words[k].end, words[k].at("end").get<double>(), 1e-9);
            c.near(name("probability"), s.words[k].probability.value_or(-1.0), words[k].at("probability").get<double>(),
                   1e-4);
        }
    }
}

void check_tokenizer(Case& c) {
    Fixture& f = fixture(c);
    c.equal("non_speech_tokens", non_speech_tokens(f.tokenizer),
            c.data.at("non_speech_tokens").get<std::vector<TokenId>>());
    auto start = openai_start(f.generation, "en", "transcribe").value();
    c.equal("sot_sequence", start, c.data.at("sot_sequence").get<std::vector<TokenId>>());
    start.push_back(f.generation.no_timestamps.value());
    c.equal("sot_sequence_including_notimestamps", start,
            c.data.at("sot_sequence_including_notimestamps").get<std::vector<TokenId>>());
    std::vector<std::string> codes;
    for (const auto& [name, id] : f.generation.languages)
        codes.push_back(name.substr(2, name.size() - 4));
    std::sort(codes.begin(), codes.end());
    c.equal("language_codes", Json(codes), c.data.at("language_codes"));
    for (const char* which : {"words_en", "words_unicode"}) {
        const Json& wanted = c.data.at(which);
        std::vector<TokenId> ids;
        for (const Json& word : wanted.at(1))
            for (const Json& id : word)
                ids.push_back(id.get<TokenId>());
        WordOptions options;
        options.unicode_only = which == std::string("words_unicode");
        options.first_special = f.generation.eos;
        options.join_punctuation = false;
        Json texts = Json::array(), tokens = Json::array();
        for (const Word& word : split_words(f.tokenizer, ids, options)) {
            texts.push_back(word.text);
            tokens.push_back(word.tokens);
        }
        c.equal(which, Json{texts, tokens}, wanted);
    }
}

} // namespace

void add_openai_checkers(std::map<std::string, Checker>& table) {
    // The crafted cases have kinds of the same name: "openai/" stands before those of openai.json.
    table["openai/decode"] = check_decode;
    table["openai/tokenizer"] = check_tokenizer;
    table["detect"] = check_detect;
    table["transcribe"] = check_transcribe;
}

} // namespace tutti::models::parity
