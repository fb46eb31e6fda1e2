// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <models/mel/mel.h>
#include <models/parity/case_data.h>
#include <models/parity/whisper_fixture.h>
#include <models/whisper/transcribe.h>

namespace tutti::models::parity {
namespace {

double largest(const std::vector<float>& values) {
    double most = 0.0;
    for (float x : values)
        most = std::max(most, std::abs(static_cast<double>(x)));
    return most;
}

// Every point of one forward pass: the encoder, then a fixed prompt through the decoder, token after token.
void check_points(Case& c) {
    Fixture& f = fixture(c);
    const auto features = audio_features(c, f).at(0);
    const auto rows = c.integers("in/encoder_rows");
    const auto columns = c.integers("in/feature_columns");
    const auto mels = static_cast<std::size_t>(f.model.config().mels);
    std::vector<float> picked;
    for (std::size_t m = 0; m < mels; ++m)
        for (std::int64_t column : columns)
            picked.push_back(features.at(static_cast<std::size_t>(column) * mels + m));
    c.near("in/features", picked, c.floats("in/features"), 1e-4);

    std::map<std::string, std::vector<float>> seen;
    const auto encoded = f.model.encode(features, [&](const std::string& point, std::span<const float> x, int width) {
        std::vector<float>& out = seen["enc/" + point];
        for (std::int64_t row : rows) {
            const auto at =
                static_cast<std::size_t>(point == "conv1_gelu" ? 2 * row : row) * static_cast<std::size_t>(width);
            out.insert(out.end(), x.begin() + static_cast<std::ptrdiff_t>(at),
                       x.begin() + static_cast<std::ptrdiff_t>(at) + width);
        }
    });
    const CrossMemory memory = f.model.remember(encoded);
    DecoderState state = f.model.start(1);
    std::vector<float> logits;
    const auto& heads = f.generation.alignment_heads;
    std::vector<float> weights(heads.size() * static_cast<std::size_t>(f.model.config().positions));
    std::vector<std::pair<int, int>> all;
    for (int layer = 0; layer < f.model.config().decoder_layers; ++layer)
        for (int head = 0; head < f.model.config().decoder_heads; ++head)
            all.emplace_back(layer, head);
    weights.resize(all.size() * static_cast<std::size_t>(f.model.config().positions));
    for (std::int64_t token : c.integers("in/decoder_ids")) {
        std::vector<float> scores(static_cast<std::size_t>(f.model.config().vocabulary));
        const WhisperModel::Step step{static_cast<TokenId>(token), 0, &memory, scores.data()};
        f.model.step(state, {&step, 1}, all, weights.data(),
                     [&](const std::string& point, std::span<const float> x, int) {
                         std::vector<float>& out = seen["dec/" + point];
                         out.insert(out.end(), x.begin(), x.end());
                     });
        logits.insert(logits.end(), scores.begin(), scores.end());
    }
    seen["dec/logits"] = logits;
    for (std::size_t h = 0; h < all.size(); ++h)
        for (std::int64_t row : rows)
            seen["dec/cross_weights_last"].push_back(
                weights[h * static_cast<std::size_t>(f.model.config().positions) + static_cast<std::size_t>(row)]);
    for (const auto& [point, values] : seen) {
        const auto wanted = c.floats(point);
        // 1e-5 of the maximum a layer, 5e-5 from end to end; logits 1e-4 absolute.
        c.near(point, values, wanted, point == "dec/logits" ? 1e-4 : 5e-5 * largest(wanted));
    }
}

void check_language(Case& c) {
    Fixture& f = fixture(c);
    std::vector<float> logits, probabilities, no_speech, wanted_no_speech;
    std::vector<std::int64_t> ids;
    for (const auto& features : audio_features(c, f)) {
        const CrossMemory memory = f.model.remember(f.model.encode(features));
        const LanguageGuess guess = detect_language(f.model, f.generation, memory);
        ids.push_back(guess.id);
        logits.insert(logits.end(), guess.logits.begin(), guess.logits.end());
        probabilities.insert(probabilities.end(), guess.probabilities.begin(), guess.probabilities.end());
        no_speech.push_back(static_cast<float>(guess.no_speech));
    }
    for (const Json& one : c.data.at("no_speech"))
        wanted_no_speech.push_back(one.get<float>());
    if (c.data.at("stable").get<bool>()) c.equal("ids", ids, c.integers("out/ids"));
    c.near("language_logits", logits, c.floats("out/language_logits"), 1e-4);
    c.near("language_probs", probabilities, c.floats("out/language_probs"), 1e-4);
    c.near("no_speech", no_speech, wanted_no_speech, 1e-4);
}

void check_half(Case& c) {
    Fixture& f = fixture(c);
    const CrossMemory memory = f.model.remember(f.model.encode(audio_features(c, f).at(0)));
    DecoderState state = f.model.start(1);
    std::vector<float> logits;
    for (std::int64_t token : c.integers("in/decoder_ids")) {
        std::vector<float> scores(static_cast<std::size_t>(f.model.config().vocabulary));
        const WhisperModel::Step step{static_cast<TokenId>(token), 0, &memory, scores.data()};
        f.model.step(state, {&step, 1});
        logits.insert(logits.end(), scores.begin(), scores.end());
    }
    c.near("logits_fp32", logits, c.floats("out/logits_fp32"), 1e-4);
    c.cosine("logits_fp16", logits, c.floats("out/logits_fp16"), 1e-3); // ours are FP32 on the same stored FP16 weights
}

// The reference's keyword arguments.
GenerateOptions options_of(Case& c, Fixture& f, const Json& arguments, std::shared_ptr<std::size_t> drawn) {
    GenerateOptions options;
    options.strict = c.options.strict;
    if (f.generation.return_timestamps) options.timestamps = true;
    for (const auto& [key, value] : arguments.items()) {
        if (value.is_null() || key == "return_segments" || key == "chunk_length_s") continue;
        if (key == "task")
            options.task = value.get<std::string>();
        else if (key == "language")
            options.languages = {value.get<std::string>()};
        else if (key == "num_beams")
            options.beams = value.get<int>();
        else if (key == "length_penalty")
            options.length_penalty = value.get<double>();
        else if (key == "temperature")
            options.temperatures =
                value.is_array() ? value.get<std::vector<double>>() : std::vector<double>{value.get<double>()};
        else if (key == "max_new_tokens")
            options.max_new_tokens = value.get<int>();
        else if (key == "compression_ratio_threshold")
            options.compression_ratio_threshold = value.get<double>();
        else if (key == "logprob_threshold")
            options.logprob_threshold = value.get<double>();
        else if (key == "no_speech_threshold")
            options.no_speech_threshold = value.get<double>();
        else if (key == "condition_on_prev_tokens")
            options.condition_on_previous = value.get<bool>();
        else if (key == "prompt_ids")
            options.prompt = value.get<std::vector<TokenId>>();
        else if (key == "prompt_condition_type")
            options.prompt_for_all = value == "all-segments";
        else if (key == "return_timestamps") {
            options.timestamps = value.is_string() || value.get<bool>();
            options.token_times = value == "word";
        } else if (key == "return_token_timestamps")
            options.token_times = value.get<bool>();
        else
            throw std::runtime_error("the argument '" + key + "' is not known here");
    }
    const auto uniforms = c.has("in/uniforms") ? c.doubles("in/uniforms") : std::vector<double>();
    const bool more = c.instead() != nullptr; // another decision may need more draws: the same ones from the beginning
    options.uniform = [uniforms, drawn, more] {
        if (more && !uniforms.empty()) return uniforms[(*drawn)++ % uniforms.size()];
        if (*drawn >= uniforms.size())
            throw std::runtime_error("more random numbers were drawn than the reference drew");
        return uniforms[(*drawn)++];
    };
    return options;
}

// Every pass, every decision.
void compare_search(Case& c, Fixture& f, const GenerateResult& result, std::size_t drawn) {
    const bool exact = c.data.value("stable", false);
    const Json& passes = c.data.at("passes");
    c.require("passes", !exact || result.passes.size() == passes.size(),
              std::to_string(result.passes.size()) + ", not " + std::to_string(passes.size()));
    if (exact && c.has("in/uniforms"))
        c.require("draws", drawn == c.doubles("in/uniforms").size(), std::to_string(drawn) + " drawn");
    const auto name = [](const char* what, std::size_t p) { return std::string(what) + std::to_string(p); };
    for (std::size_t p = 0; p < std::min(passes.size(), result.passes.size()); ++p) {
        const SearchPass& pass = result.passes[p];
        const Json& wanted = passes[p];
        auto prompts = wanted.at("prompt").get<std::vector<std::vector<TokenId>>>();
        for (auto& prompt : prompts) // padded on the left in a batch
            while (prompt.size() > 1 && prompt.front() == f.generation.pad)
                prompt.erase(prompt.begin());
        if (exact) c.equal(name("prompt", p), pass.prompts, prompts);
        std::vector<std::vector<TokenId>> generated = wanted.at("generated").get<std::vector<std::vector<TokenId>>>();
        for (auto& row : generated)
            while (row.size() > 1 && row.back() == f.generation.eos && row[row.size() - 2] == f.generation.eos)
                row.pop_back();
        if (exact) c.equal(name("generated", p), pass.generated, generated);
        c.require(name("beams", p),
                  pass.beams == wanted.at("num_beams").get<int>() && pass.sampled == wanted.at("sampled").get<bool>());
        if (exact && wanted.contains("sequences_scores"))
            c.near(name("sequences_scores", p), pass.scores, wanted["sequences_scores"].get<std::vector<float>>(),
                   1e-4);
    }
    if (!c.data.contains("decisions") || !exact) return;
    const Json& decisions = c.data["decisions"];
    c.require("decisions", result.decisions.size() == decisions.size(),
              std::to_string(result.decisions.size()) + ", not " + std::to_string(decisions.size()));
    for (std::size_t d = 0; d < std::min(decisions.size(), result.decisions.size()); ++d) {
        const SearchDecision& got = result.decisions[d];
        const Json& wanted = decisions[d];
        c.equal(name("decision_tokens", d), got.tokens, wanted.at("tokens").get<std::vector<TokenId>>());
        c.equal(name("decision", d), Json{got.row, got.fallback, got.skip},
                Json{wanted.at("row"), wanted.at("fallback"), wanted.at("skip")});
        if (wanted.contains("compression_ratio") && wanted["compression_ratio"].is_number())
            c.near(name("compression_ratio", d), got.compression_ratio, wanted["compression_ratio"].get<double>(),
                   1e-12);
        if (wanted.contains("avg_logprob") && wanted["avg_logprob"].is_number())
            c.near(name("avg_logprob", d), got.average_logprob, wanted["avg_logprob"].get<double>(), 1e-4);
        if (wanted.contains("no_speech"))
            c.near(name("no_speech", d), got.no_speech, wanted["no_speech"].get<std::vector<double>>(), 1e-4);
    }
}

// Where a batch of one has no slip, each item of the default must have what strict gives the item alone (its first window; the
// reference joins later ones without their start).
void require_as_alone(Case& c, Fixture& f, const std::vector<std::vector<float>>& features, GenerateOptions options,
                      const Json& got) {
    options.strict = true;
    const std::vector<std::int64_t> sound = options.sound_frames;
    for (std::size_t i = 0; i < features.size(); ++i) {
        if (!sound.empty()) options.sound_frames = {sound[i]};
        const auto alone = generate(f.model, f.generation, std::vector<std::vector<float>>{features[i]}, options);
        if (!alone) throw std::runtime_error(alone.status().message());
        const auto& segments = alone->items.at(0).segments;
        std::vector<long> steps, wanted;
        for (const TimedSegment& segment : segments)
            for (double time : segment.token_times)
                if (segment.seek == 0) wanted.push_back(std::lround(time * 50.0));
        for (std::size_t k = 0; k < std::min(wanted.size(), got[i]["steps"].size()); ++k)
            steps.push_back(got[i]["steps"][k].get<long>());
        c.equal("as_alone" + std::to_string(i), steps, wanted);
    }
}

void check_generate(Case& c) {
    Fixture& f = fixture(c);
    const auto drawn = std::make_shared<std::size_t>(0);
    std::vector<std::vector<float>> features;
    if (c.data.at("kind") == "long") {
        // The batch is padded with silence to its longest item before the transform; each item keeps its own length.
        const auto samples = audio_samples(c);
        std::size_t longest = 0;
        for (const auto& one : samples)
            longest = std::max(longest, one.size());
        for (auto one : samples) {
            const std::size_t frames = one.size() / 160;
            one.resize(longest);
            auto rows = whisper_features(f.model.config().mels, one, MelExtent::item, 0, c.options.threads);
            if (!rows) throw std::runtime_error(rows.status().message());
            rows->resize(frames * static_cast<std::size_t>(f.model.config().mels));
            features.push_back(std::move(rows).value());
        }
    } else {
        features = audio_features(c, f);
    }
    GenerateOptions options = options_of(c, f, c.data.at("arguments"), drawn);
    if (options.token_times)
        for (const auto& one : audio_samples(c))
            options.sound_frames.push_back(
                std::min<std::int64_t>((static_cast<std::int64_t>(one.size()) + 159) / 160,
                                       2 * static_cast<std::int64_t>(f.model.config().positions)));
    const auto result = generate(f.model, f.generation, features, options);
    if (!result) throw std::runtime_error(result.status().message());
    if (!c.options.strict) {
        Json got = Json::array();
        for (const ItemResult& item : result->items) {
            Json one{{"ids", item.tokens}};
            if (options.token_times) {
                one["steps"] = Json::array(); // of 20 ms, from the beginning of the item
                for (double time : item.token_times)
                    one["steps"].push_back(std::lround(time * 50.0));
            }
            got.push_back(std::move(one));
        }
        if (c.instead() && options.token_times) require_as_alone(c, f, features, options, got);
        if (c.replaced_by(got)) return;
    }
    compare_search(c, f, *result, *drawn);
    if (!c.data.at("stable").get<bool>()) return;
    // ids, padded with the end token
    const auto shape = c.shape("out/ids");
    std::vector<std::int64_t> ids;
    for (const ItemResult& item : result->items)
        for (std::size_t k = 0; k < std::max<std::size_t>(shape.at(1), item.tokens.size()); ++k)
            ids.push_back(k < item.tokens.size() ? item.tokens[k] : f.generation.eos);
    c.equal("ids", ids, c.integers("out/ids"));
    if (c.has("out/token_timestamps")) {
        std::vector<float> times;
        const auto wanted = c.floats("out/token_timestamps");
        for (std::size_t i = 0; i < result->items.size(); ++i)
            for (std::size_t k = 0; k < shape.at(1); ++k) // behind an item's own tokens stands whatever the padding is
                times.push_back(k < result->items[i].token_times.size()
                                    ? static_cast<float>(result->items[i].token_times[k])
                                    : wanted.at(i * shape.at(1) + k));
        c.near("token_timestamps", times, wanted, 1e-4);
    }
    if (c.data.contains("texts")) {
        std::vector<std::string> texts;
        for (const ItemResult& item : result->items)
            texts.push_back(f.tokenizer.decode(item.tokens, {true, false, f.tokenizer.clean_up_default()}));
        c.equal("texts", Json(texts), c.data["texts"]);
    }
    if (c.data.contains("segments")) {
        for (std::size_t i = 0; i < result->items.size(); ++i) {
            const Json& wanted = c.data["segments"].at(i);
            c.require("segments", wanted.size() == result->items[i].segments.size(),
                      std::to_string(result->items[i].segments.size()));
            for (std::size_t s = 0; s < std::min(wanted.size(), result->items[i].segments.size()); ++s) {
                const Segment& got = result->items[i].segments[s].segment;
                c.near("segment_start", got.start, wanted[s].at("start").get<double>(), 1e-4);
                c.near("segment_end", got.end, wanted[s].at("end").get<double>(), 1e-4);
                c.equal("segment_tokens", got.tokens, wanted[s].at("tokens").get<std::vector<TokenId>>());
            }
        }
    }
}

void check_pipeline(Case& c) {
    Fixture& f = fixture(c);
    const auto drawn = std::make_shared<std::size_t>(0);
    const Json& arguments = c.data.at("arguments");
    ChunkedOptions options;
    options.generate = options_of(c, f, arguments, drawn);
    if (!arguments.contains("max_new_tokens")) options.generate.max_new_tokens = 256; // the pipeline's own defaults
    if (!arguments.contains("num_beams")) options.generate.beams = 5;
    options.chunk_s = c.data.at("chunk_length_s").get<double>();
    options.threads = c.options.threads;
    const auto transcript = transcribe_chunked(f.model, f.generation, f.tokenizer, audio_samples(c).at(0), options);
    if (!transcript) throw std::runtime_error(transcript.status().message());
    Json chunks = Json::array();
    for (const TextPiece& piece : transcript->joined.pieces)
        chunks.push_back(
            {{"text", piece.text},
             {"timestamp", {piece.start ? Json(*piece.start) : Json(), piece.end ? Json(*piece.end) : Json()}}});
    if (!c.options.strict && c.replaced_by({{"text", transcript->joined.text}, {"chunks", chunks}})) return;
    GenerateResult result;
    result.passes = transcript->passes;
    result.decisions = transcript->decisions;
    compare_search(c, f, result, *drawn);
    if (!c.data.at("stable").get<bool>()) return;
    const Json& wanted = c.data.at("result");
    c.equal("text", transcript->joined.text, wanted.at("text").get<std::string>());
    if (!wanted.contains("chunks")) return;
    c.equal("chunks", chunks, wanted["chunks"]);
}

} // namespace

Fixture& fixture(Case& c) {
    static std::map<std::string, Fixture> opened;
    const std::string model = c.data.contains("model") ? c.data["model"].get<std::string>() + "/HeartTranscriptor-oss"
                                                       : c.file.at("weights").get<std::string>();
    const auto path = c.library.folder() / "whisper" / model;
    const std::string key = path.string() + "#" + std::to_string(c.options.threads);
    if (const auto found = opened.find(key); found != opened.end()) return found->second;
    const auto must = [](auto result) {
        if (!result) throw std::runtime_error(result.status().message());
        return std::move(result).value();
    };
    WhisperModel network = must(WhisperModel::open(path, c.options.threads));
    GenerationConfig generation = must(GenerationConfig::open(path, network.config()));
    return opened.emplace(key, Fixture{std::move(network), std::move(generation), must(Tokenizer::open(path))})
        .first->second;
}

std::vector<std::vector<float>> audio_features(Case& c, Fixture& f) {
    std::vector<std::vector<float>> all;
    for (const auto& samples : audio_samples(c)) {
        auto features = whisper_features(f.model.config().mels, samples, MelExtent::window,
                                         f.model.config().positions * 320, c.options.threads);
        if (!features) throw std::runtime_error(features.status().message());
        all.push_back(std::move(features).value());
    }
    return all;
}

std::vector<std::vector<float>> audio_samples(Case& c) {
    std::vector<std::vector<float>> all;
    const Json& audio = c.data.at("audio");
    for (const Json& clip : audio.at(0).is_array() ? audio : Json::array({audio})) {
        std::optional<std::int64_t> end;
        if (!clip.at(2).is_null()) end = clip[2].get<std::int64_t>();
        all.push_back(c.library.audio(clip.at(0).get<std::string>(), clip.at(1).get<std::int64_t>(), end));
    }
    return all;
}

void add_whisper_checkers(std::map<std::string, Checker>& table) {
    table["points"] = check_points;
    table["language"] = check_language;
    table["half"] = check_half;
    table["generate"] = check_generate;
    table["fallback"] = check_generate;
    table["long"] = check_generate;
    table["words"] = check_generate;
    table["pipeline"] = check_pipeline;
}

} // namespace tutti::models::parity
