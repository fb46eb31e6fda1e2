// SPDX-License-Identifier: MIT
#include <models/whisper/transcribe.h>

#include <algorithm>
#include <cmath>

#include <models/mel/mel.h>

namespace tutti::models {

Result<Transcriber> Transcriber::open(const std::filesystem::path& folder, int threads,
                                      const std::function<bool()>& cancelled, Compute compute,
                                      const std::filesystem::path& cache) {
    auto model = WhisperModel::open(folder, threads, cancelled, compute, cache);
    if (!model) return model.status();
    auto generation = GenerationConfig::open(folder, model->config());
    if (!generation) return generation.status();
    auto tokenizer = Tokenizer::open(folder);
    if (!tokenizer) return tokenizer.status();
    if (generation->no_timestamps) tokenizer->add_timestamps(generation->timestamp_begin());
    return Transcriber(std::move(model).value(), std::move(generation).value(), std::move(tokenizer).value());
}

void Transcriber::set_alignment_heads(std::vector<std::pair<int, int>> heads) {
    m_generation.alignment_heads = std::move(heads);
    m_generation.alignment_heads_stored = true;
}

ChunkedOptions ChunkedOptions::heartlib() {
    ChunkedOptions options;
    options.generate.task = "transcribe";
    options.generate.max_new_tokens = 256;
    options.generate.beams = 2;
    options.generate.temperatures = {0.0, 0.1, 0.2, 0.4};
    options.generate.compression_ratio_threshold = 1.8;
    options.generate.logprob_threshold = -1.0;
    options.generate.no_speech_threshold = 0.4;
    return options;
}

Result<Transcript> transcribe_chunked(const WhisperModel& model, const GenerationConfig& generation,
                                      const Tokenizer& tokenizer, std::span<const float> samples,
                                      const ChunkedOptions& options) {
    constexpr double k_rate = 16000.0;
    Transcript out;
    const auto chunk = static_cast<std::int64_t>(std::lround(options.chunk_s * k_rate));
    const auto side = static_cast<std::int64_t>(std::lround(options.chunk_s / 6.0 * k_rate));
    out.chunks = cut_audio(static_cast<std::int64_t>(samples.size()), chunk, side, side);
    std::vector<ChunkTokens> texts;
    const auto batch = static_cast<std::size_t>(std::max(1, options.batch));
    for (std::size_t first = 0; first < out.chunks.size(); first += batch) {
        std::vector<std::vector<float>> features;
        GenerateOptions how = options.generate;
        for (std::size_t i = first; i < std::min(out.chunks.size(), first + batch); ++i) {
            const AudioChunk& one = out.chunks[i];
            auto rows = whisper_features(
                model.config().mels,
                samples.subspan(static_cast<std::size_t>(one.begin), static_cast<std::size_t>(one.length)),
                MelExtent::window, 320 * static_cast<std::int64_t>(model.config().positions), options.threads);
            if (!rows) return rows.status();
            features.push_back(std::move(rows).value());
            how.sound_frames.push_back(std::min<std::int64_t>((one.length + 159) / 160,
                                                              2 * static_cast<std::int64_t>(model.config().positions)));
        }
        auto result = generate(model, generation, features, how);
        if (!result) return result.status();
        for (std::size_t k = 0; k < result->items.size(); ++k) {
            const AudioChunk& one = out.chunks[first + k];
            ChunkTokens text;
            text.tokens = result->items[k].tokens;
            for (const TimedSegment& segment : result->items[k].segments)
                text.token_times.insert(text.token_times.end(), segment.token_times.begin(), segment.token_times.end());
            text.has_stride = true;
            text.length_s = static_cast<double>(one.length) / k_rate;
            text.left_s = static_cast<double>(one.left) / k_rate;
            text.right_s = static_cast<double>(one.right) / k_rate;
            texts.push_back(std::move(text));
            out.items.push_back(std::move(result->items[k]));
        }
        std::move(result->passes.begin(), result->passes.end(), std::back_inserter(out.passes));
        std::move(result->decisions.begin(), result->decisions.end(), std::back_inserter(out.decisions));
        if (options.progress) options.progress(std::min(out.chunks.size(), first + batch), out.chunks.size());
    }
    JoinOptions join;
    join.times = options.generate.token_times  ? TimesWanted::words
                 : options.generate.timestamps ? TimesWanted::segments
                                               : TimesWanted::none;
    join.time_step = options.chunk_s / model.config().positions;
    join.timestamp_begin = generation.no_timestamps ? generation.timestamp_begin() : model.config().vocabulary;
    out.joined = join_chunks(tokenizer, texts, join);
    return out;
}

} // namespace tutti::models
