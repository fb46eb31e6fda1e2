// SPDX-License-Identifier: MIT
// tutti bench voices: how many voices one machine plays in real time through the whole engine.
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <tutti/tables.h>

#include "cli/bench.h"

namespace tutti::cli {

namespace {

constexpr int k_events = 16384;

struct Options {
    VoiceWork work;
    double seconds = 5.0;
    int threads = 1;
    int block = 64;
    bool json = false;
};

Status check(const Options& options) {
    const auto wrong = [](const std::string& what, const std::string& remedy) {
        return Status(Code::out_of_range, what, "nothing was measured", remedy);
    };
    if (options.work.voices < 1 || options.work.voices > 131072)
        return wrong(fmt::format("--voices {} is out of range", options.work.voices), "use 1 to 131072");
    if (voice_table(options.work.type) == nullptr) {
        std::string types;
        for (const TypeTable& table : voice_tables())
            types += (types.empty() ? "" : ", ") + std::string(table.id);
        return wrong(fmt::format("there is no voice type {}", options.work.type), "use one of " + types);
    }
    if (!(options.seconds > 0.0 && options.seconds <= 3600.0))
        return wrong(fmt::format("--seconds {} is out of range", options.seconds), "use more than 0, at most 3600");
    if (options.block < 1 || options.block > 8192)
        return wrong(fmt::format("--block {} is out of range", options.block), "use 1 to 8192");
    return {};
}

int run(const Options& options) {
    if (Status status = check(options); !status.ok()) return fail(status);
    const VoiceWork& work = options.work;
    Result<Patch> patch = work_patch(work);
    if (!patch.ok()) return fail(patch.status());

    auto engine = Engine::create({.threads = options.threads});
    if (!engine.ok()) return fail(engine.status());
    StreamConfig config;
    config.sample_rate = work.rate;
    config.channels = work.channels;
    config.mode = Mode::offline;
    config.parts = work_parts(work);
    config.voices = config.parts * (k_voices_per_part + 64);
    config.events = k_events;
    auto stream = (*engine)->open(config);
    if (!stream.ok()) return fail(stream.status());
    for (int part = 0; part < config.parts; ++part)
        if (Status status = (*stream)->set_patch(part, *patch, 0); !status.ok()) return fail(status);
    auto sender = (*stream)->make_sender();
    if (!sender.ok()) return fail(sender.status());
    std::vector<std::vector<float>> sound(static_cast<std::size_t>(config.channels));
    std::vector<float*> out;
    for (auto& channel : sound) {
        channel.resize(static_cast<std::size_t>(options.block));
        out.push_back(channel.data());
    }
    std::int64_t frame = 0;
    std::int64_t cycle = 0; // next retrigger, counted in voices
    std::int64_t cycle_begin = -1;
    const double frames_per_voice = work.retrigger > 0.0 ? work.retrigger * work.rate / work.voices : 0.0;
    double peak = 0.0;
    const auto pull_until = [&](double seconds, bool retrigger = false) {
        const auto end = frame + static_cast<std::int64_t>(seconds * work.rate);
        while (frame < end) {
            // Each voice in turn is released and started again, spread evenly over the cycle.
            while (retrigger) {
                if (cycle_begin < 0) cycle_begin = frame;
                const auto due = cycle_begin + static_cast<std::int64_t>(static_cast<double>(cycle) * frames_per_voice);
                if (due >= frame + options.block) break;
                const int voice = static_cast<int>(cycle++ % work.voices);
                release_voice(*sender, voice, due);
                start_voice(*sender, work, voice, due);
            }
            (*stream)->pull(out.data(), options.block);
            frame += options.block;
            for (const float x : sound[0])
                peak = std::max(peak, static_cast<double>(x < 0 ? -x : x));
        }
    };
    for (int voice = 0; voice < work.voices; ++voice) {
        if (voice % (k_events / 4) == 0) pull_until(1.0 / work.rate); // the queue is emptied by a pull
        start_voice(*sender, work, voice, frame);
    }
    pull_until(0.5); // past the attacks, caches warm
    const int sounding = (*stream)->stats().voices;
    const std::int64_t first = frame;
    const double cpu = cpu_seconds_now(), wall = seconds_now();
    pull_until(options.seconds, work.retrigger > 0.0);
    const double wall_seconds = seconds_now() - wall, cpu_seconds = cpu_seconds_now() - cpu;
    const double audio_seconds = static_cast<double>(frame - first) / work.rate;
    const StreamStats stats = (*stream)->stats();

    std::string isa = (*engine)->backend();
    if (const auto open = isa.find('('), close = isa.find(')'); open != std::string::npos && close != std::string::npos)
        isa = isa.substr(open + 1, close - open - 1);
    print_result({{"type", work.type},
                  {"quality", work.quality},
                  {"voices", work.voices},
                  {"sounding", sounding},
                  {"audio_seconds", audio_seconds},
                  {"wall_seconds", wall_seconds},
                  {"cpu_seconds", cpu_seconds},
                  {"realtime_voices", work.voices * audio_seconds / wall_seconds},
                  {"threads", options.threads},
                  {"block", options.block},
                  {"channels", work.channels},
                  {"cutoff_envelope", work.cutoff_envelope},
                  {"retrigger", work.retrigger},
                  {"late_events", stats.late_events},
                  {"dropped_events", stats.dropped_events},
                  {"peak", peak},
                  {"isa", isa},
                  {"backend", (*engine)->backend()}},
                 options.json);
    return exit_ok;
}

} // namespace

Command add_bench_voices(CLI::App& app) {
    CLI::App* sub = app.add_subcommand("voices", "Voices in real time, through events, parts and mix");
    auto options = std::make_shared<Options>();
    VoiceWork& work = options->work;
    option(*sub, "--type", work.type, "Voice type");
    option(*sub, "--quality", work.quality, "eco, standard or ultra");
    option(*sub, "--voices", work.voices, "Voices held at once");
    option(*sub, "--seconds", options->seconds, "Seconds of sound to measure");
    option(*sub, "--threads", options->threads, "Threads that render");
    option(*sub, "--block", options->block, "Frames a pull");
    option(*sub, "--rate", work.rate, "Sample rate in Hz");
    option(*sub, "--channels", work.channels, "Channels of the stream");
    option(*sub, "--retrigger", work.retrigger, "Seconds between two attacks of a voice, 0: held");
    sub->add_flag("--cutoff-envelope", work.cutoff_envelope, "An envelope moves the cutoff");
    sub->add_flag("--json", options->json, "Print one JSON object");
    return {sub, [options] { return run(*options); }};
}

} // namespace tutti::cli
