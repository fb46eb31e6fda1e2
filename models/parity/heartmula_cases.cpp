// SPDX-License-Identifier: MIT
// HeartMuLa: prompts, songs with recorded noise at every dump point, and half precision.
#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <models/heartmula/song.h>
#include <models/parity/case_data.h>

namespace tutti::models::parity {
namespace {

template <class T>
T must(Result<T> result) {
    if (!result) throw std::runtime_error(result.status().message());
    return std::move(result).value();
}

struct Music {
    HeartMulaConfig config;
    Tokenizer tokenizer;
    HeartMula model;
};

Music& music(Case& c, MulaArithmetic arithmetic = MulaArithmetic::fp32) {
    static std::map<std::string, Music> opened;
    const auto root = c.library.folder() / "heartmula" / c.data.at("checkpoint").get<std::string>();
    const std::string key =
        root.string() + "#" + std::to_string(c.options.threads) + "#" + std::to_string(static_cast<int>(arithmetic));
    if (const auto found = opened.find(key); found != opened.end()) return found->second;
    const MusicFolder folder = must(MusicFolder::find(root, "", false));
    const HeartMulaConfig config = must(HeartMulaConfig::open(folder.language_model, root));
    MulaOptions options;
    options.threads = c.options.threads;
    options.arithmetic = arithmetic;
    Tokenizer tokenizer = must(Tokenizer::open(root));
    HeartMula model = must(HeartMula::open(folder.language_model, config, options));
    return opened.emplace(key, Music{config, std::move(tokenizer), std::move(model)}).first->second;
}

MulaPrompt prompt_of(Case& c, Music& m) {
    PromptOptions options;
    options.strict = c.options.strict;
    return make_prompt(m.tokenizer, m.config, c.data.at("tags").get<std::string>(),
                       c.data.at("lyrics").get<std::string>(), options);
}

void check_prompt(Case& c) {
    Music& m = music(c);
    if (c.data.contains("lyrics_ids_as_given")) {
        auto ids = m.tokenizer.prefix();
        const auto text = m.tokenizer.encode_with_added(c.data["lyrics"].get<std::string>());
        ids.insert(ids.end(), text.begin(), text.end());
        c.equal("lyrics_ids_as_given", Json(ids), c.data["lyrics_ids_as_given"]);
    }
    const MulaPrompt prompt = prompt_of(c, m);
    c.equal("muq_idx", Json(prompt.style_at), c.data.at("muq_idx"));
    std::vector<std::int64_t> tokens, positions;
    for (int p = 0; p < prompt.positions(); ++p) {
        tokens.insert(tokens.end(), static_cast<std::size_t>(m.config.codebooks), 0);
        tokens.push_back(prompt.ids[static_cast<std::size_t>(p)]);
        positions.push_back(p);
    }
    c.equal("tokens", tokens, c.integers("out/tokens"));
    c.equal("pos", positions, c.integers("out/pos"));
}

double largest(const std::vector<float>& values) {
    double most = 0.0;
    for (float x : values)
        most = std::max(most, std::abs(static_cast<double>(x)));
    return most;
}

// Values of each point of one frame, by row and position.
using Seen = std::map<std::string, std::map<std::pair<int, int>, std::vector<float>>>;

std::vector<float> flat(const std::map<std::pair<int, int>, std::vector<float>>& rows) {
    std::vector<float> all;
    for (const auto& [place, values] : rows)
        all.insert(all.end(), values.begin(), values.end());
    return all;
}

void check_song(Case& c) {
    Music& m = music(c);
    const auto codebooks = static_cast<std::size_t>(m.config.codebooks);
    const auto ids = static_cast<std::size_t>(m.config.audio_vocabulary);
    const auto draws = static_cast<std::size_t>(c.data.value("draws_per_sample", 1));
    const auto noise = c.floats("in/noise");
    SongRequest request;
    request.prompt = prompt_of(c, m);
    request.max_frames = c.data.at("max_frames").get<int>();
    request.guidance = c.data.at("cfg_scale").get<float>();
    request.temperature = c.data.at("temperature").get<float>();
    request.top_k = c.data.at("topk").get<int>();
    request.strict = c.options.strict;
    request.noise = [&](int frame, int codebook, std::int32_t id) {
        const std::size_t at =
            ((static_cast<std::size_t>(frame) * codebooks + static_cast<std::size_t>(codebook)) * draws) * ids +
            static_cast<std::size_t>(id);
        if (at < noise.size()) return noise[at];
        if (c.instead()) return noise[at % noise.size()]; // another decision may need more frames
        throw std::runtime_error("more frames were computed than the reference computed");
    };
    std::vector<SongRequest> requests;
    requests.push_back(std::move(request));
    SongBatch batch = must(SongBatch::make(m.model, std::move(requests)));
    std::vector<Seen> frames;
    const auto record = [&](const std::string& point, int row, int position, std::span<const float> values) {
        frames.back()[point][{row, position}].assign(values.begin(), values.end());
    };
    frames.emplace_back();
    Status status = batch.begin({}, record);
    while (status && !batch.done()) {
        frames.emplace_back();
        status = batch.step(record);
    }
    if (!status) throw std::runtime_error(status.message());
    const SongState& song = batch.songs().front();
    std::vector<std::int64_t> got;
    for (std::size_t codebook = 0; codebook < codebooks; ++codebook)
        for (int f = 0; f < song.frames; ++f)
            got.push_back(song.codes[static_cast<std::size_t>(f) * codebooks + codebook]);
    if (!c.options.strict && c.replaced_by({{"frames", got}, {"ended", song.ended}})) return;
    if (c.data.at("stable").get<bool>()) {
        c.equal("frames", got, c.integers("out/frames"));
        c.equal("frames_computed", Json(frames.size()), c.data.at("frames_computed"));
        c.equal("stopped", Json(song.ended), c.data.at("stopped"));
        c.equal("prompt_length", Json(prompt_of(c, m).positions()), c.data.at("prompt_length"));
    }
    // Scores of the first frames: where the scale is below 1 the reference computed a second row that nothing was drawn from.
    const auto shape = c.shape("out/logits");
    const auto wanted = c.floats("out/logits");
    const std::size_t rows = static_cast<std::size_t>(shape.at(2)), counted = draws == 2 ? 1 : rows;
    std::vector<float> logits, expected, guided;
    for (std::size_t f = 0; f < shape.at(0); ++f)
        for (std::size_t codebook = 0; codebook < codebooks; ++codebook) {
            const std::string number = std::to_string(codebook);
            const auto own = flat(frames.at(f).at("logits" + number));
            logits.insert(logits.end(), own.begin(), own.end());
            const auto from = wanted.begin() + static_cast<std::ptrdiff_t>((f * codebooks + codebook) * rows * ids);
            expected.insert(expected.end(), from, from + static_cast<std::ptrdiff_t>(counted * ids));
            if (frames[f].contains("guided" + number)) {
                const auto both = flat(frames[f].at("guided" + number));
                guided.insert(guided.end(), both.begin(), both.end());
            }
        }
    c.near("logits", logits, expected, 1e-5 * largest(expected));
    if (c.has("out/guided_logits")) {
        const auto both = c.floats("out/guided_logits");
        c.near("guided_logits", guided, both, 1e-5 * largest(both));
    }
    for (std::size_t f = 0; f < frames.size(); ++f)
        for (const auto& [point, values] : frames[f]) {
            const std::string name = "frame" + std::to_string(f) + "/" + point;
            if (!c.has(name)) continue;
            const auto all = c.floats(name);
            c.near(name, flat(values), all, 1e-5 * largest(all));
        }
    if (draws == 1) // of both rows, where the reference drew for both
        c.near("smallest_lead", static_cast<double>(song.lead), c.data.at("smallest_lead").get<double>(), 2e-3);
}

void check_half(Case& c) {
    for (const auto& [arithmetic, name] : {std::pair(MulaArithmetic::fp32, "fp32"), {MulaArithmetic::bf16, "bf16"}}) {
        Music& m = music(c, arithmetic);
        SongRequest request;
        request.prompt = prompt_of(c, m);
        request.max_frames = 0;
        request.guidance = c.data.at("cfg_scale").get<float>();
        request.strict = true;
        std::vector<SongRequest> requests;
        requests.push_back(std::move(request));
        SongBatch batch = must(SongBatch::make(m.model, std::move(requests)));
        std::vector<float> logits;
        const Status status = batch.begin({}, [&](const std::string& point, int, int, std::span<const float> values) {
            if (point == "logits0") logits.insert(logits.end(), values.begin(), values.end());
        });
        if (!status) throw std::runtime_error(status.message());
        const auto wanted = c.floats(std::string("out/c0_logits_") + name);
        if (arithmetic == MulaArithmetic::fp32)
            c.near("c0_logits_fp32", logits, wanted, 1e-5 * largest(wanted));
        else
            c.cosine("c0_logits_bf16", logits, wanted, 1e-3);
    }
}

} // namespace

void add_heartmula_checkers(std::map<std::string, Checker>& table) {
    table["prompt"] = check_prompt;
    table["song"] = check_song;
    table["cases/half"] = check_half; // Whisper has a kind of the same name
}

} // namespace tutti::models::parity
