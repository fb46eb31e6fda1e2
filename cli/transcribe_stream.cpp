// SPDX-License-Identifier: MIT
// tutti transcribe --stream: sound as it comes, text as it settles. The window since the last settled line is heard again every
// second; a line is settled when two hearings in a row agree on it and sound has gone on behind it (the "local agreement" of
// Liu et al., Low-Latency Sequence-to-Sequence Speech Recognition, 2020). What is not settled yet is shown on a terminal only.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/transcribe.h"
#include <models/mel/mel.h>
#include <models/tokenizer/utf8.h>

namespace tutti::cli {

namespace {

constexpr double k_rate = 16000.0;
constexpr std::size_t k_hear_every = 16000;   // samples
constexpr std::size_t k_longest = 30 * 16000; // of a window
constexpr std::size_t k_settle = 24 * 16000;  // a window this long settles what it has: it must not fill up

struct Heard {
    double start, end; // seconds of the window
    std::string text;
    double probability;
};

// Standard input, read by a thread of its own so that nothing is lost while a window is heard.
class Input {
public:
    Input() : m_thread([this] { read(); }) {}
    ~Input() { m_thread.detach(); } // it may wait for input that never comes; the process ends
    // Moves what has come to `out`; false when the end has come and all was given.
    bool take(std::vector<float>& out) {
        const std::lock_guard lock(m_shared->mutex);
        out.insert(out.end(), m_shared->samples.begin(), m_shared->samples.end());
        const bool more = !m_shared->ended || !m_shared->samples.empty();
        m_shared->samples.clear();
        return more;
    }

private:
    struct Shared {
        std::mutex mutex;
        std::vector<float> samples;
        bool ended = false;
    };
    void read() {
        const auto shared = m_shared; // outlives the object when the thread is let go
        unsigned char block[3200];
        std::size_t kept = 0;
        for (std::size_t got = 0; (got = std::fread(block + kept, 1, sizeof block - kept, stdin)) > 0;) {
            const std::size_t have = kept + got;
            const std::lock_guard lock(shared->mutex);
            for (std::size_t i = 0; i + 1 < have; i += 2)
                shared->samples.push_back(static_cast<float>(static_cast<std::int16_t>(block[i] | block[i + 1] << 8)) /
                                          32768.0f);
            kept = have % 2;
            if (kept) block[0] = block[have - 1];
        }
        const std::lock_guard lock(shared->mutex);
        shared->ended = true;
    }
    std::shared_ptr<Shared> m_shared = std::make_shared<Shared>();
    std::thread m_thread;
};

} // namespace

int stream_transcript(const TranscribeOptions& options, const models::Transcriber& transcriber,
                      const models::RecordingOptions& how) {
    if (!transcriber.generation().no_timestamps)
        return fail(Status(Code::unsupported, "this checkpoint has no timestamps, which --stream needs",
                           "nothing was transcribed", "use another checkpoint"));
    if (options.stream_rate != 0.0 && options.stream_rate != k_rate)
        return fail(Status(Code::unsupported, fmt::format("--stream-rate {:g} is not supported", options.stream_rate),
                           "nothing was transcribed", "send 16000 Hz, 16 bit, mono"));
    models::GenerateOptions generate = how.chunked.generate;
    generate.timestamps = true;
    generate.beams = 1;
    generate.temperatures = {0.0};
    generate.compression_ratio_threshold.reset();
    // The first window alone is wanted: what a second one finds in the padding behind the sound means nothing.
    std::optional<std::vector<models::TimedSegment>> first;
    generate.on_window = [&](std::size_t, const std::vector<models::TimedSegment>& segments, std::int64_t) {
        if (!first) first = segments;
    };
    generate.cancelled = [&] { return g_interrupted.load() || first.has_value(); };
    const models::TokenId begin = transcriber.generation().timestamp_begin();

    Input input;
    std::vector<float> window;
    std::int64_t offset = 0; // samples before the window
    std::size_t heard_at = 0;
    std::vector<Heard> before;
    const bool terminal = !options.quiet && is_terminal(2);
    const auto settle = [&](const Heard& one) {
        const double start = static_cast<double>(offset) / k_rate + one.start,
                     end = static_cast<double>(offset) / k_rate + one.end;
        if (terminal) fmt::print(stderr, "\r\x1b[K");
        if (options.json)
            fmt::print(
                "{}\n",
                nlohmann::json{{"start", start}, {"end", end}, {"text", one.text}, {"probability", one.probability}}
                    .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
        else
            fmt::print("[{} --> {}]{}\n", models::time_text(start, false, '.'), models::time_text(end, false, '.'),
                       one.text);
        std::fflush(stdout);
    };
    for (bool more = true; !g_interrupted;) {
        if (more) more = input.take(window);
        if (more && window.size() < heard_at + k_hear_every) {
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
            continue;
        }
        if (window.empty()) break;
        first.reset();
        heard_at = window.size();
        const std::size_t length = std::min(window.size(), k_longest);
        auto features = models::whisper_features(
            transcriber.model().config().mels, std::span(window).first(length), models::MelExtent::window,
            320 * static_cast<std::int64_t>(transcriber.model().config().positions), options.threads);
        if (!features) return fail(features.status());
        generate.sound_frames = {static_cast<std::int64_t>(length / 160)};
        auto result = models::generate(transcriber.model(), transcriber.generation(),
                                       std::vector<std::vector<float>>{std::move(features).value()}, generate);
        if (!result && !first) {
            if (result.status().code() == Code::cancelled) break;
            return fail(result.status());
        }
        std::vector<Heard> now;
        for (const models::TimedSegment& one : *first) {
            std::vector<models::TokenId> text;
            for (models::TokenId id : one.segment.tokens)
                if (id < begin && !transcriber.tokenizer().is_special(id)) text.push_back(id);
            double sum = 0.0;
            for (float x : one.token_logprobs)
                sum += static_cast<double>(x);
            const std::string words =
                transcriber.tokenizer().decode(text, {true, false, transcriber.tokenizer().clean_up_default()});
            if (!models::strip(words).empty())
                now.push_back(
                    {one.segment.start, std::min(one.segment.end, static_cast<double>(length) / k_rate), words,
                     one.token_logprobs.empty() ? 0.0
                                                : std::exp(sum / static_cast<double>(one.token_logprobs.size()))});
        }
        std::size_t settled = 0;
        const bool full = length >= k_settle || window.size() > k_longest;
        for (; settled < now.size(); ++settled) {
            const bool agreed = settled < before.size() && before[settled].text == now[settled].text;
            const bool behind = now[settled].end + 1.0 < static_cast<double>(length) / k_rate;
            if (!more || full || (agreed && behind)) {
                settle(now[settled]);
                continue;
            }
            break;
        }
        if (settled > 0 || full) {
            const double end = settled > 0 ? now[settled - 1].end : static_cast<double>(length) / k_rate;
            // A full window without a settled line is let go but for its last second.
            const auto cut =
                std::clamp<std::size_t>(static_cast<std::size_t>(end * k_rate), full ? k_hear_every : 1, window.size());
            window.erase(window.begin(), window.begin() + static_cast<std::ptrdiff_t>(cut));
            offset += static_cast<std::int64_t>(cut);
            heard_at = heard_at > cut ? heard_at - cut : 0;
            before.clear();
        } else {
            before = now;
        }
        if (terminal && more) {
            std::string rest;
            for (std::size_t i = settled; i < now.size(); ++i)
                rest += now[i].text;
            fmt::print(stderr, "\r\x1b[K\x1b[2m{}\x1b[0m", rest);
            std::fflush(stderr);
        }
        if (!more && (settled == 0 || window.size() < k_hear_every)) break;
    }
    if (terminal) fmt::print(stderr, "\r\x1b[K");
    return g_interrupted ? exit_interrupted : exit_ok;
}

} // namespace tutti::cli
