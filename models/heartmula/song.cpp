// SPDX-License-Identifier: MIT
#include <models/heartmula/song.h>

#include <algorithm>

#include <models/heartmula/sampler.h>
#include <models/nn/philox.h>
#include <tutti/trace.h>

namespace tutti::models {
namespace {

// Positions of a prompt that go through the network together: a few hundred MB/s of activations, and their weights read once.
constexpr int k_together = 64;

std::size_t size(int x) {
    return static_cast<std::size_t>(x);
}

Status stopped() {
    return Status(Code::cancelled, "the song was stopped", "the frames before are kept",
                  "start it again, or go on from them");
}

} // namespace

struct SongBatch::State {
    struct Song {
        SongRequest request;
        std::vector<KeyValues> caches; // conditional, then unconditional
        int rows() const noexcept { return static_cast<int>(caches.size()); }
    };
    const HeartMula& model;
    std::vector<Song> songs;
    std::vector<SongState> states;
    std::vector<KeyValues> local; // of each row
    std::vector<float> x, last, hidden, logits, pair;

    explicit State(const HeartMula& m) : model(m) {}

    Status prefill(Song& song, const std::function<void(int)>& progress, float* out, const MulaProbe& probe,
                   int first_row);
    Status frame(std::span<const int> which, const MulaProbe& probe);
    void keep(int song, std::span<const std::int32_t> codes);
};

SongBatch::SongBatch(std::unique_ptr<State> state) : m_state(std::move(state)) {}
SongBatch::SongBatch(SongBatch&&) noexcept = default;
SongBatch& SongBatch::operator=(SongBatch&&) noexcept = default;
SongBatch::~SongBatch() = default;

const std::vector<SongState>& SongBatch::songs() const noexcept {
    return m_state->states;
}
bool SongBatch::done() const noexcept {
    return std::all_of(m_state->states.begin(), m_state->states.end(), [](const SongState& s) { return s.done; });
}

std::size_t SongBatch::bytes(const HeartMulaConfig& config, std::span<const SongRequest> requests) noexcept {
    std::size_t sum = 0;
    for (const SongRequest& r : requests)
        sum += (r.guidance > 1.0f ? 2u : 1u) * (KeyValues::bytes(config.backbone, r.prompt.positions() + r.max_frames) +
                                                KeyValues::bytes(config.decoder, config.codebooks));
    return sum;
}

Result<SongBatch> SongBatch::make(const HeartMula& model, std::vector<SongRequest> requests) {
    const HeartMulaConfig& c = model.config();
    const auto wrong = [](Code code, const std::string& what, const std::string& remedy) {
        return Status(code, what, "nothing was generated", remedy);
    };
    if (requests.empty() || requests.size() > 64)
        return wrong(Code::out_of_range, std::to_string(requests.size()) + " songs in a batch", "ask for 1 to 64");
    auto state = std::make_unique<State>(model);
    for (SongRequest& r : requests) {
        if (r.max_frames < 0 || r.prompt.positions() + r.max_frames > c.backbone.positions)
            return wrong(Code::out_of_range,
                         "the prompt's " + std::to_string(r.prompt.positions()) + " positions and " +
                             std::to_string(r.max_frames) + " frames are more than the model's " +
                             std::to_string(c.backbone.positions),
                         "ask for at most " + std::to_string(std::max(0, c.backbone.positions - r.prompt.positions())) +
                             " frames (80 ms each), or shorten the lyrics");
        if (r.top_k < 1 || r.top_k > c.audio_vocabulary)
            return wrong(Code::out_of_range, "top-k " + std::to_string(r.top_k) + " is out of range",
                         "use 1 to " + std::to_string(c.audio_vocabulary));
        if (!(r.temperature >= 0.0f && r.temperature <= 100.0f))
            return wrong(Code::out_of_range, "the temperature is out of range", "use 0 to 100");
        if (!(r.guidance >= 0.0f && r.guidance <= 100.0f))
            return wrong(Code::out_of_range, "the guidance scale is out of range", "use 0 to 100; up to 1 means none");
        for (TokenId id : r.prompt.ids)
            if (id < 0 || id >= c.text_vocabulary)
                return wrong(Code::malformed,
                             "the tokenizer gave id " + std::to_string(id) + ", the model has " +
                                 std::to_string(c.text_vocabulary),
                             "take the tokenizer.json that belongs to the model");
        if (r.codes.size() % size(c.codebooks) != 0)
            return wrong(Code::malformed, "the codes to go on from are no whole frames",
                         "take a complete file of codes");
        for (std::int32_t code : r.codes)
            if (code < 0 || code >= c.audio_vocabulary)
                return wrong(Code::malformed,
                             "the codes to go on from hold " + std::to_string(code) + ", the model has ids below " +
                                 std::to_string(c.audio_vocabulary),
                             "take the file of codes that this model wrote");
        if (static_cast<int>(r.codes.size()) / c.codebooks > r.max_frames + 1)
            r.codes.resize(size(r.max_frames + 1) * size(c.codebooks));
        State::Song song;
        const int rows = r.guidance > 1.0f ? 2 : 1;
        for (int i = 0; i < rows; ++i) {
            song.caches.emplace_back(c.backbone, r.prompt.positions() + r.max_frames);
            state->local.emplace_back(c.decoder, c.codebooks);
        }
        SongState begun;
        begun.seed = r.seed;
        state->states.push_back(std::move(begun));
        song.request = std::move(r);
        state->songs.push_back(std::move(song));
    }
    return SongBatch(std::move(state));
}

// Text, then the frames that are there already but for the last, through the same rows as any other position.
Status SongBatch::State::prefill(Song& song, const std::function<void(int)>& progress, float* out,
                                 const MulaProbe& probe, int first_row) {
    const HeartMulaConfig& c = model.config();
    const std::size_t width = size(c.backbone.width);
    const MulaPrompt& prompt = song.request.prompt;
    const int known = static_cast<int>(song.request.codes.size()) / c.codebooks;
    const int total = prompt.positions() + std::max(0, known - 1);
    const std::span<const std::int32_t> codes(song.request.codes);
    int done = 0;
    for (int row = 0; row < song.rows(); ++row)
        for (int from = 0; from < total; from += k_together) {
            const int count = std::min(k_together, total - from);
            x.resize(std::max(x.size(), size(count) * width));
            for (int i = 0; i < count; ++i) {
                float* to = x.data() + size(i) * width;
                const int p = from + i;
                if (p >= prompt.positions())
                    model.embed_frame(
                        codes.subspan(size(p - prompt.positions()) * size(c.codebooks), size(c.codebooks)), to);
                else if (p == prompt.style_at)
                    model.embed_style(row == 0, to);
                else
                    model.embed_text(prompt.ids[size(p)], row == 0, to);
                if (probe) probe("embedded", first_row + row, p, {to, width});
            }
            const std::vector<KeyValues*> rows(size(count), &song.caches[size(row)]);
            MulaProbe inner;
            if (probe)
                inner = [&](const std::string& point, int, int position, std::span<const float> values) {
                    probe(point, first_row + row, position, values);
                };
            model.backbone(rows, x.data(), inner);
            if (model.cancelled()) return stopped();
            if (from + count == total) std::copy_n(x.data() + size(count - 1) * width, width, out + size(row) * width);
            done += count;
            if (progress) progress(done);
        }
    return {};
}

void SongBatch::State::keep(int index, std::span<const std::int32_t> codes) {
    SongState& state = states[size(index)];
    state.codes.insert(state.codes.end(), codes.begin(), codes.end());
    ++state.frames;
    if (state.frames > songs[size(index)].request.max_frames) state.done = true;
}

// `last` holds the backbone's output of each row of the songs named, in order: the frame's codes, and whether they are kept.
Status SongBatch::State::frame(std::span<const int> which, const MulaProbe& probe) {
    const HeartMulaConfig& c = model.config();
    const std::size_t wide = size(c.backbone.width), narrow = size(c.decoder.width), ids = size(c.audio_vocabulary);
    std::vector<int> row_song; // which of `which` a row belongs to
    std::vector<KeyValues*> caches, pairs;
    for (std::size_t w = 0; w < which.size(); ++w)
        for (int r = 0; r < songs[size(which[w])].rows(); ++r)
            row_song.push_back(static_cast<int>(w));
    const int rows = static_cast<int>(row_song.size());
    for (int r = 0; r < rows; ++r) {
        local[size(r)].clear();
        caches.push_back(&local[size(r)]);
        pairs.insert(pairs.end(), 2, &local[size(r)]);
    }
    logits.resize(size(rows) * ids);
    hidden.resize(2 * size(rows) * narrow);
    pair.resize(2 * size(rows) * wide);
    std::vector<std::int32_t> codes(which.size() * size(c.codebooks));
    std::vector<float> guided(ids);
    for (int codebook = 0; codebook < c.codebooks; ++codebook) {
        if (codebook == 0) {
            model.logits(0, rows, last.data(), logits.data());
        } else {
            MulaProbe inner;
            if (probe)
                inner = [&](const std::string& point, int row, int position, std::span<const float> values) {
                    const std::string name =
                        "local" + std::to_string(codebook) + (point == "local_in" ? "_in" : "_out");
                    if (point == "local_in" || point == "local_out")
                        probe(name, codebook == 1 ? row / 2 : row, codebook == 1 ? row % 2 : position, values);
                };
            const auto code_of = [&](int r) {
                return codes[size(row_song[size(r)]) * size(c.codebooks) + size(codebook - 1)];
            };
            if (codebook == 1) {
                for (int r = 0; r < rows; ++r) {
                    std::copy_n(last.data() + size(r) * wide, wide, pair.data() + 2 * size(r) * wide);
                    model.embed_code(0, code_of(r), pair.data() + (2 * size(r) + 1) * wide);
                }
                model.decoder(pairs, pair.data(), hidden.data(), inner);
                for (int r = 0; r < rows; ++r) // the second of each pair
                    std::copy_n(hidden.data() + (2 * size(r) + 1) * narrow, narrow, hidden.data() + size(r) * narrow);
            } else {
                for (int r = 0; r < rows; ++r)
                    model.embed_code(codebook - 1, code_of(r), pair.data() + size(r) * wide);
                model.decoder(caches, pair.data(), hidden.data(), inner);
            }
            model.logits(codebook, rows, hidden.data(), logits.data());
        }
        if (model.cancelled()) return stopped();
        const trace::Span span("sample", codebook);
        int row = 0;
        for (std::size_t w = 0; w < which.size(); ++w) {
            const Song& song = songs[size(which[w])];
            SongState& state = states[size(which[w])];
            const SongRequest& q = song.request;
            std::span<const float> scores(logits.data() + size(row) * ids, ids);
            if (probe)
                for (int r = 0; r < song.rows(); ++r)
                    probe("logits" + std::to_string(codebook), row + r, 0, {logits.data() + size(row + r) * ids, ids});
            if (song.rows() == 2) {
                const float* free = scores.data() + ids;
                const bool round = model.arithmetic() == MulaArithmetic::bf16;
                const auto rounded = [&](float y) { return round ? bf16_to_f32(f32_to_bf16(y)) : y; };
                for (std::size_t i = 0; i < ids; ++i)
                    guided[i] = rounded(free[i] + rounded(rounded(scores[i] - free[i]) * q.guidance));
                scores = guided;
                if (probe) probe("guided" + std::to_string(codebook), row, 0, scores);
            }
            SampleOptions options;
            options.temperature = q.temperature;
            options.top_k = q.top_k;
            options.rounded = model.arithmetic() == MulaArithmetic::bf16;
            if (!q.strict) {
                options.masked_from = c.codec_entries();
                options.masked_to = q.never_end ? c.audio_vocabulary : c.audio_eos;
            }
            const Noise philox(q.seed);
            const int frame = state.frames;
            const Sample drawn = sample(scores, options, [&](std::int32_t id) {
                return q.noise
                           ? q.noise(frame, codebook, id)
                           : philox.exponential(NoisePurpose::race, static_cast<std::uint32_t>(frame),
                                                static_cast<std::uint32_t>(codebook), static_cast<std::uint32_t>(id));
            });
            state.lead = std::min(state.lead, drawn.lead);
            const std::size_t place = size(frame) * size(c.codebooks) + size(codebook);
            codes[w * size(c.codebooks) + size(codebook)] = place < q.forced.size() ? q.forced[place] : drawn.id;
            row += song.rows();
        }
    }
    for (std::size_t w = 0; w < which.size(); ++w) {
        const std::span<const std::int32_t> own(codes.data() + w * size(c.codebooks), size(c.codebooks));
        SongState& state = states[size(which[w])];
        const bool tested = state.frames > 0 || !songs[size(which[w])].request.strict;
        if (tested && std::any_of(own.begin(), own.end(), [&](std::int32_t id) { return id >= c.audio_eos; }))
            state.ended = state.done = true;
        else
            keep(which[w], own);
    }
    return {};
}

Status SongBatch::begin(const std::function<void(const SongProgress&)>& progress, const MulaProbe& probe) {
    State& s = *m_state;
    const HeartMulaConfig& c = s.model.config();
    const std::size_t width = size(c.backbone.width);
    int total = 0, before = 0, rows = 0;
    for (const auto& song : s.songs) {
        total += song.rows() * song.request.prompt.positions();
        rows += song.rows();
    }
    s.last.resize(size(rows) * width);
    std::vector<int> first;
    std::vector<float> outputs;
    int row = 0, kept = 0;
    for (std::size_t i = 0; i < s.songs.size(); ++i) {
        auto& song = s.songs[i];
        const trace::Span span("prompt", static_cast<std::int32_t>(i));
        const bool fresh = song.request.codes.empty();
        if (Status status = s.prefill(
                song,
                [&](int done) {
                    if (progress) progress({"prompt", std::min(total, before + done), total});
                },
                s.last.data() + size(kept) * width, probe, row);
            !status)
            return status;
        before += song.rows() * song.request.prompt.positions();
        row += song.rows();
        if (fresh) {
            first.push_back(static_cast<int>(i));
            kept += song.rows(); // another song's output may take the place of one that is not needed
        } else {
            for (std::size_t at = 0; at < song.request.codes.size(); at += size(c.codebooks))
                s.keep(static_cast<int>(i), std::span(song.request.codes).subspan(at, size(c.codebooks)));
        }
    }
    return first.empty() ? Status() : s.frame(first, probe);
}

Status SongBatch::step(const MulaProbe& probe) {
    State& s = *m_state;
    const HeartMulaConfig& c = s.model.config();
    const std::size_t width = size(c.backbone.width);
    const trace::Span span("frame");
    std::vector<int> which;
    std::vector<KeyValues*> caches;
    for (std::size_t i = 0; i < s.songs.size(); ++i)
        if (!s.states[i].done) {
            which.push_back(static_cast<int>(i));
            for (KeyValues& cache : s.songs[i].caches)
                caches.push_back(&cache);
        }
    if (which.empty()) return {};
    s.last.resize(std::max(s.last.size(), caches.size() * width));
    std::size_t row = 0;
    for (int song : which) {
        const SongState& state = s.states[size(song)];
        const std::span<const std::int32_t> codes(state.codes.data() + size(state.frames - 1) * size(c.codebooks),
                                                  size(c.codebooks));
        s.model.embed_frame(codes, s.last.data() + row * width);
        for (int r = 1; r < s.songs[size(song)].rows(); ++r)
            std::copy_n(s.last.data() + row * width, width, s.last.data() + (row + size(r)) * width);
        row += size(s.songs[size(song)].rows());
    }
    if (probe)
        for (std::size_t r = 0; r < row; ++r)
            probe("embedded", static_cast<int>(r), caches[r]->length(), {s.last.data() + r * width, width});
    s.model.backbone(caches, s.last.data(), probe);
    if (s.model.cancelled()) return stopped();
    return s.frame(which, probe);
}

} // namespace tutti::models
