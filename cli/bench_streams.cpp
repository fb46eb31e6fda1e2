// SPDX-License-Identifier: MIT
// tutti bench streams: many streams against one at the same total of voices, all in one batch of the render thread.
#include <algorithm>
#include <memory>
#include <vector>

#include <fmt/format.h>

#include "cli/bench.h"
#include "cli/statistics.h"

namespace tutti::cli {

namespace {

struct Options {
    VoiceWork work;
    int streams = 10;
    double seconds = 10.0; // the kernel counts the time of a thread that runs on another core in steps of 4 ms
    int threads = 1;
    int pairs = 21;
    bool reverb = false;
    bool json = false;
};

// Streams in `ahead` mode that share one engine; a pull waits for its frames, so the batch runs as fast as it can. Pulls are
// long: with short ones half of the time would go into sleeping and waking, on both sides alike, and hide what is asked for.
class Batch {
public:
    static Result<Batch> open(Engine& engine, const Options& options, int count) {
        Batch batch;
        VoiceWork work = options.work;
        work.voices = options.work.voices / count;
        Result<Patch> patch = work_patch(work);
        if (!patch.ok()) return patch.status();
        if (options.reverb) patch->effects = {{"reverb", {}, true}};
        for (int i = 0; i < count; ++i) {
            StreamConfig config;
            config.sample_rate = work.rate;
            config.channels = work.channels;
            config.mode = Mode::ahead;
            config.max_frames = k_frames;
            config.parts = work_parts(work);
            config.voices = config.parts * (k_voices_per_part + 64);
            config.events = 16384;
            auto stream = engine.open(config);
            if (!stream.ok()) return stream.status();
            (*stream)->set_bounce(true);
            for (int part = 0; part < config.parts; ++part)
                if (Status status = (*stream)->set_patch(part, *patch, 0); !status.ok()) return status;
            auto sender = (*stream)->make_sender();
            if (!sender.ok()) return sender.status();
            for (int voice = 0; voice < work.voices; ++voice)
                start_voice(*sender, work, voice, 0);
            batch.m_streams.push_back(std::move(stream).value());
            batch.m_senders.push_back(std::move(sender).value());
        }
        batch.m_sound.assign(static_cast<std::size_t>(options.work.channels), std::vector<float>(k_frames));
        for (auto& channel : batch.m_sound)
            batch.m_out.push_back(channel.data());
        return batch;
    }

    // CPU seconds that `seconds` of sound take on every stream, all threads but this one, which only waits and copies.
    double run(double seconds, double rate) {
        const auto spent = [] { return cpu_seconds_now() - thread_cpu_seconds_now(); };
        const double begin = spent();
        m_rounds.clear();
        for (std::int64_t left = static_cast<std::int64_t>(seconds * rate); left > 0; left -= k_frames) {
            const double round = seconds_now();
            for (const auto& stream : m_streams)
                stream->pull(m_out.data(), k_frames);
            m_rounds.push_back(seconds_now() - round);
        }
        return spent() - begin;
    }
    // A round of pulls, shared among its blocks of 64 frames, in microseconds: 95 of 100 are below.
    double p95_us() { return 1e6 * percentile(m_rounds, 0.95) * 64.0 / k_frames; }
    int voices() const {
        int sum = 0;
        for (const auto& stream : m_streams)
            sum += stream->stats().voices;
        return sum;
    }

private:
    static constexpr int k_frames = 2048;
    std::vector<std::shared_ptr<Stream>> m_streams;
    std::vector<Sender> m_senders;
    std::vector<std::vector<float>> m_sound;
    std::vector<float*> m_out;
    std::vector<double> m_rounds;
};

int run(const Options& options) {
    if (options.streams < 2 || options.streams > 64 || options.work.voices < options.streams)
        return fail(
            Status(Code::out_of_range,
                   fmt::format("{} streams of {} voices in all are out of range", options.streams, options.work.voices),
                   "nothing was measured", "use 2 to 64 streams and at least as many voices"));
    // Each measurement opens its own engine, so that no other stream is in the batch; the pairs are interleaved.
    std::vector<double> one, many, ratio, p95[2], p95_ratio;
    int sounding[2] = {0, 0};
    for (int pair = 0; pair < options.pairs; ++pair) {
        double figures[2] = {0.0, 0.0};
        for (int side = 0; side < 2; ++side) {
            auto engine = Engine::create({.threads = options.threads});
            if (!engine.ok()) return fail(engine.status());
            auto batch = Batch::open(**engine, options, side == 0 ? 1 : options.streams);
            if (!batch.ok()) return fail(batch.status());
            batch->run(0.3, options.work.rate);
            sounding[side] = batch->voices();
            figures[side] = sounding[side] * options.seconds / batch->run(options.seconds, options.work.rate);
            p95[side].push_back(batch->p95_us());
        }
        one.push_back(figures[0]);
        many.push_back(figures[1]);
        ratio.push_back(figures[1] / figures[0]);
        p95_ratio.push_back(p95[1].back() / p95[0].back());
    }
    print_result({{"voices", options.work.voices},
                  {"sounding", {sounding[0], sounding[1]}},
                  {"streams", {1, options.streams}},
                  {"realtime_voices", {median(one), median(many)}},
                  {"ratio", median(ratio)},
                  {"ratio_interval", {median_interval(ratio).low, median_interval(ratio).high}},
                  {"ratio_min", *std::min_element(ratio.begin(), ratio.end())},
                  {"ratio_max", *std::max_element(ratio.begin(), ratio.end())},
                  {"block_p95_us", {median(p95[0]), median(p95[1])}},
                  {"block_p95_ratio", median(p95_ratio)},
                  {"block_p95_ratio_interval", {median_interval(p95_ratio).low, median_interval(p95_ratio).high}},
                  {"pairs", options.pairs},
                  {"reverb", options.reverb},
                  {"threads", options.threads}},
                 options.json);
    return exit_ok;
}

} // namespace

Command add_bench_streams(CLI::App& app) {
    CLI::App* sub = app.add_subcommand("streams", "Many streams against one at the same total of voices");
    auto options = std::make_shared<Options>();
    options->work.voices = 1000;
    option(*sub, "--voices", options->work.voices, "Voices in all");
    option(*sub, "--streams", options->streams, "Streams, compared with one");
    option(*sub, "--quality", options->work.quality, "eco, standard or ultra");
    option(*sub, "--channels", options->work.channels, "Channels of each stream");
    option(*sub, "--seconds", options->seconds, "Seconds of sound a measurement");
    option(*sub, "--threads", options->threads, "Threads that render");
    option(*sub, "--pairs", options->pairs, "Interleaved pairs");
    sub->add_flag("--reverb", options->reverb, "A reverb on each part");
    sub->add_flag("--json", options->json, "Print one JSON object");
    return {sub, [options] { return run(*options); }};
}

} // namespace tutti::cli
