// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <models/mel/mel.h>
#include <models/parity/case_data.h>
#include <models/parity/whisper_fixture.h>

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
}

} // namespace tutti::models::parity
