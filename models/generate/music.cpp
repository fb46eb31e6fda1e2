// SPDX-License-Identifier: MIT
#include <models/generate/music.h>

#include <algorithm>
#include <chrono>

#include <tutti/trace.h>

namespace tutti::models {
namespace {

double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::size_t size(int x) {
    return static_cast<std::size_t>(x);
}

} // namespace

Result<MusicModels> MusicModels::open(const MusicLoad& load) {
    MusicModels models;
    models.m_load = load;
    const double begin = now();
    auto config = HeartMulaConfig::open(load.folder.language_model, load.folder.root);
    if (!config) return config.status();
    models.m_config = std::move(config).value();
    if (load.language) {
        auto tokenizer = Tokenizer::open(load.folder.root);
        if (!tokenizer) return tokenizer.status();
        models.m_tokenizer = std::move(tokenizer).value();
    }
    if (load.codec) {
        auto codec = HeartCodecConfig::open(load.folder.codec);
        if (!codec) return codec.status();
        models.m_codec_config = std::move(codec).value();
        if (models.m_codec_config.codebooks != models.m_config.codebooks)
            return Status(Code::malformed,
                          "the codec takes " + std::to_string(models.m_codec_config.codebooks) +
                              " codebooks, the language model writes " + std::to_string(models.m_config.codebooks),
                          "the models are not loaded", "take the two folders of one release");
    }
    models.m_load_seconds = now() - begin;
    if (!load.lazy) {
        if (load.language)
            if (Status status = models.need_language(); !status) return status;
        if (load.codec)
            if (Status status = models.need_codec(); !status) return status;
    }
    return models;
}

Status MusicModels::need_language() {
    if (m_language) return {};
    const double begin = now();
    if (m_load.lazy) m_codec.reset();
    MulaOptions options;
    options.threads = m_load.threads;
    options.arithmetic = m_load.arithmetic;
    options.token = m_load.token;
    auto model = HeartMula::open(m_load.folder.language_model, m_config, options);
    if (!model) return model.status();
    m_language = std::move(model).value();
    m_load_seconds += now() - begin;
    return {};
}

Status MusicModels::need_codec() {
    if (m_codec) return {};
    const trace::Span span("load codec");
    const double begin = now();
    if (m_load.lazy) m_language.reset();
    const CancelToken token = m_load.token;
    auto codec = HeartCodec::open(m_load.folder.codec, m_load.threads, [token] { return token.cancelled(); });
    if (!codec) return codec.status();
    m_codec = std::move(codec).value();
    m_codec->set_token(m_load.token);
    m_load_seconds += now() - begin;
    return {};
}

Status MusicModels::reload(MulaArithmetic arithmetic) {
    m_load.arithmetic = arithmetic;
    m_language.reset();
    return need_language();
}

void MusicModels::set_threads(int threads) {
    if (m_language) m_language->set_threads(threads);
    if (m_codec) m_codec->set_threads(threads);
}

void MusicModels::set_token(const CancelToken& token) {
    m_load.token = token;
    if (m_language) m_language->set_token(token);
    if (m_codec) m_codec->set_token(token);
}

SongRequest MusicModels::song_request(const MusicRequest& request, int song) const {
    SongRequest one;
    PromptOptions prompt = request.prompt;
    prompt.strict = request.strict;
    one.prompt = make_prompt(*m_tokenizer, m_config, request.tags, request.lyrics, prompt);
    one.seed = request.seed + static_cast<std::uint64_t>(song);
    one.max_frames = request.max_frames;
    one.guidance = request.guidance;
    one.temperature = request.temperature;
    one.top_k = request.top_k;
    one.strict = request.strict;
    one.never_end = request.never_end;
    if (size(song) < request.codes.size()) one.codes = request.codes[size(song)];
    return one;
}

Status MusicModels::check(const MusicRequest& request) const {
    const auto wrong = [](Code code, const std::string& what, const std::string& remedy) {
        return Status(code, what, "nothing was generated", remedy);
    };
    if (request.songs < 1 || request.songs > 64)
        return wrong(Code::out_of_range, std::to_string(request.songs) + " songs", "ask for 1 to 64");
    if (!request.codes.empty() && static_cast<int>(request.codes.size()) != request.songs)
        return wrong(Code::invalid_argument,
                     "codes of " + std::to_string(request.codes.size()) + " songs for " + std::to_string(request.songs),
                     "give those of each song");
    if (!request.decode_only) {
        if (!m_tokenizer) return wrong(Code::wrong_state, "the language model is not loaded", "load it");
        const SongRequest one = song_request(request, 0);
        const int positions = one.prompt.positions();
        if (positions + request.max_frames > m_config.backbone.positions)
            return wrong(Code::out_of_range,
                         "the lyrics and tags take " + std::to_string(positions) + " of the model's " +
                             std::to_string(m_config.backbone.positions) + " positions, and " +
                             std::to_string(request.max_frames) + " frames do not fit behind them",
                         positions >= m_config.backbone.positions
                             ? "shorten the lyrics"
                             : "ask for at most " + std::to_string((m_config.backbone.positions - positions) * 2 / 25) +
                                   " seconds, or shorten the lyrics");
    }
    if (m_load.codec) {
        auto schedule = CodecSchedule::make(request.codec, m_codec_config);
        if (!schedule) return schedule.status();
    }
    return {};
}

Status MusicModels::generate(const MusicRequest& request, const SongSink& sink, MusicResult& result) {
    if (Status status = check(request); !status) return status;
    result = MusicResult();
    result.songs.resize(size(request.songs));
    for (int n = 0; n < request.songs; ++n)
        result.songs[size(n)].seed = request.seed + static_cast<std::uint64_t>(n);
    const double begin = now();
    double loading = 0.0; // inside this call, with `lazy`
    MusicProgress progress;
    progress.most_frames = request.max_frames + 1;
    const auto told = [&](const char* stage, double fraction) {
        progress.stage = stage;
        progress.fraction = std::max(progress.fraction, std::min(1.0, fraction));
        if (request.progress) request.progress(progress);
    };
    const bool codec = m_load.codec, language = !request.decode_only;
    // What the work weighs, in seconds of a guess that the first figures replace: the share of the frames in the whole.
    const auto load = [&](Status (MusicModels::*what)()) {
        told("load", 0.0);
        const double from = now();
        const Status status = (this->*what)();
        loading += now() - from;
        return status;
    };

    std::vector<std::unique_ptr<CodecStream>> streams;
    double sample_rate = m_codec_config.sample_rate;
    double frame_share = codec ? 0.5 : 1.0; // of the work, until windows have been timed
    int windows = 1;
    if (codec) {
        auto schedule = CodecSchedule::make(request.codec, m_codec_config);
        if (!schedule) return schedule.status();
        windows = std::max(1, schedule->windows(request.max_frames + 1)) * request.songs;
    }
    const auto open_streams = [&]() -> Status {
        if (Status status = load(&MusicModels::need_codec); !status) return status;
        for (int n = 0; n < request.songs; ++n) {
            CodecOptions options = request.codec;
            options.seed = request.seed + static_cast<std::uint64_t>(n);
            options.token = m_load.token;
            options.strict = request.strict;
            options.progress = [&, n](const CodecProgress& p) {
                if (n == 0) progress.seconds = static_cast<double>(result.songs[0].samples) / sample_rate;
                const double done = (result.windows + p.fraction) / windows;
                told("sound", language
                                  ? frame_share * progress.frames / progress.most_frames + (1.0 - frame_share) * done
                                  : done);
            };
            auto stream =
                CodecStream::make(*m_codec, std::move(options),
                                  [&, n](std::span<const float> left, std::span<const float> right) -> Status {
                                      if (result.first_sound_seconds < 0.0)
                                          result.first_sound_seconds = now() - begin - loading;
                                      result.songs[size(n)].samples += static_cast<std::int64_t>(left.size());
                                      if (n == 0)
                                          progress.seconds = static_cast<double>(result.songs[0].samples) / sample_rate;
                                      return sink ? sink(n, left, right) : Status();
                                  });
            if (!stream) return stream.status();
            streams.push_back(std::make_unique<CodecStream>(std::move(stream).value()));
        }
        return {};
    };
    // Codes go to the codec; what it computes is timed.
    const auto give = [&](int n, std::span<const std::int32_t> codes, bool last) -> Status {
        const double from = now();
        CodecStream& stream = *streams[size(n)];
        const int before = stream.windows();
        Status status = codes.empty() ? Status() : stream.push(codes);
        if (status && last && stream.codes() > 0) status = stream.finish();
        const int done = stream.windows() - before;
        result.windows += done;
        result.codec_seconds += now() - from;
        if (done > 0 && result.windows > 0 && progress.frames > 0 && result.frame_seconds > 0.0) {
            const double all_frames = result.frame_seconds / progress.frames * progress.most_frames;
            const double all_windows = result.codec_seconds / result.windows * windows;
            frame_share = all_frames / (all_frames + all_windows);
        }
        return status;
    };
    // However it ends: the sound of whole windows goes out, the codes stay.
    const auto stop = [&](const Status& status) {
        for (auto& stream : streams)
            if (Status released = stream->release(); !released && status.code() != Code::cancelled) break;
        result.load_seconds = m_load_seconds;
        return status;
    };

    if (!language) {
        if (Status status = open_streams(); !status) return stop(status);
        for (int n = 0; n < request.songs; ++n) {
            MusicSong& song = result.songs[size(n)];
            song.codes = request.codes[size(n)];
            song.frames = static_cast<int>(song.codes.size()) / m_config.codebooks;
            progress.frames = progress.most_frames = song.frames;
            if (Status status = give(n, song.codes, true); !status) return stop(status);
        }
        result.load_seconds = m_load_seconds;
        told("sound", 1.0);
        return {};
    }

    if (Status status = load(&MusicModels::need_language); !status) return stop(status);
    if (codec && !m_load.lazy)
        if (Status status = open_streams(); !status) return stop(status);
    std::vector<SongRequest> requests;
    for (int n = 0; n < request.songs; ++n)
        requests.push_back(song_request(request, n));
    result.prompt_positions = requests.front().prompt.positions();
    auto batch = SongBatch::make(*m_language, std::move(requests));
    if (!batch) return stop(batch.status());
    std::vector<int> given(size(request.songs), 0);
    std::vector<char> closed(size(request.songs), 0);
    // Takes over what the batch has, and hands new codes on.
    const auto take = [&](bool hand_on) -> Status {
        progress.frames = 0;
        for (int n = 0; n < request.songs; ++n) {
            const SongState& state = batch->songs()[size(n)];
            MusicSong& song = result.songs[size(n)];
            song.frames = state.frames;
            song.ended = state.ended;
            song.lead = state.lead;
            song.codes.insert(song.codes.end(), state.codes.begin() + static_cast<std::ptrdiff_t>(song.codes.size()),
                              state.codes.end());
            progress.frames = std::max(progress.frames, song.frames);
        }
        if (!hand_on || streams.empty()) return {};
        for (int n = 0; n < request.songs; ++n) {
            const MusicSong& song = result.songs[size(n)];
            const bool last = batch->songs()[size(n)].done;
            if (closed[size(n)] != 0 || (given[size(n)] == song.frames && !last)) continue;
            const auto codebooks = size(m_config.codebooks);
            const std::span<const std::int32_t> fresh(song.codes.data() + size(given[size(n)]) * codebooks,
                                                      size(song.frames - given[size(n)]) * codebooks);
            given[size(n)] = song.frames;
            closed[size(n)] = last ? 1 : 0;
            if (Status status = give(n, fresh, last); !status) return status;
        }
        return {};
    };
    double from = now();
    Status status =
        batch->begin([&](const SongProgress& p) { told("prompt", p.total > 0 ? 0.02 * p.done / p.total : 0.0); });
    result.prompt_seconds = now() - from;
    if (status) status = take(true);
    while (status && !batch->done()) {
        from = now();
        status = batch->step();
        result.frame_seconds += now() - from;
        if (!status) break;
        status = take(true);
        const double sound = codec ? static_cast<double>(result.windows) / windows : 0.0;
        told("frames", frame_share * progress.frames / progress.most_frames + (1.0 - frame_share) * sound);
    }
    if (!status) {
        (void)take(false);
        return stop(status);
    }
    if (codec && m_load.lazy) {
        batch = Status(Code::cancelled, "done", "-", "-"); // its keys and values are let go before the codec comes
        if (Status opened = open_streams(); !opened) return stop(opened);
        for (int n = 0; n < request.songs; ++n)
            if (Status done = give(n, result.songs[size(n)].codes, true); !done) return stop(done);
    }
    result.load_seconds = m_load_seconds;
    for (const MusicSong& song : result.songs)
        if (song.frames == 0)
            return Status(Code::not_found, "the model ended a song in its first frame", "that song is empty",
                          "take another --seed, or --ignore-eos for a song of the full length");
    told(codec ? "sound" : "frames", 1.0);
    return {};
}

} // namespace tutti::models
