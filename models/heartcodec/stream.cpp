// SPDX-License-Identifier: MIT
#include <algorithm>

#include <models/heartcodec/codec.h>
#include <models/nn/philox.h>

namespace tutti::models {

struct CodecStream::State {
    State(HeartCodec& of, CodecOptions with, SoundSink to, CodecSchedule plan)
        : codec(of), options(std::move(with)), sink(std::move(to)), schedule(plan) {}

    HeartCodec& codec;
    CodecOptions options;
    SoundSink sink;
    CodecSchedule schedule;
    std::vector<std::int32_t> codes;           // all of the song: its beginning pads its end
    std::vector<float> latents;                // of the last window
    std::array<std::vector<float>, 2> overlap; // sound kept back of the last window, for the cross-fade
    int windows = 0;
    std::int64_t samples = 0;
    std::int64_t limit = -1; // samples of the whole song, once they are known
    Status ended;            // the error that ended it
    bool finished = false;

    int frames() const { return static_cast<int>(codes.size()) / codec.config().codebooks; }
    Status give(std::span<const float> left, std::span<const float> right) {
        if (limit >= 0) {
            const auto room = static_cast<std::size_t>(std::max<std::int64_t>(0, limit - samples));
            left = left.first(std::min(left.size(), room));
            right = right.first(left.size());
        }
        if (left.empty()) return {};
        samples += static_cast<std::int64_t>(left.size());
        return sink(left, right);
    }
    Status give_overlap() {
        const auto kept = std::move(overlap);
        overlap = {};
        return give(kept[0], kept[1]);
    }
    void tell(const char* stage, double fraction) const {
        if (options.progress) options.progress({windows, stage, fraction});
    }
    Status window(bool last);
};

// Solves and decodes window number `windows`; the sound of its last overlap is kept back unless it is the last one.
Status CodecStream::State::window(bool last) {
    const HeartCodecConfig& c = codec.config();
    const auto books = static_cast<std::size_t>(c.codebooks), width = static_cast<std::size_t>(c.latent_width);
    const CodecSchedule::Window here = schedule.window(windows), next = schedule.window(windows + 1);
    const auto total = static_cast<std::size_t>(frames());
    std::vector<std::int32_t> some;
    for (int i = 0; i < here.codes; ++i) {
        const auto at = (static_cast<std::size_t>(here.first + i) % total) * books;
        some.insert(some.end(), codes.begin() + static_cast<std::ptrdiff_t>(at),
                    codes.begin() + static_cast<std::ptrdiff_t>(at + books));
    }
    const int count = 2 * here.codes;
    std::vector<float> noise(static_cast<std::size_t>(count) * width);
    if (options.noise) {
        options.noise(windows, count, noise);
    } else {
        const Noise source(options.seed);
        for (std::size_t i = 0; i < noise.size(); ++i)
            noise[i] = source.normal(NoisePurpose::latents, static_cast<std::uint32_t>(windows),
                                     static_cast<std::uint32_t>(i / width), static_cast<std::uint32_t>(i % width));
    }
    const HeartCodec::Work work = codec.work(options);
    const double solving = work.solve / (work.solve + work.decode);
    tell("solve", 0.0);
    const std::size_t known = 2 * static_cast<std::size_t>(here.overlap) * width;
    const auto context = std::span<const float>(latents).last(std::min(known, latents.size()));
    auto solved = codec.solve(codec.condition(some), context, noise, options, count,
                              [&](int step) { tell("solve", solving * step / options.steps); });
    const auto stopped = [] {
        return Status(Code::cancelled, "decoding was cancelled", "the sound given out so far is good",
                      "start it again");
    };
    if (codec.cancelled()) return stopped();

    const auto per_frame = static_cast<std::size_t>(c.samples_per_frame());
    const std::size_t fade = static_cast<std::size_t>(here.overlap) * per_frame,
                      whole = static_cast<std::size_t>(here.codes) * per_frame,
                      kept_from = last ? whole : static_cast<std::size_t>(next.first - here.first) * per_frame;
    std::array<std::vector<float>, 2> kept, mixed;
    std::size_t at = 0;
    const Status status =
        codec.decode(solved, [&](std::span<const float> left, std::span<const float> right) -> Status {
            const std::span<const float> from[2] = {left, right};
            for (std::size_t side = 0; side < 2; ++side) {
                mixed[side].assign(from[side].begin(), from[side].end());
                for (std::size_t i = 0; i < mixed[side].size() && at + i < fade; ++i) {
                    const double ramp = static_cast<double>(at + i) / static_cast<double>(fade - 1);
                    mixed[side][i] = static_cast<float>(static_cast<double>(mixed[side][i]) * ramp +
                                                        static_cast<double>(overlap[side][at + i]) * (1.0 - ramp));
                }
            }
            const std::size_t size = left.size(), out = std::min(size, kept_from - std::min(kept_from, at));
            for (std::size_t side = 0; side < 2; ++side)
                kept[side].insert(kept[side].end(), mixed[side].begin() + static_cast<std::ptrdiff_t>(out),
                                  mixed[side].end());
            at += size;
            tell("decode", solving + (1.0 - solving) * static_cast<double>(at) / static_cast<double>(whole));
            return give(std::span(mixed[0]).first(out), std::span(mixed[1]).first(out));
        });
    if (!status) {
        // What is left of the window before stays with it: release() goes on where the sound stopped.
        for (auto& side : overlap)
            side.erase(side.begin(), side.begin() + static_cast<std::ptrdiff_t>(std::min(at, side.size())));
        return status;
    }
    overlap = std::move(kept);
    latents = std::move(solved);
    ++windows;
    return {};
}

CodecStream::CodecStream(std::unique_ptr<State> state) : m_state(std::move(state)) {}
CodecStream::CodecStream(CodecStream&&) noexcept = default;
CodecStream& CodecStream::operator=(CodecStream&&) noexcept = default;
CodecStream::~CodecStream() = default;
int CodecStream::codes() const noexcept {
    return m_state->frames();
}
int CodecStream::windows() const noexcept {
    return m_state->windows;
}
std::int64_t CodecStream::samples() const noexcept {
    return m_state->samples;
}

Result<CodecStream> CodecStream::make(HeartCodec& codec, CodecOptions options, SoundSink sink) {
    const auto schedule = CodecSchedule::make(options, codec.config());
    if (!schedule) return schedule.status();
    codec.set_token(options.token);
    return CodecStream(std::make_unique<State>(codec, std::move(options), std::move(sink), *schedule));
}

Status CodecStream::push(std::span<const std::int32_t> codes) {
    State& s = *m_state;
    const HeartCodecConfig& c = s.codec.config();
    const auto books = static_cast<std::size_t>(c.codebooks);
    if (!s.ended) return s.ended;
    if (s.finished)
        return Status(Code::wrong_state, "codes after the end of a song", "they were not decoded", "make a new stream");
    if (codes.size() % books != 0)
        return Status(Code::invalid_argument,
                      std::to_string(codes.size()) + " codes are no whole frames of " + std::to_string(books),
                      "nothing was decoded", "give whole frames");
    for (std::size_t i = 0; i < codes.size(); ++i)
        if (codes[i] < -1 || codes[i] >= c.codebook_size)
            return Status(Code::out_of_range,
                          "frame " + std::to_string(static_cast<std::size_t>(s.frames()) + i / books) + ", codebook " +
                              std::to_string(i % books) + " has code " + std::to_string(codes[i]) +
                              ", the codec's are below " + std::to_string(c.codebook_size),
                          "nothing of these codes was decoded", "check that the language model belongs to this codec");
    s.codes.insert(s.codes.end(), codes.begin(), codes.end());
    for (;;) {
        const CodecSchedule::Window next = s.schedule.window(s.windows);
        if (s.frames() < next.first + next.codes) return {};
        if (s.ended = s.window(false); !s.ended) return s.ended;
    }
}

Status CodecStream::finish() {
    State& s = *m_state;
    if (!s.ended) return s.ended;
    if (s.finished) return {};
    if (s.codes.empty())
        return Status(Code::invalid_argument, "a song without a code", "there is no sound",
                      "generate at least one frame");
    s.limit = s.schedule.samples(s.frames());
    const int windows = s.schedule.windows(s.frames());
    while (s.windows < windows)
        if (s.ended = s.window(s.windows + 1 == windows); !s.ended) return s.ended;
    s.finished = true;
    return s.give_overlap();
}

Status CodecStream::release() {
    State& s = *m_state;
    if (s.finished) return {};
    s.finished = true;
    return s.give_overlap();
}

} // namespace tutti::models
